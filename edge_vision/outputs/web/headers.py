"""Headers of every answer: what a browser may do with it."""

from aiohttp import hdrs, web

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    hdrs.CACHE_CONTROL: "no-store",
}


def add_headers(response: web.StreamResponse) -> None:
    """What a handler has set itself stays."""
    headers = response.headers
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers[hdrs.SERVER] = "edge-vision"  # aiohttp would tell its version and Python's


async def on_response_prepare(_request: web.Request, response: web.StreamResponse) -> None:
    """For `Application.on_response_prepare`: streams, too."""
    add_headers(response)
