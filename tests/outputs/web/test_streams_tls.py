"""The live picture over TLS, whose transport counts its bytes in its own way."""

import shutil
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from watching import Stream, noise, offer, until


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Certificate and key of 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "a.pem"), str(folder / "a.key")
    order = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    order += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    order += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run(order, check=True, capture_output=True, timeout=60)
    Path(key).chmod(0o600)
    return cert, key


def test_a_fast_and_a_slow_reader(make_site_server: Any, pair: tuple[str, str]) -> None:
    cert, key = pair
    server = make_site_server(tls_cert=cert, tls_key=key)
    context = ssl.create_default_context(cafile=cert)
    slow, fast = (Stream(server.port, context=context) for _ in range(2))
    for seq in range(60):
        offer(server.output, noise(seq))
        assert fast.part()[0]["X-Seq"] == str(seq)
    seen: list[int] = []

    def read_on() -> None:
        while not seen or seen[-1] < 60:
            seen.append(int(slow.part()[0]["X-Seq"]))

    reading = threading.Thread(target=read_on)
    reading.start()
    hub = server.output._hub
    until(lambda: [v.due(time.monotonic_ns()) for v in hub._viewers] == [True] * 2)
    offer(server.output, noise(60))
    reading.join(10)
    assert seen == [*range(len(seen) - 1), 60], seen
    assert len(seen) < 25, (
        seen
    )  # what fits into the kernel of a reader that takes as much as it can
    for stream in (slow, fast):
        stream.close()
