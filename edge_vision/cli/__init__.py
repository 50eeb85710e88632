"""The command line: one file per command."""

from edge_vision.cli.main import main

__all__ = ["main"]
