"""What many tests share: real pictures, a real MQTT broker, a look for threads left behind."""

import logging
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

REPO = Path(__file__).resolve().parent.parent
DEADLINE_S = 20.0
Until = Callable[..., Any]

# A busy computer is no fault of what is tested.
settings.register_profile(
    "busy", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


@pytest.fixture(scope="session")
def repo() -> Path:
    """The checkout."""
    return REPO


@pytest.fixture(scope="session")
def pictures() -> Path:
    """CC0 and public-domain photographs: cat.jpg, cup.jpg, astronaut.jpg, cameraman.jpg."""
    return REPO / "tests" / "pictures"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Material beside the checkout that is not part of the project."""
    folder = REPO.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("../shared/data is not there")
    return folder


@pytest.fixture(scope="session")
def coco(shared: Path) -> Path:
    """128 pictures of COCO train2017 with their boxes in train2017.json."""
    return shared / "data" / "coco"


@pytest.fixture(scope="session")
def bikes(shared: Path) -> Path:
    """Ten seconds of street video, 640x272 at 25 fps."""
    return shared / "data" / "clips" / "bikes.mp4"


@pytest.fixture(scope="session")
def built_delegate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """built_delegate("" or "CREATE_FAILS", ...): tests/detect/delegates/delegate.c as a library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (gcc) to build the test delegates with")
    folder = tmp_path_factory.mktemp("delegates")

    def build(variant: str = "") -> Path:
        library = folder / f"lib{variant.lower() or 'works'}.so"
        if not library.exists():
            source = REPO / "tests" / "detect" / "delegates" / "delegate.c"
            options = ["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
            options += [f"-D{variant}"] if variant else []
            subprocess.run([compiler, *options, "-o", library, source], check=True)
        return library

    return build


@pytest.fixture(autouse=True)
def _log_level_stays() -> Iterator[None]:
    """A run that is told another log.level tells the whole process."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fails when a thread that the test started still runs two seconds after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive(), f"thread {thread.name} is left"


@pytest.fixture
def until() -> Callable[..., Any]:
    """until(condition, what): wait until it is true; fails after DEADLINE_S."""

    def wait(condition: Callable[[], Any], what: str = "") -> Any:
        deadline = time.monotonic() + DEADLINE_S
        while not (found := condition()):
            assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what or condition}"
            time.sleep(0.01)
        return found

    return wait


class Broker:
    """mosquitto on a port of its own."""

    def __init__(self, folder: Path, until: Until, settings: str) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed (apt install mosquitto)")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._file = folder / f"mosquitto-{self.port}.conf"
        self._file.write_text(
            f"listener {self.port} 127.0.0.1\n{settings}\nmax_queued_messages 0\nuser root\n"
            f"persistence true\npersistence_location {folder}/\nlog_dest none\n"
        )
        self._program, self._until = program, until
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._until(self._listens, "mosquitto listens")

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "mosquitto has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()  # in order: what sleeping clients subscribed to is remembered
            process.wait(10)

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"


@pytest.fixture
def make_broker(tmp_path: Path, until: Until) -> Iterator[Callable[..., Broker]]:
    """make_broker(settings): not started."""
    made: list[Broker] = []

    def make(settings: str = "allow_anonymous true") -> Broker:
        made.append(Broker(tmp_path, until, settings))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(make_broker: Callable[..., Broker]) -> Broker:
    """Started, and open to everybody."""
    broker = make_broker()
    broker.start()
    return broker
