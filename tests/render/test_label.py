"""overlay.label filled in."""

import math

import numpy as np
import pytest

from edge_vision.config_overlay import LABEL_FIELDS, OverlayConfig
from edge_vision.errors import ConfigError
from edge_vision.render.label import LabelTemplate
from edge_vision.results import Track


def _text(
    template: str,
    *,
    id: int = 7,
    box: tuple[float, float, float, float] = (0.25, 0.25, 0.5, 0.75),
    label: str = "person",
    media_ns: int = 5_500_000_000,
    **settings: object,
) -> str:
    track = Track(
        id, np.array(box, np.float32), np.zeros(4, np.float32), 0.876, 1, "confirmed",
        1_000_000_000, 1_000_000_000,
    )  # fmt: skip
    filled = LabelTemplate(OverlayConfig(label=template, **settings))
    return "".join(part.text for part in filled.parts(track, label, media_ns, 1280, 720))


def test_every_field_is_filled_in() -> None:
    assert _text("{label} {id} {score:.0%} {age_s:.1f}s") == "person 7 88% 4.5s"
    assert _text("{width_px}x{height_px}") == "320x360"
    for name in LABEL_FIELDS:
        assert _text(f"{{{name}}}") != ""


def test_distance_is_that_of_a_pinhole_camera() -> None:
    # 1.7 m seen 360 px high by a lens of 62.2 degrees over 1280 px.
    focal_px = 640 / math.tan(math.radians(31.1))
    assert _text("{distance_m:.3f}") == f"{1.7 * focal_px / 360:.3f}"
    # 90 degrees: the focal length is half the width; a height of 3.6 m is 100 times 36 mm.
    assert _text("{distance_m:.2f}", hfov_deg=90, heights_m={"person": 3.6}) == "6.40"


@pytest.mark.parametrize(
    ("label", "box"),
    [
        ("cat", (0.25, 0.25, 0.5, 0.75)),  # no height is known
        ("person", (0.25, 0.0, 0.5, 0.75)),  # cut off above
        ("person", (0.25, 0.5, 0.5, 1.0)),  # or below
        ("person", (0.25, -0.2, 0.5, 1.2)),
        ("person", (0.25, 0.5, 0.5, 0.5)),  # no height at all
    ],
)
def test_an_unknown_distance_is_a_question_mark(
    label: str, box: tuple[float, float, float, float]
) -> None:
    assert _text("{label} {distance_m:.1f} m", label=label, box=box) == f"{label} ? m"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{label} {id} {score:.0%}", "person 88%"),
        ("{label} #{id} {score:.0%}", "person 88%"),
        ("{id} {label}", "person"),
        ("{label} {id}", "person"),
        ("{label} id:{id}, {score:.0%} {age_s:.1f}s", "person 88%"),
        ("{label}{id}", "person"),
        ("{id:03d}", ""),
        ("{age_s}", ""),
        ("{{{label}}}", "{person}"),
        ("{{id}} {label}", "{id} person"),
    ],
)
def test_what_nobody_follows_has_no_id_and_no_age(template: str, expected: str) -> None:
    assert _text(template, id=0) == expected


def test_an_empty_template_has_no_parts() -> None:
    assert _text("") == ""


def test_time_that_jumps_back_gives_no_negative_age() -> None:
    assert _text("{age_s:.1f}", media_ns=0) == "0.0"


def test_what_changes_is_told_from_what_stays() -> None:
    track = Track(3, np.array([0.1, 0.1, 0.2, 0.2], np.float32), np.zeros(4, np.float32), 0.5, 1,
                  "confirmed", 0, 0)  # fmt: skip
    template = LabelTemplate(OverlayConfig(label="<{label}> {score:.0%}"))
    kinds = [tuple(part) for part in template.parts(track, "cat 5", 0, 640, 480)]
    assert kinds == [
        ("<", "text"), ("cat 5", "label"), ("> ", "text"), ("50%", "figure")
    ]  # fmt: skip


@pytest.mark.parametrize("template", ["{label:>500}", "{score:.450f}", "{id:0900d}"])
def test_a_template_that_fills_the_picture_is_refused(template: str) -> None:
    with pytest.raises(ConfigError, match=r"overlay\.label .* characters; expected 400 at most"):
        LabelTemplate(OverlayConfig(label=template))
