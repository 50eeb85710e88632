"""Running for months: readiness, watchdog, state in one line, and a configuration read again.

All of it is done in the main thread, a few times a second, from what the pipeline tells anyway.
"""

import logging
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from edge_vision.app import App
from edge_vision.config import Config
from edge_vision.config_file import FileStamp, file_stamp
from edge_vision.errors import EdgeVisionError
from edge_vision.health import ailing
from edge_vision.notify import Notifier
from edge_vision.results import label_of

log = logging.getLogger(__name__)

_LOOK_NS = 1_000_000_000
"""How often the state is told and the configuration file looked at."""


class Service:
    """What a supervised run does besides running: hand `tick` to App as `on_tick`.

    file: the configuration file, read again on SIGHUP or when it changes.
    load: reads it, with the command line's own settings; raises ConfigError.
    """

    def __init__(self, notifier: Notifier, file: Path, load: Callable[[], Config]) -> None:
        self._notifier = notifier
        self._file = file
        self._load = load
        self._stamp = file_stamp(file)
        self._asked = False
        self._ready = False
        self._looked_ns = 0
        self._fed_ns = 0
        self._fed = (0, 0, 0)
        self._restart: tuple[str, ...] = ()
        self._ended = False

    def ask_reload(self, *_: object) -> None:
        """Read the configuration again at the next tick; for a signal handler."""
        self._asked = True

    def tick(self, app: App, now_ns: int) -> None:
        """One look at the run; called in the main thread about ten times a second."""
        self._feed(app, now_ns)
        if now_ns - self._looked_ns < _LOOK_NS and not self._asked:
            return
        self._looked_ns = now_ns
        stamp = file_stamp(self._file)
        if stamp is not None and stamp == app.desk.saved:
            self._stamp = stamp  # the run's own doing: what it saved is in effect
        if self._asked or stamp != self._stamp:
            self._asked = False
            self._reload(app, stamp)
        text = state_line(app, now_ns)
        if self._restart:
            text += f"; needs a restart: {', '.join(self._restart)}"
        self._notifier.status(text)

    def end(self) -> None:
        """The run ends, or has ended; told once.  For a signal handler as well."""
        if not self._ended:
            self._ended = True
            self._notifier.stopping()

    def _feed(self, app: App, now_ns: int) -> None:
        """Feed the watchdog, and say READY, only when the run goes on in truth."""
        pipeline = app.pipeline
        telemetry, camera = pipeline.telemetry, pipeline.camera_state.read()[0]
        counts = (telemetry.captured.count, telemetry.analysed.count, pipeline.camera_beat)
        if camera.up:
            news = counts[0] > self._fed[0] and counts[1] > self._fed[1]
            alive = news and not ailing(camera, telemetry, app.config, now_ns)
        else:
            # Without a camera there is nothing to analyse: trying to have one again is all it does.
            alive = counts[2] > self._fed[2] and camera.reason != "opening"
        if not alive:
            return
        if not self._ready:
            self._ready = True
            self._notifier.ready()
        period_s = self._notifier.watchdog_s
        if period_s is not None and now_ns - self._fed_ns >= period_s * 1e9 / 4:
            self._fed_ns = now_ns
            self._fed = counts
            self._notifier.alive()

    def _reload(self, app: App, stamp: FileStamp | None) -> None:
        self._stamp = stamp
        self._notifier.reloading()
        try:
            change = app.change(self._load())
        except EdgeVisionError as error:
            log.error("the configuration was not taken, the old one stays: %s", error)
        else:
            self._restart = change.restart
            log.info("configuration read again: %s", _told(change.changed, change.restart))
        self._notifier.ready()


def _told(changed: tuple[str, ...], restart: tuple[str, ...]) -> str:
    text = f"changed {', '.join(changed)}" if changed else "nothing changed"
    return f"{text}; needs a restart: {', '.join(restart)}" if restart else text


def state_line(app: App, now_ns: int) -> str:
    """What the run does now, in one line, for `systemctl status` and terminals."""
    telemetry, scene = app.pipeline.telemetry, app.pipeline.scene
    state = app.pipeline.camera_state.read()[0]
    if not state.up:
        since_s = (now_ns - state.since_ns) / 1e9
        return f"no camera for {since_s:.0f} s: {state.reason}"
    seen: Counter[str] = Counter()
    if scene is not None:
        seen.update(label_of(scene.labels, i) for i in scene.detections.class_ids.tolist())
    what = ", ".join(f"{n} {label}" for label, n in seen.items()) or "nothing"
    if app.pipeline.idle:
        what += "; resting, as nothing moves"
    if app.held_back:
        what += f"; {app.held_back}"
    return (
        f"camera {telemetry.captured.per_s(now_ns):.1f}/s  "
        f"detector {telemetry.analysed.per_s(now_ns):.1f}/s  "
        f"inference {telemetry.last_invoke_ms:.1f} ms  sees {what}"
    )


def handle_signals(app: App, service: Service | None) -> None:
    """SIGINT and SIGTERM end the run in order, a second one at once; SIGHUP: see `ask_reload`.

    A file being recorded stays playable in either case.
    """

    def end(*_: object) -> None:
        # The kernel's own handling: it works where Python's would wait for a thread that hangs.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        app.stop.set()
        if service is not None:
            service.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if service is not None:
        signal.signal(signal.SIGHUP, service.ask_reload)
