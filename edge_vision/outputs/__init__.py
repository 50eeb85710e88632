"""Where results go.  To add an output: one file, one line in OUTPUTS, one config model."""

import logging
from collections.abc import Mapping

from edge_vision.config import OutputsConfig
from edge_vision.outputs.base import Output
from edge_vision.registry import load

log = logging.getLogger(__name__)

OUTPUTS: Mapping[str, str] = {
    "window": "edge_vision.outputs.window:WindowOutput",
    "video": "edge_vision.outputs.video:VideoOutput",
    "jsonl": "edge_vision.outputs.jsonl:JsonlOutput",
    "null": "edge_vision.outputs.null:NullOutput",
}
"""Name, which is also the section of the configuration -> class."""


def make_outputs(config: OutputsConfig, *, patient: bool = False) -> list[Output]:
    """The outputs that the configuration asks for, not started.

    patient: `offer` waits for room instead of dropping (pace: fast).
    With `window.enabled: auto` the window is left out, with one line in the log, where it cannot
    be shown.  Raises ConfigError.
    """
    wanted = {
        "window": config.window.enabled is not False,
        "video": config.video.path is not None,
        "jsonl": config.jsonl.path is not None,
        "null": config.null.enabled,
    }
    outputs: list[Output] = []
    for name in (name for name in OUTPUTS if wanted[name]):
        output = load(OUTPUTS, name, "output")(getattr(config, name), patient=patient)
        if name == "window" and config.window.enabled == "auto":
            reason = output.why_not()
            if reason is not None:
                log.info("no window: %s", reason)
                continue
        outputs.append(output)
    return outputs
