"""What the rules cost a scene: 20 tracks that wander about, 10 zones, 10 lines, 20 rules.

    python scripts/bench_rules.py [--scenes 2000]

Prints percentiles of wall time and of CPU time a scene, in ms.
"""

import argparse
import math
import time

import numpy as np

from edge_vision.config_watch import Point, RuleConfig, WatchConfig
from edge_vision.results import Detections, Scene, Track
from edge_vision.rules.engine import RuleEngine
from edge_vision.rules.tally import empty_counts

_PLACES, _TRACKS, _PER_S = 10, 20, 10


def _watch(rng: np.random.Generator) -> WatchConfig:
    zones: dict[str, list[Point]] = {}
    for n in range(_PLACES):
        x, y = rng.uniform(0.2, 0.8, 2).tolist()
        around = (2 * math.pi * k / 6 for k in range(6))
        zones[f"zone{n}"] = [(x + 0.2 * math.cos(a), y + 0.2 * math.sin(a)) for a in around]
    lines = {
        f"line{n}": (tuple(rng.uniform(0, 0.4, 2).tolist()), tuple(rng.uniform(0.6, 1, 2).tolist()))
        for n in range(_PLACES)
    }
    rules = [RuleConfig(name=f"in-{name}", zone=name) for name in zones]
    rules += [RuleConfig(name=f"over-{name}", line=name) for name in lines]
    return WatchConfig.model_validate({"zones": zones, "lines": lines, "rules": rules})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scenes", type=int, default=2000)
    scenes = parser.parse_args().scenes
    rng = np.random.default_rng(0)
    engine = RuleEngine(_watch(rng), "board", empty_counts(0.0))
    places, speeds = rng.uniform(0.1, 0.9, (_TRACKS, 2)), rng.uniform(-0.1, 0.1, (_TRACKS, 2))
    wall, cpu, told = [], [], 0
    still = np.zeros(4, np.float32)
    for seq in range(scenes):
        speeds = np.where((places < 0.1) & (speeds < 0) | (places > 0.9) & (speeds > 0), -1, 1) * (
            speeds
        )
        places = places + speeds / _PER_S
        boxes = np.tile(places, 2) + np.array([-0.04, -0.2, 0.04, 0.0])
        boxes += rng.normal(0, 0.002, boxes.shape)
        now_ns = seq * 1_000_000_000 // _PER_S
        tracks = tuple(
            Track(n + 1, box, still, 0.8, 1, "confirmed", 0, now_ns)
            for n, box in enumerate(boxes.astype(np.float32))
        )
        scene = Scene(seq, now_ns, now_ns, Detections.empty(), "m", {1: "person"}, tracks)
        # The clock of CPU time outside: reading it is a system call.
        begin_cpu, begin = time.thread_time_ns(), time.perf_counter_ns()
        told += len(engine.step(scene, seq / _PER_S))
        wall.append(time.perf_counter_ns() - begin)
        cpu.append(time.thread_time_ns() - begin_cpu)
    for name, spent in (("wall", wall), ("CPU", cpu)):
        p50, p95 = np.percentile(spent, (50, 95)) / 1e6
        print(f"{name} time a scene: p50 {p50:.3f} ms, p95 {p95:.3f} ms")
    print(f"{told} events told in {scenes} scenes")


if __name__ == "__main__":
    main()
