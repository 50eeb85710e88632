"""/api/session, /api/login, /api/logout: people log in with the password."""

import asyncio
import json
import logging
import time

from aiohttp import hdrs, web

from edge_vision.outputs.web.access import Access
from edge_vision.outputs.web.passwords import LONGEST
from edge_vision.outputs.web.problem import Problem

log = logging.getLogger(__name__)

_MOST_WAITING = 4
"""Passwords waiting to be looked at: each takes tens of milliseconds, and 16 MB."""


class Login:
    """The handlers."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._one = asyncio.Lock()
        self._waiting = 0

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        return [
            web.get("/api/session", self.session),
            web.post("/api/login", self.login),
            web.post("/api/logout", self.logout),
        ]

    async def session(self, request: web.Request) -> web.Response:
        """Whether a login is needed, and was made."""
        access, headers = self._access, request.headers
        logged_in = access.logged_in(
            headers.get(hdrs.COOKIE, ""), time.monotonic_ns()
        ) or access.has_token(headers.get(hdrs.AUTHORIZATION, ""))
        return _json({"login_needed": access.needed, "logged_in": logged_in})

    async def login(self, request: web.Request) -> web.Response:
        """Look at the password; begin a session."""
        access = self._access
        password, address = access.password, request.remote or ""
        if password is None:
            raise Problem(
                403,
                "There is no password to log in with: set outputs.web.password_file, or send a "
                "token.",
            )
        given = await _given(request)
        wait_s = access.guesses.wait_s(address, time.monotonic_ns())
        if wait_s > 0 or self._waiting >= _MOST_WAITING:
            wait_s = max(1, wait_s)
            raise Problem(
                429,
                f"Too many tries; the next one is allowed in {wait_s} s.",
                headers={"Retry-After": str(wait_s)},
            )
        access.guesses.tried(address, time.monotonic_ns())
        self._waiting += 1
        try:
            async with self._one:
                right = await asyncio.to_thread(password.matches, given)
        finally:
            self._waiting -= 1
        if not right:
            log.warning("live page: a wrong password from %s", address)
            raise Problem(401, "That is not the password.", headers={"WWW-Authenticate": "Cookie"})
        access.guesses.succeeded(address)
        response = web.Response(status=204)
        ticket = access.sessions.begin(time.monotonic_ns())
        response.set_cookie(
            access.cookie,
            ticket,
            max_age=access.sessions.life_ns // 1_000_000_000,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=access.tls,
        )
        return response

    async def logout(self, request: web.Request) -> web.Response:
        """End the session, if there is one."""
        access = self._access
        access.sessions.end(access.ticket(request.headers.get(hdrs.COOKIE, "")))
        response = web.Response(status=204)
        response.del_cookie(
            access.cookie, path="/", httponly=True, samesite="Strict", secure=access.tls
        )
        return response


async def _given(request: web.Request) -> str:
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not JSON.") from None
    given = body.get("password") if isinstance(body, dict) else None
    if not isinstance(given, str) or set(body) != {"password"} or len(given) > LONGEST:
        raise Problem(422, f'Expected {{"password": "..."}} with at most {LONGEST} characters.')
    return given


def _json(value: dict[str, bool]) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), content_type="application/json")
