"""Bounded thread pools for blocking work, with a database connection per thread.

asyncio's default executor has cpus + 4 threads and asgiref's thread-sensitive one has a single
thread for all consumers (0.8 s waits seen), so neither is used for queries on the hot path.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Barrier, BrokenBarrierError
from typing import ParamSpec, TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["GrowingPool", "QueryPool"]

Given = ParamSpec("Given")
Result = TypeVar("Result")

STOP_PATIENCE = 2.0  # seconds


class QueryPool:
    """Threads that may use the ORM; each keeps its connection between calls while it is usable."""

    def __init__(self, size: int, name: str, *, begin: Callable[[], None] | None = None) -> None:
        """`begin` is called in each thread before its first call."""
        self._size = size
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name, initializer=begin)

    def submit(self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        context = contextvars.copy_context()
        return self._executor.submit(context.run, _with_fresh_connections, functools.partial(call, *args, **kwargs))

    async def run(self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return await asyncio.wrap_future(self.submit(call, *args, **kwargs))

    def stop(self) -> None:
        """Closes every thread's connections; a thread that is held is left behind."""
        barrier = Barrier(self._size)
        try:
            closings = [self._executor.submit(_close_with, barrier) for _ in range(self._size)]
        except RuntimeError:
            return  # the interpreter is ending, under a plain server: the threads and their connections are gone
        done, held = wait(closings, timeout=STOP_PATIENCE)
        reached = all(closing.result() for closing in done)
        self._executor.shutdown(wait=reached and not held, cancel_futures=True)


class GrowingPool:
    """Threads for what may run an author's code (a handler's constructor), and so may never return.

    One is made whenever none is idle, so that calls which hang hold up nobody else; they are daemons, so that
    these don't hold up the process's end either. Each keeps its connection while it is usable.
    """

    MOST_IDLE = 8

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Callable[[], Callable[[], None]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._threads: set[threading.Thread] = set()
        self._stopping = False

    def submit(self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        future: Future[Result] = Future()
        bound = functools.partial(_with_fresh_connections, functools.partial(call, *args, **kwargs))
        with self._lock:
            if self._stopping:
                raise RuntimeError("the pool has stopped")
            self._calls.put(functools.partial(_outcome, future, contextvars.copy_context(), bound))
            if self._idle:
                self._idle -= 1
                return future
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._threads.add(thread)
            thread.start()
        return future

    async def run(self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return await asyncio.wrap_future(self.submit(call, *args, **kwargs))

    def stop(self) -> None:
        """Closes the connections; a thread that is held is left behind."""
        with self._lock:
            self._stopping = True
            threads, idle, self._idle = list(self._threads), self._idle, 0
        for _ in range(idle):
            self._calls.put(None)
        deadline = time.monotonic() + STOP_PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            settle = call()
            # Idle before the caller hears of it: whoever submits the next call at once finds this thread.
            with self._lock:
                stays = not self._stopping and self._idle < self.MOST_IDLE
                self._idle += stays
            settle()
            if not stays:
                break
        connections.close_all()
        with self._lock:
            self._threads.discard(threading.current_thread())


def _outcome(future: Future[Result], context: contextvars.Context, call: Callable[[], Result]) -> Callable[[], None]:
    """Runs `call`; what it gives settles the future."""
    if not future.set_running_or_notify_cancel():
        return _nothing
    try:
        result = context.run(call)
    except BaseException as error:  # noqa: BLE001 - it's the caller's, who gets it from the future
        return functools.partial(future.set_exception, error)
    return functools.partial(future.set_result, result)


def _nothing() -> None:
    """What settles a call that was cancelled before it began."""


def _with_fresh_connections(call: Callable[[], Result]) -> Result:
    """CONN_MAX_AGE is 0, for the threads that serve one HTTP request; here a connection would be opened for each
    call (1.5 ms on SQLite). One that is lent from a pool is given back all the same."""
    for connection in connections.all(initialized_only=True):
        connection.close_at = None
        connection.close_if_unusable_or_obsolete()
    try:
        return call()
    finally:
        for connection in _lent_connections():
            connection.close()


def _lent_connections() -> list[BaseDatabaseWrapper]:
    """This thread's connections that belong to a pool: kept, they would be missing there while nothing is asked."""
    return [each for each in connections.all(initialized_only=True) if each.settings_dict["OPTIONS"].get("pool")]


def _close_with(barrier: Barrier) -> bool:
    """Closes this thread's connections; the barrier has every thread take exactly one such call. False: one is held."""
    connections.close_all()
    try:
        barrier.wait(timeout=2 * STOP_PATIENCE)  # longer than `stop` waits: else a free thread took both
    except BrokenBarrierError:
        # A thread is still held by its last call; its connection is closed when the thread ends.
        return False
    return True
