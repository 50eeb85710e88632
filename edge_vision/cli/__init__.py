"""The command line: one file per command."""

import signal


def main() -> None:
    """Entry point; see `edge_vision.cli.main.run_command`."""
    # Before the imports, which take a while: until a run installs its own handlers there is nothing
    # to close, so Ctrl-C ends the process at once and without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from edge_vision.cli.main import run_command

    run_command()
