"""Where results go.  To add an output: one file, one line in OUTPUTS, one config model."""

import logging
from collections.abc import Mapping
from typing import Any

from edge_vision.config_events import EventsConfig, RecorderConfig
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
    "events": "edge_vision.outputs.events.output:EventsOutput",
    "mqtt": "edge_vision.outputs.mqtt:MqttOutput",
    "webhook": "edge_vision.outputs.webhook:WebhookOutput",
    "hook": "edge_vision.outputs.hook:HookOutput",
    "null": "edge_vision.outputs.null:NullOutput",
}
"""Name, which is also the section of the configuration (in `outputs`, but for events) -> class."""


def make_outputs(
    config: OutputsConfig,
    *,
    patient: bool = False,
    screen: Screen | None = None,
    keep_old: bool = False,
    page: bool = False,
    events: EventsConfig | None = None,
    recorder: RecorderConfig | None = None,
    rules: bool = False,
) -> list[Output]:
    """The outputs that the configuration asks for, not started.

    patient: `offer` waits for room instead of dropping (pace: fast).
    screen: where the camera shows its pictures by itself, for `outputs.preview`; None with a camera
    that cannot.  keep_old: a recording does not replace an earlier one of its name.
    page: serve the live page where it is left to "auto".
    events, recorder: sections of the log of events; None: no log.  rules: there are some.
    With `window.enabled: auto` the window is left out, with one line in the log, where it cannot
    be shown.  Raises ConfigError.
    """
    wanted = _wanted(config, page)
    if events is not None:
        # The live page can make rules while running.
        kept = page and (rules or wanted["web"] is True)
        wanted["events"] = kept if events.enabled == "auto" else events.enabled
    outputs: list[Output] = []
    given: dict[str, dict[str, Any]] = {
        "preview": {"screen": screen},
        "video": {"keep_old": keep_old},
        "events": {"recorder": recorder or RecorderConfig()},
    }
    for name in (name for name in OUTPUTS if wanted.get(name)):
        make = load(OUTPUTS, name, "output")
        section = events if name == "events" else getattr(config, name)
        output = make(section, patient=patient, **given.get(name, {}))
        if name == "window" and config.window.enabled == "auto":
            reason = output.why_not()
            if reason is not None:
                log.info("no window: %s", reason)
                continue
        outputs.append(output)
    return outputs


def _wanted(config: OutputsConfig, page: bool) -> dict[str, bool]:
    return {
        "web": page if config.web.enabled == "auto" else config.web.enabled,
        "window": config.window.enabled is not False,
        "preview": config.preview.enabled,
        "video": config.video.path is not None,
        "jsonl": config.jsonl.path is not None,
        "mqtt": config.mqtt.broker is not None,
        "webhook": config.webhook.url is not None,
        "hook": bool(config.hook.command),
        "null": config.null.enabled,
    }
