"""The overlay: marks, labels, trails and the panel of figures, drawn in place on a surface."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_vision.config_overlay import OverlayConfig
from edge_vision.render.clock import Clock
from edge_vision.render.figures import SteadyLabels
from edge_vision.render.hud import Hud, HudPanel
from edge_vision.render.label import LabelTemplate
from edge_vision.render.marks import Pen, Reticles, outer_rect, pen_for
from edge_vision.render.placing import Placing
from edge_vision.render.plates import Plates, Wanted
from edge_vision.render.presets import PRESETS, line_sizes
from edge_vision.render.style import Colour, Colours, Sizes, sizes_for
from edge_vision.render.surface import Patch, Rect, Surface
from edge_vision.render.text import Letters
from edge_vision.render.trails import Trails
from edge_vision.results import Track, label_of

__all__ = ["Hud", "Overlay"]


@dataclass(frozen=True, slots=True, eq=False)
class _Mark:
    """One object to draw; label and where it goes, where there is one."""

    pen: Pen
    outer: Rect
    label: Patch | None
    label_at: Rect


class Overlay:
    """Draws tracks and the panel; keeps rendered labels, so use one for a whole run.

    left_out: how many tracks were not drawn so far because their numbers were not finite.
    ConfigError for a font or a template that cannot be used.  Used by one thread.
    """

    def __init__(self, config: OverlayConfig) -> None:
        self.left_out = 0
        self._config = config
        self._preset = PRESETS[config.style]
        self._colours = Colours(config)
        self._template = LabelTemplate(config)
        letters = Letters(config.font)
        self.plates = Plates(letters)
        """What makes the labels; for other texts, too."""
        self._panel = HudPanel(letters)
        self._placing = Placing(self._preset.places)
        self._steady = SteadyLabels()
        self._reticles = Reticles()
        self._trails = Trails(config.trails_s) if config.trails_s > 0 else None

    def draw(
        self,
        surface: Surface,
        tracks: Sequence[Track],
        labels: Mapping[int, str],
        clock: Clock,
        hud: Hud | None = None,
    ) -> None:
        """Draw onto a surface of any size from 1x1.

        tracks: at the surface's exposure time; better scores lie on top of lesser ones, those that
        coast fainter below all.  What nobody follows has id 0.  labels: class id -> label.
        """
        width, height = surface.width_px, surface.height_px
        whole = sizes_for(width, height, self._config.thickness_px)
        sizes = line_sizes(self._config.style, whole, self._config.thickness_px)
        shown = self._finite(tracks)
        if self._trails is not None:
            coloured = [(track, self._colour(track, labels)) for track in shown]
            self._trails.draw(surface, coloured, clock.media_ns, sizes.line_px)
        panel: list[Rect] = []
        if self._config.hud and hud is not None:
            panel = [self._panel.place(width, height, sizes, hud)]
        self._placing.begin(panel, clock.now_ns)
        self._steady.begin()
        marks = [
            mark
            for track in shown
            if (mark := self._mark(surface, track, labels, clock, sizes)) is not None
        ]
        for mark in reversed(marks):
            self._preset.mark(mark.pen, mark.outer, self._reticles)
        for mark in reversed(marks):
            self._draw_label(surface, mark)
        if self._config.hud and hud is not None:
            self._panel.draw(surface, sizes, hud, clock.now_ns)

    def _finite(self, tracks: Sequence[Track]) -> list[Track]:
        """What can be drawn, best first, what is not seen now last."""
        shown = []
        for track in tracks:
            x0, y0, x1, y1 = track.box.tolist()
            # A NaN fails the comparisons, an infinity the sum.
            if x0 <= x1 and y0 <= y1 and math.isfinite(x0 + y0 + x1 + y1 + track.score):
                shown.append(track)
            else:
                self.left_out += 1
        shown.sort(key=lambda track: (track.state == "coasting", -track.score, track.id))
        return shown

    def _mark(
        self,
        surface: Surface,
        track: Track,
        labels: Mapping[int, str],
        clock: Clock,
        sizes: Sizes,
    ) -> _Mark | None:
        width, height = surface.width_px, surface.height_px
        x0, y0, x1, y1 = track.box.tolist()
        outer = outer_rect((x0, y0, x1, y1), sizes, width, height)
        if outer is None:
            return None
        colour, faint = self._colour(track, labels), track.state == "coasting"
        pen = pen_for(surface, outer, colour, sizes, faint=faint)
        label = label_of(labels, track.class_id)
        media_ns = clock.media_ns
        parts = self._steady.of(
            track.id,
            label,
            media_ns,
            lambda: self._template.parts(track, label, media_ns, width, height),
        )
        if not parts:
            return _Mark(pen, outer, None, outer)
        plate = self._preset.label(self.plates, surface, Wanted(parts, colour, sizes, faint))
        rect = self._placing.place(track.id, outer, plate.width_px, plate.height_px, width, height)
        return _Mark(pen, outer, plate, rect)

    def _draw_label(self, surface: Surface, mark: _Mark) -> None:
        if mark.label is None:
            return
        if self._preset.connect is not None:
            self._preset.connect(mark.pen, mark.outer, mark.label_at)
        surface.blend(mark.label, *mark.label_at[:2])

    def _colour(self, track: Track, labels: Mapping[int, str]) -> Colour:
        return self._colours.of(track.class_id, label_of(labels, track.class_id))
