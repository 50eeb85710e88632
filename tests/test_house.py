"""The rules of the house, held by a walk over the source; see the rows in ROWS."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("camera", "detect", "track", "render", "rules", "outputs")
ROWS = {
    **dict.fromkeys(("errors", "frame", "results"), 0),
    **dict.fromkeys(("account", "annotations", "board", "profile", "registry"), 1),
    **dict.fromkeys(("config", "config_base", "config_board", "config_camera"), 1),
    **dict.fromkeys(("config_file", "config_load", "config_outputs", "config_overlay"), 1),
    **dict.fromkeys(("config_save", "config_version", "config_web", "control", "events"), 1),
    **dict.fromkeys(("config_keys", "config_text", "config_watch", "schedule"), 1),
    **dict.fromkeys(("config_events", "config_net", "history"), 1),
    **dict.fromkeys(("health", "slot", "sweep", "telemetry", "videodev"), 1),
    **dict.fromkeys(("whole_file", "worker"), 1),
    **dict.fromkeys(PARTS, 2),
    **dict.fromkeys(("evaluate", "map_plot", "pipeline", "replay", "skeletons", "stages"), 3),
    **dict.fromkeys(("app", "api", "doctor", "measure", "notify", "tuning", "cli", "__main__"), 4),
    **dict.fromkeys(("desk", "fleet", "governor", "journal", "live", "service", "summary"), 4),
}
WITHOUT_PACKAGES: dict[str, set[str]] = {
    "__init__": set(), "errors": set(), "frame": {"numpy"}, "results": {"numpy"}
}  # fmt: skip
LONGEST_FILE, LONGEST_FUNCTION = 300, 50
VAGUE = {"utils", "helpers", "core", "manager"}


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every import that runs: those under TYPE_CHECKING do not."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            whole = name == "edge_vision"  # from edge_vision import errors
            yield from ((node.lineno, f"{name}.{a.name}" if whole else name) for a in node.names)
        else:
            yield from _imports(node)


def _wrong_import(module: str, name: str) -> str | None:
    """Why `module` (edge_vision.X...) may not import `name`, or None."""
    home, package, part = module.split(".")[1], name.split(".")[0], name.split(".")[1:2]
    if package == "":
        return f"relative import {name}; write the full name"
    if package != "edge_vision":
        foreign = package not in sys.stdlib_module_names | WITHOUT_PACKAGES.get(home, {package})
        return f"{home} must work without {package}" if foreign else None
    if home == "__init__":
        return f"imports {name} at once; it must import names when they are used"
    there = part[0] if part else "__init__"
    if there not in ROWS or home not in ROWS:
        # The package itself may be asked for its version.
        return None if there.startswith("__") else f"{name} or {module} has no row in ROWS"
    allowed = ROWS[there] < ROWS[home] or (ROWS[there] == ROWS[home] and home not in PARTS)
    if allowed or there == home:
        return None
    return f"row {ROWS[home]} ({home}) imports row {ROWS[there]} ({there}): only upwards"


def check(path: str, source: str) -> list[str]:
    """Every broken rule of one file as "path:line: what"."""
    tree, lines, file = ast.parse(source), source.count("\n"), Path(path)
    found = [(lines, f"{lines} lines; {LONGEST_FILE} at most")] if lines > LONGEST_FILE else []
    if file.stem in VAGUE:
        found.append((1, f"'{file.stem}' says nothing; name it after what it does"))
    in_package = file.parts[0] == "edge_vision"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and file.parts[0] != "tests":
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                found.append((node.lineno, f"{node.name}() of {length} lines; at most 50"))
        clock = in_package and isinstance(node, ast.Attribute | ast.ImportFrom)
        if clock and ast.unparse(node) in ("time.time", "from time import time"):
            found.append((node.lineno, "time.time() jumps; use time.monotonic_ns()"))
    if in_package:
        module = ".".join(file.with_suffix("").parts)
        found += [(at, why) for at, name in _imports(tree) if (why := _wrong_import(module, name))]
    return [f"{path}:{line}: {what}" for line, what in found]


def _files() -> list[str]:
    folders = ("edge_vision", "tests", "scripts", "models/build")
    files = [file.relative_to(ROOT) for name in folders for file in (ROOT / name).rglob("*.py")]
    return sorted(file.as_posix() for file in files)


def test_the_house_keeps_its_rules() -> None:
    files = _files()
    assert len(files) > 40
    found = [line for file in files for line in check(file, (ROOT / file).read_text("utf-8"))]
    assert not found, "\n" + "\n".join(found)


def test_every_module_has_a_row() -> None:
    top = {p.stem for p in (ROOT / "edge_vision").iterdir() if p.suffix == ".py" or p.is_dir()}
    assert {name for name in top if not name.startswith("_")} <= set(ROWS)


@pytest.mark.parametrize(
    ("path", "source", "said"),
    [
        ("frame.py", "import edge_vision.results", None),
        ("frame.py", "\nfrom edge_vision.slot import X", ":2: row 0 (frame) imports"),
        ("frame.py", "import cv2", ":1: frame must work without cv2"),
        ("frame.py", "import numpy", None),
        ("errors.py", "import numpy", ":1: errors must work without numpy"),
        ("slot.py", "import edge_vision.config", None),
        ("slot.py", "def f():\n import edge_vision.app", ":2: row 1 (slot) imports row 4"),
        ("camera/usb.py", "from edge_vision.camera.base import X", None),
        ("camera/usb.py", "from edge_vision.slot import X", None),
        ("camera/usb.py", "from edge_vision.detect import X", "imports row 2 (detect)"),
        ("camera/usb.py", "from edge_vision import detect", "imports row 2 (detect)"),
        ("camera/usb.py", "from edge_vision import __version__", None),
        ("camera/usb.py", "from .base import X", ":1: relative import .base"),
        ("pipeline.py", "import edge_vision.stages.detect", None),
        ("pipeline.py", "import edge_vision.app", "row 3 (pipeline) imports row 4 (app)"),
        ("app.py", "import edge_vision.cli.main, edge_vision.api", None),
        ("app.py", "import edge_vision.strange", "has no row in ROWS"),
        ("strange.py", "import edge_vision.app", "has no row in ROWS"),
        ("__init__.py", "from edge_vision.errors import X", "imports edge_vision.errors"),
        ("__init__.py", "if TYPE_CHECKING:\n from edge_vision.api import run", None),
        ("__init__.py", "if TYPE_CHECKING:\n pass\nimport yaml", ":3: __init__ must"),
        ("app.py", "import time\n\nx = time.time()", ":3: time.time() jumps"),
        ("app.py", "from time import time", ":1: time.time() jumps"),
        ("app.py", "import time\ntime.monotonic()", None),
        ("camera/utils.py", "", ":1: 'utils' says nothing"),
        ("tests/test_x.py", "x = 1\n" * 301, "301 lines; 300 at most"),
        ("tests/test_x.py", "x = 1\n" * 300, None),
        ("scripts/x.py", "def f():\n" + " x = 1\n" * 50, ":1: f() of 51 lines; at most 50"),
        (
            "models/build/x.py",
            "class A:\n async def f(self):\n" + "  x = 1\n" * 50,
            ":2: f() of 51",
        ),
        ("scripts/x.py", "def f():\n" + " x = 1\n" * 49, None),
    ],
)
def test_the_check_itself(path: str, source: str, said: str | None) -> None:
    outside = path.startswith(("tests/", "scripts/", "models/"))
    found = check(path if outside else f"edge_vision/{path}", source)
    assert found == [] if said is None else any(said in line for line in found), found
