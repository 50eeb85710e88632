"""Ways to draw late results, and the detector that makes them late, on a virtual clock."""

import time
from typing import Literal, NamedTuple

from edge_vision.config import Config
from edge_vision.detect.base import Detector
from edge_vision.frame import Image
from edge_vision.measure.metrics import Tally
from edge_vision.measure.truth import with_ids
from edge_vision.results import Detections, Scene, Track
from edge_vision.stages.follow import Follower
from edge_vision.track.grey import Grey
from edge_vision.track.paths import Paths
from edge_vision.track.registration import Registrar


class Result(NamedTuple):
    """What a detector says of one frame: detections from `tracking.weak_score` on."""

    seq: int
    exposed_ns: int
    found: Detections


class LateDetector:
    """A detector that is busy for `busy_ns` from the exposure of each frame that it takes.

    It takes the first frame that is exposed while it is free: at 30 frames a second and 100 ms it
    gives a result every 100 ms, each 100 ms old when it arrives.
    """

    def __init__(self, busy_ns: int) -> None:
        self._busy_ns = busy_ns
        self._under_way: Result | None = None
        self.delivered_ns: list[int] = []
        """Exposure times of the frames whose results were there in time."""

    def deliver(self, now_ns: int) -> Result | None:
        """The result that has arrived since the last call, if one has."""
        done = self._under_way
        if done is None or now_ns < done.exposed_ns + self._busy_ns:
            return None
        self._under_way = None
        self.delivered_ns.append(done.exposed_ns)
        return done

    def take(self, result: Result) -> bool:
        """Whether the detector takes this frame, about which it will then say `result`."""
        free = self._under_way is None
        if free:
            self._under_way = result
        return free


class Row:
    """Draws the newest finished detections as they are, as everybody does.

    tally: what the drawn boxes reached.  took_ms: what placing them took for each shown frame.
    """

    def __init__(self, detector: Detector, config: Config) -> None:
        self.tally = Tally()
        self.took_ms: list[float] = []
        self._paths = Paths()
        self._model = detector.description
        self._follower = Follower(
            detector.labels, config.tracking, config.model.min_score, self._paths
        )
        self._grey: Grey | None = None
        self._scene: Scene | None = None

    def take(self, image: Image, exposed_ns: int) -> None:
        """The detector begins with this frame."""
        self._grey = self._follower.grey(image, exposed_ns)

    def learn(self, result: Result) -> None:
        """The detector is done with the frame it took last."""
        seq, at_ns, found = result
        self._scene = self._follower.scene(seq, at_ns, at_ns, found, self._model, self._grey)

    def show(self, image: Image, exposed_ns: int) -> tuple[Track, ...]:
        """What is drawn on this frame."""
        begin = time.perf_counter_ns()
        drawn = self._place(image, exposed_ns)
        self.took_ms.append((time.perf_counter_ns() - begin) / 1e6)
        return drawn

    def _place(self, image: Image, exposed_ns: int) -> tuple[Track, ...]:
        return with_ids(self._scene) if self._scene is not None else ()


class CarriedRow(Row):
    """Draws the tracks where a registrar carries them."""

    def __init__(
        self, detector: Detector, config: Config, method: Literal["predict", "flow"]
    ) -> None:
        super().__init__(detector, config)
        linger_s = config.overlay.linger_s
        self._registrar = Registrar(method, self._paths, linger_s=linger_s, may_step_down=False)

    def _place(self, image: Image, exposed_ns: int) -> tuple[Track, ...]:
        return self._registrar.step(image, exposed_ns, self._scene)
