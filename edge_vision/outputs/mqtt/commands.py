"""What may be asked for over MQTT: read from payloads that anybody may have sent."""

import math
from typing import Any

from edge_vision.config import SIZES_PX
from edge_vision.config_net import Command

_MOST_BYTES = 64
_WORDS = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


class Refused(ValueError):
    """Why a command is not carried out, as a sentence."""


def pause_in(payload: bytes) -> bool:
    """ON or OFF, true or false.  Raises Refused."""
    text = _text(payload).lower()
    if text not in _WORDS:
        raise Refused(f"pause is {text!r}; expected ON or OFF")
    return _WORDS[text]


def wish_in(command: Command, payload: bytes) -> dict[str, dict[str, Any]]:
    """Section -> key -> value that a threshold (0.01..1) or a size asks for.  Raises Refused."""
    text = _text(payload)
    if command == "size":
        if text not in SIZES_PX:
            raise Refused(f"size is {text!r}; expected {', '.join(SIZES_PX)}")
        return {"model": {"size": text, "input_hw_px": None}}
    expected = "expected a number from 0.01 to 1"
    try:
        value = float(text)
    except ValueError:
        raise Refused(f"threshold is {text!r}; {expected}") from None
    if not (math.isfinite(value) and 0.01 <= value <= 1):
        raise Refused(f"threshold is {text}; {expected}")
    return {"model": {"min_score": value}}


def _text(payload: bytes) -> str:
    if len(payload) > _MOST_BYTES:
        raise Refused(f"a command of {len(payload)} bytes; expected at most {_MOST_BYTES}")
    try:
        return payload.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise Refused("a command that is no UTF-8 text") from None
