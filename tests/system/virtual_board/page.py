"""The service's page and API, asked from inside the machine as a browser on it would."""

import json
from typing import Any

from virtual_board.machine import Machine

_ASK = """
import http.client, sys
method, path, body, to = sys.argv[1:]
connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=120)
headers = {"Content-Type": "application/json"} if body else {}
connection.request(method, path, body or None, headers)
answer = connection.getresponse()
open(to, "wb").write(answer.read())
print(answer.status)
"""


class Page:
    """http://127.0.0.1:8080 of the machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        (machine.share / "ask.py").write_text(_ASK)

    def ask(self, path: str, method: str = "GET", body: str = "") -> tuple[int, bytes]:
        """Status and body of the answer."""
        answer = self._machine.share / "answer"
        self._machine.check(f"rm -f /share/answer; {self._command(path, method, body)}")
        status = int((self._machine.share / "status").read_text())
        return status, answer.read_bytes()

    def json(self, path: str) -> Any:
        """A document of the API."""
        status, body = self.ask(path)
        assert status == 200, (status, body)
        return json.loads(body)

    def wait_for(self, path: str, status: int, timeout_s: float = 120) -> bytes:
        """Until the address answers with this status; its body then."""
        command = f"{self._command(path, 'GET', '')} && grep -qx {status} /share/status"
        self._machine.wait_for(command, timeout_s=timeout_s)
        return (self._machine.share / "answer").read_bytes()

    def _command(self, path: str, method: str, body: str) -> str:
        ask = f"python3 /share/ask.py {method} '{path}' '{body}' /share/answer"
        return f"{ask} > /share/status"
