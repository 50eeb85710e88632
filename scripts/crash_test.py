"""Kills a program that records events, again and again, and looks at what it has left.

    python scripts/crash_test.py --runs 100

A child records small made-up pictures and one event after another, and is killed at a random moment
(SIGKILL).  Each child goes on in the same folder.  After each kill the log must open, every event
told to have ended more than two seconds before must be in it, ended, every clip that was finished
must be readable, and one being written must lack no more than its last two seconds.  Prints a line
for each run; exit code 1 when anything was wrong.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
from av.error import FFmpegError

from edge_vision.history import Wanted
from edge_vision.outputs.events.archive import Archive

MAY_MISS_S = 2.0
MAX_S = 5.0
CHILD = """
import itertools, os, random, sys, time
from dataclasses import replace
from datetime import UTC, datetime
import numpy as np
from edge_vision.config_events import EventsConfig, RecorderConfig
from edge_vision.events import Event
from edge_vision.frame import Image, PixelFormat, Stamps
from edge_vision.outputs.base import Picture
from edge_vision.outputs.events.output import EventsOutput

config = EventsConfig(enabled=True, folder=sys.argv[1], min_free_mb=0)
recorder = RecorderConfig(pre_s=0.5, post_s=0.1, max_s={max_s}, encoder="software")
output = EventsOutput(config, recorder)
output.start()
i420 = np.full((180, 160), 128, np.uint8)
event = None
for number in itertools.count():
    now_ns, now_s = time.monotonic_ns(), {now}
    i420[:120] = number % 200
    image = Image.from_array(i420, PixelFormat.YUV420)
    output.offer(Picture(image, number, now_ns, Stamps(exposed=now_ns)))
    if event is None and number % 15 == 10:
        event = Event(f"{{int(now_s * 1000):015d}}-{{os.getpid()}}", "node", "enter", "rule", "",
            "", 0, "person", 0.5, (0.1, 0.1, 0.9, 0.9), 1, (), now_s, now_ns)
        output.on_event(event)
    elif event is not None and random.random() < 0.03:
        output.on_event(replace(event, end_s=now_s, end_ns=now_ns))
        os.write(1, f"{{event.id}} {{now_ns}}\\n".encode())
        event = None
    time.sleep(0.02)
""".format(now="datetime.now(UTC).timestamp()", max_s=MAX_S)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Kill a recording program, again and again.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--longest-s", type=float, default=4.0, help="most seconds until a kill")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        told: set[str] = set()
        for run in range(options.runs):
            done, kill_ns = one_run(Path(folder), rng.uniform(0.05, options.longest_s))
            kill_s = datetime.now(UTC).timestamp() - (time.monotonic_ns() - kill_ns) / 1e9
            told |= {name for name, at_ns in done if kill_ns - at_ns > MAY_MISS_S * 1e9}
            faults = [
                *faults_of(Path(folder), told),
                *short_clips(Path(folder), {name for name, _ in done}, kill_s),
            ]
            wrong += bool(faults)
            held = Archive(Path(folder)).totals()
            print(
                f"run {run + 1}: {len(done)} events ended, {held.events} in the log, "
                f"{held.bytes / 1e6:.2f} MB: {'; '.join(faults) or 'all well'}",
                flush=True,
            )
    print(f"{options.runs} kills, {wrong} of them left something wrong")
    return 1 if wrong else 0


def one_run(folder: Path, life_s: float) -> tuple[list[tuple[str, int]], int]:
    """Record for so long, then kill; ids and times of the ends told, and the time of the kill."""
    code = [sys.executable, "-c", CHILD, str(folder)]
    with subprocess.Popen(code, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = child.stdout.readline()  # it is at work
        time.sleep(life_s)
        kill_ns = time.monotonic_ns()
        child.kill()
        lines = [first, *child.stdout.read().splitlines(keepends=True)]
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return [(name.decode(), int(at_ns)) for name, at_ns in whole], kill_ns


def faults_of(folder: Path, told: set[str]) -> Iterator[str]:
    """What is not as it should be."""
    found = Archive(folder).find(Wanted(limit=1_000_000))
    ended = {one.event.id for one in found if one.event.end_s is not None}
    if missing := told - ended:
        yield f"{len(missing)} events are not in the log"
    if aside := list(folder.glob("events-*.db")):
        yield f"the log was set aside: {aside[0].name}"
    clips = {one.clip: one.clip_done for one in found if one.clip is not None}
    for clip, done in clips.items():
        # One that was begun in the last two seconds may hold no whole picture yet.
        if done and length_s(clip) < 0:
            yield f"{clip.name} cannot be read"
    unfinished = [clip for clip, done in clips.items() if not done]
    if len(unfinished) > 1:
        yield f"{len(unfinished)} clips without an end"


def short_clips(folder: Path, ended: set[str], kill_s: float) -> Iterator[str]:
    """The clip being written, of an event that was going on, where it lacks too much at its end."""
    for one in Archive(folder).find(Wanted(limit=1)):
        if one.clip is None or one.clip_done or one.event.id in ended:
            continue
        should_s = min(MAX_S, kill_s - one.event.start_s + one.clip_offset_s)
        lacks_s = should_s - length_s(one.clip)
        if lacks_s > MAY_MISS_S:
            yield f"{one.clip.name} lacks {lacks_s:.1f} s"


def length_s(clip: Path) -> float:
    """Seconds until the last picture that can be decoded; -1 where none can."""
    try:
        with av.open(str(clip)) as container:
            return max((frame.time or 0.0 for frame in container.decode(video=0)), default=-1.0)
    except (FFmpegError, OSError):
        return -1.0


if __name__ == "__main__":
    sys.exit(main())
