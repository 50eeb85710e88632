"""The exceptions of edge-vision.

    EdgeVisionError                     exit 70   anything this program refuses or gives up on
    ├── ConfigError                     exit 78   a config file, a --set, or an option is wrong
    ├── ModelError                      exit 65   a model file or its manifest cannot be used
    ├── BackendMissing                  exit 69   a package or system part is not there; names it
    ├── CameraError                     exit 69   a picture source
    │   ├── CameraUnavailable           exit 69     cannot be opened now (may come back)
    │   ├── CameraLost                  exit 69     was open and stopped delivering
    │   ├── SourceMissing               exit 66     a file or folder that does not exist
    │   └── SourceBroken                exit 65     a file that is no picture or breaks off
    ├── DetectorError                   exit 70   the detector returned what cannot be used
    ├── OutputError                     exit 74   an output could not be written
    └── ShutdownError                   exit 70   a thread did not end in time

A message says what was found, what was expected and what to do, in one sentence or two.  The exit
codes are those of BSD's sysexits.h, so that systemd and shell scripts can tell the causes apart.
"""

from typing import ClassVar


class EdgeVisionError(Exception):
    """Base of every error this package raises on purpose; `exit_code` is the process's status."""

    exit_code: ClassVar[int] = 70


class ConfigError(EdgeVisionError):
    """Something in the configuration is wrong; the message lists every error found."""

    exit_code = 78


class ModelError(EdgeVisionError):
    """A model file or its manifest entry cannot be used."""

    exit_code = 65


class BackendMissing(EdgeVisionError):
    """An optional package or a part of the system is missing; the message names it."""

    exit_code = 69


class CameraError(EdgeVisionError):
    """A picture source failed."""

    exit_code = 69


class CameraUnavailable(CameraError):
    """The source cannot be opened now; trying again later may help."""


class CameraLost(CameraError):
    """The source was open and stopped delivering frames."""


class SourceMissing(CameraError):
    """The file or folder named as source does not exist; trying again will not help."""

    exit_code = 66


class SourceBroken(CameraError):
    """The file named as source is no picture or video, or breaks off in the middle."""

    exit_code = 65


class DetectorError(EdgeVisionError):
    """The detector returned something that cannot be used."""


class OutputError(EdgeVisionError):
    """An output could not be written."""

    exit_code = 74


class ShutdownError(EdgeVisionError):
    """A thread did not end within its time."""
