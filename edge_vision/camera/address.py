"""Tells URLs from paths, and writes a URL so that no password or token shows."""

import re

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "rtp", "srt")


def scheme_of(source: str) -> str | None:
    """The scheme of a URL in lower case; None for a path."""
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", source)
    return match.group(1).lower() if match else None


def display_url(url: str) -> str:
    """The URL for messages: without user, password, query and fragment.

    A password with an unescaped "/", "?" or "#" is cut as well: rather too much than too little.
    """
    scheme, _, rest = url.partition("://")
    before, at, after = rest.rpartition("@")
    if at and (":" in before or "/" not in before):
        rest = after
    return f"{scheme}://{re.split('[?#]', rest)[0]}"
