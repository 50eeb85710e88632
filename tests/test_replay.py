"""The pipeline on a virtual clock: late by exactly what was asked, and the same every time."""

import hashlib
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from edge_vision.camera.demo import DemoCamera
from edge_vision.cli.replay import replay
from edge_vision.config import Config
from edge_vision.config_load import parse_config
from edge_vision.detect.detector import SsdDetector, build_detector
from edge_vision.errors import ConfigError, OutputError
from edge_vision.outputs.base import Picture
from edge_vision.replay import Replay
from edge_vision.results import Analysed, Scene

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Kept:
    """An output that keeps what it gets."""

    name = "kept"
    shows_status = False

    def __init__(self, wants: Literal["scenes", "pictures"]) -> None:
        self.wants = wants
        self.items: list[Any] = []
        self.closed = False

    def start(self) -> None:
        pass

    def active(self) -> bool:
        return True

    def offer(self, item: Analysed | Picture) -> bool:
        if isinstance(item, Picture):
            digest = hashlib.sha256(item.image.data.tobytes()).hexdigest()
            self.items.append((item.seq, item.media_ns, digest))
        else:
            stamps = item.stamps
            self.items.append((item.scene, stamps.exposed, stamps.tracked))
        return True

    def close(self, timeout_s: float) -> None:
        self.closed = True

    def fault(self) -> None:
        return None


@pytest.fixture(scope="module")
def detector() -> SsdDetector:
    return build_detector(Config().model.model_copy(update={"size": "small", "threads": 1}))


def run(
    detector: SsdDetector, inference_ms: float, settings: dict[str, Any], **more: Any
) -> tuple[Replay, Kept, Kept]:
    scenes, pictures = Kept("scenes"), Kept("pictures")
    camera = DemoCamera((320, 240), 30.0, 1, "fast")
    config = parse_config(settings)
    made = Replay(camera, detector, [scenes, pictures], config, inference_ms=inference_ms)
    made.run(threading.Event(), **more)
    assert scenes.closed
    assert pictures.closed
    return made, scenes, pictures


@pytest.mark.parametrize("method", ["flow", "predict", "none"])
def test_two_runs_give_the_same(detector: SsdDetector, method: str) -> None:
    settings = {"overlay": {"registration": method}}
    first, second = (run(detector, 100, settings, duration_s=2.0) for _ in range(2))
    assert first[2].items == second[2].items
    assert len(first[2].items) == 60
    boxes = [
        [scene.detections.boxes for scene, _, _ in kept.items] for _, kept, _ in (first, second)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*boxes, strict=True))


@pytest.mark.parametrize("inference_ms", [0, 40, 100, 250])
def test_results_are_as_late_as_asked(detector: SsdDetector, inference_ms: int) -> None:
    made, scenes, pictures = run(detector, inference_ms, {}, duration_s=2.0)
    assert all(done - exposed == inference_ms * 10**6 for _, exposed, done in scenes.items)
    # Busy for so long, then the next frame that comes.
    gap = max(1, -(-inference_ms * 3 // 100))
    last_ms = 59 * 1000 / 30
    expected = [n for n in range(0, 60, gap) if n * 1000 / 30 + inference_ms <= last_ms + 0.01]
    assert [scene.seq for scene, _, _ in scenes.items] == expected
    assert [seq for seq, _, _ in pictures.items] == list(range(60))
    assert made.telemetry.latency.percentile(50) == pytest.approx(inference_ms, rel=0.02, abs=0.01)


def test_a_picture_shows_what_was_known_then(detector: SsdDetector) -> None:
    """Without registration a picture changes its boxes only when a result has arrived."""
    plain = {"overlay": {"registration": "none", "hud": False}}
    _, _, late = run(detector, 300, plain, frames=2)
    _, _, bare = run(detector, 300, {"overlay": {"hud": False, "style": "boxes", "label": ""},
                                     "tracking": {"enabled": False}}, frames=2)  # fmt: skip
    before = [digest for _, _, digest in late.items[:9]]
    assert before == [digest for _, _, digest in bare.items[:9]], "nothing is known yet"
    assert late.items[9] != bare.items[9], "the first result is 300 ms, so 9 frames, late"


def test_exact_shows_each_analysed_frame_once(detector: SsdDetector) -> None:
    _, scenes, pictures = run(detector, 100, {"overlay": {"timing": "exact"}}, duration_s=1.0)
    assert [seq for seq, _, _ in pictures.items] == [scene.seq for scene, _, _ in scenes.items]
    assert len(pictures.items) == 9, "what frame 27 shows comes a second after the first"


def test_ends_after_so_many_results_or_when_told(detector: SsdDetector) -> None:
    made, scenes, _ = run(detector, 100, {}, frames=3)
    assert len(scenes.items) == made.telemetry.analysed.count == 3
    stop = threading.Event()
    camera = DemoCamera((320, 240), 30.0, 1, "fast")
    told = Replay(camera, detector, [], Config(), inference_ms=50)
    told.run(stop, on_frame=lambda media_ns: stop.set() if media_ns > 10**8 else None)
    assert told.telemetry.captured.count == 5


def test_tracks_keep_their_ids(detector: SsdDetector) -> None:
    _, scenes, _ = run(detector, 100, {}, duration_s=3.0)
    seen = Counter(track.id for scene, _, _ in scenes.items for track in scene.tracks)
    assert len(scenes.items) > 25
    assert seen.most_common(1)[0][1] >= 0.9 * len(scenes.items)


def test_a_live_camera_cannot_be_replayed() -> None:
    config = parse_config({"camera": {"kind": "usb"}})
    with pytest.raises(
        ConfigError, match=r"replay needs the demo scene or a clip; camera.kind is usb"
    ):
        replay(config, 100, threading.Event())


def test_a_clip_with_outputs(tmp_path: Path, bikes: Path) -> None:
    seen: list[Scene] = []
    settings: dict[str, Any] = {
        "camera": {"kind": "clip", "source": str(bikes)},
        "model": {"size": "small", "threads": 1},
        "outputs": {
            "window": {"enabled": False},
            "video": {"path": str(tmp_path / "a.mp4")},
            "jsonl": {"path": str(tmp_path / "a.jsonl")},
        },
    }
    summary, _ = replay(
        parse_config(settings), 200, threading.Event(), duration_s=2.0, on_scene=seen.append
    )
    assert summary.captured == summary.shown == 50
    assert summary.analysed == len(seen) == 9
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 9
    assert (tmp_path / "a.mp4").stat().st_size > 10_000


def test_an_output_that_cannot_start_ends_it(detector: SsdDetector, tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.jsonl"
    settings = {"outputs": {"window": {"enabled": False}, "jsonl": {"path": str(path)}},
                "camera": {"kind": "demo"}}  # fmt: skip
    with pytest.raises(OutputError, match="cannot write"):
        replay(parse_config(settings), 100, threading.Event(), frames=1)
