"""The certificate and its key, looked at before anything listens."""

import datetime
import ssl
from pathlib import Path

from edge_vision.errors import ConfigError
from edge_vision.outputs.web.passwords import secret_mode, unreadable

_CERT, _KEY = "outputs.web.tls_cert", "outputs.web.tls_key"
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class _LockedKey(Exception):
    """OpenSSL asks for the passphrase of a key."""


def tls_context(cert: str, key: str, now: datetime.datetime) -> ssl.SSLContext:
    """For TLS 1.2 and newer.

    now: with its time zone.  Raises ConfigError when a file cannot be read, is something else, has
    a passphrase, when key and certificate do not belong together, or the certificate has expired.
    """
    text = _readable(cert, _CERT)
    secret = _readable(key, _KEY)
    try:
        secret_mode(key, _KEY)
    except OSError as error:
        raise unreadable(key, _KEY, error) from None
    ends = expiry_of(text)
    if ends is None:
        raise ConfigError(
            f"{_CERT}: {cert} holds no certificate; expected a PEM file with {_BEGIN!r}"
        )
    if "PRIVATE KEY-----" not in secret:
        raise ConfigError(f"{_KEY}: {key} holds no private key; expected a PEM file with one")
    if now >= ends:
        raise ConfigError(
            f"{_CERT}: {cert} has expired at {ends:%Y-%m-%d %H:%M} UTC, and now it is "
            f"{now:%Y-%m-%d %H:%M} UTC; put a new certificate there"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password=_locked)
    except _LockedKey:
        raise ConfigError(
            f"{_KEY}: {key} has a passphrase, which nobody can type here; write one without: "
            "openssl pkey -in OLD -out NEW"
        ) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"{_KEY}: {key} is not the key of the certificate {cert}; give the pair that was "
                "made together"
            ) from None
        raise ConfigError(
            f"{_CERT}, {_KEY}: {cert} and {key} cannot be used: {error.reason or error}; expected "
            "a certificate and its private key in PEM"
        ) from None
    return context


def expiry_of(pem: str) -> datetime.datetime | None:
    """When the first certificate of a PEM text ends, UTC; None without a certificate.

    `notAfter` in X.509's TBSCertificate: version, serialNumber, signature, issuer, validity
    (RFC 5280, 4.1); lengths as in DER (X.690, 8.1.3).
    """
    begin = pem.find(_BEGIN)
    end = pem.find(_END, begin)
    if begin < 0 or end < 0:
        return None
    try:
        data = ssl.PEM_cert_to_DER_cert(pem[begin:end] + _END + "\n")
        _, certificate, _ = _element(data)
        _, rest, _ = _element(certificate)
        kind, _, after = _element(rest)
        if kind == 0xA0:  # the version, which the first edition of X.509 does not have
            rest = after
        for _ in range(3):
            _, _, rest = _element(rest)
        _, validity, _ = _element(rest)
        _, _, rest = _element(validity)
        kind, value, _ = _element(rest)
        text = value.decode("ascii")
        if kind == 0x17:  # UTCTime: the years 1950 to 2049 (RFC 5280, 4.1.2.5.1)
            text = ("19" if text >= "5" else "20") + text
        return datetime.datetime.strptime(text, "%Y%m%d%H%M%S%z")
    except (ValueError, IndexError):
        return None


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content, and what follows."""
    length, at = data[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(data[2:at], "big")
    if at + length > len(data):
        raise ValueError("cut off")
    return data[0], data[at : at + length], data[at + length :]


def _readable(file: str, what: str) -> str:
    try:
        return Path(file).read_text("latin-1")
    except OSError as error:
        raise unreadable(file, what, error) from None


def _locked() -> str:
    raise _LockedKey
