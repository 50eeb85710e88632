"""The queue between the giver and a slow or failing writer."""

import logging
import threading
import time
from typing import Literal

import pytest

from edge_vision.errors import OutputError
from edge_vision.outputs.base import Picture
from edge_vision.outputs.queue import QueuedOutput
from edge_vision.results import Analysed

pytestmark = pytest.mark.usefixtures("no_thread_left")


class Gated(QueuedOutput[int]):
    """Writes one job for each `gate.release()`; `error` is raised instead, once it is set."""

    name = "gated"
    wants: Literal["scenes", "pictures"] = "pictures"

    def __init__(self, *, patient: bool = False, capacity: int = 3) -> None:
        super().__init__(patient=patient, capacity=capacity)
        self.gate = threading.Semaphore(0)
        self.taken = threading.Semaphore(0)
        self.error: Exception | None = None
        self.finish_error: Exception | None = None
        self.written: list[int] = []
        self.packed = 0
        self.finished = 0

    def _open(self) -> None:
        pass

    def _pack(self, item: Analysed | Picture) -> int:
        self.packed += 1
        assert isinstance(item, Picture)
        return item.seq

    def _write(self, job: int) -> None:
        self.taken.release()
        self.gate.acquire()
        if self.error is not None:
            raise self.error
        self.written.append(job)

    def _finish(self) -> None:
        self.finished += 1
        if self.finish_error is not None:
            raise self.finish_error


@pytest.fixture
def output(picture):  # type: ignore[no-untyped-def]
    gated = Gated()
    gated.start()
    yield gated
    gated.gate.release(100)
    gated.close(5)


def _fill(output: Gated, picture) -> None:  # type: ignore[no-untyped-def]
    """One job in the writer's hands, three waiting."""
    assert output.offer(picture(0))
    assert output.taken.acquire(timeout=5)
    assert all(output.offer(picture(number)) for number in (1, 2, 3))


def test_a_full_queue_refuses_at_once_and_packs_nothing(output: Gated, picture) -> None:  # type: ignore[no-untyped-def]
    _fill(output, picture)
    assert output.offer(picture(4)) is False
    assert output.packed == 4
    output.gate.release()
    assert output.taken.acquire(timeout=5)  # the writer has taken the next: room again
    assert output.offer(picture(5)) is True
    output.gate.release(100)
    output.close(5)
    assert output.written == [0, 1, 2, 3, 5]
    assert output.finished == 1


def test_a_patient_giver_loses_nothing(picture) -> None:  # type: ignore[no-untyped-def]
    output = Gated(patient=True)
    output.start()
    output.gate.release(1000)
    assert all(output.offer(picture(number)) for number in range(200))
    output.close(5)
    assert output.written == list(range(200))


@pytest.mark.parametrize("end", ["close", "failure", "crash"])
def test_a_patient_giver_is_let_go(picture, end: str) -> None:  # type: ignore[no-untyped-def]
    output = Gated(patient=True)
    output.start()
    _fill(output, picture)
    answers: list[bool] = []
    giver = threading.Thread(target=lambda: answers.append(output.offer(picture(4))))
    giver.start()
    if end == "close":
        output.close(0)  # the writer is still busy
    else:
        output.error = OutputError("broken") if end == "failure" else RuntimeError("a bug")
        output.gate.release()
    giver.join(5)
    assert answers == [False]
    output.gate.release(100)
    output.close(5)


def test_a_failure_is_told_once_and_kept(
    output: Gated,
    picture,
    caplog: pytest.LogCaptureFixture,  # type: ignore[no-untyped-def]
) -> None:
    _fill(output, picture)
    output.error = OutputError("out.txt: no space left on the device after 0 lines")
    output.finish_error = OutputError("a consequence")
    with caplog.at_level(logging.DEBUG):
        output.gate.release()
        output._worker.join(5)
        assert output.fault() is output.error
        assert not output.active()
        assert output.offer(picture(9)) is False
        output.close(1)
    assert [record.getMessage() for record in caplog.records] == [str(output.error)]
    assert output.written == []
    assert output.finished == 1
    assert output.fault() is output.error


def test_a_failure_while_finishing(output: Gated, picture) -> None:  # type: ignore[no-untyped-def]
    output.finish_error = OutputError("late")
    output.gate.release(100)
    assert output.offer(picture(1))
    output.close(5)
    assert output.written == [1]
    assert output.fault() is output.finish_error


def test_a_bug_becomes_a_fault_with_its_stack(
    output: Gated,
    picture,
    caplog: pytest.LogCaptureFixture,  # type: ignore[no-untyped-def]
) -> None:
    output.error = ZeroDivisionError("a bug")
    output.gate.release()
    assert output.offer(picture(0))
    output.close(5)
    assert isinstance(output.fault(), OutputError)
    assert "ZeroDivisionError" in str(output.fault())
    assert "in _write" in caplog.text


def test_close_is_bounded(output: Gated, picture) -> None:  # type: ignore[no-untyped-def]
    _fill(output, picture)
    begin = time.monotonic()
    output.close(0.05)
    assert time.monotonic() - begin < 2
    assert "not finished within 0.05 s" in str(output.fault())
