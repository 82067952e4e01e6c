"""The journal: the one writer of this process. It numbers, inserts, commits, and only then publishes.

Owns the writer thread, its database connection and the order of things: a number is committed
before it is shown. It takes what waits in every RunLog at once and writes it in one transaction;
a batch that fails is tried again run by run, so that only the culprit ends; a database that is away
is waited for. Every other write of chats' tables is a job of the same thread (`write`), since on
SQLite a second writer would queue on the file's lock (measured: p99 333 ms instead of 6).

Knows no handlers, sockets or HTTP. Its neighbours: runlog.py (what waits), rows.py (the
statements), hub.py (who is told).
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Max

from chats import rows
from chats.hub import Hub
from chats.models import Event
from chats.protocol import Batch, WireEvent
from chats.runlog import End, RunLog
from handlers.encoding import canonical_json

__all__ = ["Journal", "JournalStopped"]

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

JOBS_A_ROUND = 4  # of 2 to 4 ms each, so that a burst of starts doesn't hold up the streams
DELIVERY_PATIENCE = 0.050  # seconds that the writer waits for the sockets to take the last commit
LONGEST_BACKOFF = 2.0
LAST_TRIES = 5.0  # seconds that a stopping journal waits for a database that is away


class JournalStopped(RuntimeError):
    """The journal takes no more work: the server is stopping."""


@dataclass(slots=True)
class Prepared:
    """What was taken from one RunLog, numbered: its rows and the batch that tells of them."""

    log: RunLog
    rows: list[rows.Row]
    batch: Batch
    end: End | None

    @property
    def response_id(self) -> str:
        return self.log.response_id

    def end_as_cancelled(self) -> None:
        """Somebody asked for the cancel before this end was committed, so that's how it ends."""
        end = End("cancelled", None, self.end.usage, self.end.notes) if self.end else End("cancelled")
        self.end = self.log.end = end
        fields = end.fields
        payload = canonical_json(fields)
        self.rows[-1] = (*self.rows[-1][:5], payload, None)
        self.batch.events[-1] = WireEvent("response_end", self.batch.through, payload)
        self.batch.status = end.status
        self.log.transcript.feed("response_end", fields, self.batch.through, True)


class Journal:
    """See the module. `on_lost()` is called in the writer thread when this process's lease was ended."""

    def __init__(
        self,
        hub: Hub,
        *,
        on_end: Callable[[str, Batch], None],
        on_fault: Callable[[RunLog, BaseException], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.worker_id: UUID | None = None
        self._hub = hub
        self._on_end = on_end
        self._on_fault = on_fault
        self._on_lost = on_lost
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = queue.SimpleQueue()
        self._dirty: dict[RunLog, None] = {}
        self._dirty_lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    # From any thread

    def start(self) -> None:
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, then ends the thread."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def mark(self, log: RunLog) -> None:
        """Says that `log` has something to take."""
        with self._dirty_lock:
            self._dirty[log] = None
        if not self._wake.is_set():
            self._wake.set()

    def write(self, job: Callable[..., Result], *args: Any) -> Future[Result]:
        """Runs `job(*args)` in a transaction of the writer thread. What it raises, the future raises."""
        if self._stopping or self._thread is None:
            raise JournalStopped("the server is stopping")
        future: Future[Result] = Future()
        self._jobs.put((future, job, args))
        self._wake.set()
        return future

    # The writer thread

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            self._thread_ended()

    def _turn(self) -> bool:
        """One round of jobs and one commit, or a wait for more; False when there is nothing left to stop for."""
        try:
            self._wake.clear()
            more_jobs = self._do_jobs()
            due, next_due = self._due_logs()
            if due:
                self._commit(due)
            elif not more_jobs:
                if self._stopping and next_due is None:
                    return False
                self._wake.wait(None if next_due is None else max(0.0, next_due - time.monotonic()))
        except Exception:
            # The border: without its writer the process is good for nothing, so it goes on.
            logger.exception("A turn of the journal failed.")
            connection.close()
        return True

    def _thread_ended(self) -> None:
        connection.close()
        while not self._jobs.empty():
            future, _, _ = self._jobs.get_nowait()
            future.set_exception(JournalStopped("the server has stopped"))

    def _do_jobs(self) -> bool:
        """A round of jobs; whether more wait."""
        for _ in range(JOBS_A_ROUND):
            try:
                future, job, args = self._jobs.get_nowait()
            except queue.Empty:
                return False
            if future.set_running_or_notify_cancel():
                self._do_job(future, job, args)
        return not self._jobs.empty()

    def _do_job(self, future: Future[Any], job: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            with transaction.atomic():
                result = job(*args)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - it's the caller's, who gets it from the future
            future.set_exception(error)
        else:
            future.set_result(result)

    def _due_logs(self) -> tuple[list[RunLog], float | None]:
        """The logs to take now, and when the next one is due (time.monotonic())."""
        now = time.monotonic()
        due: list[RunLog] = []
        next_due: float | None = None
        with self._dirty_lock:
            waiting = list(self._dirty)
        for log in waiting:
            at = log.due_at()
            if at <= now or self._stopping:
                due.append(log)
            elif next_due is None or at < next_due:
                next_due = at
        if due:
            with self._dirty_lock:
                for log in due:
                    self._dirty.pop(log, None)
        return due, next_due

    def _commit(self, logs: list[RunLog]) -> None:
        self._hub.wait_for_delivery(DELIVERY_PATIENCE)
        prepared = [each for log in logs if (each := self._prepare(log)) is not None]
        _release(logs)
        try:
            written = self._write_all(prepared)
        except rows.WorkerLost:
            self._on_lost()
            return
        except JournalStopped:
            # Nobody has seen these events; the runs are ended by whoever reaps this worker.
            logger.exception("The last events of %d responses can't be stored.", len(prepared))
            return
        try:
            self._hub.publish([each.batch for each in written])
        finally:
            for each in written:
                if each.end is not None:
                    self._on_end(each.response_id, each.batch)

    def _prepare(self, log: RunLog) -> Prepared | None:
        try:
            return _prepare(log)
        except Exception as error:
            # What one run yielded must not cost the others their commit.
            logger.exception("The events of response %s can't be numbered.", log.response_id)
            self._on_fault(log, error)
            return None

    def _write_all(self, prepared: list[Prepared]) -> list[Prepared]:
        """Writes them in one transaction, or else one by one; gives those that are in the log."""
        stored = [each for each in prepared if each.rows]
        if not stored:
            return prepared
        try:
            self._insist(stored)
        except (rows.WorkerLost, JournalStopped):
            raise
        except Exception:  # noqa: BLE001 - whose fault it is, and what, is found out and logged one by one
            refused = {id(each) for each in stored if not self._write_alone(each)}
            return [each for each in prepared if id(each) not in refused]
        return prepared

    def _write_alone(self, prepared: Prepared) -> bool:
        try:
            self._insist([prepared])
        except (rows.WorkerLost, JournalStopped):
            raise
        except Exception as error:
            # The border: whatever the driver makes of one run's rows, the others' are written.
            logger.exception("The events of response %s can't be stored.", prepared.response_id)
            self._on_fault(prepared.log, error)
            return False
        return True

    def _insist(self, prepared: list[Prepared]) -> None:
        """Writes all of `prepared`, waiting for a database that is away.

        A connection that broke during COMMIT leaves it open whether the rows are in: they are
        looked up before they are sent again.
        """
        backoff = 0.05
        unsure = False
        give_up = None
        while True:
            try:
                if unsure:
                    prepared = self._missing(prepared)
                if prepared:
                    self._transact(prepared)
            except (OperationalError, InterfaceError) as error:
                logger.warning("The database is away (%s); trying again in %.2f s.", error, backoff)
                connection.close()
                unsure = True
                if self._stopping:
                    give_up = give_up or time.monotonic() + LAST_TRIES
                    if time.monotonic() > give_up:
                        raise JournalStopped("the database is away and the server is stopping") from error
                time.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
            else:
                return

    def _missing(self, prepared: list[Prepared]) -> list[Prepared]:
        """Those that aren't in the log. Raises WorkerLost: what stands at their numbers may then be the reaper's."""
        with transaction.atomic():
            if self.worker_id is not None:
                rows.confirm_lease(self.worker_id)
            return [each for each in prepared if not _is_stored(each)]

    def _transact(self, prepared: list[Prepared]) -> None:
        ending = [each for each in prepared if each.end is not None]
        with transaction.atomic():
            if self.worker_id is not None:
                rows.confirm_lease(self.worker_id)
            if ending:
                cancelled = rows.cancels_among(each.response_id for each in ending)
                for each in ending:
                    if each.response_id in cancelled and each.end is not None and each.end.status != "cancelled":
                        each.end_as_cancelled()
            rows.insert_events([row for each in prepared for row in each.rows])
            for each in ending:
                if each.end is not None:
                    rows.finish_response(each.response_id, each.batch.through, each.log.transcript, each.end)


def _prepare(log: RunLog) -> Prepared | None:
    """Numbers what waits in `log` and folds it. From here on it is written as it is, or not at all."""
    taken = log.take()
    if not taken:
        return None
    after = log.next_sequence - 1
    stored: list[rows.Row] = []
    events: list[WireEvent] = []
    for event in taken:
        fields = event.settled()
        payload = event.payload or "{}"
        sequence = None
        if event.persist:
            sequence = log.next_sequence
            log.next_sequence += 1
            at = datetime.fromtimestamp(event.at, UTC)
            stored.append((log.response_id, sequence, event.type, event.emit, at, payload, event.details))
            log.transcript.feed(event.type, fields, sequence, event.emit)
        if event.emit:
            events.append(WireEvent(event.type, sequence, payload))
    if not stored and not events:
        return None  # neither kept nor shown: not even an empty frame tells of it
    end = log.end if taken[-1].type == "response_end" else None
    status = end.status if end is not None else None
    batch = Batch(log.response_id, after, log.next_sequence - 1, events, int(taken[0].at * 1000), status)
    return Prepared(log, stored, batch, end)


def _is_stored(prepared: Prepared) -> bool:
    last = Event.objects.filter(response_id=UUID(prepared.response_id)).aggregate(last=Max("sequence"))["last"]
    return last is not None and last >= prepared.batch.through


def _release(logs: list[RunLog]) -> None:
    """Lets the producers that waited for room go on: one call a loop, however many wait on it."""
    by_loop: dict[Any, list[Any]] = {}
    for log in logs:
        for loop, future in log.waiting():
            by_loop.setdefault(loop, []).append(future)
    for loop, futures in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, futures)
        except RuntimeError:
            logger.debug("A loop whose producer waited for room is closed.")


def _settle(futures: list[Any]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
