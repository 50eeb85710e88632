"""Tells URLs from paths, finds one that is kept secret, and writes one without its password."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from edge_vision.errors import ConfigError

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "rtp", "srt")


def scheme_of(source: str) -> str | None:
    """The scheme of a URL in lower case; None for a path."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    return match.group(1).lower() if match else None


def address_of(source: str, environment: Mapping[str, str] = os.environ) -> str:
    """The source itself, or the URL in the service's credential NAME for "credential:NAME".

    The system hands credentials over as files in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
    Raises ConfigError when there is no such credential, or no URL in it; what it holds is not said.
    """
    word, _, name = source.partition(":")
    if word != "credential":
        return source
    folder = environment.get("CREDENTIALS_DIRECTORY")
    hint = (
        f"the service is given it by LoadCredential={name}:/etc/edge-vision/{name} after: "
        "sudo systemctl edit edge-vision"
    )
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
        raise ConfigError(f"camera.source is {source}; expected credential: and a file's name")
    if folder is None:
        raise ConfigError(f"camera.source is {source}, but there are no credentials here; {hint}")
    try:
        text = (Path(folder) / name).read_text("utf-8").strip()
    except FileNotFoundError:
        raise ConfigError(f"camera.source is {source}, which is not there; {hint}") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"camera.source is {source}, which is no text that can be read") from None
    if scheme_of(text) not in SCHEMES or len(text.split()) != 1:
        raise ConfigError(
            f"camera.source is {source}, which holds no URL; expected one line such as "
            "rtsp://user:password@camera.local/stream"
        )
    return text


def display_url(url: str) -> str:
    """The URL for messages: without user, password, query and fragment.

    A password with an unescaped "/", "?" or "#" is cut as well: rather too much than too little.
    """
    scheme, _, rest = url.partition("://")
    before, at, after = rest.rpartition("@")
    if at and (":" in before or "/" not in before):
        rest = after
    return f"{scheme}://{re.split('[?#]', rest)[0]}"
