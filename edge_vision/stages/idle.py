"""Whether anything moves: detection may rest while nothing does.

A tiny grey picture of each frame is compared with a background that follows it slowly.  What each
of its cells commonly does is learnt too, so that a noisy sensor, a flickering lamp or a screen are
soon taken for granted.  The estimators resemble the sigma-delta ones of Manzanera and Richefeu, "A
new motion detection algorithm based on sigma-delta background estimation", Pattern Recognition
Letters 28 (2007), with steps in time instead of steps a frame.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.config_board import PowerConfig
from edge_vision.frame import Image, PixelFormat
from edge_vision.results import Scene

_COLUMNS, _ROWS = 96, 54
"""About so many pixels are looked at; a cell is the mean of 2 x 2 of them.  Every one of them costs
a cache line, which is what this whole comparison takes longest for."""
_SHARE = 0.005
"""So much of the picture must change."""
_LEAST_CHANGE = 6.0
"""Grey levels by which a cell must change, however quiet it is; a compressed video flickers by
less."""
_TIMES_USUAL = 3.0
"""How far a change must stand out from what is usual there: 4.3 standard deviations of noise."""
_BACKGROUND_S, _BACKGROUND_PER_S = 2.0, 15.0
"""The background follows with this time constant, but by so many grey levels a second at most."""
_USUAL_UP_PER_S, _USUAL_DOWN_PER_S = 2.0, 1 / 3
"""Steps of what is usual, in grey levels a second.  It settles where 1 change in 7 is larger: at
1.5 standard deviations of noise, and well within a lamp's flicker, however it is timed."""
_LONGEST_STEP_S = 1.0
"""A pause of the stream teaches no more than this."""
_TRACK_MOVES = 0.1
"""An object moves when a side of its box went by so much of the box's longer side since it last
did; boxes of still objects were seen to tremble by 0.07."""


class IdleGate:
    """Says which frames to analyse: all, or `power.idle_fps` a second while nothing moves.

    `wants` belongs to the camera's thread, `seen` to the one that makes the scenes.
    """

    def __init__(self, config: PowerConfig) -> None:
        self._after_ns = round(config.idle_after_s * 1e9)
        self._interval_ns = round(1e9 / config.idle_fps)
        self._change = _Change()
        self._newest_ns = -1
        self._wanted_ns = 0
        self._moved_ns = 0
        self._track_moved_ns = 0
        self._boxes: dict[int, NDArray[np.float32]] = {}
        """Where each followed object was when it last moved."""
        self.idle = False
        """Whether detection rests."""

    def wants(self, image: Image, media_ns: int) -> bool:
        """Whether to analyse this frame; to be asked for every one, in order."""
        if not self._after_ns:
            return True
        # A source that was opened anew begins its time again, perhaps with another picture.
        again = media_ns < self._newest_ns or self._newest_ns < 0
        if again:
            self._change.forget()
            self._track_moved_ns = 0
        step_s = (media_ns - self._newest_ns) / 1e9
        self._newest_ns = media_ns
        if self._change.seen(image, step_s) or again:
            self._moved_ns = media_ns
        last_ns = max(self._moved_ns, self._track_moved_ns)
        self.idle = media_ns - last_ns >= self._after_ns
        if self.idle and media_ns - self._wanted_ns < self._interval_ns:
            return False
        self._wanted_ns = media_ns
        return True

    def seen(self, scene: Scene) -> None:
        """What was found in an analysed frame: while a followed object moves, nothing rests."""
        if not self._after_ns:
            return
        boxes = {}
        for track in scene.tracks:
            box = self._boxes.get(track.id)
            if track.state == "confirmed" and (box is None or _moved(box, track.box)):
                self._track_moved_ns = scene.media_ns
                box = track.box
            if box is not None:
                boxes[track.id] = box
        self._boxes = boxes


def _moved(before: NDArray[np.float32], box: NDArray[np.float32]) -> bool:
    side = float((before[2:] - before[:2]).max())
    return float(np.abs(box - before).max()) > _TRACK_MOVES * side


class _Change:
    """Tells whether a picture differs from what was there before in more than the usual way."""

    def __init__(self) -> None:
        self._kind: object = None
        self._background = np.empty(0, np.float32)
        self._usual = np.empty(0, np.float32)

    def forget(self) -> None:
        """The next picture is the first one."""
        self._kind = None

    def seen(self, image: Image, step_s: float) -> bool:
        """Whether enough has changed; step_s: seconds since the picture before.

        The first picture, and the first of another size or format, changes everything.
        """
        cells = _cells(image)
        kind = (image.format, image.width_px, image.height_px)
        if kind != self._kind:
            self._kind, self._background = kind, cells
            self._usual = np.full_like(cells, _LEAST_CHANGE / _TIMES_USUAL)
            return True
        step_s = min(step_s, _LONGEST_STEP_S)
        difference = cells - self._background
        # What all cells do together is the light, or the camera's exposure.
        size = np.abs(difference - difference.mean())
        limit = np.maximum(self._usual * _TIMES_USUAL, _LEAST_CHANGE)
        changed = int(np.count_nonzero(size > limit))
        unusual = size > self._usual
        self._usual += np.where(
            unusual, np.float32(_USUAL_UP_PER_S * step_s), np.float32(-_USUAL_DOWN_PER_S * step_s)
        )
        np.maximum(self._usual, 0, out=self._usual)
        difference *= min(1.0, step_s / _BACKGROUND_S)
        most = _BACKGROUND_PER_S * step_s
        self._background += np.clip(difference, -most, most, out=difference)
        return changed >= max(1.0, _SHARE * cells.size)


def _cells(image: Image) -> NDArray[np.float32]:
    """The picture in about 48 x 27 cells: float32, grey levels 0..255 (green ones of a BGR)."""
    across = max(1, image.width_px // _COLUMNS)
    down = max(1, image.height_px // _ROWS)
    pixels = image.data[: image.height_px, : image.width_px]
    if image.format is not PixelFormat.YUV420:
        pixels = pixels[:, :, 1]
    few = np.ascontiguousarray(pixels[down // 2 :: down, across // 2 :: across])
    rows, columns = max(1, few.shape[0] // 2), max(1, few.shape[1] // 2)
    even = few[: rows * 2, : columns * 2]
    return cv2.resize(even, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
