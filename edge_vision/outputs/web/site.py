"""What the handlers of one server share."""

from dataclasses import dataclass

from aiohttp import web

from edge_vision.config_web import WebConfig
from edge_vision.control import Control
from edge_vision.outputs.web.happenings import Happenings
from edge_vision.outputs.web.hub import Hub


@dataclass(frozen=True, slots=True)
class Site:
    """config: the section `outputs.web`.  control: the run.  hub: its pictures.

    happenings: its events.
    """

    config: WebConfig
    control: Control
    hub: Hub
    happenings: Happenings


SITE = web.AppKey("site", Site)
