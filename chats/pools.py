"""Bounded thread pools for blocking work, with a database connection per thread.

asyncio's default executor has cpus + 4 threads and asgiref's thread-sensitive one has a single
thread for all consumers (0.8 s waits seen), so neither is used for queries on the hot path.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

__all__ = ["QueryPool"]

Given = ParamSpec("Given")
Result = TypeVar("Result")


class QueryPool:
    """Threads that may use the ORM; each keeps its connection between calls while it is usable."""

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)

    def submit(self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Future[Result]:
        context = contextvars.copy_context()
        return self._executor.submit(context.run, _with_fresh_connections, functools.partial(call, *args, **kwargs))

    async def run(self, call: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
        return await asyncio.wrap_future(self.submit(call, *args, **kwargs))

    def stop(self) -> None:
        """Waits for what runs, then closes every thread's connections."""
        barrier = Barrier(self._size)
        closings = [self._executor.submit(_close_with, barrier) for _ in range(self._size)]
        self._executor.shutdown(wait=True)
        for closing in closings:
            closing.result()


def _with_fresh_connections(call: Callable[[], Result]) -> Result:
    close_old_connections()
    return call()


def _close_with(barrier: Barrier) -> None:
    """Closes this thread's connections; the barrier has every thread take exactly one such call."""
    connections.close_all()
    try:
        barrier.wait(timeout=5)
    except BrokenBarrierError:
        # A thread is still held by its last call; its connection is closed when the thread ends.
        return
