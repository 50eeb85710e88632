"""A camera's URL in a credential of the service, and URLs in messages without their password."""

import logging
from pathlib import Path

import pytest

from edge_vision.camera import make_camera
from edge_vision.camera.address import address_of
from edge_vision.config_load import load_config, parse_config
from edge_vision.errors import CameraUnavailable, ConfigError

URL = "rtsp://me:hunter2@127.0.0.1:9/stream"


@pytest.fixture
def credentials(tmp_path: Path) -> dict[str, str]:
    """What the service finds in its environment, with one credential."""
    (tmp_path / "porch-url").write_text(URL + "\n")
    return {"CREDENTIALS_DIRECTORY": str(tmp_path)}


def test_a_credential_is_the_url_in_it(credentials: dict[str, str]) -> None:
    assert address_of("credential:porch-url", credentials) == URL
    for plain in (URL, "street.mp4", "./credential:x", "a:b.mp4"):
        assert address_of(plain, credentials) == plain


@pytest.mark.parametrize(
    ("source", "content", "said"),
    [
        (
            "credential:garden",
            b"",
            "is not there; the service is given it by LoadCredential=garden:",
        ),
        ("credential:", b"", "expected credential: and a file's name"),
        ("credential:../x", b"", "expected credential: and a file's name"),
        ("credential:x", b"hunter2", "holds no URL; expected one line such as rtsp://user:pass"),
        ("credential:x", b"", "holds no URL"),
        ("credential:x", b"rtsp://me:hunter2@a/b\nhunter2", "holds no URL"),
        ("credential:x", b"ftp://me:hunter2@a/b", "holds no URL"),
        ("credential:x", b"hunter2\xff", "is no text that can be read"),
    ],
)
def test_what_is_no_credential_is_one_sentence_without_its_content(
    credentials: dict[str, str], tmp_path: Path, source: str, content: bytes, said: str
) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        address_of(source, credentials)
    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert "hunter2" not in text


def test_outside_a_service_there_are_none() -> None:
    with pytest.raises(ConfigError, match="there are no credentials here; the service is given"):
        address_of("credential:porch-url", {})


def test_the_camera_opens_the_url_and_nothing_tells_the_password(
    credentials: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", credentials["CREDENTIALS_DIRECTORY"])
    config = parse_config({"camera": {"kind": "clip", "source": "credential:porch-url"}})
    assert "hunter2" not in repr(config)
    camera = make_camera(config.camera)
    with pytest.raises(CameraUnavailable) as caught:
        camera.open()
    camera.close()
    assert "rtsp://127.0.0.1:9/stream cannot be opened: connection refused" in str(caught.value)
    assert "hunter2" not in str(caught.value) + caplog.text


def test_a_url_in_the_wrong_place_of_a_configuration_is_told_without_its_password(
    tmp_path: Path,
) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"camera: {URL}\nmodel: {{size: '{URL}', classes: {{a: '{URL}'}}}}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file, [f"source={URL}", f"camera.fps={URL}"])
    assert str(caught.value).count("rtsp://127.0.0.1:9/stream") >= 4
    assert "hunter2" not in str(caught.value)
