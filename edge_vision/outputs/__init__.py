"""Where results go.  To add an output: one file, one line in OUTPUTS, one config model."""

import logging
from collections.abc import Mapping
from typing import Any

from edge_vision.config_outputs import OutputsConfig
from edge_vision.outputs.base import Output, Screen
from edge_vision.registry import load

log = logging.getLogger(__name__)

OUTPUTS: Mapping[str, str] = {
    # First: a port in use ends the start before a file is made.
    "web": "edge_vision.outputs.web:WebOutput",
    "window": "edge_vision.outputs.window:WindowOutput",
    "preview": "edge_vision.outputs.preview:PreviewOutput",
    "video": "edge_vision.outputs.video:VideoOutput",
    "jsonl": "edge_vision.outputs.jsonl:JsonlOutput",
    "null": "edge_vision.outputs.null:NullOutput",
}
"""Name, which is also the section of the configuration -> class."""


def make_outputs(
    config: OutputsConfig,
    *,
    patient: bool = False,
    screen: Screen | None = None,
    keep_old: bool = False,
    page: bool = False,
) -> list[Output]:
    """The outputs that the configuration asks for, not started.

    patient: `offer` waits for room instead of dropping (pace: fast).
    screen: where the camera shows its pictures by itself, for `outputs.preview`; None with a camera
    that cannot.  keep_old: a recording does not replace an earlier one of its name.
    page: serve the live page where it is left to "auto".
    With `window.enabled: auto` the window is left out, with one line in the log, where it cannot
    be shown.  Raises ConfigError.
    """
    wanted = {
        "web": page if config.web.enabled == "auto" else config.web.enabled,
        "window": config.window.enabled is not False,
        "preview": config.preview.enabled,
        "video": config.video.path is not None,
        "jsonl": config.jsonl.path is not None,
        "null": config.null.enabled,
    }
    outputs: list[Output] = []
    given: dict[str, dict[str, Any]] = {
        "preview": {"screen": screen},
        "video": {"keep_old": keep_old},
    }
    for name in (name for name in OUTPUTS if wanted[name]):
        make = load(OUTPUTS, name, "output")
        output = make(getattr(config, name), patient=patient, **given.get(name, {}))
        if name == "window" and config.window.enabled == "auto":
            reason = output.why_not()
            if reason is not None:
                log.info("no window: %s", reason)
                continue
        outputs.append(output)
    return outputs
