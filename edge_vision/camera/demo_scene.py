"""The demo scene: what moves where, how it is drawn, and what is truly there.

Everything is a pure function of (seed, size, fps, frame number).  Lengths are in frame widths and
heights for places, and in scene units for sizes, where one unit is the height of a 16:9 picture.
"""

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.camera.demo_art import (
    GROUNDS,
    RIM,
    Cutout,
    Pixels,
    Sprite,
    cutout,
    make_ground,
    make_sprite,
)

Affine = NDArray[np.float64]

PAN_X, PAN_Y = 0.09, 0.05
"""How far the camera looks to each side, in picture widths and heights."""
EASE = 0.93
"""How straight a Wave is between its turns: near 0 a sine, at 1 a triangle with sharp corners."""
STRIP_ROWS = 64
"""Stickers are drawn in strips that stay in the processor's cache between the steps."""
TRUTH_UNIT_PX = 180
"""Visibility is counted on a small picture of the scene: pixels per scene unit."""


@dataclass(frozen=True, slots=True)
class TrueObject:
    """One object that is in the picture.

    box: x0 y0 x1 y1, normalised 0..1, tight around its pixels with alpha > 0.5 that are within the
    picture; the sticker's rim does not count, parts behind other objects do.
    visibility: 0..1, share of those pixels that are in the picture and not covered.
    """

    object_id: int
    label: str
    class_id: int
    box: tuple[float, float, float, float]
    visibility: float


@dataclass(frozen=True, slots=True)
class SceneTruth:
    """Everything that is in frame `seq`, in the order in which it is drawn (last = on top)."""

    seq: int
    media_ns: int
    objects: tuple[TrueObject, ...]


@dataclass(frozen=True, slots=True)
class Wave:
    """A value that goes to and fro for ever: steady on the way, eased at its turns.

    phase: in whole periods; at 0 the value is at its centre and growing.
    """

    centre: float
    swing: float
    period_s: float
    phase: float

    def at(self, t_s: float) -> float:
        """The value at a time."""
        turn = math.sin(2 * math.pi * (t_s / self.period_s + self.phase))
        # A sine lingers at its turns; asin makes a triangle of it again, rounded by EASE < 1.
        return self.centre + self.swing * math.asin(EASE * turn) / math.asin(EASE)


@dataclass(frozen=True, slots=True)
class Actor:
    """One object and how it moves: centre in frame widths and heights, height in scene units."""

    picture: str
    label: str
    class_id: int
    x: Wave
    y: Wave
    height: Wave
    tilt_deg: Wave


def cast(seed: int) -> tuple[Actor, ...]:
    """Who plays in the scene of this seed, from the back to the front."""
    rng = random.Random(seed)
    side = 1 if seed % 2 == 0 else -1

    def wave(centre: float, swing: float, period_s: float) -> Wave:
        phase = rng.random()
        return Wave(centre, swing, period_s * rng.uniform(0.9, 1.1), phase)

    return (
        Actor("astronaut", "person", 1, wave(0.5 - side * 0.30, 0.05, 9), wave(0.48, 0.08, 7),
              wave(0.56, 0.05, 11), wave(0, 2, 8)),
        Actor("cameraman", "person", 1, wave(0.5 + side * 0.30, 0.05, 10), wave(0.47, 0.08, 8),
              wave(0.54, 0.04, 12), wave(0, 2, 9)),
        Actor("cat", "cat", 17, wave(0.5, 0.16, 8.5), wave(0.44, 0.14, 6.3),
              wave(0.43, 0.04, 7), wave(0, 4, 6)),
        Actor("cup", "cup", 47, wave(0.5, 0.58, 4.6), wave(0.70, 0.13, 7.7),
              wave(0.29, 0.04, 6.1), wave(0, 4, 5)),
    )  # fmt: skip


class DemoScene:
    """Draws frame n and says what is in it; keeps its scaled pictures between calls.

    `render` belongs to one thread at a time; `truth` may be asked by any.
    """

    def __init__(self, size_px: tuple[int, int], fps: float, seed: int) -> None:
        self.size_px = size_px
        self.fps = fps
        self.actors = cast(seed)
        # In narrow pictures the width decides, so that the objects still fit side by side.
        self.unit_px = float(min(size_px[1], size_px[0] * 0.62))
        self._look = GROUNDS[seed % len(GROUNDS)]
        self._pan = (Wave(0, PAN_X, 17, seed * 0.3), Wave(0, PAN_Y, 13, seed * 0.7))
        self._ground: Pixels | None = None
        self._sprites: list[Sprite] = []
        self._scratch: tuple[Pixels, ...] = ()

    def media_ns(self, seq: int) -> int:
        """When frame `seq` is shown, from 0."""
        return round(seq * 1e9 / self.fps)

    def seq_at(self, media_ns: int) -> int:
        """The newest frame that is due at a media time."""
        seq = int(media_ns * self.fps / 1e9)
        return seq + 1 if self.media_ns(seq + 1) <= media_ns else seq

    def _pan_px(self, t_s: float) -> tuple[int, int]:
        # Whole pixels: the ground is copied, not resampled, and everything on it moves with it.
        width, height = self.size_px
        return round(self._pan[0].at(t_s) * width), round(self._pan[1].at(t_s) * height)

    def pose(self, actor: Actor, t_s: float) -> Affine:
        """(2, 3) matrix from picture pixels to frame pixels, both from the top left corner."""
        rows, columns = cutout(actor.picture).bgra.shape[:2]
        scale = actor.height.at(t_s) * self.unit_px / rows
        angle = math.radians(actor.tilt_deg.at(t_s))
        a, b = scale * math.cos(angle), scale * math.sin(angle)
        pan_x, pan_y = self._pan_px(t_s)
        x = actor.x.at(t_s) * self.size_px[0] - pan_x
        y = actor.y.at(t_s) * self.size_px[1] - pan_y
        half_w, half_h = columns / 2, rows / 2
        return np.array([[a, -b, x - a * half_w + b * half_h], [b, a, y - b * half_w - a * half_h]])

    def render(self, seq: int, out: Pixels | None = None) -> Pixels:
        """Draw frame `seq` into `out`, uint8 (H, W, 3) BGR, or into a new array.

        Raises ValueError when `out` has another shape or dtype.
        """
        width, height = self.size_px
        if out is None:
            out = np.empty((height, width, 3), np.uint8)
        elif out.shape != (height, width, 3) or out.dtype != np.uint8:
            raise ValueError(f"out is {out.dtype}{out.shape}; expected uint8{(height, width, 3)}")
        self.prepare()
        assert self._ground is not None
        t_s = seq / self.fps
        pan_x, pan_y = self._pan_px(t_s)
        left = (self._ground.shape[1] - width) // 2 + pan_x
        top = (self._ground.shape[0] - height) // 2 + pan_y
        np.copyto(out, self._ground[top : top + height, left : left + width])
        for actor, sprite in zip(self.actors, self._sprites, strict=True):
            self._draw(out, sprite, self.pose(actor, t_s))
        return out

    def truth(self, seq: int) -> SceneTruth:
        """What is in frame `seq`; needs no rendering."""
        t_s = seq / self.fps
        poses = [self.pose(actor, t_s) for actor in self.actors]
        shares = self._visibilities(poses)
        objects = []
        for object_id, actor in enumerate(self.actors):
            box = self._box(cutout(actor.picture), poses[object_id])
            if box is not None:
                share = shares[object_id]
                objects.append(TrueObject(object_id, actor.label, actor.class_id, box, share))
        return SceneTruth(seq, self.media_ns(seq), tuple(objects))

    def _box(self, picture: Cutout, pose: Affine) -> tuple[float, float, float, float] | None:
        """Bounds of the part of an object that is in the picture; None when there is none."""
        size = np.array(self.size_px)
        points = picture.outline @ pose[:, :2].T + pose[:, 2]
        # Points of the outline are a picture pixel apart: take one beyond the border, then clip.
        step = float(np.hypot(pose[0, 0], pose[1, 0]))
        near = points[((points > -step) & (points < size + step)).all(axis=1)]
        if len(near) == 0:
            return None
        x0, y0 = np.maximum(near.min(axis=0) / size, 0).tolist()
        x1, y1 = np.minimum(near.max(axis=0) / size, 1).tolist()
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def _visibilities(self, poses: list[Affine]) -> list[float]:
        """Counts pixels on a small picture with a margin, where also hidden ones have a place."""
        shrink = TRUTH_UNIT_PX / self.unit_px
        width, height = (round(side * shrink) for side in self.size_px)
        margin = TRUTH_UNIT_PX
        rim_px = 2 * round(RIM * TRUTH_UNIT_PX) + 1
        rim = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim_px, rim_px))
        owner = np.full((height + 2 * margin, width + 2 * margin), 255, np.uint8)
        totals = []
        for object_id, (actor, pose) in enumerate(zip(self.actors, poses, strict=True)):
            small = pose * shrink
            small[:, 2] += margin
            small[:, 2] += small[:, :2] @ (0.5, 0.5) - 0.5
            mask = cv2.warpAffine(cutout(actor.picture).solid, small, owner.shape[::-1])
            inside = mask > 127
            owner[cv2.dilate(mask, rim) > 127] = 255
            owner[inside] = object_id
            totals.append(int(np.count_nonzero(inside)))
        seen = owner[margin : margin + height, margin : margin + width]
        counts = np.bincount(seen.ravel(), minlength=256)
        return [int(counts[i]) / max(1, total) for i, total in enumerate(totals)]

    def prepare(self) -> None:
        """Make ground and stickers, once; SourceMissing or SourceBroken when that cannot be."""
        if self._ground is not None:
            return
        width, height = self.size_px
        spare_x, spare_y = math.ceil(PAN_X * width) + 1, math.ceil(PAN_Y * height) + 1
        wide = (width + 2 * spare_x, height + 2 * spare_y)
        self._sprites = []
        for actor in self.actors:
            largest = (actor.height.centre + actor.height.swing) * self.unit_px
            self._sprites.append(make_sprite(cutout(actor.picture), largest, self.unit_px))
        self._scratch = tuple(np.empty(STRIP_ROWS * width * n, np.uint8) for n in (4, 1, 3, 3))
        self._ground = make_ground(self._look, wide, self.unit_px)

    def _draw(self, out: Pixels, sprite: Sprite, pose: Affine) -> None:
        """Lay one sticker over the picture, touching only the pixels under it."""
        to_frame = pose.copy()
        to_frame[:, :2] /= sprite.scale
        to_frame[:, 2] -= to_frame[:, :2] @ (sprite.left_px, sprite.top_px)
        rows, columns = sprite.bgrt.shape[:2]
        x0, y0, x1, y1 = _reach(to_frame, columns, rows)
        x0, y0 = max(0, math.floor(x0)), max(0, math.floor(y0))
        x1, y1 = min(self.size_px[0], math.ceil(x1)), min(self.size_px[1], math.ceil(y1))
        if x0 >= x1 or y0 >= y1:
            return
        # OpenCV counts from the centre of the first pixel, the pose from its corner.
        to_frame[:, 2] += to_frame[:, :2] @ (0.5, 0.5) - (0.5 + x0, 0.5 + y0)
        for top in range(y0, y1, STRIP_ROWS):
            self._blend(out[top : min(y1, top + STRIP_ROWS), x0:x1], sprite, to_frame)
            to_frame[1, 2] -= STRIP_ROWS

    def _blend(self, under: Pixels, sprite: Sprite, place: Affine) -> None:
        """Lay one strip of a sticker over a part of the picture; `place` starts at its corner."""
        rows, columns = under.shape[:2]
        warped, clear, through, colour = (
            part[: rows * columns * n].reshape(rows, columns, n)
            for part, n in zip(self._scratch, (4, 1, 3, 3), strict=True)
        )
        cv2.warpAffine(
            sprite.bgrt, place, (columns, rows), warped, cv2.INTER_LINEAR,
            borderValue=(0, 0, 0, 255),
        )  # fmt: skip
        cv2.extractChannel(warped, 3, clear)
        cv2.cvtColor(clear, cv2.COLOR_GRAY2BGR, through)
        cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR, colour)
        cv2.multiply(under, through, under, scale=1 / 255)
        cv2.add(under, colour, under)


def _reach(matrix: Affine, width: float, height: float) -> tuple[float, float, float, float]:
    """x0 y0 x1 y1 of a width x height rectangle at 0, 0 after an affine map."""
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]])
    moved = corners @ matrix[:, :2].T + matrix[:, 2]
    (x0, y0), (x1, y1) = moved.min(axis=0).tolist(), moved.max(axis=0).tolist()
    return x0, y0, x1, y1
