"""The renderer that a configuration names is found, or what is wrong with it is told."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_vision.camera.demo import DemoCamera
from edge_vision.errors import ConfigError
from edge_vision.render.clock import Clock
from edge_vision.render.plugin import Plugin, load_renderer
from edge_vision.render.surface import BgrSurface
from edge_vision.results import Track


@pytest.fixture
def own_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The current folder is an empty one, and what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("source", "name", "said"),
    [
        (None, "mine:draw", "there is no module mine in {here} or among"),
        (None, "a.mine:draw", "expected a file a/mine.py there"),
        ("draw = 3", "mine:draw", "in {here}/mine.py draw is a int; expected a function"),
        ("def other(): 0", "mine:draw", "no draw in {here}/mine.py; its functions: other"),
        ("def draw(canvas): 0", "mine:draw", "cannot be called with (canvas, tracks, clock): too"),
        ("def draw(a, b, c, d): 0", "mine:draw", "missing a required argument: 'd'"),
        ("def draw(:\n", "mine:draw", "fails: SyntaxError: invalid syntax (mine.py, line 1)"),
        ("\n1 / 0", "mine:draw", "fails at {here}/mine.py:2: ZeroDivisionError: division by zero"),
        ("import no_such_thing", "mine:draw", "mine.py:1: ModuleNotFoundError: No module named"),
        ("import sys\nsys.exit(4)", "mine:draw", "fails at {here}/mine.py:2: SystemExit: 4"),
    ],
)
def test_what_cannot_be_called_is_refused(
    own_path: Path, source: str | None, name: str, said: str
) -> None:
    if source is not None:
        (own_path / "mine.py").write_text(source)
    with pytest.raises(ConfigError) as caught:
        load_renderer(name)
    assert str(caught.value).startswith(f"overlay.renderer is {name}, but ")
    assert said.format(here=own_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["deep.down:draw", "deep.down:Painter", "deep.down:painter"])
def test_functions_classes_and_objects_of_the_current_folder(own_path: Path, name: str) -> None:
    (own_path / "deep").mkdir()
    (own_path / "beside.py").write_text("COLOUR = 5\n")
    (own_path / "deep" / "down.py").write_text(
        "import beside\n"
        "def draw(canvas, tracks, clock, more=beside.COLOUR): 0\n"
        "class Painter:\n"
        "    def __init__(self, *all): 0\n"
        "    def __call__(self, canvas, tracks, clock): 0\n"
        "painter = Painter()\n"
    )
    load_renderer(name)(np.zeros((1, 1, 3), np.uint8), (), Clock(0, 0, 0, 0))


def test_installed_packages_are_found(own_path: Path) -> None:
    assert load_renderer("builtins:slice") is slice


def test_the_example_draws(
    repo: Path, monkeypatch: pytest.MonkeyPatch, own_path: Path, no_thread_left: None
) -> None:
    """A dial with its hand at a quarter of a minute, and a cross on each object."""
    monkeypatch.chdir(repo)
    camera = DemoCamera((640, 360))
    picture, truth = camera.render(0), camera.truth(0)
    surface, before = BgrSurface(picture), picture.copy()
    still = np.zeros(4, np.float32)
    tracks = [
        Track(number, np.array(item.box, np.float32), still, 0.9, item.class_id, "confirmed", 0, 0)
        for number, item in enumerate(truth.objects, 1)
    ]
    example = Plugin("examples.overlay_clock:draw", {})
    example.patience_s = 30.0
    assert example.draw(surface, tracks, Clock(0, 0, 15_000_000_000, 0))
    example.close(5.0)
    orange = (picture == (0, 140, 255)).all(axis=2)
    for item in truth.objects:
        centre_x = round((item.box[0] + item.box[2]) / 2 * 640)
        centre_y = round((item.box[1] + item.box[3]) / 2 * 360)
        assert orange[centre_y - 1 : centre_y + 2, centre_x - 1 : centre_x + 2].any()
    assert orange[45, 600:620].all()
    assert not orange[45, 560:590].any()
    lines = (repo / "examples" / "overlay_clock.py").read_text().split("def draw")[1].splitlines()
    assert len(lines) <= 12
    unchanged = (picture == before).all(axis=2)
    assert 0.95 < unchanged.mean() < 1
