"""Makes the pictures of the demo scene from photographs that ship with scikit-image.

Run it with scikit-image installed:  python scripts/make_demo_pictures.py
It writes edge_vision/camera/demo_pictures/*.webp; SOURCES.md there tells where each comes from.
The package itself never imports this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Array = NDArray[np.uint8]
Polygon = str
"""Corners as "x,y x,y ...", pixels of the photograph."""

TARGET = Path(__file__).resolve().parents[1] / "edge_vision" / "camera" / "demo_pictures"


@dataclass(frozen=True)
class CutOut:
    """How one object is cut out.

    outline: polygons, pixels of the photograph; ellipses: points on the rim of each, at least 5.
    Together they are the object, give or take `slack_px`.
    frame: a polygon outside of which everything is cut away, whatever grabCut says.
    holes: polygons that are background inside of it.
    gain_bgr, saturation: white balance, where the photograph has a cast.
    slack_px: within so many pixels of the outline, grabCut decides by colour.
    round_px: corners (such as those at the photograph's border) are rounded to about this radius.
    """

    photo: str
    outline: Sequence[Polygon]
    ellipses: Sequence[Polygon] = ()
    frame: Polygon = ""
    holes: Sequence[Polygon] = ()
    gain_bgr: tuple[float, float, float] = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    slack_px: int = 6
    round_px: int = 6


CUT_OUTS = {
    "astronaut": CutOut(
        "astronaut",
        [
            (
                "154,62 166,44 188,36 206,22 236,15 262,22 284,34 296,60 301,90 294,116 278,134 "
                "262,140 256,172 276,186 296,212 305,236 326,248 342,270 352,296 360,336 372,348 "
                "392,343 420,346 450,360 474,386 490,420 498,452 511,462 511,511 28,511 24,470 "
                "19,420 19,392 26,350 36,306 48,272 62,248 84,230 112,210 114,186 124,182 "
                "134,162 154,150 184,148 182,130 172,126 160,108 154,84"
            )
        ],
        # A bust: without the helmet she holds, which detectors do not count as person.
        frame=(
            "0,0 380,0 380,322 358,332 336,347 316,366 299,389 284,414 266,440 244,462 216,480 "
            "184,491 150,494 116,490 84,478 56,458 34,432 16,400 0,360"
        ),
    ),
    "cameraman": CutOut(
        "camera",
        [
            (
                "0,248 20,232 36,206 50,178 64,150 80,138 104,127 130,122 148,106 162,104 168,88 "
                "186,72 208,64 238,70 256,88 270,112 268,134 262,139 322,138 325,150 318,156 "
                "320,168 328,172 332,190 328,204 320,222 308,234 298,236 300,258 304,272 288,288 "
                "262,308 245,312 226,304 207,294 186,322 150,368 142,380 149,430 150,511 0,511"
            )
        ],
        holes=[
            "99,446 118,468 142,511 92,511",
            "246,171 257,158 262,178 275,185 277,198 244,205 242,192",
            "244,212 276,207 264,214 262,230 249,246",
        ],
        slack_px=5,
    ),
    "cat": CutOut(
        "chelsea",
        [
            (
                "40,0 34,30 31,60 31,90 37,112 38,140 30,170 22,210 30,250 40,299 300,299 "
                "306,276 316,250 330,216 350,184 362,150 366,124 362,96 356,78 368,62 378,36 "
                "397,0"
            )
        ],
        # The photograph ends above the eyes and at the chin: give it a forehead, ears and a chin.
        frame=(
            "160,1 138,4 118,12 98,13 80,4 64,2 50,12 40,34 32,66 28,100 27,140 31,178 42,214 "
            "60,244 84,267 114,283 150,293 190,298 230,298 262,294 286,285 306,270 330,240 "
            "380,160 384,60 394,14 386,4 368,2 350,7 332,16 314,18 292,11 268,5 236,1 198,0"
        ),
        gain_bgr=(1.20, 1.06, 0.95),
        saturation=0.8,
        slack_px=3,
    ),
    "cup": CutOut(
        "coffee",
        [
            (
                "174,120 175,140 178,157 184,179 193,203 204,222 217,234 211,246 203,258 198,272 "
                "196,285 198,296 204,304 213,308 221,308 227,302 233,295 244,286 256,279 264,283 "
                "278,286 300,286 318,280 328,268 333,259 347,250 361,239 370,226 381,212 390,195 "
                "398,172 404,148 406,120 300,90"
            )
        ],
        ellipses=[
            (
                "174,105 179,80 195,54 222,34 256,21 290,18 326,22 360,34 384,53 398,74 406,106 "
                "402,140 380,172 350,193 300,207 250,201 215,184 190,160 177,130"
            )
        ],
        slack_px=1,
        round_px=2,
    ),
}


def corners(polygon: Polygon) -> NDArray[np.int32]:
    """A polygon as int32 (N, 2)."""
    return np.array([pair.split(",") for pair in polygon.split()], np.int32)


def fill(polygons: Sequence[Polygon], shape: tuple[int, ...]) -> Array:
    """A mask (height, width) uint8, 255 inside of any polygon."""
    mask = np.zeros(shape[:2], np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [corners(polygon)], (255,))
    return mask


def disc(radius_px: int) -> Array:
    """A round structuring element."""
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def silhouette(photo: Array, cut: CutOut) -> Array:
    """Alpha (height, width) uint8 of the object, its edge one or two pixels soft."""
    pad = cut.round_px + 4
    rough = fill(cut.outline, photo.shape)
    for rim in cut.ellipses:
        cv2.ellipse(rough, cv2.fitEllipse(corners(rim)), (255,), cv2.FILLED)
    rough[fill(cut.holes, photo.shape) > 0] = 0
    inner = cv2.erode(rough, disc(cut.slack_px), borderType=cv2.BORDER_REPLICATE)
    outer = cv2.dilate(rough, disc(cut.slack_px))
    labels = np.where(rough > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inner > 0] = cv2.GC_FGD
    labels[outer == 0] = cv2.GC_BGD
    cv2.setRNGSeed(1)
    none = np.zeros((1, 65))
    cv2.grabCut(photo, labels, (0, 0, 1, 1), none, none.copy(), 6, cv2.GC_INIT_WITH_MASK)
    mask: NDArray[Any] = np.where(
        (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD), 255, 0
    ).astype(np.uint8)
    if cut.frame:
        mask[fill([cut.frame], photo.shape) == 0] = 0
    # The photograph's border is an edge of the object too: pad with nothing, then round.
    mask = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(cut.round_px))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(3))
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count > 1:
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        mask = np.where(parts == largest, 255, 0).astype(np.uint8)
    smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2.0)
    soft = np.clip((smooth - 127.5) * 1.6 + 100, 0, 255)  # steeper, and a little inside
    return np.asarray(soft[pad:-pad, pad:-pad], np.uint8)


def cut_out(cut: CutOut) -> Array:
    """The object as (height, width, 4) uint8 BGRA, cropped to what is visible."""
    photo = np.asarray(getattr(data, cut.photo)())
    bgr = cv2.cvtColor(photo, cv2.COLOR_GRAY2BGR if photo.ndim == 2 else cv2.COLOR_RGB2BGR)
    alpha = silhouette(np.asarray(bgr, np.uint8), cut)
    x, y, width, height = cv2.boundingRect((alpha > 8).astype(np.uint8))
    graded = bgr * np.array(cut.gain_bgr)
    grey = graded.mean(axis=2, keepdims=True)
    graded = np.clip(grey + (graded - grey) * cut.saturation + 0.5, 0, 255).astype(np.uint8)
    whole = np.dstack([graded, alpha])
    return np.asarray(whole[y : y + height, x : x + width], np.uint8)


def joined(texture: Array, overlap_px: int) -> Array:
    """Make a (height, width) texture repeat from left to right.

    Its last columns are laid over its first along the path where the two differ least (Efros and
    Freeman, "Image quilting", 2001), and cut off.
    """
    first = texture[:, :overlap_px].astype(np.float64)
    last = texture[:, -overlap_px:].astype(np.float64)
    cost = (first - last) ** 2
    far = np.full((1,), np.inf)
    for row in range(1, len(cost)):
        above = np.concatenate([far, cost[row - 1], far])
        cost[row] += np.minimum(np.minimum(above[:-2], above[1:-1]), above[2:])
    column = int(cost[-1].argmin())
    keep_last = np.zeros_like(cost)
    for row in range(len(cost) - 1, -1, -1):
        low = max(0, column - 1)
        column = low + int(cost[row, low : column + 2].argmin())
        keep_last[row, :column] = 1
    soft = cv2.GaussianBlur(keep_last, (0, 0), 1.0)
    result = texture[:, :-overlap_px].astype(np.float64)
    result[:, :overlap_px] = last * soft + first * (1 - soft)
    return np.asarray(result + 0.5, np.uint8)


def seamless(texture: Array) -> Array:
    """Make a (height, width) texture repeat in both directions, and even out its light."""
    blurred = cv2.GaussianBlur(texture.astype(np.float32), (0, 0), 60)
    even = np.clip(texture - blurred + float(texture.mean()), 0, 255).astype(np.uint8)
    across = joined(even, 96)
    # Three copies, so that the horizontal path meets itself at the sides; the middle is kept.
    width = across.shape[1]
    down = joined(np.ascontiguousarray(np.tile(across, 3).T), 96).T
    return np.ascontiguousarray(down[:, width : 2 * width])


def main() -> None:
    """Write every picture."""
    TARGET.mkdir(exist_ok=True)
    for name in ("gravel", "grass"):
        texture = seamless(np.asarray(getattr(data, name)()))
        cv2.imwrite(str(TARGET / f"{name}.webp"), texture, [cv2.IMWRITE_WEBP_QUALITY, 50])
    for name, cut in CUT_OUTS.items():
        picture = cut_out(cut)
        cv2.imwrite(str(TARGET / f"{name}.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, 86])


if __name__ == "__main__":
    main()
