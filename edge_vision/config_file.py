"""The text of a configuration file, and what is wrong with the file itself."""

import logging
import os
import shlex
import stat
from pathlib import Path

from edge_vision.errors import ConfigError

log = logging.getLogger(__name__)


def read_text(file: Path) -> str:
    """What the file holds; a warning in the log when every user may change it.

    Raises ConfigError when it is not there, not to be read, no UTF-8 text, or empty.
    """
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {file}; check the path after -c") from None
    except IsADirectoryError:
        raise ConfigError(f"{file} is a folder; expected a YAML file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text; expected a YAML file") from None
    except PermissionError as error:
        name = shlex.quote(str(file))
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}; let this user's group read it: "
            f"sudo chgrp {os.getegid()} {name} && sudo chmod g+r {name}"
        ) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):  # /dev/null, a pipe
        return text
    if not text.strip():
        # Left by a power cut, or half-way through being written: no wish for the defaults.
        raise ConfigError(
            f"{file} is empty; expected sections such as 'camera:' (a comment alone takes every "
            "default)"
        )
    if mode & stat.S_IWOTH:
        log.warning(
            "%s can be changed by every user of this computer (mode %04o); end that with: "
            "chmod o-w %s",
            file,
            stat.S_IMODE(mode),
            shlex.quote(str(file)),
        )
    return text


FileStamp = tuple[int, int, int]
"""Time in ns, size and number of a file."""


def file_stamp(file: Path) -> FileStamp | None:
    """Changes when a file's content is replaced; None where it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
