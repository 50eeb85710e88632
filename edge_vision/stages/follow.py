"""From detections to a Scene: the tracker, and what it is told about the camera's own motion."""

from collections.abc import Mapping

import numpy as np

from edge_vision.config_overlay import TrackingConfig
from edge_vision.frame import Image
from edge_vision.results import Detections, Scene, Track
from edge_vision.track.cuts import CutWatch
from edge_vision.track.grey import Grey, small_grey
from edge_vision.track.motion import CameraMotion
from edge_vision.track.paths import Paths
from edge_vision.track.tracker import Tracker

_SILENCE_NS = 300_000_000
"""A registrar that posted nothing for so long is not at work."""


def least_score(config: TrackingConfig, min_score: float) -> float:
    """The score from which on a detector must tell: weak detections keep a track alive."""
    return min(config.weak_score, min_score) if config.enabled else min_score


class Follower:
    """Makes the Scene of each analysed frame; `grey` in one thread, `scene` in one other.

    labels: class id -> label.  paths: what the registrar tells.  min_score: detections below it are
    for the tracker alone; it may be changed at any time.
    """

    def __init__(
        self, labels: Mapping[int, str], config: TrackingConfig, min_score: float, paths: Paths
    ) -> None:
        self._labels = labels
        self.min_score = min_score
        self._paths = paths
        self._tracker = Tracker(config, min_score, paths) if config.enabled else None
        self._motion = CameraMotion()
        self._cuts = CutWatch(paths)

    def grey(self, image: Image, media_ns: int) -> Grey | None:
        """What `scene` needs of a picture: nothing while a registrar looks at every frame."""
        if self._tracker is None or media_ns - self._paths.newest_ns < _SILENCE_NS:
            return None
        self._cuts.is_cut(image, media_ns)
        return small_grey(image)

    def scene(
        self,
        seq: int,
        exposed_ns: int,
        media_ns: int,
        found: Detections,
        model: str,
        grey: Grey | None = None,
    ) -> Scene:
        """What is known after this frame.

        found: detections from `least_score` on, best first.  The tracker's clock is media_ns: it is
        the same as exposure time for a live camera, and the clip's own for one read fast.
        """
        tracks: tuple[Track, ...] = ()
        if self._tracker is not None:
            motion = self._motion.update(grey) if grey is not None else None
            if self._tracker.min_score != self.min_score:
                self._tracker.demand(self.min_score)
            tracks = self._tracker.update(found, media_ns, motion)
        strong = int(np.count_nonzero(found.scores >= self.min_score))
        if strong < len(found):
            found = Detections(
                found.boxes[:strong], found.scores[:strong], found.class_ids[:strong]
            )
        return Scene(seq, exposed_ns, media_ns, found, model, self._labels, tracks)
