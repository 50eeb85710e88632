"""Runs `edge-vision` as its users do: as a process."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def cli(tmp_path: Path, repo: Path) -> Cli:
    """cli(argument, ..., cwd=..., timeout=...) runs the program to its end; no traceback, ever."""

    def run(*arguments: object, timeout: float = 60, **more: Any) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "edge_vision", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=more.pop("cwd", tmp_path),
            **more,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


def lines_of(text: str) -> list[Any]:
    """JSON lines as values."""
    return [json.loads(line) for line in text.splitlines()]
