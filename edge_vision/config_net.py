"""The sections `outputs.mqtt`, `outputs.webhook` and `outputs.hook`: who else is told of events."""

import re
import string
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from edge_vision.config_base import Section

HOOK_FIELDS = (
    *("id", "node", "kind", "rule", "place", "direction"),
    *("track_id", "label", "score", "count"),
)
"""What `outputs.hook.command` may name in braces."""

Command = Literal["pause", "threshold", "snapshot", "size"]

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


class Broker(NamedTuple):
    """Where an MQTT broker is.  tls: speak TLS with it."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse_broker(url: str) -> Broker:
    """mqtt://HOST[:PORT] (1883) or mqtts://HOST[:PORT] (8883, TLS); ValueError for another."""
    expected = "expected mqtt://HOST, mqtt://HOST:PORT, or mqtts://HOST for TLS"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"the broker's address is wrong: {error}; {expected}") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "the broker's address holds a user or password, which every log would show; give "
            "username and password_file instead"
        )
    host = parts.hostname or ""
    odd = parts.path.strip("/") or parts.query or parts.fragment or not _HOST.fullmatch(host)
    if parts.scheme not in ("mqtt", "mqtts") or odd or port == 0:
        raise ValueError(f"the broker's address is {url!r}; {expected}")
    tls = parts.scheme == "mqtts"
    return Broker(host, port or (8883 if tls else 1883), tls)


class MqttConfig(Section):
    """State, scenes, events and counts for an MQTT 5 broker."""

    broker: str | None = Field(
        default=None, description="mqtt://HOST[:PORT], or mqtts://HOST[:PORT] for TLS; null: none"
    )
    username: str | None = Field(
        default=None, min_length=1, max_length=255, description="name to log in with"
    )
    password_file: str | None = Field(
        default=None, description="file whose first line is the password"
    )
    client_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="MQTT client id; null: edge-vision- and the node's name",
    )
    ca_file: str | None = Field(
        default=None, description="PEM file of authorities to trust instead of the system's (TLS)"
    )
    cert_file: str | None = Field(default=None, description="PEM file of a client certificate")
    key_file: str | None = Field(default=None, description="PEM file of its private key")
    scene_per_s: float = Field(
        default=1.0, ge=0, le=30, description="most scenes sent a second; 0: none"
    )
    snapshot_max_kb: int = Field(
        default=256, ge=0, le=4096, description="largest picture sent, in 1024 bytes; 0: none"
    )
    commands: list[Command] = Field(
        default=[],
        description="what may be asked for over MQTT: pause, threshold, snapshot, size",
    )
    discovery: bool = Field(
        default=True, description="announce the board to Home Assistant; false takes it back"
    )
    discovery_prefix: str = Field(
        default="homeassistant",
        pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$",
        max_length=100,
        description="first part of Home Assistant's discovery topics",
    )
    queue_mb: int = Field(
        default=8,
        ge=1,
        le=256,
        description="events kept while the broker is away, in memory and on disk; the oldest go "
        "first",
    )
    retry_max_s: float = Field(
        default=30.0, ge=1, le=3600, description="longest pause between two attempts to connect"
    )

    @field_validator("broker")
    @classmethod
    def _broker_is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            parse_broker(value)
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> "MqttConfig":
        if self.password_file is not None and self.username is None:
            raise ValueError("outputs.mqtt.password_file needs outputs.mqtt.username")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("outputs.mqtt.cert_file and key_file belong together; one is missing")
        tls = self.broker is not None and parse_broker(self.broker).tls
        if not tls and (self.ca_file or self.cert_file):
            raise ValueError(
                "outputs.mqtt.ca_file and cert_file are for TLS; give a broker of mqtts://"
            )
        return self


class WebhookConfig(Section):
    """Each event posted to a web server, when it begins and when it ends."""

    url: str | None = Field(default=None, description="http:// or https:// address; null: none")
    secret_file: str | None = Field(
        default=None, description="file whose first line signs each request (HMAC-SHA256)"
    )
    ca_file: str | None = Field(
        default=None, description="PEM file of authorities to trust instead of the system's (https)"
    )
    timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="an answer that takes longer has failed"
    )
    queue_mb: int = Field(
        default=4,
        ge=1,
        le=256,
        description="events kept while nobody answers, in memory and on disk; the oldest go first",
    )
    retry_max_s: float = Field(
        default=60.0, ge=1, le=3600, description="longest pause between two attempts"
    )

    @field_validator("url")
    @classmethod
    def _url_is_one(cls, value: str | None) -> str | None:
        if value is None:
            return value
        expected = "expected http://HOST[:PORT]/PATH or https://..."
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError as error:
            raise ValueError(f"the address is wrong: {error}; {expected}") from None
        if not good or not value.isascii() or any(c <= " " for c in value) or parts.fragment:
            raise ValueError(f"the address is {value!r}; {expected}")
        if parts.username is not None:
            raise ValueError("the address holds a user name; sign requests with secret_file")
        return value


class HookConfig(Section):
    """A program of this computer, run for each event that begins."""

    command: list[str] = Field(
        default=[],
        description="program and its arguments, without a shell; {rule}, {label} and other fields "
        "of the event are filled in, and the whole event is its standard input; empty: none",
    )
    timeout_s: float = Field(
        default=30.0, gt=0, le=600, description="it is killed when it takes longer"
    )

    @field_validator("command")
    @classmethod
    def _fields_exist(cls, value: list[str]) -> list[str]:
        if value and not value[0].startswith("/"):
            raise ValueError(f"the program is {value[0]!r}; give its whole path, from / on")
        for argument in value[1:]:
            try:
                parts = list(string.Formatter().parse(argument))
            except ValueError as error:
                raise ValueError(f"{argument!r} cannot be filled in: {error}") from None
            for _text, field, spec, conversion in parts:
                if field is not None and (field not in HOOK_FIELDS or spec or conversion):
                    raise ValueError(
                        f"{argument!r} names what an event does not have; there are: "
                        f"{', '.join(f'{{{name}}}' for name in HOOK_FIELDS)}; write braces twice "
                        "to mean them"
                    )
        return value
