"""`edge-vision`: the table of commands, and the one place where errors become exit codes."""

import importlib
import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from edge_vision import __version__
from edge_vision.errors import DetectorError, EdgeVisionError, ShutdownError

_COMMANDS = {
    "run": "find objects in a live picture, show and save them",
    "detect": "find objects in picture files",
    "bench": "measure the interpreter, every stage and the whole pipeline",
    "tune": "measure what this board can do, and choose size, threads and delegate",
    "replay": "show a clip or the demo scene as a slower board would, on a virtual clock",
    "registration": "measure how well the overlay stays on the object",
    "events": "list what happened: objects in zones, over lines",
    "models": "list the models and their sizes; inspect any model file",
    "explore": "measure what width and input size of a MobileNet cost on this board",
    "eval": "measure a model's accuracy on annotated pictures",
    "cameras": "list the cameras of this computer",
    "fleet": "show all boards that report to an MQTT broker",
    "check-config": "check a configuration file",
    "password": "make a password or a token for the live page",
    "doctor": "check this computer, and say what mends it",
}


# Plain help keeps the examples as they are written, and an error is one line, not a box.
_STYLE: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
}


class _Commands(TyperGroup):
    """Imports a command's file when it is called: `--help` and `models` need no OpenCV."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"edge_vision.cli.{cmd_name.replace('-', '_')}")
        single = typer.Typer(**_STYLE)
        single.command(cmd_name)(module.command)
        command = typer.main.get_command(single)
        command.short_help = _COMMANDS[cmd_name]
        return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    **_STYLE,
    help="Live object detection with an overlay, for Raspberry Pi class boards.",
    epilog="Start with: edge-vision run     Every command has its own --help.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-vision {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    pass


def run_command() -> None:
    """Run what the command line says.

    Exit codes: 0 done, 2 wrong usage, else as `edge_vision.errors` lists them.
    """
    # Set before OpenCV is imported: its warnings about a device repeat what our messages say.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    try:
        app(prog_name="edge-vision")
    except EdgeVisionError as error:
        print(f"edge-vision: {error}", file=sys.stderr)
        if isinstance(error, DetectorError | ShutdownError):
            # A thread may hang in native code, whose exit handlers could hang the process as well.
            _end_at_once(error.exit_code)
        sys.exit(error.exit_code)
    except MemoryError:
        # A service is started again; what is left of this process may not even end in order.
        print(
            "edge-vision: out of memory; end other programs, or take a smaller model.size or "
            "camera.size_px",
            file=sys.stderr,
        )
        _end_at_once(EdgeVisionError.exit_code)


def _end_at_once(code: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
