"""The overlay: boxes, labels and the panel of figures, drawn in place on a BGR picture."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edge_vision.render.hud import Hud, HudPanel, Rect
from edge_vision.render.status import status_picture
from edge_vision.render.style import BLACK, Colour, Sizes, class_colour, sizes_for, text_colour
from edge_vision.render.text import PictureCache, inked, line_height_px, text_mask
from edge_vision.results import Detections, label_of

__all__ = ["Hud", "Overlay", "status_picture"]

Pixels = NDArray[np.uint8]


class Overlay:
    """Draws detections and the panel; keeps rendered labels, so use one for a whole run.

    thickness_px: width of the box lines, 0 fits it to the picture.  hud: draw the panel.
    Used by one thread.
    """

    def __init__(self, thickness_px: int = 0, hud: bool = True) -> None:
        self._thickness_px = thickness_px
        self._hud = hud
        self._cache = PictureCache()
        self._panel = HudPanel(self._cache)

    def draw(
        self,
        canvas: Pixels,
        detections: Detections,
        labels: Mapping[int, str],
        hud: Hud | None = None,
    ) -> None:
        """Draw onto `canvas`, uint8 (height, width, 3) BGR, of any size from 1x1.

        labels: class id -> label.  Better scores lie on top of lesser ones.
        ValueError for a canvas whose rows do not lie in one piece.
        """
        height, width = canvas.shape[:2]
        if canvas.strides[1:] != (3, 1):
            raise ValueError(f"a canvas with strides {canvas.strides}; expected (any, 3, 1)")
        sizes = sizes_for(width, height, self._thickness_px)
        panel: Rect | None = None
        if self._hud and hud is not None:
            panel = self._panel.place(width, height, sizes, hud)
        self._draw_detections(canvas, detections, labels, sizes, panel)
        if self._hud and hud is not None:
            self._panel.draw(canvas, sizes, hud)

    def _draw_detections(
        self,
        canvas: Pixels,
        detections: Detections,
        labels: Mapping[int, str],
        sizes: Sizes,
        panel: Rect | None,
    ) -> None:
        height, width = canvas.shape[:2]
        scale = np.array([width, height, width, height], np.float32)
        boxes = np.rint(detections.boxes * scale).astype(int).tolist()
        class_ids, scores = detections.class_ids.tolist(), detections.scores.tolist()
        taken = [panel] if panel is not None else []
        plates = []
        for box, class_id, score in zip(boxes, class_ids, scores, strict=True):
            plate = self._plate(label_of(labels, class_id), score, class_colour(class_id), sizes)
            outer = _outer(box, sizes, width, height)
            rect = _place(outer, plate.shape[1], plate.shape[0], width, height, taken)
            taken.append(rect)
            plates.append((outer, class_colour(class_id), plate, rect))
        flat = canvas.reshape(height, width * 3)
        for outer, colour, _, _ in reversed(plates):
            self._frame(flat, outer, colour, sizes)
        for _, _, plate, (x0, y0, x1, y1) in reversed(plates):
            canvas[y0:y1, x0:x1] = plate[: y1 - y0, : x1 - x0]

    def _frame(self, flat: Pixels, outer: Rect, colour: Colour, sizes: Sizes) -> None:
        """A box line with a dark rim on both sides, as four copied strips: the cheapest way.

        flat: the picture as (height, width * 3), as numpy copies long rows faster.
        """
        x0, y0, x1, y1 = outer
        rim = sizes.outline_px
        # A small object is not to be covered by its own frame.
        line = max(1, min(sizes.line_px, min(x1 - x0, y1 - y0) // 8))
        band, length = line + 2 * rim, flat.shape[1] + 3 * rim
        strip = self._cache.get(
            ("strip", colour, line, rim, length), lambda: _strip(colour, line, rim, length)
        )
        left, right = 3 * x0, 3 * x1
        for top in (y0, max(y0, y1 - band)):
            low = min(top + band, y1)
            flat[top:low, left:right] = strip[: low - top, : right - left]
            flat[top:low, max(left, right - 3 * rim) : right] = BLACK[0]
        # From line to line, so that the inner rim of the one does not cut the other.
        top, low = y0 + rim + line, y1 - rim - line
        if top < low:
            column = strip[:, 3 * rim : 3 * rim + 3].reshape(-1)
            for begin in (left, max(left, right - 3 * band)):
                end = min(begin + 3 * band, right)
                flat[top:low, begin:end] = column[: end - begin]

    def _plate(self, label: str, score: float, colour: Colour, sizes: Sizes) -> Pixels:
        percent = round(score * 100)
        return self._cache.get(
            ("plate", label, percent, colour, sizes),
            lambda: self._make_plate(label, percent, colour, sizes),
        )

    def _make_plate(self, label: str, percent: int, colour: Colour, sizes: Sizes) -> Pixels:
        """Label and score in black or white on the class colour, with the frame's dark rim."""
        cap, rim = sizes.cap_px, sizes.outline_px
        masks = [text_mask(self._cache, text, cap, bold=True) for text in (label, f" {percent} %")]
        text = inked(np.concatenate(masks, axis=1), colour, text_colour(colour))
        high, side = line_height_px(cap), -(-cap // 2)
        shape = (high + 2 * rim, text.shape[1] + 2 * (side + rim), 3)
        plate = np.full(shape, BLACK, np.uint8)
        plate[rim:-rim, rim:-rim] = colour
        plate[rim:-rim, rim + side : rim + side + text.shape[1]] = text
        return plate


def _strip(colour: Colour, line: int, rim: int, length: int) -> Pixels:
    """The upper side of a frame, (line + 2 rims, length) as BGR BGR ..., dark at its left end."""
    strip = np.full((line + 2 * rim, length // 3, 3), BLACK, np.uint8)
    strip[rim:-rim, rim:] = colour
    return strip.reshape(line + 2 * rim, length)


def _outer(box: list[int], sizes: Sizes, width: int, height: int) -> Rect:
    """The frame's outer edge: its line lies centred on the box, and whole inside the picture."""
    out = sizes.line_px // 2 + sizes.outline_px
    x0, y0, x1, y1 = box
    x0, y0 = min(max(0, x0 - out), width - 1), min(max(0, y0 - out), height - 1)
    return x0, y0, max(x0 + 1, min(width, x1 + out)), max(y0 + 1, min(height, y1 + out))


def _place(
    outer: Rect, plate_width: int, plate_height: int, width: int, height: int, taken: list[Rect]
) -> Rect:
    """Where a plate goes: on top of its frame or, if that is outside or taken, inside or below.

    Where every place is taken, the first that lies inside the picture; a plate that is larger than
    the picture is cut.
    """
    x0, y0, x1, y1 = outer
    wide, high = min(plate_width, width), min(plate_height, height)
    left = min(x0, width - wide)
    right = max(0, x1 - wide)
    above, below = y0 - high, y1 - high
    places = ((left, above), (left, y0), (right, above), (left, y1), (right, y0), (left, below))
    first: Rect | None = None
    for x, y in places:
        if y < 0 or y + high > height:
            continue
        rect = (x, y, x + wide, y + high)
        first = first or rect
        if not any(x < t[2] and t[0] < x + wide and y < t[3] and t[1] < y + high for t in taken):
            return rect
    return first or (left, 0, left + wide, high)
