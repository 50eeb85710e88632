"""A long run of the demo scene through everything, which fails when something grows.

Run it with scripts/soak.  Two viewers watch the live page, and rules make events with clips, whose
folder has to stay within its space.  Once a second it reads what the process holds: memory,
descriptors, threads and camera frames; and how late results are.  After a warm-up none may grow.
"""

import argparse
import json
import math
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from soak_config import configuration
from soak_report import FIGURES, Series, Verdict, draw, judge, judge_space

from edge_vision.app import App, prepare_process
from edge_vision.camera import make_camera
from edge_vision.camera.base import Camera, CameraInfo
from edge_vision.config import Config
from edge_vision.errors import EdgeVisionError, OutputError
from edge_vision.frame import Frame
from edge_vision.map_plot import check_png, write_png
from edge_vision.results import Scene
from edge_vision.service import handle_signals
from edge_vision.telemetry import Histogram
from edge_vision.worker import Worker

_LEAST_SAMPLES = 5
_SECOND_NS = 1_000_000_000
_INTERRUPTED = 130
_VIEWERS = 2


class CountedCamera:
    """A camera that knows how many of its frames are out."""

    def __init__(self, camera: Camera) -> None:
        self.waits_outside = camera.waits_outside
        self.out = 0
        self._camera = camera
        self._lock = threading.Lock()

    def open(self) -> CameraInfo:
        """Open the camera."""
        return self._camera.open()

    def read(self, timeout_s: float) -> Frame | None:
        """The camera's frame, in a frame that counts its return."""
        frame = self._camera.read(timeout_s)
        if frame is None:
            return None
        with self._lock:
            self.out += 1
        return Frame(
            frame.seq,
            frame.main,
            frame.stamps,
            media_ns=frame.media_ns,
            lores=frame.lores,
            recycle=lambda: self._back(frame),
        )

    def _back(self, frame: Frame) -> None:
        frame.release()
        with self._lock:
            self.out -= 1

    def close(self) -> None:
        """Close the camera."""
        self._camera.close()

    def faults(self) -> list[EdgeVisionError]:
        """The camera's."""
        return self._camera.faults()


class Viewer:
    """Watches the live stream, as a browser does, and throws it away."""

    def __init__(self, number: int, port: int) -> None:
        self.read_bytes = 0
        self._port = port
        self._worker = Worker(f"viewer {number}", self._watch)

    def start(self) -> None:
        """Watch until the stream ends, in a thread of its own."""
        self._worker.start()

    def join(self) -> None:
        """After the end of the run."""
        self._worker.join(5)

    def _watch(self, stop: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as connection:
            connection.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while not stop.is_set() and (data := connection.recv(1 << 16)):
                self.read_bytes += len(data)


class Soak:
    """One run that looks at itself; `run()`, then `series()`."""

    def __init__(self, config: Config, minutes: float) -> None:
        self.camera = CountedCamera(make_camera(config.camera))
        self.app = App(
            config,
            duration_s=minutes * 60,
            camera=self.camera,
            on_scene=self._late,
            on_tick=lambda app, now_ns: self.tick(now_ns),
        )
        self._events_folder = Path(config.events.folder) if config.events.folder else None
        # Made and filled now: what is read must not grow what it reads.
        self._rows = np.full((math.ceil(minutes * 60) + 60, 1 + len(FIGURES)), math.nan)
        self._count = 0
        self._begin_ns = 0
        self._next_ns = 0
        self._latency = Histogram()
        web = config.outputs.web
        count = _VIEWERS if web.enabled is True else 0
        self.viewers = [Viewer(number + 1, web.port) for number in range(count)]

    def run(self) -> list[EdgeVisionError]:
        """Until its time is over or `app.stop` is set; what went wrong with outputs."""
        try:
            return self.app.run().faults
        finally:
            for viewer in self.viewers:
                viewer.join()

    def series(self) -> Series:
        """What was read: `seconds` and FIGURES, float64 (samples,)."""
        return dict(zip(("seconds", *FIGURES), self._rows[: self._count].T, strict=True))

    def tick(self, now_ns: int) -> None:
        """Read everything if a second has passed; main thread, from the first result on."""
        telemetry = self.app.pipeline.telemetry
        if now_ns < self._next_ns or not telemetry.analysed.count or self._count == len(self._rows):
            return
        if not self._begin_ns:
            self._begin_ns = now_ns
            for viewer in self.viewers:
                viewer.start()
        self._next_ns = now_ns + _SECOND_NS
        latency, self._latency = self._latency, Histogram()
        row = self._rows[self._count]
        row[:] = (
            (now_ns - self._begin_ns) / 1e9,
            *memory_mb(),
            len(os.listdir("/proc/self/fd")),
            len(os.listdir("/proc/self/task")),
            self.camera.out,
            latency.percentile(95) if latency.count else math.nan,
            sum(telemetry.drops().values()),
            folder_mb(self._events_folder) if self._events_folder is not None else 0.0,
        )
        if self._count % 60 == 0:
            figures = ", ".join(f"{n} {v:.1f}" for n, v in zip(FIGURES, row[1:], strict=True))
            print(f"{row[0] / 60:5.1f} min: {figures}", file=sys.stderr)
        self._count += 1

    def _late(self, scene: Scene) -> None:
        self._latency.add((time.monotonic_ns() - scene.exposed_ns) / 1e6)


def memory_mb() -> tuple[float, float]:
    """What this process holds of the memory, and how much of it is not the content of files.

    In 10^6 bytes: /proc/self/statm, proc(5).
    """
    resident, of_files = map(int, Path("/proc/self/statm").read_text("ascii").split()[1:3])
    page_mb = os.sysconf("SC_PAGE_SIZE") / 1e6
    return resident * page_mb, (resident - of_files) * page_mb


def folder_mb(folder: Path) -> float:
    """What the files of a folder, and of those in it, hold, in 10^6 bytes."""
    size_bytes = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                size_bytes += os.stat(os.path.join(where, name)).st_size
            except FileNotFoundError:  # removed meanwhile
                continue
    return size_bytes / 1e6


def main() -> int:
    """Run, judge, tell; the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, metavar="N", help="[60]")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw what was read")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write it, and the verdicts")
    chosen = parser.parse_args()
    if not 0.1 <= chosen.minutes <= 100_000:
        parser.error(f"--minutes {chosen.minutes:g}: expected 0.1 to 100000")
    if chosen.plot is not None:
        check_png(chosen.plot)
    if chosen.json is not None:
        check_writable(chosen.json)
    prepare_process()
    # Not /tmp, which may be in memory: it takes half a gigabyte an hour.
    with tempfile.TemporaryDirectory(prefix="edge-vision-soak-", dir="/var/tmp") as folder:
        os.environ["STATE_DIRECTORY"] = folder  # nobody's own counts
        soak = Soak(configuration(Path(folder)), chosen.minutes)
        handle_signals(soak.app, None)
        faults = soak.run()
    return tell(soak, faults, chosen.plot, chosen.json)


def check_writable(path: Path) -> None:
    """Raises OutputError when `path` could not be written; an hour later is too late."""
    try:
        path.open("a").close()
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}; name another") from None


def tell(
    soak: Soak, faults: list[EdgeVisionError], plot: Path | None, json_file: Path | None
) -> int:
    """Print the verdicts and write the files; the exit code."""
    series = soak.series()
    if len(series["seconds"]) < _LEAST_SAMPLES:
        raise EdgeVisionError(
            f"the run ended after {len(series['seconds'])} looks, one a second; "
            f"at least {_LEAST_SAMPLES} are needed to judge it"
        )
    verdicts = judge(series)
    kept = f"camera frames that were not given back at the end: {soak.camera.out}; at most 0"
    verdicts.append(Verdict("frames_kept", soak.camera.out, 0, kept))
    for number, viewer in enumerate(soak.viewers, 1):
        read_mb = viewer.read_bytes / 1e6
        said = f"viewer {number} of the live page was sent {read_mb:.1f} MB; at least 0.1"
        verdicts.append(Verdict(f"viewer_{number}", -read_mb, -0.1, said))
    if soak.app.config.events.enabled is True:
        verdicts.append(judge_space(series, soak.app.config.events.max_mb))
    for verdict in verdicts:
        print(f"{'ok  ' if verdict.holds else 'FAIL'}  {verdict.said}")
    for reason, count in sorted(soak.app.pipeline.telemetry.drops().items()):
        print(f"      {count} {reason}")
    for fault in faults:
        print(f"FAIL  {fault}")
    minutes = float(series["seconds"][-1]) / 60
    if json_file is not None:
        rows = {name: [_finite(value) for value in values] for name, values in series.items()}
        judged = [
            {
                "figure": v.figure,
                "found": _finite(v.found),
                "bound": _finite(v.bound),
                "ok": v.holds,
            }
            for v in verdicts
        ]
        json_file.write_text(json.dumps({"verdicts": judged, "series": rows}), "utf-8")
    if plot is not None:
        write_png(draw(series, f"{minutes:.1f} minutes of edge-vision"), plot)
    if faults or not all(verdict.holds for verdict in verdicts):
        return 1
    return _INTERRUPTED if soak.app.stop.is_set() else 0


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the run handles it
    try:
        sys.exit(main())
    except EdgeVisionError as error:
        print(f"scripts/soak: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
