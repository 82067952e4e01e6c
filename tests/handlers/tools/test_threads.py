"""The threads in which tools block."""

import contextvars
import threading

import pytest

from handlers.tools.threads import ToolThreads

who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


def test_results_and_errors_come_back() -> None:
    threads = ToolThreads()
    assert threads.submit(lambda: 42).result(10) == 42
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(10)


def test_one_that_wants_to_end_the_process_is_an_error() -> None:
    def leave() -> None:
        raise SystemExit

    with pytest.raises(RuntimeError, match="raised SystemExit"):
        ToolThreads().submit(leave).result(10)


def test_there_are_never_more_than_allowed_and_the_rest_wait() -> None:
    threads, gate, running = ToolThreads(most=2), threading.Event(), threading.Semaphore(0)

    def block() -> str:
        running.release()
        assert gate.wait(20)
        return threading.current_thread().name

    jobs = [threads.submit(block) for _ in range(5)]
    assert running.acquire(timeout=10)
    assert running.acquire(timeout=10)
    assert sum(job.running() for job in jobs) == 2
    gate.set()
    assert [job.result(10) for job in jobs] == ["tool"] * 5


def test_one_that_is_cancelled_before_its_turn_is_never_called() -> None:
    threads, gate, called = ToolThreads(most=1), threading.Event(), []
    first = threads.submit(lambda: gate.wait(20))
    second = threads.submit(lambda: called.append(1))
    assert second.cancel()
    gate.set()
    assert first.result(10)
    assert threads.submit(lambda: list(called)).result(10) == []


def test_the_callers_context_goes_along() -> None:
    who.set("ada")
    assert ToolThreads().submit(who.get).result(10) == "ada"


def test_threads_do_not_keep_a_process_alive() -> None:
    assert ToolThreads().submit(lambda: threading.current_thread().daemon).result(10)
