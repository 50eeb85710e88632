"""Refusals and failures as problem details, application/problem+json (RFC 9457)."""

import json
import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """Leaves a handler; becomes the answer.

    status: HTTP status.  detail: one sentence: what was found, what was expected, what to do.
    headers: of the answer.  more: further members of the JSON object.
    """

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    def response(self) -> web.Response:
        """The answer."""
        body = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        return web.Response(
            status=self.status,
            body=json.dumps(body).encode(),
            content_type=CONTENT_TYPE,
            headers=self.headers,
        )


async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal in one form, aiohttp's own included; a failure never shows its inside."""
    try:
        return await handler(request)
    except Problem as problem:
        return problem.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return Problem(
            error.status, _WORDS.get(error.status, error.reason), headers=headers
        ).response()


_WORDS = {
    404: "There is nothing at this address; /openapi.json lists what there is.",
    405: "This address does not know this method; see Allow.",
    413: "The request's body is too large.",
}
