"""What `edge-vision tune` chose for this board, kept for `model.size: auto`.

A profile holds as long as nothing it was measured with has changed: the board, the TFLite runtime
and the model's file.  One that does not hold is ignored, and a sentence in the log says why.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from edge_vision.board import board_name, core_count
from edge_vision.config import ModelConfig
from edge_vision.config_base import Section
from edge_vision.errors import OutputError
from edge_vision.whole_file import whole_file

log = logging.getLogger(__name__)

WITHOUT_PROFILE = "large"
"""What `model.size: auto` is when there is no profile to follow."""

Side = Annotated[int, Field(ge=96, le=4096)]


class Measured(Section):
    """Figures of the chosen setting: of one picture at a time, from picture to detections.

    cpu_share: CPU time as a part (0..1) of what all cores could give.  map: the manifest's.
    """

    rate_per_s: float
    p50_ms: float
    p95_ms: float
    cpu_share: float
    map: float | None


class Profile(Section):
    """The chosen setting, and what it was measured with.

    board: see `board_identity`.  runtime: package and version.  sha256: of the model's file.
    size: the manifest's name of input_hw_px (height, width), None where it has none.
    date: when it was measured, ISO 8601.
    """

    board: str
    runtime: str
    model: str
    sha256: str
    size: str | None
    input_hw_px: tuple[Side, Side]
    threads: Annotated[int, Field(ge=1, le=64)]
    delegate: str
    delegate_options: dict[str, str | int | float | bool]
    date: str
    measured: Measured


def board_identity() -> str:
    """Board and cores: what a profile is measured on."""
    cores = core_count()
    return f"{board_name()}, {cores} core{'' if cores == 1 else 's'}"


def profile_file(environment: Mapping[str, str] = os.environ, user_id: int | None = None) -> Path:
    """Where the profile is kept.

    A systemd service's StateDirectory first; else /var/lib/edge-vision for root, and for others
    edge-vision in $XDG_STATE_HOME or ~/.local/state (XDG Base Directory Specification).
    """
    name = "profile.json"
    # systemd separates several folders with colons.
    if given := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given) / name
    state = Path(environment.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():  # the specification: then it is to be ignored
        state = Path(environment.get("HOME", "")) / ".local" / "state"
    if (os.geteuid() if user_id is None else user_id) == 0 or not state.is_absolute():
        state = Path("/var/lib")
    return state / "edge-vision" / name


def prepare_folder(file: Path) -> None:
    """Make the profile's folder and try to write there; raises OutputError when it cannot be."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=file.parent):
            pass
    except OSError as error:
        raise _unwritable(file, error) from None


def write_profile(profile: Profile, file: Path) -> None:
    """Replace the profile as a whole: a power cut leaves the old or the new one.

    Raises OutputError when it cannot be written.
    """
    prepare_folder(file)
    try:
        with whole_file(file) as out:
            out.write(profile.model_dump_json(indent=2).encode() + b"\n")
    except OSError as error:
        raise _unwritable(file, error) from None


def settle_size(
    config: ModelConfig,
    sha256: str,
    runtime: Callable[[], str],
    file: Path | None = None,
    board: str | None = None,
) -> ModelConfig:
    """`model.size: auto` as the profile says, or as `large`; which, and why, goes to the log.

    Threads and delegate are the profile's only where they are `auto` as well.
    sha256: of the model's file.  runtime: tells package and version, asked only if all else fits.
    file, board: profile_file() and board_identity() outside tests.
    """
    file = file or profile_file()
    profile = _read(file)
    if profile is not None:
        board = board or board_identity()
        said = _unfit(profile, config.name, board, sha256, runtime)
        if said is None:
            return _follow(config, profile)
        log.warning(
            "model.size auto: the profile %s is ignored, as %s; using %s (measure again with: "
            "edge-vision tune --write)", file, said, WITHOUT_PROFILE,
        )  # fmt: skip
    return config.model_copy(update={"size": WITHOUT_PROFILE})


def _read(file: Path) -> Profile | None:
    """The profile, or None and a sentence in the log."""
    make = "edge-vision tune --write"
    try:
        return Profile.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        log.info(
            "model.size auto: there is no profile %s; using %s (make one with: %s)",
            file, WITHOUT_PROFILE, make,
        )  # fmt: skip
    except OSError as error:
        log.warning(
            "model.size auto: the profile %s cannot be read (%s); using %s",
            file, error.strerror, WITHOUT_PROFILE,
        )  # fmt: skip
    except ValidationError:
        log.warning(
            "model.size auto: the profile %s is damaged; using %s (make it again with: %s)",
            file, WITHOUT_PROFILE, make,
        )  # fmt: skip
    return None


def _unfit(
    profile: Profile, model: str, board: str, sha256: str, runtime: Callable[[], str]
) -> str | None:
    """Why the profile does not hold, as the end of a sentence."""
    if profile.board != board:
        return f"it was measured on another board ({profile.board}; this is {board})"
    if profile.model != model:
        return f"it is of the model {profile.model}, not {model}"
    if profile.sha256 != sha256:
        return f"the file of {model} has changed since"
    if profile.runtime != (now := runtime()):
        return f"it was measured with {profile.runtime}, and {now} is in use"
    return None


def _follow(config: ModelConfig, profile: Profile) -> ModelConfig:
    changes: dict[str, object] = {"input_hw_px": profile.input_hw_px}
    if config.threads == "auto":
        changes["threads"] = profile.threads
    if config.delegate == "auto":
        changes |= {"delegate": profile.delegate, "delegate_options": profile.delegate_options}
    height, width = profile.input_hw_px
    log.info(
        "model.size auto: %s as measured on this board, %s", profile.size or f"{width}x{height} px",
        profile.date,
    )  # fmt: skip
    return config.model_copy(update=changes)


def _unwritable(file: Path, error: OSError) -> OutputError:
    return OutputError(
        f"the profile {file} cannot be written: {error.strerror}; make its folder writable, or "
        "name another in $STATE_DIRECTORY"
    )
