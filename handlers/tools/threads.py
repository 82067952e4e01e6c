"""Threads in which tools that block are called.

Owns how many there are. A thread can't be interrupted: one whose tool hangs is lost until the tool returns, so they are
few, and daemons, which a process that ends doesn't wait for (those of concurrent.futures it would).
"""

import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from django.db import connections

MOST = 16  # calls at the same time, in one process; more wait their turn

_Job = tuple["Future[Any]", Callable[[], Any]]


class ToolThreads:
    """Up to `most` threads, started as they are needed."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0  # jobs that no thread has taken
        self._idle = 0
        self._count = 0

    def submit(self, function: Callable[[], Any]) -> "Future[Any]":
        """What `function` returns or raises, called in a thread with the caller's context variables.

        One that is cancelled before it begins is never called.
        """
        future: Future[Any] = Future()
        context = contextvars.copy_context()
        with self._lock:
            self._waiting += 1
            wanted = self._waiting > self._idle and self._count < self._most
            self._count += wanted
        self._jobs.put((future, lambda: context.run(function)))
        if wanted:
            threading.Thread(target=self._work, name="tool", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            future, function = self._jobs.get()
            with self._lock:
                self._idle -= 1
                self._waiting -= 1
            if future.set_running_or_notify_cancel():
                _settle(future, function)
            del future, function


threads = ToolThreads()
"""This process's, for all tools."""


def _settle(future: "Future[Any]", function: Callable[[], Any]) -> None:
    try:
        result = _called(function)
    except Exception as error:  # noqa: BLE001 - the border: it is raised again where the result is awaited
        future.set_exception(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like would end whoever awaits it
        future.set_exception(RuntimeError(f"raised {type(error).__name__}"))
    else:
        future.set_result(result)


def _called(function: Callable[[], Any]) -> Any:
    try:
        return function()
    finally:
        connections.close_all()  # a tool that asked the database leaves none open
