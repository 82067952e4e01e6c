"""Where a handler's async ORM calls run: a few threads of their own.

asgiref sends thread-sensitive calls (all of Django's async ORM) to one thread for the whole process,
shared with every consumer (0.8 s waits seen); a context per run held 80 connections. So runs share
these threads by turns, and a run's connections are closed after it.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import connections

__all__ = ["OrmThreads"]


class OrmThreads:
    """Hands each run's task one of `size` threads."""

    def __init__(self, size: int = 8) -> None:
        self._contexts = [ThreadSensitiveContext() for _ in range(size)]
        self._executors = [ThreadPoolExecutor(1, thread_name_prefix=f"handler-orm-{n}") for n in range(size)]
        for context, executor in zip(self._contexts, self._executors, strict=True):
            SyncToAsync.context_to_thread_executor[context] = executor
        self._turns = itertools.cycle(range(size))

    def enter(self) -> int:
        """Has the current task's ORM calls run on the next thread; gives its number for `leave`."""
        turn = next(self._turns)
        SyncToAsync.thread_sensitive_context.set(self._contexts[turn])
        return turn

    def leave(self, turn: int) -> None:
        """Closes the connections of that thread, once what it does is done."""
        self._executors[turn].submit(connections.close_all)

    def stop(self) -> None:
        for executor in self._executors:
            executor.submit(connections.close_all)
            executor.shutdown(wait=True)
