"""Where a handler's async ORM calls run: a few threads of their own.

asgiref sends thread-sensitive calls (all of Django's async ORM) to one thread for the whole process,
shared with every consumer (0.8 s waits seen); a context per run held 80 connections. So runs share
these threads by turns, and a run's connections are closed after it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor, wait

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.db import connections

__all__ = ["OrmThreads"]

logger = logging.getLogger(__name__)

STOP_PATIENCE = 2.0  # seconds


class OrmThreads:
    """Hands each run's task one of `size` threads."""

    def __init__(self, size: int = 8) -> None:
        self._contexts = [ThreadSensitiveContext() for _ in range(size)]
        self._executors = [ThreadPoolExecutor(1, thread_name_prefix=f"handler-orm-{n}") for n in range(size)]
        for context, executor in zip(self._contexts, self._executors, strict=True):
            SyncToAsync.context_to_thread_executor[context] = executor
        self._turns = itertools.cycle(range(size))
        self._users = [0] * size
        self._lock = threading.Lock()

    def enter(self) -> int:
        """Has the current task's ORM calls run on the next thread; gives its number for `leave`."""
        with self._lock:
            turn = next(self._turns)
            self._users[turn] += 1
        SyncToAsync.thread_sensitive_context.set(self._contexts[turn])
        return turn

    def leave(self, turn: int) -> None:
        """Closes the connections of that thread, if no other run uses it."""
        with self._lock:
            self._users[turn] -= 1
            if self._users[turn]:
                return
        try:
            self._executors[turn].submit(connections.close_all)
        except RuntimeError:
            logger.debug("A handler ended after the engine had stopped; its connections were closed then.")

    def stop(self) -> None:
        """Closes the connections; a thread that a handler holds is left behind."""
        try:
            closings = [executor.submit(connections.close_all) for executor in self._executors]
        except RuntimeError:
            return  # the interpreter is ending, under a plain server: the threads and their connections are gone
        _, held = wait(closings, timeout=STOP_PATIENCE)
        for executor in self._executors:
            executor.shutdown(wait=not held, cancel_futures=True)
