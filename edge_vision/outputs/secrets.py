"""Passwords, secrets and certificates, from files: never from the configuration itself."""

import ssl
from pathlib import Path

from edge_vision.errors import OutputError
from edge_vision.outputs.reasons import reason_of


def first_line(path: str | None, what: str) -> str | None:
    """The secret in a file, or None without one.  Raises OutputError."""
    if path is None:
        return None
    try:
        with Path(path).expanduser().open(encoding="utf-8") as file:
            line = file.readline(4096).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "it is no UTF-8 text"
        raise OutputError(f"the {what} cannot be read from {path}: {reason}") from None
    if not line:
        raise OutputError(f"the first line of {path} is empty; expected a {what}")
    return line


def tls_context(ca: str | None, cert: str | None = None, key: str | None = None) -> ssl.SSLContext:
    """Trust `ca` (PEM file) alone, or the system's authorities.  Raises OutputError."""
    path: str | None = ca
    try:
        context = ssl.create_default_context(cafile=ca)
        path = cert
        if cert is not None:
            context.load_cert_chain(cert, key)
    except ssl.SSLError as error:
        raise OutputError(
            f"{path} cannot be used for TLS: {error.reason or error}; expected a PEM file"
        ) from None
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {reason_of(error)}") from None
    return context
