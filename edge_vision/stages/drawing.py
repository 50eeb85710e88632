"""From a frame and what is known to the picture that is shown."""

import time
from collections.abc import Callable

import numpy as np

from edge_vision.config import Config
from edge_vision.config_overlay import OverlayConfig, TrackingConfig
from edge_vision.detect.base import Detector
from edge_vision.frame import Frame, Image
from edge_vision.outputs.base import Picture
from edge_vision.render.canvas import Canvas
from edge_vision.render.class_names import warn_of_unknown
from edge_vision.render.clock import Clock
from edge_vision.render.overlay import Hud, Overlay
from edge_vision.render.places import Crossings, PlaceMarks
from edge_vision.render.plugin import Plugin
from edge_vision.render.privacy import Privacy
from edge_vision.render.sheet import Sheet
from edge_vision.render.sprites import Sprites
from edge_vision.render.surface import BgrSurface, Surface
from edge_vision.results import Detections, Scene, Track
from edge_vision.telemetry import Telemetry
from edge_vision.track.paths import Paths
from edge_vision.track.registration import Registrar


def as_tracks(detections: Detections, media_ns: int) -> tuple[Track, ...]:
    """Detections that nobody follows, as what is drawn: id 0, no motion."""
    still = np.zeros(4, np.float32)
    rows = zip(
        detections.boxes, detections.scores.tolist(), detections.class_ids.tolist(), strict=True
    )
    return tuple(
        Track(0, box, still, score, class_id, "confirmed", media_ns, media_ns)
        for box, score, class_id in rows
    )


class Drawing:
    """Everything between a frame and its picture; used by one thread.

    Order: objects carried to the frame's time, then what must be unrecognisable, then sprites, the
    overlay, and the user's own renderer.  steady: on a virtual clock.
    """

    def __init__(
        self,
        config: OverlayConfig,
        tracking: TrackingConfig,
        detector: Detector,
        telemetry: Telemetry,
        paths: Paths,
        *,
        steady: bool = False,
    ) -> None:
        self._labels = detector.labels
        self.model, self.engine = detector.description, detector.engine
        """What the panel says is at work; may be changed at any time."""
        self.note = ""
        """What the panel says beside it: a state to point out."""
        self._telemetry = telemetry
        self._with_hud = config.hud
        method = "none" if config.timing == "exact" else config.registration
        self._registrar: Registrar | None = None
        if tracking.enabled:
            self._registrar = Registrar(
                method, paths, linger_s=config.linger_s, may_step_down=not steady
            )
        self._method = method
        self._steady = steady
        self._privacy = Privacy(config, detector.labels)
        self._sprites = Sprites(config.sprites, detector.labels)
        warn_of_unknown("overlay.colours", config.colours, detector.labels)
        self._overlay = Overlay(config)
        self._plugin = Plugin(config.renderer, detector.labels) if config.renderer else None
        self._canvas = Canvas(bgr=self._plugin is not None)
        self._plain_canvas = Canvas()
        self._config = config
        self._sheet: Sheet | None = None
        self._places: PlaceMarks | None = None

    def use_places(self, config: Config, crossings: Callable[[], Crossings]) -> None:
        """Draw the zones and lines of a configuration from the next picture on; any thread.

        crossings: asked at each picture.
        """
        watch, overlay = config.watch, config.overlay
        wanted = overlay.places and (watch.zones or watch.lines)
        plates, thick = self._overlay.plates, overlay.thickness_px
        self._places = PlaceMarks(watch, plates, crossings, thick) if wanted else None

    def draw_sheets(self) -> None:
        """Give each picture its overlay by itself, too.  ConfigError where that cannot be."""
        self._sheet = Sheet(self._config, self._labels)

    def warm_up(self, size_px: tuple[int, int]) -> None:
        """Draw a label and the panel for nobody, so that the first picture is not late.

        Looking for fonts, opening them and drawing the digits takes as long as three frames do.
        size_px: width and height that pictures will probably have.
        """
        blank = BgrSurface(np.empty((size_px[1], size_px[0], 3), np.uint8))
        class_id = next(iter(self._labels), 1)
        box = np.array([[0.4, 0.4, 0.6, 0.6]], np.float32)
        found = Detections(box, np.array([0.5], np.float32), np.array([class_id], np.int32))
        hud = self._figures(None, 0) if self._with_hud else None
        self._overlay.draw(blank, as_tracks(found, 0), self._labels, Clock(0, 0, 0, 0), hud)

    def draw(
        self,
        frame: Frame,
        scene: Scene | None,
        now_ns: int,
        *,
        burn: bool = True,
        plain: bool = False,
    ) -> Picture:
        """The picture of a frame; takes over the frame's lease and gives it back at once.

        scene: the newest there is, or with `overlay.timing: exact` the frame's own.
        now_ns: of the clock that the frame's stamps are of.
        burn: draw on the picture itself.  plain: also give it without overlay.
        """
        begin = time.perf_counter_ns()
        try:
            surface = self._canvas.fill(frame.main)
        finally:
            frame.release()
        filled = time.perf_counter_ns()
        tracks = self._carry(surface.image, frame.media_ns, scene)
        carried = time.perf_counter_ns()
        hud = self._figures(scene, now_ns) if self._with_hud else None
        clock = Clock(frame.seq, frame.stamps.exposed, frame.media_ns, now_ns)
        if burn or plain:
            self._hide(surface, tracks)
        bare = self._bare(surface.image, copied=burn) if plain else None
        if burn:
            self._burn(surface, tracks, clock, hud)
        sheet = None
        if self._sheet is not None:
            size_px = surface.width_px, surface.height_px
            sheet = self._sheet.draw(*size_px, tracks, clock, hud, self._places)
        drawn = time.perf_counter_ns()
        self._stamp(frame, now_ns, (begin, filled, carried, drawn))
        return Picture(
            surface.image,
            frame.seq,
            frame.media_ns,
            frame.stamps,
            overlay=sheet,
            plain=bare,
            tracks=tracks,
            labels=self._labels,
            scene_seq=scene.seq if scene is not None else -1,
        )

    def _stamp(self, frame: Frame, now_ns: int, at: tuple[int, int, int, int]) -> None:
        """at: when the frame came, was copied, had its objects, was drawn, of one clock."""
        begin, filled, carried, drawn = at
        stages = self._telemetry.stages
        stages["registered"].add((carried - filled) / 1e6)
        stages["drawn"].add((filled - begin + drawn - carried) / 1e6)
        # On a virtual clock drawing takes no time.
        frame.stamps.registered = now_ns + (0 if self._steady else carried - begin)
        frame.stamps.drawn = now_ns + (0 if self._steady else drawn - begin)
        self._telemetry.shown.tick(frame.stamps.drawn)

    def _hide(self, surface: Surface, tracks: tuple[Track, ...]) -> None:
        # What is not shown yet, or not any more, is hidden all the same.
        hidden = tracks if self._registrar is None else self._registrar.carried
        self._privacy.apply(surface, hidden)

    def _bare(self, image: Image, *, copied: bool) -> Image:
        """The picture before anything is drawn on it."""
        return self._plain_canvas.fill(image).image if copied else image

    def _burn(
        self, surface: Surface, tracks: tuple[Track, ...], clock: Clock, hud: Hud | None
    ) -> None:
        places = self._places
        if places is not None:
            places.draw(surface)
        self._sprites.draw(surface, tracks, clock.media_ns)
        self._overlay.draw(surface, tracks, self._labels, clock, hud)
        if self._plugin is not None:
            self._plugin.draw(surface, tracks, clock)

    def take_over(self, before: "Drawing") -> None:
        """Go on where another one stops: boxes that are under way are not lost."""
        if self._method == before._method:
            self._registrar = before._registrar
        before.close()

    def close(self) -> None:
        """End the thread of the user's renderer, if there is one."""
        if self._plugin is not None:
            self._plugin.close()

    def _carry(self, image: Image, media_ns: int, scene: Scene | None) -> tuple[Track, ...]:
        if self._registrar is not None:
            return self._registrar.step(image, media_ns, scene)
        return as_tracks(scene.detections, scene.media_ns) if scene is not None else ()

    def _figures(self, scene: Scene | None, now_ns: int) -> Hud:
        telemetry = self._telemetry
        return Hud(
            capture_fps=telemetry.captured.per_s(now_ns),
            detect_fps=telemetry.analysed.per_s(now_ns),
            display_fps=telemetry.shown.per_s(now_ns),
            inference_ms=telemetry.last_invoke_ms,
            age_ms=(now_ns - scene.exposed_ns) / 1e6 if scene is not None else 0.0,
            model=self.model,
            drops=sum(telemetry.drops().values()),
            message=self._stepped_down() or self.note,
            engine=self.engine,
        )

    def _stepped_down(self) -> str:
        registrar = self._registrar
        if registrar is None or registrar.active_method == self._method:
            return ""
        return f"registration: {registrar.active_method}, as {self._method} takes too long here"
