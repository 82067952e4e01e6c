"""This process's lease on its runs, its watch over other processes' leases, and the end of what nobody runs.

Owns the worker's row and the beat that renews it. On PostgreSQL the beat has a thread and a connection of its own:
a writer that waits must not cost the process its lease. On SQLite it is a job of the writer, like every write there.
The reaper has a connection of its own too, since after an outage the pool is the last to come back.
An orphaned answer's log is read and folded on the reaper's thread; the writer only adds its end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction

from chats import orphans
from chats.journal import Journal, JournalStopped
from chats.orphans import WORKER_LOST
from chats.ownconnection import TimeOuts, is_locked, is_outage, renew_pool, take_own_connection
from chats.pools import QueryPool
from chats.protocol import Batch, DoorError
from chats.rows import WorkerLost, confirm_lease
from chats.runner import RunFacts, Stop

__all__ = ["Lease"]

logger = logging.getLogger(__name__)

STEADY = 5.0  # seconds: two beats and a retry
SLOW = 2.5  # seconds that a beat takes when the database isn't well
TIME_OUTS = TimeOuts(lock=1.0, statement=5.0, idle=5.0)
READING_TIME_OUTS = TimeOuts(lock=1.0, statement=60.0, idle=60.0)  # the reaper's; a log may be long


class Steadiness:
    """Whether this process can tell who is dead: it has been well itself for a while, and the database with it.

    After an outage, or a pause of the whole machine, nobody has renewed a lease, and whoever is first to do so again
    must give the others time. A beat that only came late, since the machine is busy, is no such thing.
    """

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._beaten_at = (time.monotonic(), time.time())

    def beaten(self, *, took: float) -> None:
        """A beat is stored. `took`: seconds that the database needed for it."""
        # By both clocks: the monotonic one doesn't count the time that a machine sleeps.
        now = (time.monotonic(), time.time())
        gap = max(new - old for new, old in zip(now, self._beaten_at, strict=True))
        self._beaten_at = now
        if took > SLOW or gap > orphans.LEASE.total_seconds():
            self._since = now[0]

    def lost(self) -> None:
        """A beat failed."""
        self._since = time.monotonic()

    def lasts(self) -> bool:
        return time.monotonic() - self._since >= STEADY


class Lease:
    """See the module. `on_lost()` gives up the process's runs, `on_cancel(id)` is for each that is to stop; `on_reaped`
    is called when an orphan's end is committed. `runs` are the responses that run here, `starting` those whose start is
    being stored here."""

    def __init__(
        self,
        journal: Journal,
        runs: Container[str],
        starting: Container[str],
        *,
        on_lost: Callable[[], None],
        on_cancel: Callable[[str], object],
        on_reaped: Callable[[RunFacts, Batch], None],
    ) -> None:
        self._journal = journal
        self._runs = runs
        self._starting = starting
        self._on_lost = on_lost
        self._on_cancel = on_cancel
        self._on_reaped = on_reaped
        self._steadiness = Steadiness()
        self._was_away = False  # the database, at the last beat
        self._reaper = QueryPool(1, "reaper", begin=partial(take_own_connection, READING_TIME_OUTS))
        self._ending: set[str] = set()
        self._ending_lock = threading.Lock()
        self._beats: QueryPool | None = None
        if connection.vendor == "postgresql":
            self._beats = QueryPool(1, "lease", begin=partial(take_own_connection, TIME_OUTS))

    def take(self) -> None:
        """Registers this process. Raises DatabaseError."""
        self._journal.worker_id = self._journal.write(orphans.register_worker).result()

    def stop(self) -> None:
        """Ends the threads; the lease itself is given back by the writer, after the last end (`give_back`)."""
        if self._beats is not None:
            self._beats.stop()
        self._reaper.stop()

    def give_back(self) -> None:
        """The writer's last job. If it fails another process reaps the lease."""
        if self._journal.worker_id is not None:
            orphans.end_worker(self._journal.worker_id)

    def require(self) -> None:
        """In the writer thread: raises DoorError if this process was taken for dead, and has a new lease taken."""
        worker_id = self._journal.worker_id
        try:
            if worker_id is not None:
                confirm_lease(worker_id)
        except WorkerLost as lost:
            self._journal.write(self._check)
            raise DoorError("unavailable", "The server was paused; try again.", retry_after=1) from lost

    def lost(self) -> None:
        """In the writer thread: this process was taken for dead. It gives up its runs and begins anew."""
        self._journal.drop_held()
        self._on_lost()
        if self._journal.stopping:
            return  # a new lease would be nobody's to end
        with transaction.atomic():
            self._journal.worker_id = orphans.register_worker()

    def _check(self) -> None:
        """A job of the writer: of several that found the lease gone, only the first gives up the runs."""
        worker_id = self._journal.worker_id
        if worker_id is None or not orphans.beat(worker_id):
            transaction.on_commit(self.lost)

    # The beat

    def beat(self) -> Future[None] | None:
        """Renews the lease, hears of cancels, looks after the dead. None while the server stops."""
        try:
            beating = self._journal.write(self._keep) if self._beats is None else self._beats.submit(self._keep)
        except (JournalStopped, RuntimeError):
            return None
        beating.add_done_callback(partial(_log_failure, "This process's lease couldn't be renewed."))
        return beating

    def _keep(self) -> None:
        began = time.monotonic()
        try:
            self._renew(began)
        except (DatabaseError, InterfaceError) as error:
            self._steadiness.lost()
            self._was_away = is_outage(error) and not is_locked(error)
            if self._beats is not None and is_outage(error):
                connection.close()  # it may lead to a server that isn't the right one any more
            raise

    def _renew(self, began: float) -> None:
        worker_id = self._journal.worker_id
        if worker_id is None or not orphans.beat(worker_id):
            self._journal.write(self._check)
            return
        self._steadiness.beaten(took=time.monotonic() - began)
        if self._was_away:
            self._was_away = False
            renew_pool()
        mine = orphans.runs_of(worker_id)
        for response_id, asked in mine.items():
            if asked:
                self._on_cancel(response_id)
        orphans.reap_workers(expired=self._steadiness.lasts())
        # A run of this lease that isn't here can't be: its launch failed, or its fault couldn't be written.
        strays = [response_id for response_id in mine if response_id not in self._runs]
        for response_id in [*orphans.orphans(), *strays]:
            self.end_response(response_id)

    # What nobody runs

    def end_response(self, response_id: str, stop: Stop = WORKER_LOST) -> None:
        """Has a response ended that doesn't run here any more; one that fails is found again by a later beat."""
        with self._ending_lock:
            if response_id in self._ending:
                return
            self._ending.add(response_id)
        try:
            ending = self._reaper.submit(self._end, response_id, stop)
        except RuntimeError:
            return  # the server is stopping: whoever reaps its lease ends it
        ending.add_done_callback(partial(self._tried, response_id))

    def _end(self, response_id: str, stop: Stop) -> None:
        told = orphans.read_log(response_id)
        self._journal.write(self._finish, response_id, stop, told).result()

    def _tried(self, response_id: str, ending: Future[Any]) -> None:
        with self._ending_lock:
            self._ending.discard(response_id)
        _log_failure("An orphaned answer couldn't be ended; trying again.", ending)

    def _finish(self, response_id: str, stop: Stop, told: orphans.Told) -> None:
        if response_id in self._runs or response_id in self._starting:
            return  # it has been launched since the beat looked, or is about to be
        ended = orphans.finish_orphan(response_id, stop, told)
        if ended is not None:
            transaction.on_commit(partial(self._on_reaped, *ended))


def _log_failure(message: str, attempt: Future[Any]) -> None:
    if not attempt.cancelled() and attempt.exception() is not None:
        logger.warning(message, exc_info=attempt.exception())
