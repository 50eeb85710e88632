"""The heat map: colours that follow the values, legible text, and files written whole."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vision.errors import OutputError
from edge_vision.map_plot import Panel, check_png, draw_map, three_digits, write_png
from edge_vision.render.style import BLACK, WHITE, Colour, contrast, luminance

NAN = float("nan")


def _panel(values: list[list[float]]) -> Panel:
    array = np.array(values)
    rows, columns = array.shape
    return Panel(
        title="a panel",
        values=array,
        notes=[["733 M"] * columns] * rows,
        rows=[("0.5", "2.0 M param.")] * rows,
        columns=[("300 px", "rho 1.00")] * columns,
        corner=("alpha", "input size"),
    )


def _draw(*panels: Panel) -> NDArray[np.uint8]:
    return draw_map("a title", "below it", "ms", [panels])


def _areas(picture: NDArray[np.uint8]) -> dict[Colour, NDArray[np.bool_]]:
    """Where each colour is that fills at least half a cell: cells do; letters are black or white,
    and the legend's bar has little of each."""
    found, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    papers = [tuple(map(int, c)) for c, count in zip(found, counts, strict=True) if count > 5000]
    return {c: (picture == c).all(axis=2) for c in papers if c not in (BLACK, WHITE)}


def test_colours_follow_the_values() -> None:
    areas = _areas(_draw(_panel([[1.0, 2.0, 4.0, 8.0, 8.0]])))
    from_left = sorted(areas, key=lambda colour: np.flatnonzero(areas[colour].any(axis=0))[0])
    light = [luminance(colour) for colour in from_left]
    assert len(light) == 4  # 8 and 8 have the same
    assert light == sorted(light, reverse=True)
    assert areas[from_left[3]].sum() > 1.8 * areas[from_left[2]].sum()


def test_panels_share_one_scale() -> None:
    alone = set(_areas(_draw(_panel([[1.0, 3.0, 9.0]]))))
    apart = set(_areas(_draw(_panel([[1.0, 9.0]]), _panel([[3.0]]))))
    assert alone == apart
    assert len(alone) == 3


def test_text_stands_out_from_every_cell() -> None:
    values = np.geomspace(0.2, 40, 24).reshape(4, 6)
    picture = _draw(_panel(values.tolist()))
    areas = _areas(picture)
    assert len(areas) == values.size
    for paper, area in areas.items():
        rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
        cell = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].reshape(-1, 3)
        inks = {tuple(map(int, ink)) for ink in cell}
        assert max(contrast(ink, paper) for ink in inks) > 4.5  # type: ignore[arg-type]


def test_what_was_not_measured_is_pale_and_changes_no_other_colour() -> None:
    whole, holed = _areas(_draw(_panel([[1.0, 9.0]]))), _areas(_draw(_panel([[1.0, 9.0, NAN]])))
    (pale,) = set(holed) - set(whole)
    assert len(holed) == 3
    assert luminance(pale) > max(map(luminance, whole))


@pytest.mark.parametrize("values", [[[5.0]], [[NAN, NAN]], [[0.001, 20000.0]]])
def test_odd_ranges_are_drawn(values: list[list[float]]) -> None:
    assert _areas(_draw(_panel(values)))


def test_the_written_file_is_the_picture(tmp_path: Path) -> None:
    picture = _draw(_panel([[1.0, 2.0]]))
    path = tmp_path / "map.PNG"
    path.write_bytes(b"an older one")
    check_png(path)
    assert path.read_bytes() == b"an older one"
    write_png(picture, path)
    assert (cv2.imread(str(path)) == picture).all()
    assert [file.name for file in tmp_path.iterdir()] == ["map.PNG"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("map.jpg", "does not end in .png"),
        ("map", "does not end in .png"),
        ("gone/map.png", "cannot be written: No such file or directory"),
        ("file.txt/map.png", "cannot be written: Not a directory"),
        ("folder.png", "is a folder"),
        ("n" * 300 + ".png", "cannot be written: File name too long"),
    ],
)
def test_paths_that_cannot_be_written(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file.txt").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=said):
        check_png(tmp_path / name)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file.txt", "folder.png"]


def test_writing_tells_what_went_wrong_since_the_check(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        write_png(np.zeros((2, 2, 3), np.uint8), tmp_path / "gone" / "map.png")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "0.012"), (0.9996, "1.00"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"),
     (1234.5, "1234")],
)  # fmt: skip
def test_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text
