"""The loops that handlers run on, and the threads that they may keep."""

import asyncio
import contextvars
import threading
from concurrent.futures import Future

import pytest

from chats import loops
from chats.loops import HandlerLoop, LoopPool

PATIENCE = 10.0


@pytest.fixture
def loop():
    loop = HandlerLoop("test-loop")
    yield loop
    loop.stop(PATIENCE)


@pytest.fixture
def pool():
    pool = LoopPool()
    yield pool
    pool.stop()


def spawn(loop, work, started=lambda task: None):
    """Runs a coroutine as a run is run; the future of what it gives."""
    outcome = Future()

    async def run():
        try:
            outcome.set_result(await work)
        except BaseException as error:
            outcome.set_exception(error)
            raise

    def begun(task):
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
        started(task)

    loop.spawn(run(), contextvars.Context(), begun)
    return outcome


async def where():
    return threading.current_thread()


def block(loop, gate):
    """Blocks the loop until `gate` is set; returns when it is blocked."""
    blocked = threading.Event()

    async def hold():
        blocked.set()
        gate.wait(PATIENCE)

    spawn(loop, hold())
    assert blocked.wait(PATIENCE)


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_task_is_known_before_its_first_step(loop):
    known = []

    async def work():
        return known == [asyncio.current_task()]

    assert spawn(loop, work(), known.append).result(PATIENCE)


def test_a_task_runs_on_the_loops_own_thread(loop):
    assert spawn(loop, where()).result(PATIENCE) is loop.thread


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_task_that_tries_to_exit_the_server_ends_alone(loop, error, caplog):
    async def leave():
        raise error

    with pytest.raises(error):
        spawn(loop, leave()).result(PATIENCE)
    assert spawn(loop, where()).result(PATIENCE) is loop.thread
    assert "tried to exit the server" in caplog.text


def test_a_loop_answers_for_its_life_unless_it_is_blocked(loop, gate):
    assert loop.ask_for_life() == 0.0
    spawn(loop, where()).result(PATIENCE)
    assert loop.ask_for_life() == 0.0
    block(loop, gate)
    loop.ask_for_life()
    assert loop.ask_for_life() > 0
    assert loop.current_task() is not None


def test_a_blocked_loop_doesnt_stop_in_time(loop, gate):
    block(loop, gate)
    assert not loop.stop(0.1)
    gate.set()
    assert loop.stop(PATIENCE)


def test_what_is_left_on_a_stopped_loop_is_cancelled(loop):
    begun = threading.Event()

    async def stay():
        begun.set()
        await asyncio.sleep(3600)

    staying = spawn(loop, stay())
    assert begun.wait(PATIENCE)
    assert loop.stop(PATIENCE)
    assert isinstance(staying.exception(0), asyncio.CancelledError)


def test_what_swallows_every_cancel_doesnt_keep_the_thread(loop, caplog):
    begun = threading.Event()

    async def stay():
        begun.set()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                continue

    spawn(loop, stay())
    assert begun.wait(PATIENCE)
    assert loop.stop(PATIENCE)
    assert "can't be cancelled" in caplog.text


def test_a_closed_loop_takes_no_calls_and_raises_nothing(loop):
    assert loop.stop(PATIENCE)
    loop.call(print)


def test_a_loop_that_was_given_back_is_lent_again(pool):
    loop = pool.acquire("first")
    assert pool.acquire("second") is not loop
    pool.release(loop, "first")
    assert pool.acquire("third") is loop


def test_more_idle_loops_than_are_kept_are_ended(pool, monkeypatch):
    monkeypatch.setattr(loops, "MOST_IDLE", 1)
    kept, ended = pool.acquire("a"), pool.acquire("b")
    pool.release(kept, "a")
    pool.release(ended, "b")
    ended.thread.join(PATIENCE)
    assert not ended.thread.is_alive()
    assert kept.thread.is_alive()


def test_the_shared_loop_is_one_until_it_is_retired(pool, gate):
    shared = pool.shared("a")
    assert pool.shared("b") is shared
    block(shared, gate)
    pool.retire_shared(shared)
    assert pool.shared("c") is not shared
    pool.retire_shared(shared)
    assert pool.shared("d") is pool.shared_if_any


def test_a_retired_loop_ends_with_its_last_user(pool):
    shared = pool.shared("a")
    pool.shared("b")
    pool.retire_shared(shared)
    pool.release(shared, "a")
    assert shared.thread.is_alive()
    pool.release(shared, "b")
    shared.thread.join(PATIENCE)
    assert not shared.thread.is_alive()


def test_an_abandoned_thread_is_counted_and_ends_when_its_handler_does(pool, gate):
    loop = pool.acquire("a")
    block(loop, gate)
    pool.abandon(loop, "a")
    assert (pool.abandoned, loop.thread.is_alive()) == (1, True)
    gate.set()
    loop.thread.join(PATIENCE)
    assert not loop.thread.is_alive()


def test_a_loop_that_its_user_has_given_back_is_not_abandoned(pool):
    loop = pool.acquire("a")
    pool.release(loop, "a")
    assert pool.acquire("b") is loop
    pool.abandon(loop, "a")
    assert (pool.abandoned, loop.thread.is_alive()) == (0, True)


def test_a_stop_ends_all_threads_and_counts_those_that_wont(pool, gate, monkeypatch):
    monkeypatch.setattr(HandlerLoop.stop, "__defaults__", (0.2,))
    idle, shared = pool.acquire("a"), pool.shared("b")
    pool.release(idle, "a")
    block(shared, gate)
    pool.stop()
    assert not idle.thread.is_alive()
    assert (pool.abandoned, shared.thread.is_alive()) == (1, True)
