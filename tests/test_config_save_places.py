"""Zones, lines and rules are written as people write them: each in a line of its own."""

from pathlib import Path
from typing import Any

import pytest

from edge_vision.config_load import load_config, parse_config
from edge_vision.config_save import save_values
from edge_vision.errors import OutputError

ZONES = {"yard": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], "null": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}
LINES = {"door": [[0.3, 0.9], [0.3, 0.2]]}
RULES: Any = [{"name": "visitor", "zone": "yard", "dwell_s": 2.0, "schedule": "22:00-06:00"}]
PLACES: dict[tuple[str, ...], Any] = {
    ("watch", "zones"): ZONES,
    ("watch", "lines"): LINES,
    ("watch", "rules"): RULES,
}
ZONE_LINES = (
    "    yard: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]\n"
    "    'null': [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]\n"
)
RULE_LINE = "    - {name: visitor, zone: yard, dwell_s: 2.0, schedule: '22:00-06:00'}"


def saved(tmp_path: Path, text: str, values: dict[tuple[str, ...], Any]) -> str:
    file = tmp_path / "c.yaml"
    file.write_bytes(text.encode())
    save_values(file, values)
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    "text",
    [
        "watch:\n  zones: {}\n",
        "watch: # here\n  zones: {}   # polygons\n           # go on\n\nlog: {level: info}\n",
        "watch:\n  zones: {old: [[0, 0], [1, 0],\n     [1, 1]]} # x\nlog: {level: info}",
        "watch:\n  zones: # nothing\n  lines:\n\n  rules:\n\nlog: {level: info}\n",
        "watch:\n  rules:\n  - name: a # b\n    count: 2\n\n# tail\nlog: {level: info}\n",
        "watch: {zones: {}} # x\n",
        "watch:\n",
        "# nothing\n",
    ],
)
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_it_says_the_same_afterwards_and_nothing_else_is_lost(
    tmp_path: Path, text: str, eol: str
) -> None:
    text = text.replace("\n", eol)
    found = saved(tmp_path, text, PLACES)
    assert found.count(eol) == found.count("\n")
    wanted = parse_config({"watch": {"zones": ZONES, "lines": LINES, "rules": RULES}}).watch
    assert load_config(tmp_path / "c.yaml").watch == wanted
    for comment in ("# here", "# polygons", "# go on", "# x", "# nothing", "# tail"):
        assert (comment in found) == (comment in text)
    assert text.count(eol * 2) == found.count(eol * 2), "an empty line has gone"
    if "{zones" not in text:
        assert RULE_LINE in found.splitlines()
    empty = saved(tmp_path, found, {path: type(value)() for path, value in PLACES.items()})
    assert load_config(tmp_path / "c.yaml").watch == parse_config({}).watch
    assert empty.count(eol) <= found.count(eol)


def test_the_configuration_that_is_shipped_gets_back_to_what_it_was(
    tmp_path: Path, repo: Path
) -> None:
    text = (repo / "config.yaml").read_text("utf-8")
    found = saved(tmp_path, text, PLACES)
    assert f"\n{ZONE_LINES}  lines:  " in found
    assert f'"mon-fri 18:00-08:00, sat-sun"\n{RULE_LINE}\n\noverlay:\n' in found
    assert saved(tmp_path, found, {("watch", "zones"): {}, ("watch", "lines"): {},
                                   ("watch", "rules"): []}) == text  # fmt: skip


def test_comments_behind_entries_stay_with_them(tmp_path: Path) -> None:
    text = (
        "watch:\n  zones: # mine\n    # first\n"
        "    old: [[0, 0], [1, 0], [1, 1]]  # the old one\n"
        "    yard: [[0, 0], [1, 0], [1, 1]]  # grass\n"
        "  rules:\n    - name: visitor\n      count: 2  # two\n    - {name: b}  # b\n\n# tail\n"
    )
    found = saved(tmp_path, text, PLACES)
    assert found == (
        "watch:\n  zones: # mine\n    # first\n"
        + ZONE_LINES.replace("0.9]]\n", "0.9]]  # grass\n")
        + f"  rules:\n{RULE_LINE}  # two\n  lines:\n    door: [[0.3, 0.9], [0.3, 0.2]]\n\n# tail\n"
    )


def test_what_is_named_elsewhere_is_not_changed(tmp_path: Path) -> None:
    text = "watch:\n  zones: &z\n    a: [[0, 0], [1, 0], [1, 1]]\n  lines: {}\n  rules: []\n"
    assert saved(tmp_path, text, PLACES).startswith("watch:\n  zones:")
    shared = "watch:\n  zones: {a: &z [[0, 0], [1, 0], [1, 1]], b: *z}\n"
    saved(tmp_path, shared, {("watch", "zones"): ZONES})
    aliased = (
        "watch:\n  zones: {}\n  rules: [{name: &n a}, {name: b, schedule: ''}]\nnode: {name: *n}"
    )
    with pytest.raises(OutputError, match=r"laid out in a way .* watch\.rules"):
        saved(tmp_path, aliased, {("watch", "rules"): RULES[:0]})
