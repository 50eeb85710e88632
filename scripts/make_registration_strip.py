"""Draws docs/registration.jpg: frames with late results as they are, beside the same ones followed.

Run it with the package installed:  python scripts/make_registration_strip.py [--clip FILE]
docs/registration.jpg was made without a clip.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_vision.camera import make_camera
from edge_vision.config_load import parse_config
from edge_vision.detect.detector import build_detector
from edge_vision.frame import Frame
from edge_vision.measure.compare import Comparison
from edge_vision.render.canvas import Canvas
from edge_vision.render.clock import Clock
from edge_vision.render.overlay import Overlay
from edge_vision.results import Track
from edge_vision.stages.follow import least_score

Pixels = NDArray[np.uint8]

INFERENCE_MS = 200
CELL_PX, CAPTION_PX, GAP_PX = 640, 44, 6
CAPTIONS = {
    "none": f"results {INFERENCE_MS} ms late, drawn as they come",
    "flow": "the same results, followed to the shown frame",
}
TARGET = Path(__file__).resolve().parents[1] / "docs" / "registration.jpg"


def drawn_frames(camera: Mapping[str, object], at_s: Sequence[float]) -> list[Pixels]:
    """The frames at these times, drawn in each way of CAPTIONS side by side, BGR."""
    config = parse_config({"camera": {**camera, "pace": "fast"}})
    least = least_score(config.tracking, config.model.min_score)
    detector = build_detector(config.model.model_copy(update={"min_score": least}))
    overlay, canvas = Overlay(config.overlay), Canvas(bgr=True)
    left, rows = list(at_s), []

    def take(frame: Frame, drawn: Mapping[str, tuple[Track, ...]]) -> None:
        if not left or frame.media_ns < left[0] * 1e9:
            return
        left.pop(0)
        cells = []
        for name in CAPTIONS:
            surface = canvas.fill(frame.main)
            # A time of its own for each: the labels' places do not follow from one to the other.
            clock = Clock(frame.seq, frame.media_ns, frame.media_ns, 10**12 * (len(rows) + 1))
            overlay.draw(surface, drawn[name], detector.labels, clock)
            height = round(CELL_PX * surface.height_px / surface.width_px)
            size = (CELL_PX, height)
            cells.append(cv2.resize(surface.image.data, size, interpolation=cv2.INTER_AREA))
        gap = np.full((len(cells[0]), GAP_PX, 3), 255, np.uint8)
        rows.append(np.hstack((cells[0], gap, cells[1])))

    comparison = Comparison(make_camera(config.camera), detector, config, INFERENCE_MS)
    comparison.run(max(at_s) + 1, take)
    return rows


def captions() -> Pixels:
    """The line above the columns."""
    line = np.full((CAPTION_PX, 2 * CELL_PX + GAP_PX, 3), 255, np.uint8)
    for column, text in enumerate(CAPTIONS.values()):
        place = (column * (CELL_PX + GAP_PX) + 4, CAPTION_PX - 15)
        cv2.putText(line, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, (40, 40, 40), 1, cv2.LINE_AA)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw docs/registration.jpg.")
    parser.add_argument("--clip", help="a video to take frames of as well")
    parser.add_argument("--demo-at", type=float, nargs="*", default=[2.0, 6.4, 13.0], metavar="S")
    parser.add_argument("--clip-at", type=float, nargs="*", default=[1.52], metavar="S")
    parser.add_argument("--out", type=Path, default=TARGET)
    chosen = parser.parse_args()
    parts = [captions()]
    gap = np.full((GAP_PX, parts[0].shape[1], 3), 255, np.uint8)
    frames = drawn_frames({"kind": "demo"}, chosen.demo_at)
    if chosen.clip is not None:
        frames += drawn_frames({"kind": "clip", "source": chosen.clip}, chosen.clip_at)
    for frame in frames:
        parts += [frame, gap]
    cv2.imwrite(str(chosen.out), np.vstack(parts), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
