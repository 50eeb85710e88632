"""What the detector and the tracker say: the only words that cross to renderer and outputs.

One coordinate space: boxes are x0 y0 x1 y1, normalised 0..1 to the main image, x to the right and
y down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_vision.frame import Stamps


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in one picture, best score first.

    boxes: float32 (N, 4), x0 y0 x1 y1, normalised 0..1, x0 <= x1 and y0 <= y1.
    scores: float32 (N,), 0..1.
    class_ids: int32 (N,), ids of the label table (COCO ids for COCO models; person = 1).
    Raises ValueError when shape, dtype or range do not hold, or a box is inverted.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    class_ids: NDArray[np.int32]

    def __post_init__(self) -> None:
        count = len(self.scores)
        wanted = (("boxes", (count, 4), np.float32), ("scores", (count,), np.float32))
        for name, shape, dtype in (*wanted, ("class_ids", (count,), np.int32)):
            array = getattr(self, name)
            if array.shape != shape or array.dtype != dtype:
                raise ValueError(
                    f"{name} of {array.dtype}{array.shape}; expected {dtype.__name__}{shape}"
                )
        if count == 0:
            return
        # Written so that a NaN fails every comparison.
        if not (self.boxes.min() >= 0 and self.boxes.max() <= 1):
            raise ValueError("boxes leave 0..1 or hold NaN; expected normalised, clipped boxes")
        if not (self.scores.min() >= 0 and self.scores.max() <= 1):
            raise ValueError("scores leave 0..1 or hold NaN")
        if not bool((self.boxes[:, :2] <= self.boxes[:, 2:]).all()):
            raise ValueError("boxes are inverted; expected x0 <= x1 and y0 <= y1")

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> "Detections":
        """No object at all."""
        return cls(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))

    def to_list(self, labels: Mapping[int, str]) -> list[dict[str, object]]:
        """As plain values for JSON: label, class_id, score (4 digits), box [x0, y0, x1, y1]."""
        return [
            {
                "label": label_of(labels, class_id),
                "class_id": class_id,
                "score": round(score, 4),
                "box": [round(value, 5) for value in box],
            }
            for box, score, class_id in zip(
                self.boxes.tolist(), self.scores.tolist(), self.class_ids.tolist(), strict=True
            )
        ]


def label_of(labels: Mapping[int, str], class_id: int) -> str:
    """The label of a class id, or `class <id>` where the label table has none."""
    return labels.get(class_id) or f"class {class_id}"


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One object followed through time.

    id: from 1, in the order in which a tracker met them; 0 = nobody follows it.
    box: float32 (4,), x0 y0 x1 y1, normalised; unlike a detection's it may reach over the border.
    velocity: float32 (4,), change of `box` per second.
    first_seen_ns, last_seen_ns: `media_ns` of the frames of its first and newest detection.
    sigma: standard deviation of the box's centre, as a share of the picture's width.
    """

    id: int
    box: NDArray[np.float32]
    velocity: NDArray[np.float32]
    score: float
    class_id: int
    state: Literal["tentative", "confirmed", "coasting"]
    first_seen_ns: int
    last_seen_ns: int
    sigma: float = 0.0

    def to_dict(self, labels: Mapping[int, str]) -> dict[str, object]:
        """As plain values for JSON; age_s: from the first to the newest detection."""
        return {
            "id": self.id,
            "label": label_of(labels, self.class_id),
            "class_id": self.class_id,
            "score": round(self.score, 4),
            "state": self.state,
            "box": [round(value, 5) for value in self.box.tolist()],
            "velocity": [round(value, 5) for value in self.velocity.tolist()],
            "age_s": round((self.last_seen_ns - self.first_seen_ns) / 1e9, 3),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is known at one instant; replaced whole, never changed.

    seq, exposed_ns, media_ns: of the frame that was analysed.  labels: class id -> label.
    detections: of this frame.  tracks: where every followed object was in it, whether it was seen
    there (confirmed, tentative) or not (coasting).
    """

    seq: int
    exposed_ns: int
    media_ns: int
    detections: Detections
    model: str
    labels: Mapping[int, str] = field(default_factory=dict)
    tracks: tuple[Track, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """One analysed frame: its scene and its clock."""

    scene: Scene
    stamps: Stamps
