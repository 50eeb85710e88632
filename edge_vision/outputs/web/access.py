"""Who may in: by a session's cookie, or a token."""

from hmac import compare_digest

from edge_vision.config_web import WebConfig
from edge_vision.outputs.web.passwords import Password, read_password, read_tokens, token_hash
from edge_vision.outputs.web.sessions import Guesses, Sessions


class Access:
    """The secrets of one server, and who has shown one.  All but `read` in the event loop."""

    def __init__(
        self, password: Password | None = None, tokens: tuple[bytes, ...] = (), *, tls: bool = False
    ) -> None:
        self.password = password
        self.needed = password is not None or bool(tokens)
        """Without a login nothing is shown."""
        self.tls = tls
        self.sessions = Sessions()
        self.guesses = Guesses()
        self.cookie = ""
        self._tokens = tokens
        self.use_port(0)

    @classmethod
    def read(cls, config: WebConfig) -> "Access":
        """From the files that the configuration names.  Raises ConfigError."""
        return cls(
            read_password(config.password_file) if config.password_file is not None else None,
            read_tokens(config.token_file) if config.token_file is not None else (),
            tls=config.tls_cert is not None,
        )

    def use_port(self, port: int) -> None:
        """Name the cookie: browsers give cookies of a host to all its ports, this page's or not.

        A name with __Host- is taken over TLS and for this host only (RFC 6265bis, 4.1.3.2).
        """
        self.cookie = f"{'__Host-' if self.tls else ''}edge-vision-{port}"

    def ticket(self, cookies: str) -> str:
        """The session's ticket in a Cookie header, or empty."""
        for pair in cookies.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.cookie:
                return value
        return ""

    def logged_in(self, cookies: str, now_ns: int) -> bool:
        """A Cookie header has the ticket of a session that has not ended; counts as its use."""
        ticket = self.ticket(cookies)
        return ticket != "" and self.sessions.valid(ticket, now_ns)

    def has_token(self, authorization: str) -> bool:
        """An Authorization header has one of the tokens (RFC 6750)."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._tokens:
            return False
        digest = token_hash(token.strip())
        # All are compared: the time tells nothing about which one was close.
        return sum(compare_digest(digest, known) for known in self._tokens) > 0
