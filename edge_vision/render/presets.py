"""What overlay.style chooses: how an object is marked, what its label is, where that goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_vision.render import marks
from edge_vision.render.marks import Pen, Reticles
from edge_vision.render.placing import Places
from edge_vision.render.plates import Plates, Wanted
from edge_vision.render.style import Sizes
from edge_vision.render.surface import Patch, Rect, Surface

_BRACKET_SHARE = 0.22
_HUD_BRACKET_SHARE = 0.16
_LEAST_RETICLE_BOX_PX = 48


@dataclass(frozen=True, slots=True)
class Preset:
    """One style.

    mark: draws what marks the object's box (its outer edge).
    label: makes the label.  places: where it may go.
    connect: draws what joins the label to the box, or None.
    """

    mark: Callable[[Pen, Rect, Reticles], None]
    label: Callable[[Plates, Surface, Wanted], Patch]
    places: Places
    connect: Callable[[Pen, Rect, Rect], None] | None = None


def line_sizes(style: str, sizes: Sizes, thickness_px: int) -> Sizes:
    """The line fitted to a style: thinner where there is little of it, unless it was asked for."""
    if thickness_px or style in ("boxes", "corners"):
        return sizes
    return Sizes(max(1, sizes.line_px - 1), sizes.outline_px, sizes.cap_px)


def _boxes(pen: Pen, outer: Rect, _: Reticles) -> None:
    marks.frame(pen, outer)


def _corners(pen: Pen, outer: Rect, _: Reticles) -> None:
    marks.corners(pen, outer, _BRACKET_SHARE)


def _minimal(pen: Pen, outer: Rect, _: Reticles) -> None:
    marks.underline(pen, outer)


def _hud(pen: Pen, outer: Rect, reticles: Reticles) -> None:
    marks.corners(pen, outer, _HUD_BRACKET_SHARE)
    side = min(outer[2] - outer[0], outer[3] - outer[1])
    if not pen.faint and side >= _LEAST_RETICLE_BOX_PX:
        reticles.draw(pen.surface, outer, pen.colour, max(4, min(pen.line_px * 4, side // 12)))


def _on_the_frame(
    outer: Rect, wide: int, high: int, width_px: int, height_px: int
) -> list[tuple[int, int]]:
    """On top of the frame or, if that is outside or taken, inside or below."""
    x0, y0, x1, y1 = outer
    left = max(0, min(x0, width_px - wide))
    right = max(0, min(x1, width_px) - wide)
    above, below = y0 - high, y1 - high
    inside = max(0, y0)
    return [
        (left, above),
        (left, inside),
        (right, above),
        (left, y1),
        (right, inside),
        (left, below),
    ]


def _under_the_line(
    outer: Rect, wide: int, high: int, width_px: int, height_px: int
) -> list[tuple[int, int]]:
    """Under the line, else on it, else at the top."""
    x0, y0, x1, y1 = outer
    left = max(0, min(x0, width_px - wide))
    right = max(0, min(x1, width_px) - wide)
    middle = max(0, min((x0 + x1 - wide) // 2, width_px - wide))
    low = min(y1, height_px)
    on = low - high - high // 4
    return [
        (left, y1),
        (right, y1),
        (left, on),
        (right, on),
        (left, y0 - high),
        (middle, max(0, y0)),
    ]


def _beside(
    outer: Rect, wide: int, high: int, width_px: int, height_px: int
) -> list[tuple[int, int]]:
    """Beside the box, a little off, at the end of a line; at last inside it."""
    x0, y0, x1, y1 = outer
    away = max(10, high * 2 // 3)
    right, left = x1 + away, x0 - away - wide
    top, low = max(0, y0 - high), min(y1, height_px) - high
    middle = (y0 + y1 - high) // 2
    inside = max(0, x0) + high // 4, max(0, y0) + high // 4
    return [
        (right, top),
        (left, top),
        (right, middle),
        (left, middle),
        (right, low),
        (left, low),
        inside,
    ]


def _lead(pen: Pen, outer: Rect, label: Rect) -> None:
    """From the nearest point of the box, upwards askew and then level, to the label's edge."""
    x0, y0, x1, y1 = outer
    level = (label[1] + label[3]) // 2
    start = max(0, y0, min(level, y1 - 1))
    if label[0] >= x1:
        begin, end = x1 - 1, label[0]
    elif label[2] <= x0:
        begin, end = x0, label[2] - 1
    else:
        return
    elbow = begin + (end - begin) * 3 // 5
    marks.leader(pen.surface, [(begin, start), (elbow, level), (end, level)], pen.colour, pen.faint)


PRESETS: Mapping[str, Preset] = {
    "boxes": Preset(_boxes, Plates.solid, _on_the_frame),
    "corners": Preset(_corners, Plates.solid, _on_the_frame),
    "minimal": Preset(_minimal, Plates.bare, _under_the_line),
    "hud": Preset(_hud, Plates.glass, _beside, _lead),
}
"""By the names that overlay.style allows."""
