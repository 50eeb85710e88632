"""The files of secrets: a password's hash, and the hashes of programs' tokens.

Password file, one line: scrypt$n=16384,r=8,p=1$SALT$HASH, both base64 (RFC 7914; n, r and p as
OWASP's cheat sheet on password storage names them for 16 MB of memory).
Token file, a line for each: sha256 HASH NAME, the hash in hexadecimal digits.  A token has 256
random bits: nothing is to be gained by a slow hash.  Empty lines and lines with # are comments.
"""

import base64
import binascii
import hashlib
import logging
import os
import re
import secrets
import shlex
import stat
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path

from edge_vision.errors import ConfigError

log = logging.getLogger(__name__)

SHORTEST = 8
"""Characters of a password."""
LONGEST = 1024
_N, _R, _P = 1 << 14, 8, 1
_MOST_MEMORY = 64 << 20
_LARGEST_FILE = 64 << 10
_PASSWORD = re.compile(r"scrypt\$n=(\d{1,7}),r=(\d{1,3}),p=(\d{1,2})\$([\w+/=]+)\$([\w+/=]+)")
_TOKEN = re.compile(r"sha256 ([0-9a-f]{64})(?: +(\S.*))?")


@dataclass(frozen=True, slots=True)
class Password:
    """A password's hash, its salt, and what scrypt has to be given."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, text: str) -> "Password":
        """Hash a password with a new salt."""
        salt = secrets.token_bytes(16)
        return cls(_N, _R, _P, salt, _scrypt(text, salt, _N, _R, _P))

    def matches(self, text: str) -> bool:
        """Takes tens of milliseconds and 16 MB of memory for a while."""
        return compare_digest(_scrypt(text, self.salt, self.n, self.r, self.p), self.digest)

    def line(self) -> str:
        """What a password file holds."""
        salt, digest = (base64.b64encode(value).decode() for value in (self.salt, self.digest))
        return f"scrypt$n={self.n},r={self.r},p={self.p}${salt}${digest}\n"


def read_password(file: str) -> Password:
    """Raises ConfigError when the file cannot be read or holds no password."""
    password = parse_password(_secret_text(file, "outputs.web.password_file"))
    if password is None:
        raise ConfigError(
            f"outputs.web.password_file: {file} holds no password's hash; make one by "
            f"`edge-vision password {shlex.quote(file)}`, under another name if this file is needed"
        )
    return password


def parse_password(text: str) -> Password | None:
    """The content of a password file; None when it is something else."""
    found = _PASSWORD.fullmatch(text.strip())
    if found is None:
        return None
    n, r, p = (int(found[i]) for i in (1, 2, 3))
    # What scrypt demands (RFC 7914, 6), and what a small board has.
    if n < 2 or n & (n - 1) or r < 1 or not 1 <= p <= 16 or 128 * r * (n + p + 2) > _MOST_MEMORY:
        return None
    try:
        salt, digest = (base64.b64decode(found[i], validate=True) for i in (4, 5))
    except binascii.Error:
        return None
    return Password(n, r, p, salt, digest) if len(digest) == 32 else None


def new_token() -> str:
    """256 random bits as text for a header."""
    return secrets.token_urlsafe(32)


def token_line(token: str, name: str) -> str:
    """What a token file holds of a token."""
    return f"sha256 {token_hash(token).hex()} {name}".rstrip() + "\n"


def token_hash(token: str) -> bytes:
    """SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def read_tokens(file: str) -> tuple[bytes, ...]:
    """The tokens' hashes.  Raises ConfigError when the file cannot be read or holds none."""
    tokens = parse_tokens(_secret_text(file, "outputs.web.token_file"))
    if not tokens:
        raise ConfigError(
            f"outputs.web.token_file: {file} holds no token's hash; make a token by "
            f"`edge-vision password --token {shlex.quote(file)}`"
        )
    return tokens


def parse_tokens(text: str) -> tuple[bytes, ...] | None:
    """The content of a token file; None when it is something else."""
    lines = [line.strip() for line in text.splitlines()]
    found = [_TOKEN.fullmatch(line) for line in lines if line and not line.startswith("#")]
    return tuple(bytes.fromhex(match[1]) for match in found if match) if all(found) else None


def secret_mode(file: str, what: str) -> None:
    """A warning in the log when every user of this computer may read a secret.  Raises OSError."""
    mode = os.stat(file).st_mode
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        log.warning(
            "%s: %s can be read by every user of this computer (mode %04o); end that with: "
            "chmod o-rwx %s",
            what,
            file,
            stat.S_IMODE(mode),
            shlex.quote(file),
        )


def unreadable(file: str, what: str, error: OSError) -> ConfigError:
    """The sentence for a file of secrets that the system does not give us."""
    name = shlex.quote(file)
    if isinstance(error, FileNotFoundError):
        return ConfigError(f"{what}: there is no file {file}")
    hint = ""
    if isinstance(error, PermissionError):
        hint = (
            "; let this user's group read it: "
            f"sudo chgrp {os.getegid()} {name} && sudo chmod g+r {name}"
        )
    return ConfigError(f"{what}: {file} cannot be read: {error.strerror}{hint}")


def _secret_text(file: str, what: str) -> str:
    try:
        secret_mode(file, what)
        with Path(file).open("rb") as opened:
            data = opened.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise unreadable(file, what, error) from None
    # Something else than a file of secrets cannot be decoded or does not match: no line of its own.
    return data.decode("utf-8", "replace") if len(data) <= _LARGEST_FILE else ""


def _scrypt(text: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    password = text.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=_MOST_MEMORY, dklen=32)
