"""What is truly in a frame: the demo scene knows; of a clip, what the detector sees at once."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from edge_vision.camera.demo import SceneTruth
from edge_vision.measure.metrics import SAME_IOU, TrueBox
from edge_vision.results import Detections, Scene, Track
from edge_vision.track.match import assign, overlaps

LEAST_VISIBLE = 0.5
"""An object of which less can be seen may be drawn, but need not be."""
BRIDGE_NS = 1_000_000_000
"""A clip's object that is detected again within so long was there in between."""
_LEAST_IOU = 0.3
"""A detection that overlaps a track's box by less is not what the track saw."""


def demo_truth(scene: SceneTruth, class_ids: Mapping[str, int]) -> tuple[TrueBox, ...]:
    """The objects of a frame of the demo scene that a detector could know.

    class_ids: label -> class id, of what the detector is to look for.  An object that leaves the
    picture and comes back keeps its id.
    """
    return tuple(
        TrueBox(
            thing.object_id + 1,
            class_ids[thing.label],
            np.array(thing.box, np.float32),
            thing.visibility >= LEAST_VISIBLE,
        )
        for thing in scene.objects
        if thing.label in class_ids
    )


def clip_truth(
    numbered: Sequence[Track], found: Detections, min_score: float
) -> tuple[TrueBox, ...]:
    """The detections of a frame as truth: those below `min_score` do not count.

    numbered: those from `min_score` on, see `with_ids`.
    """
    weak = found.scores < min_score
    return (
        *(TrueBox(track.id, track.class_id, track.box) for track in numbered),
        *(
            TrueBox(0, class_id, box, counts=False)
            for box, class_id in zip(found.boxes[weak], found.class_ids[weak].tolist(), strict=True)
        ),
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """A shown frame.  drawn: what each row draws on it.  truth: grows while `bridge` looks back."""

    at_ns: int
    width_px: int
    height_px: int
    drawn: Mapping[str, tuple[Track, ...]]
    truth: list[TrueBox]


def bridge(moments: deque[Moment]) -> None:
    """Fill the gaps that end with the last moment.

    Where a detector misses an object for some frames, its box in these is taken on the straight
    line from the last one to the new; it need not be drawn there, for nobody knows if it could be.
    moments: in order, those of the last BRIDGE_NS.
    """
    newest = moments[-1]
    for true in newest.truth:
        if not true.id:
            continue
        gap: list[Moment] = []
        for moment in islice(reversed(moments), 1, None):
            seen = next((t for t in moment.truth if t.id == true.id), None)
            if seen is not None:
                for within in gap:
                    share = (within.at_ns - moment.at_ns) / (newest.at_ns - moment.at_ns)
                    box = (seen.box + share * (true.box - seen.box)).astype(np.float32)
                    within.truth.append(TrueBox(true.id, true.class_id, box, counts=False))
                break
            gap.append(moment)


def steady(before: Moment | None, moment: Moment, after: Moment | None) -> list[TrueBox]:
    """A clip's truth of a moment, where only that counts which its neighbours confirm.

    An object counts when the detector sees it in the frames before and after as well, at about the
    same place (SAME_IOU): what comes and goes with the noise is no measure for anything.  before,
    after: None at the ends of the clip, where one neighbour must do.
    """
    near = [other for other in (before, after) if other is not None]
    return [
        replace(true, counts=true.counts and all(_confirms(other, true) for other in near))
        for true in moment.truth
    ]


def _confirms(other: Moment, true: TrueBox) -> bool:
    box = true.box[None].astype(np.float64)
    return any(
        same.counts
        and same.id == true.id
        and overlaps(box, same.box[None].astype(np.float64))[0, 0] >= SAME_IOU
        for same in other.truth
    )


def with_ids(scene: Scene) -> tuple[Track, ...]:
    """The detections of a frame, as they are, each with the id of the track that took it.

    One to one and within a class, by the largest total overlap; id 0 for one that no track took.
    """
    seen = [track for track in scene.tracks if track.last_seen_ns == scene.media_ns]
    found, still = scene.detections, np.zeros(4, np.float32)
    ids = [0] * len(found)
    if seen and ids:
        cost = 1 - overlaps(
            found.boxes.astype(np.float64), np.array([track.box for track in seen], np.float64)
        )
        classes = np.array([track.class_id for track in seen])
        cost[found.class_ids[:, None] != classes] = 1
        for row, column in assign(cost, 1 - _LEAST_IOU):
            ids[row] = seen[column].id
    rows = zip(ids, found.boxes, found.scores.tolist(), found.class_ids.tolist(), strict=True)
    return tuple(
        Track(one, box, still, score, class_id, "confirmed", scene.media_ns, scene.media_ns)
        for one, box, score, class_id in rows
    )
