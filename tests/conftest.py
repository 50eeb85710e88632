"""What many tests share: the real model, real pictures, and a look for threads left behind."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


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


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fails when a thread that the test started still runs two seconds after it."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive(), f"thread {thread.name} is left"
