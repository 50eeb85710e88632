"""What the live page costs: .venv/bin/python scripts/bench_web.py [--seconds 8]

The demo scene at 1280x720 and 30 frames a second, model size large, live timing, runs in a process
of its own; this one is everybody who watches.  Costs are compared at a fixed 5 analyses a second,
as else the detector takes every core that is free, and the CPU of two runs is always the same.
For /api/scene wrk is needed (apt install wrk).
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from selectors import EVENT_READ, DefaultSelector
from typing import Any

from edge_vision.app import App, prepare_process
from edge_vision.config_load import parse_config
from edge_vision.outputs.web import WebOutput
from edge_vision.telemetry import Histogram

_SLOW_NS = 200_000_000
"""Between two analyses while CPU is compared."""
_WARM_S = 4.0


def _config(web: bool) -> Any:
    return parse_config(
        {
            "camera": {"kind": "demo", "size_px": [1280, 720], "fps": 30},
            "model": {"size": "large"},
            "overlay": {"timing": "live"},
            "outputs": {
                "window": {"enabled": False},
                "web": {"enabled": web, "port": 0, "max_fps": 30},
            },
            "governor": {"enabled": False},
        }
    )


class Run:
    """The run that is measured, in this process; orders come as lines on standard input."""

    def __init__(self, web: bool) -> None:
        self._app = App(_config(web), page=web)
        self._outputs = [o for o in self._app.outputs if isinstance(o, WebOutput)]

    def serve(self) -> None:
        """Run until standard input ends; one line of JSON answers each order."""
        thread = threading.Thread(target=self._obey)
        thread.start()
        self._app.run()
        thread.join()

    def _obey(self) -> None:
        telemetry = self._app.pipeline.telemetry
        self._app.pipeline.analysed.wait_newer(0, 30)  # then everything has started
        for order in sys.stdin:
            if order == "slow\n":
                self._app.pipeline.limit(_SLOW_NS, 1, "")
            elif order == "fast\n":
                self._app.pipeline.limit(0, 1, "")
            elif order == "begin\n":
                telemetry.shown_latency = Histogram()
            print(json.dumps(self._figures()), flush=True)
        self._app.stop.set()

    def _figures(self) -> dict[str, Any]:
        telemetry = self._app.pipeline.telemetry
        threads = {t.name: _cpu_s(t) for t in threading.enumerate() if t.ident is not None}
        server = self._outputs[0]._server if self._outputs else None
        latency = telemetry.percentiles(telemetry.shown_latency)
        return {
            "at_s": time.monotonic(),
            "cpu_s": time.process_time(),
            "threads_s": threads,
            "captured": telemetry.captured.count,
            "analysed": telemetry.analysed.count,
            "shown": telemetry.shown.count,
            "latency_ms": [latency.p50, latency.p95],
            "port": server.port if server is not None else 0,
        }


def _cpu_s(thread: threading.Thread) -> float:
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


class Child:
    """The other end of Run."""

    def __init__(self, web: bool) -> None:
        order = [sys.executable, __file__, "--run", "with" if web else "without"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(order, stderr=subprocess.DEVNULL, **pipes)
        self.port = int(self.tell("slow")["port"])
        time.sleep(_WARM_S)

    def tell(self, order: str) -> dict[str, Any]:
        """Give an order; the figures of this moment."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(order + "\n")
        process.stdin.flush()
        line: dict[str, Any] = json.loads(process.stdout.readline())
        return line

    def window(self, seconds: float) -> dict[str, Any]:
        """What passed in so many seconds; latency_ms: p50 and p95 of what was sent in them."""
        time.sleep(1.0)  # what has just been connected is no part of it
        first = self.tell("begin")
        time.sleep(seconds)
        last = self.tell("end")
        span_s = last["at_s"] - first["at_s"]
        found = {name: last[name] - first[name] for name in ("cpu_s", "captured", "analysed")}
        web_s = sum(
            spent - first["threads_s"].get(name, 0.0)
            for name, spent in last["threads_s"].items()
            if name.startswith(("web", "encode"))
        )
        return {
            "core": found["cpu_s"] / span_s,
            "web_core": web_s / span_s,
            "cpu_ms": 1e3 * found["cpu_s"] / found["captured"],
            "captured_per_s": found["captured"] / span_s,
            "analysed_per_s": found["analysed"] / span_s,
            "latency_ms": last["latency_ms"],
        }

    def end(self) -> None:
        """Stop the run."""
        self._process.communicate(timeout=20)


class Readers:
    """Connections to the child that ask for `path` and throw away what comes."""

    def __init__(self, port: int, path: str, count: int) -> None:
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        for connection in self._sockets:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.bytes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        memory = bytearray(1 << 20)
        with DefaultSelector() as selector:
            for connection in self._sockets:
                selector.register(connection, EVENT_READ)
            while not self._stop.is_set():
                for key, _ in selector.select(0.2):
                    found: Any = key.fileobj
                    self.bytes += found.recv_into(memory)

    def close(self) -> None:
        """Leave."""
        self._stop.set()
        self._thread.join()
        for connection in self._sockets:
            connection.close()


def _watched(child: Child, path: str, count: int, seconds: float) -> dict[str, Any]:
    readers = Readers(child.port, path, count)
    found = child.window(seconds)
    readers.close()
    assert readers.bytes > count * 1000, f"nothing came from {path}"
    return found


def _wrk(child: Child, seconds: float) -> tuple[float, dict[str, Any]]:
    """Requests a second of /api/scene, and the run meanwhile."""
    order = [
        "wrk",
        "-t1",
        "-c4",
        f"-d{seconds + 2:.0f}s",
        f"http://127.0.0.1:{child.port}/api/scene",
    ]
    process = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
    found = child.window(seconds)
    said, _ = process.communicate()
    rate = re.search(r"Requests/sec:\s*([\d.]+)", said)
    assert rate is not None, said
    assert "Non-2xx" not in said, said
    return float(rate[1]), found


def _tell(what: str, value: str, target: str) -> None:
    print(f"{what:<58}{value:>22}   {target}", flush=True)


def _alone(seconds: float) -> tuple[Child, list[dict[str, Any]]]:
    """CPU without a viewer; the run with web goes on."""
    without, idle = [], []
    for last in (False, True):
        for web, windows in ((False, without), (True, idle)):
            child = Child(web)
            windows.append(child.window(seconds))
            if not (web and last):
                child.end()
    before, after = (min(w["cpu_ms"] for w in windows) for windows in (without, idle))
    own = min(w["web_core"] / w["captured_per_s"] * 1e3 for w in idle)
    value = f"{after:.2f} / {before:.2f} ms"
    _tell("no viewer: CPU of a frame, with web / without", value, "at most 0.2 ms more")
    _tell("  of it the threads of web", f"{own:.3f} ms", "")
    return child, idle


def _viewers(child: Child, idle: list[dict[str, Any]], seconds: float) -> None:
    one, eight = (_watched(child, "/stream.mjpg", count, seconds) for count in (1, 8))
    ratio, cores = eight["cpu_ms"] / one["cpu_ms"], f"{eight['cpu_ms']:.2f} / {one['cpu_ms']:.2f}"
    _tell("8 viewers / 1: CPU of a frame", f"{ratio:.2f}", f"at most 1.3; {cores} ms")
    least = min(window["cpu_ms"] for window in idle)
    added = [window["cpu_ms"] - least for window in (eight, one)]
    _tell("  what they add", f"{added[0]:.2f} / {added[1]:.2f} ms", "drawing, JPEG, sending")


def _full_speed(child: Child, seconds: float) -> None:
    """With as many analyses as the board can do."""
    child.tell("fast")
    one = _watched(child, "/stream.mjpg", 1, seconds)
    value = "{:.1f} / {:.1f} ms".format(*one["latency_ms"])
    rates = f"at {one['captured_per_s']:.1f} captured/s, {one['analysed_per_s']:.1f} analysed/s"
    _tell("capture to JPEG sent, p50 / p95", value, f"at most 20 ms; {rates}")
    free = child.window(seconds)
    listened = _watched(child, "/api/events", 100, seconds)
    core = listened["web_core"] - free["web_core"]
    what = f"100 listeners at {listened['analysed_per_s']:.0f} scenes/s: of a core"
    _tell(what, f"{core:.1%}", "at most 5 %")
    if shutil.which("wrk") is None:
        print("no wrk here: /api/scene is not measured")
        return
    rate, busy = _wrk(child, seconds)
    change = busy["analysed_per_s"] / free["analysed_per_s"] - 1
    rates = f"{free['analysed_per_s']:.1f} to {busy['analysed_per_s']:.1f} analysed/s"
    _tell("/api/scene, requests/s by wrk", f"{rate:.0f}", "at least 1000")
    _tell("  the detector meanwhile", f"{change:+.1%}", f"at most -5 %; {rates}")


def measure(seconds: float) -> None:
    """Everything, and a table on standard output."""
    child, idle = _alone(seconds)
    _viewers(child, idle, seconds)
    _full_speed(child, seconds)
    child.end()


def main() -> None:
    """The benchmark, or with --run one of its runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    parser.add_argument("--run", choices=("with", "without"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run is None:
        measure(given.seconds)
    else:
        prepare_process()
        Run(given.run == "with").serve()


if __name__ == "__main__":
    main()
