"""Every address the server answers, and what stands before all of them."""

from aiohttp import web

from edge_vision.outputs.web.problem import as_problems
from edge_vision.outputs.web.site import SITE, Site

_MOST_BYTES = 64 << 10
"""Of a request's body."""


def make_app(site: Site) -> web.Application:
    """The application of one run."""
    app = web.Application(middlewares=[as_problems], client_max_size=_MOST_BYTES)
    app[SITE] = site
    return app
