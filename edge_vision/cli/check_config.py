"""`edge-vision check-config`: is this file right?"""

from pathlib import Path
from typing import Annotated

import typer

from edge_vision.config_load import load_config
from edge_vision.detect.zoo import find_model


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The YAML file to check.")],
) -> None:
    """Check a configuration file: every error at once, with its line.  Exit code 78 if wrong."""
    config = load_config(file)
    find_model(config.model.name)
    print(f"{file}: all right")
