"""The section watch: what a place and a rule may be, and what is said of those that are not."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vision.config_load import load_config, parse_config
from edge_vision.config_save import save_values
from edge_vision.config_watch import wrong_polygon
from edge_vision.errors import ConfigError

ZONE = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
LINE = [[0.5, 0.9], [0.5, 0.1]]


def said_of(**watch: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config({"watch": watch})
    header, *lines = str(caught.value).splitlines()
    assert len(lines) == 1, (header, lines)
    return lines[0]


def said_of_rule(**rule: Any) -> str:
    return said_of(zones={"yard": ZONE}, lines={"door": LINE}, rules=[{"name": "r", **rule}])


def test_everything_at_once() -> None:
    rules = [
        {"name": "visitor", "zone": "yard", "classes": ["person"], "min_score": 0.5,
         "dwell_s": 2.0, "count": 2, "cooldown_s": 30, "schedule": "22:00-06:00"},
        {"name": "through", "line": "door", "direction": "in"},
        {"name": "anywhere"},
    ]  # fmt: skip
    watch = parse_config(
        {"watch": {"zones": {"yard": ZONE}, "lines": {"door": LINE}, "rules": rules}}
    ).watch
    assert [rule.name for rule in watch.rules] == ["visitor", "through", "anywhere"]
    assert watch.lines["door"] == ((0.5, 0.9), (0.5, 0.1))
    assert watch.zones["yard"][2] == (0.5, 0.9)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ([], "has no points; expected a polygon of three or more"),
        ([[0, 0], [1, 1]], "has two points"),
        ([[0, 0], [1, 1], [1, 0], [0, 1]], "crosses itself: the side from [0, 0] to [1, 1] meets"),
        ([[0, 0], [1, 0], [0.5, 0], [0.5, 1]], "crosses itself"),  # runs back over itself
        ([[0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]], "crosses itself"),  # touches a side
        ([[0, 0], [0, 1], [0, 0.5]], "has no area"),
        ([[0, 0], [0.001, 0], [0, 0.001]], "has no area"),
        ([[0, 0], [0, 0], [1, 1]], "has the point [0, 0] twice in a row"),
        ([[0, 0], [1.2, 0], [1, 1]], "has the point [1.2, 0], which is outside the picture"),
        ([[0, 0], [1, -0.1], [1, 1]], "has the point [1, -0.1], which is outside the picture"),
        ([[n / 100, (n % 2) / 9] for n in range(65)], "has 65 points; expected 64 at most"),
    ],
)
def test_zones_that_are_none(points: Any, said: str) -> None:
    assert said_of(zones={"good": ZONE, "bad": points}).startswith(
        f"configuration: watch.zones.bad {said}"
    )


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (3, "watch.zones.bad is 3; expected a list, [like, this]"),
        ([[0, 0], [1, "x"], [1, 1]], 'watch.zones.bad.1.1 is "x"; expected a number'),
        ([[0, 0], [1], [1, 1]], "watch.zones.bad.1 is [1]; expected two values"),
        ([[0, 0], [1, float("nan")], [1, 1]], "expected a finite number"),
    ],
)
def test_zones_of_the_wrong_type(points: Any, said: str) -> None:
    assert said in said_of(zones={"bad": points})


def test_lines_that_are_none() -> None:
    none = "watch.lines.bad goes from [0.5, 0.5] to [0.5, 0.5]: it has no length"
    assert none in said_of(lines={"bad": [[0.5, 0.5], [0.5, 0.5]]})
    assert "watch.lines.bad has the point [0.5, 2]" in said_of(lines={"bad": [[0.5, 2], [0, 0]]})
    assert "watch.lines.bad is [[0, 0]]; expected two values" in said_of(lines={"bad": [[0, 0]]})


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"zone": "yrad"}, "watch.rules.0 (r) names the zone 'yrad', which is not there; did you "
                           "mean yard?"),
        ({"zone": "door"}, "watch.rules.0 (r) names the zone 'door', which is not there; there "
                           "are: yard"),
        ({"line": "yard"}, "names the line 'yard'"),
        ({"zone": "yard", "line": "door"}, "the rule r has both a zone (yard) and a line (door)"),
        ({"line": "door", "dwell_s": 2.0}, "nothing dwells"),
        ({"line": "door", "count": 2}, "dwell_s and count are for zones"),
        ({"zone": "yard", "direction": "in"}, "direction in, which is for lines"),
        ({"schedule": "night"}, "watch.rules.0.schedule: 'night' is no time of the week"),
        ({"min_score": 1.5}, "watch.rules.0.min_score is 1.5; expected less than or equal to 1"),
        ({"count": 0}, "watch.rules.0.count is 0; expected greater than or equal to 1"),
        ({"dwel_s": 1}, "unknown key watch.rules.0.dwel_s; did you mean dwell_s?"),
        ({"name": "a/b"}, "watch.rules.0.name: 'a/b' is no name; expected 1 to 40 letters"),
    ],
)  # fmt: skip
def test_rules_that_are_none(rule: Any, said: str) -> None:
    assert said in said_of_rule(**rule)


def test_what_has_no_name_or_a_strange_one() -> None:
    assert "watch.rules.0.name is missing; expected a value for it" in said_of(rules=[{}])
    assert "watch.zones: 'a b' is no name" in said_of(zones={"a b": ZONE})
    assert "watch.lines: '' is no name" in said_of(lines={"": LINE})


def test_two_things_with_one_name() -> None:
    assert "watch.lines.x has the name of a zone" in said_of(zones={"x": ZONE}, lines={"x": LINE})
    twice = said_of(rules=[{"name": "r"}, {"name": "s"}, {"name": "r"}])
    assert "watch.rules.2 (r) has the name of watch.rules.0; expected each name once" in twice


def test_what_other_sections_rule_out() -> None:
    with pytest.raises(ConfigError, match=r"watch needs tracking\.enabled: true"):
        parse_config({"watch": {"zones": {"yard": ZONE}}, "tracking": {"enabled": False}})
    rules = [{"name": "r", "classes": ["cat"]}]
    with pytest.raises(ConfigError, match=r"watch\.rules\.0 \(r\) names cat, which model\.classes"):
        parse_config({"watch": {"rules": rules}, "model": {"classes": ["person"]}})


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "watch:\n"
        "  zones:\n"
        "    good: [[0, 0], [1, 0], [0.5, 1]]\n"
        "    bad: [[0, 0], [1, 1], [1, 0], [0, 1]]\n"
        "    good: [[0, 0], [1, 0], [0.5, 1]]\n"
        "  lines:\n"
        "    bad-line: [[0, 0], [0, 0]]\n"
        "  rules:\n"
        "    - name: a\n"
        "      min_score: 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    lines = [line.removeprefix(str(file)).split(" ")[:2] for line in str(caught.value).splitlines()]
    assert lines[1:] == [
        [":5:", "watch.zones.good"],
        [":4:", "watch.zones.bad"],
        [":7:", "watch.lines.bad-line"],
        [":10:", "watch.rules.0.min_score"],
    ]


unit = st.floats(0, 1)


@settings(max_examples=300)
@given(st.lists(st.tuples(unit, unit), max_size=9))
def test_any_polygon_is_judged(points: list[tuple[float, float]]) -> None:
    """Neither its direction nor where it begins matters."""
    wrong = wrong_polygon(points)
    turned = wrong_polygon([*points[1:], *points[:1]])
    assert bool(wrong) == bool(turned) == bool(wrong_polygon(points[::-1]))


def test_saved_places_look_as_people_write_them(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("# mine\nwatch:\n  zones: {}  # polygons\n")
    save_values(
        file,
        {
            ("watch", "zones"): {"yard": ZONE},
            ("watch", "rules"): [{"name": "r", "zone": "yard"}],
        },
    )
    saved = file.read_text()
    assert saved.startswith("# mine\nwatch:\n  zones:")
    assert "# polygons\n    yard: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]\n" in saved
    assert load_config(file).watch.rules[0].zone == "yard"
    assert (tmp_path / "c.yaml.bak").read_text().endswith("zones: {}  # polygons\n")
