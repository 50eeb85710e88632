"""Worker: one body, one end, one failure, and never a join without an end."""

import threading

import pytest

from edge_vision.worker import Worker

LIMIT_S = 20.0


def _until_stopped(stop: threading.Event) -> None:
    assert stop.wait(LIMIT_S)


def test_runs_until_it_is_stopped() -> None:
    ended: list[Worker] = []
    worker = Worker("camera", _until_stopped, ended.append)
    assert not worker.alive
    worker.start()
    assert worker.alive
    assert worker.join(0) is False
    worker.stop()
    assert worker.join(LIMIT_S) is True
    assert not worker.alive
    assert worker.failure is None
    assert ended == [worker]


def test_the_thread_has_the_name_and_keeps_no_process_alive() -> None:
    seen: list[threading.Thread] = []
    worker = Worker("detect", lambda _stop: seen.append(threading.current_thread()))
    worker.start()
    assert worker.join(LIMIT_S)
    assert seen[0].name == "detect"
    assert seen[0].daemon


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt()])
def test_a_failure_is_kept_with_its_traceback(error: BaseException) -> None:
    def body(_stop: threading.Event) -> None:
        raise error

    kept: list[BaseException | None] = []
    worker = Worker("render", body, lambda ended: kept.append(ended.failure))
    worker.start()
    assert worker.join(LIMIT_S)
    assert worker.failure is error
    assert kept == [error], "on_end comes after the failure is known"
    traceback = error.__traceback__
    assert traceback is not None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code.co_name == "body"


def test_on_end_runs_in_the_thread() -> None:
    names: list[str] = []
    worker = Worker(
        "w", lambda _stop: None, lambda _: names.append(threading.current_thread().name)
    )
    worker.start()
    assert worker.join(LIMIT_S)
    assert names == ["w"]


def test_joining_is_bounded() -> None:
    release = threading.Event()
    worker = Worker("stuck", lambda _stop: release.wait(LIMIT_S) and None)
    worker.start()
    worker.stop()
    assert worker.join(0.01) is False
    assert worker.join(-1) is False
    release.set()
    assert worker.join(LIMIT_S) is True


def test_one_that_was_never_started_has_ended() -> None:
    worker = Worker("idle", _until_stopped)
    worker.stop()
    assert worker.join(0) is True
    assert worker.stack() == ""


def _stuck_in_a_driver(inside: threading.Event, release: threading.Event) -> None:
    inside.set()
    release.wait(LIMIT_S)


def test_the_stack_says_where_it_stands() -> None:
    inside, release = threading.Event(), threading.Event()
    worker = Worker("stuck", lambda _stop: _stuck_in_a_driver(inside, release))
    worker.start()
    assert inside.wait(LIMIT_S)
    assert "_stuck_in_a_driver" in worker.stack()
    release.set()
    assert worker.join(LIMIT_S)
    assert worker.stack() == ""


def test_the_stack_is_never_that_of_a_later_thread() -> None:
    # Systems give the number of an ended thread to the next one.
    ended = [Worker("ended", lambda _stop: None) for _ in range(20)]
    for worker in ended:
        worker.start()
        assert worker.join(LIMIT_S)
    others = [Worker("other", _until_stopped) for _ in range(20)]
    for other in others:
        other.start()
    try:
        numbers = {worker._thread.ident for worker in ended}
        if not numbers & {other._thread.ident for other in others}:
            pytest.skip("this system gave no number twice")
        assert [worker.stack() for worker in ended] == [""] * len(ended)
    finally:
        for other in others:
            other.stop()
            assert other.join(LIMIT_S)


def test_a_thread_given_up_ends_once() -> None:
    release = threading.Event()
    ended: list[Worker] = []
    worker = Worker("stuck", lambda _stop: release.wait(LIMIT_S) and None, ended.append)
    worker.start()
    failure = RuntimeError("stuck in a driver")
    worker.give_up(failure)
    assert ended == [worker]
    assert worker.failure is failure
    assert worker.alive
    release.set()
    assert worker.join(LIMIT_S)
    assert ended == [worker], "coming back later changes nothing"
    assert worker.failure is failure


def test_a_yielding_worker_is_scheduled_as_batch() -> None:
    import os

    seen: list[int] = []
    for yields in (True, False):
        worker = Worker("w", lambda stop: seen.append(os.sched_getscheduler(0)), yields=yields)
        worker.start()
        assert worker.join(5)
    assert seen == [os.SCHED_BATCH, os.sched_getscheduler(0)]
