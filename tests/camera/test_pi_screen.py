"""The board's display: pictures and overlays in order, and every way in which it cannot be had."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_picamera2 import World

from edge_vision.camera.pi import PiCamera
from edge_vision.camera.pi_request import BUFFERS, KEPT
from edge_vision.camera.pi_screen import HELD, Display, PiScreen, check_free, find_display
from edge_vision.config import CameraConfig
from edge_vision.errors import BackendMissing, CameraLost, CameraUnavailable

CONSOLE = Display(Path("/dev/dri/card1"), 1920, 1080)
Overlay = Any


def overlay(level: int) -> Overlay:
    return np.full((480, 640, 4), level, np.uint8)


@pytest.fixture
def camera(pi_world: World, no_thread_left: None) -> Any:
    """A Pi camera that is to show its pictures; not open yet."""
    made = PiCamera(CameraConfig(kind="pi", size_px=(640, 480), timeout_s=5.0), pi_world)
    made.screen._find = lambda: CONSOLE
    made.screen._check = lambda card: None
    made.screen.start()
    yield made
    made.close()


def take(camera: PiCamera, count: int, use: Callable[[Any], object] = lambda frame: None) -> None:
    taken = 0
    while taken < count:
        if (frame := camera.read(1.0)) is not None:
            use(frame)
            frame.release()
            taken += 1


def test_the_pictures_are_on_the_whole_screen(camera: PiCamera, pi_world: World) -> None:
    camera.open()
    assert pi_world.opened.config["display"] == "main"
    assert pi_world.opened.config["buffer_count"] == BUFFERS + HELD
    assert pi_world.screen.window == (0, 0, 1920, 1080)
    stamps: list[int] = []
    take(camera, 20, lambda frame: stamps.append(frame.stamps.exposed))
    shown = [stamp for stamp, _ in pi_world.screen.shown]
    assert len(shown) >= 18
    assert shown == sorted(set(shown)), "each once, in order"
    assert set(stamps[:-3]) <= set(shown)


def test_each_picture_has_the_overlay_that_was_drawn_for_it(
    camera: PiCamera, pi_world: World
) -> None:
    """The overlay for a picture comes while the next one is taken."""
    drawn: dict[int, int] = {}

    def draw(frame: Any) -> None:
        level = len(drawn) + 1
        drawn[frame.stamps.exposed] = level
        assert camera.screen.show(overlay(level))

    # In step with the camera's thread: it shows when the next read begins.
    capture = camera._guard._inner  # the fake finishes a picture for each turn of its loop
    capture.open()
    try:
        before = capture.read(1.0)
        for _ in range(12):
            frame = capture.read(1.0)
            draw(before)
            before.release()
            before = frame
        before.release()
    finally:
        capture.close()
    with_overlay = [(stamp, fb) for stamp, fb in pi_world.screen.shown if fb is not None]
    assert len(with_overlay) >= 8
    lags = {drawn[stamp] - int(fb[0, 0, 0]) for stamp, fb in with_overlay}
    assert lags == {0}, f"overlays that are so many pictures late: {lags}"


def test_an_overlay_is_copied(camera: PiCamera, pi_world: World) -> None:
    camera.open()
    mine = overlay(9)
    take(camera, 3)
    camera.screen.show(mine)
    mine[:] = 200
    take(camera, 4)
    seen = {int(fb[5, 5, 0]) for _, fb in pi_world.screen.shown if fb is not None}
    assert seen == {9}


def test_the_screen_never_starves_the_camera(camera: PiCamera, pi_world: World) -> None:
    camera.open()
    held: list[Any] = []
    while len(held) < BUFFERS - KEPT:
        if (frame := camera.read(1.0)) is not None:
            held.append(frame)
    finished = pi_world.finished
    assert camera.read(0.2) is None, "as many as without a screen, and no more"
    assert pi_world.finished > finished
    assert pi_world.starved == 0
    for frame in held:
        frame.release()


def test_every_buffer_comes_back(camera: PiCamera, pi_world: World) -> None:
    camera.open()
    take(camera, 30)
    camera.close()
    assert pi_world.screen.opened == 0
    # The newest may never have been lent; nothing else is out.
    assert sum(request.ref_count for request in pi_world.requests) <= 1
    camera.open()
    take(camera, 5)
    assert pi_world.screen.opened == 1


def test_without_being_told_nothing_is_shown(open_pi: Any, pi_world: World) -> None:
    camera, _ = open_pi()
    take(camera, 5)
    assert pi_world.opened.config["display"] is None
    assert pi_world.opened.config["buffer_count"] == BUFFERS
    assert pi_world.screen.shown == []


def test_a_display_that_cannot_be_taken_leaves_the_camera_alone(
    camera: PiCamera, pi_world: World
) -> None:
    pi_world.screen.refuses = RuntimeError("DrmPreview: could not find a usable DRM device")
    camera.open()
    take(camera, 3)
    assert str(camera.screen.fault()) == (
        "outputs.preview: the display failed (DrmPreview: could not find a usable DRM device); the "
        "rest goes on without it"
    )
    assert not camera.screen.show(overlay(1))
    assert pi_world.opened.config["display"] is None


@pytest.mark.parametrize(
    "failure", [RuntimeError("Atomic commit failed: -13"), OSError(13, "Permission denied")]
)
def test_a_display_that_fails_later_leaves_the_camera_alone(
    camera: PiCamera, pi_world: World, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    camera.open()
    take(camera, 5)
    pi_world.screen.breaks = failure
    take(camera, 3 * BUFFERS)
    assert str(failure) in str(camera.screen.fault())
    assert pi_world.screen.opened == 0
    assert pi_world.starved == 0
    assert sum("display failed" in line for line in caplog.messages) == 1
    camera.close()
    camera.open()  # it is not tried again
    take(camera, 3)
    assert pi_world.screen.opened == 0


def test_the_camera_may_fail_under_the_screen(camera: PiCamera, pi_world: World) -> None:
    camera.open()
    take(camera, 5)
    pi_world.gone = True
    with pytest.raises(CameraLost, match="No such device"):
        take(camera, 50)
    camera.close()
    assert camera.screen.fault() is None
    pi_world.gone, pi_world.busy = False, True
    with pytest.raises(CameraUnavailable, match="busy"):
        camera.open()
    assert pi_world.screen.opened == 0
    pi_world.busy = False
    camera.open()
    pi_world.screen.shown.clear()
    take(camera, 5)
    assert pi_world.screen.shown


def connector(drm: Path, name: str, status: str, *modes: str) -> None:
    folder = drm / name
    folder.mkdir(parents=True)
    (folder / "status").write_text(f"{status}\n")
    (folder / "modes").write_text("".join(f"{mode}\n" for mode in modes))


def test_the_first_connected_screen_is_found(tmp_path: Path) -> None:
    (tmp_path / "card0").mkdir()  # a renderer without connectors
    connector(tmp_path, "card1-HDMI-A-1", "disconnected")
    connector(tmp_path, "card1-HDMI-A-2", "connected", "1024x600", "800x600")
    connector(tmp_path, "card1-Writeback-1", "unknown")
    assert find_display(Path("/dev/dri"), tmp_path) == Display(Path("/dev/dri/card1"), 1024, 600)


def test_no_screen_and_no_display_hardware(tmp_path: Path) -> None:
    with pytest.raises(BackendMissing, match=r"DRM/KMS, and .* has none; on a Raspberry Pi put"):
        find_display(tmp_path, tmp_path)
    connector(tmp_path, "card1-HDMI-A-1", "disconnected")
    with pytest.raises(BackendMissing, match="needs a screen, and none is connected"):
        find_display(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("answer", "said"),
    [(errno.EINVAL, None), (errno.EACCES, "a desktop or another program holds the display")],
)
def test_a_desktop_that_holds_the_display(tmp_path: Path, answer: int, said: str | None) -> None:
    asked: list[int] = []

    def ioctl(descriptor: int, request: int, data: bytes) -> None:
        asked.append(request)
        assert data == bytes(4)
        raise OSError(answer, "no")

    card = tmp_path / "card1"
    card.touch()
    if said is None:
        check_free(card, ioctl)
    else:
        with pytest.raises(BackendMissing, match=said):
            check_free(card, ioctl)
    assert asked == [0x40046411]


def test_a_display_that_may_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(BackendMissing, match=r"card9 \(no such file or directory\); add yourself"):
        check_free(tmp_path / "card9")


def test_start_looks_before_the_camera_is_opened(pi_world: World) -> None:
    screen = PiScreen(pi_world, find=lambda: CONSOLE, check=lambda card: check_free(Path("/no")))
    with pytest.raises(BackendMissing):
        screen.start()
    screen.open(None)
    assert screen.held == 0
