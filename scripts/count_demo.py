"""Counts who crosses the middle of the demo scene with the real model, and compares with its truth.

    python scripts/count_demo.py [--seconds 120] [--per-s 10] [--seed 0]

Everything runs on the scene's own clock.  The truth goes by the scene's boxes: an object crosses
when the middle of its box has gone from 2 % of the picture on one side to 2 % on the other.
"""

import argparse
import os
import tempfile
from collections.abc import Iterable

from edge_vision.app import App, prepare_process
from edge_vision.camera.demo import DemoCamera
from edge_vision.config_load import parse_config

_CLEAR = 0.02


def true_crossings(camera: DemoCamera, seqs: Iterable[int], x: float = 0.5) -> tuple[int, int]:
    """How often objects of the scene cross the upright line at x to the right, and to the left."""
    sides: dict[int, bool] = {}
    right = left = 0
    for seq in seqs:
        for thing in camera.truth(seq).objects:
            middle = (thing.box[0] + thing.box[2]) / 2
            if abs(middle - x) > _CLEAR:
                side = middle > x
                before = sides.get(thing.object_id, side)
                right, left = right + (side and not before), left + (before and not side)
                sides[thing.object_id] = side
    return right, left


def counted_crossings(seconds: float, per_s: float, seed: int) -> tuple[int, int]:
    """How often the program with its default model counts so."""
    config = parse_config(
        {
            "camera": {"kind": "demo", "pace": "fast", "fps": per_s, "seed": seed},
            "watch": {"lines": {"middle": [[0.5, 1.0], [0.5, 0.0]]}},  # upwards: right is in
            "outputs": {"window": {"enabled": False}},
            "log": {"level": "error"},
        }
    )
    app = App(config, frames=round(seconds * per_s))
    app.run()
    ways = app.pipeline.watch.counts.lines["middle"]
    return sum(ways["in"].values()), sum(ways["out"].values())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--per-s", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    prepare_process()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STATE_DIRECTORY"] = folder  # nobody's own counts
        counted = counted_crossings(options.seconds, options.per_s, options.seed)
    camera = DemoCamera(fps=options.per_s, seed=options.seed)
    true = true_crossings(camera, range(round(options.seconds * options.per_s)))
    off = abs(sum(counted) - sum(true)) / max(1, sum(true))
    print(f"true: {true[0]} to the right, {true[1]} to the left")
    print(f"counted: {counted[0]} to the right, {counted[1]} to the left; {off:.1%} off in all")


if __name__ == "__main__":
    main()
