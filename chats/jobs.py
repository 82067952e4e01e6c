"""The writer's jobs: what others want done in a transaction of its thread, in the order they asked.

Owns the queue and what becomes of a job that can't go on: one that meets a lock is put off and done again from
its beginning, while answers are committed and other jobs go ahead; after PATIENCE its caller is told to come back.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from chats.ownconnection import is_locked, is_outage, wait_for_locks
from chats.protocol import DoorError

__all__ = ["Jobs"]

A_ROUND = 4  # of 2 to 4 ms each, so that a burst of starts doesn't hold up the streams
HASTE = 0.02  # seconds that a later try waits for a lock: whoever is behind it waits too
PATIENCE = 5.0  # seconds that a job may wait for a lock, all its tries together
PAUSE = 0.1  # seconds between two of them
LOCKED = "Somebody else is changing this right now, so nothing was changed. Try again in a moment."


@dataclass(slots=True)
class _Job:
    future: Future[Any]
    call: Callable[..., Any]
    args: tuple[Any, ...]
    due: float = 0.0  # time.monotonic()
    give_up_at: float | None = None


class Jobs:
    """See the module. `put` may be called from any thread, all else from the writer's."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._put_off: list[_Job] = []

    def put(self, call: Callable[..., Any], args: tuple[Any, ...]) -> Future[Any]:
        job = _Job(Future(), call, args)
        self._queue.put(job)
        return job.future

    def __len__(self) -> int:
        """How many wait to be begun."""
        return self._queue.qsize()

    def do_round(self) -> bool:
        """Does a few; whether more could be done now. What these put in turn, as the indexing does, is another round's:
        between two answers are committed."""
        for place in range(max(1, min(A_ROUND, len(self)))):
            job = self._next(put_off=place == 0)  # one that may meet its lock again, and then others
            if job is None:
                return False
            self._do(job)
        return not self._queue.empty()

    @property
    def next_due(self) -> float | None:
        """When the next one that was put off is to be tried (time.monotonic())."""
        return min((job.due for job in self._put_off), default=None)

    def refuse_all(self, error: Exception) -> None:
        """Tells everybody who waits that nothing is done any more."""
        while not self._queue.empty():
            self._put_off.append(self._queue.get_nowait())
        for job in self._put_off:
            job.future.set_exception(error)
        self._put_off.clear()

    def _next(self, *, put_off: bool) -> _Job | None:
        now = time.monotonic()
        for job in self._put_off if put_off else ():
            if job.due <= now:
                self._put_off.remove(job)
                return job
        while not self._queue.empty():
            job = self._queue.get_nowait()
            if job.future.set_running_or_notify_cancel():
                return job
        return None

    def _do(self, job: _Job) -> None:
        try:
            with transaction.atomic():
                if job.give_up_at is not None:
                    wait_for_locks(HASTE)
                result = job.call(*job.args)
        except BaseException as error:  # noqa: BLE001 - it's the caller's, who gets it from the future
            self._failed(job, error)
        else:
            job.future.set_result(result)

    def _failed(self, job: _Job, error: BaseException) -> None:
        if is_locked(error):
            self._put_it_off(job, error)
            return
        if is_outage(error):
            connection.close()
            if not isinstance(error, OperationalError | InterfaceError):
                error = OperationalError(str(error)).with_traceback(error.__traceback__)
        job.future.set_exception(error)

    def _put_it_off(self, job: _Job, error: BaseException) -> None:
        now = time.monotonic()
        job.give_up_at = job.give_up_at or now + PATIENCE
        if now >= job.give_up_at:
            refusal = DoorError("unavailable", LOCKED, retry_after=1)
            refusal.__cause__ = error
            job.future.set_exception(refusal)
            return
        job.due = now + PAUSE
        self._put_off.append(job)
