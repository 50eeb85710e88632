"""Every address the server answers, and what stands before all of them."""

from aiohttp import web

from edge_vision.outputs.web.access import Access
from edge_vision.outputs.web.api import add_api
from edge_vision.outputs.web.guard import MOST_BODY_BYTES, guard_of
from edge_vision.outputs.web.headers import on_response_prepare
from edge_vision.outputs.web.login import Login
from edge_vision.outputs.web.page import page_routes
from edge_vision.outputs.web.past import add_past
from edge_vision.outputs.web.site import SITE, Site
from edge_vision.outputs.web.streams import add_streams


def make_app(site: Site, access: Access) -> web.Application:
    """The application of one run."""
    guard = guard_of(access, site.config.hosts)
    app = web.Application(middlewares=[guard], client_max_size=MOST_BODY_BYTES)
    app[SITE] = site
    app.on_response_prepare.append(on_response_prepare)
    app.add_routes(Login(access).routes())
    app.add_routes(page_routes())
    add_streams(app)
    add_api(app)
    add_past(app)
    return app
