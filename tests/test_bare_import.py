"""`import edge_vision` costs nothing and needs nothing; seen in a child process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import edge_vision

ROOT = Path(edge_vision.__file__).resolve().parent.parent

REFUSE = """
import sys
class Refuse:
    # Only Python's own modules and this package may be imported.
    def find_spec(self, name, path=None, target=None):
        top = name.partition('.')[0]
        if top != 'edge_vision' and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f'refused: {name}', name=name)
sys.meta_path.insert(0, Refuse())
"""


def _child(code: str, *, refuse: bool = False) -> Any:
    """Run `code` in a new interpreter and return what it prints, as JSON."""
    start = f"import sys, json; sys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", start + (REFUSE if refuse else "") + code],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_package_imports_no_other_package() -> None:
    code = """
before = set(sys.modules)
import edge_vision
print(json.dumps(sorted({m.partition('.')[0] for m in set(sys.modules) - before})))
"""
    loaded = set(_child(code))
    assert loaded - set(sys.stdlib_module_names) == {"edge_vision"}


def test_the_errors_work_where_nothing_is_installed() -> None:
    code = """
import edge_vision
names = edge_vision._HOMES['errors']
raised = []
for name in names:
    error = getattr(edge_vision, name)
    try:
        raise error('a sentence')
    except edge_vision.EdgeVisionError as caught:
        raised.append([name, str(caught), caught.exit_code])
print(json.dumps([raised, edge_vision.__version__, 'numpy' in sys.modules]))
"""
    raised, version, has_numpy = _child(code, refuse=True)
    assert [name for name, _, _ in raised] == sorted(edge_vision._HOMES["errors"])
    assert all(said == "a sentence" and code >= 64 for _, said, code in raised)
    assert version == edge_vision.__version__
    assert not has_numpy


def test_the_refusal_in_these_tests_refuses() -> None:
    code = """
import edge_vision
try:
    edge_vision.Frame
    print(json.dumps('imported'))
except ModuleNotFoundError as error:
    print(json.dumps(str(error)))
"""
    assert _child(code, refuse=True) == "refused: numpy"


def test_frames_and_results_need_numpy_alone() -> None:
    code = """
before = set(sys.modules)
import edge_vision
edge_vision.Frame, edge_vision.Detections, edge_vision.Scene
others = {m.partition('.')[0] for m in set(sys.modules) - before}
print(json.dumps(sorted(others - set(sys.stdlib_module_names))))
"""
    loaded = set(_child(code))
    assert {"edge_vision", "numpy"} <= loaded
    assert not loaded & {"cv2", "pydantic", "yaml", "typer", "av", "ai_edge_litert"}


def test_the_configuration_needs_no_picture_library() -> None:
    code = """
import edge_vision
edge_vision.load_config(None)
print(json.dumps(sorted({'cv2', 'av', 'typer', 'ai_edge_litert'} & set(sys.modules))))
"""
    assert _child(code) == []
