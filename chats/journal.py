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
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from chats import metrics, rows
from chats.hub import Hub
from chats.jobs import Jobs
from chats.numbering import Prepared, is_stored, prepare
from chats.ownconnection import TimeOuts, is_locked, is_outage, take_own_connection, wait_for_locks
from chats.protocol import Batch
from chats.runlog import RunLog, release_producers

__all__ = ["Journal", "JournalStopped"]

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

TIME_OUTS = TimeOuts(lock=0.25, statement=10.0, idle=10.0)  # see Note [locked rows]
HASTE = 0.02  # seconds that a run whose row was locked waits for it
HELD_PAUSE = 0.5  # seconds between two tries of such a run
HELD_TURN = 0.1  # seconds that such tries may take together
DELIVERY_PATIENCE = 0.050  # seconds that the writer waits for the sockets to take the last commit
LONGEST_BACKOFF = 2.0
LOOK_AGAIN = 1.0  # seconds: an idle writer looks whether something waits, though nobody woke it
STALLED_AFTER = 5.0  # seconds of one turn, a database that is away or a row that is locked aside
LAST_TRIES = 5.0  # seconds that a stopping journal waits for a database that is away


class JournalStopped(RuntimeError):
    """The journal takes no more work: the server is stopping."""


class Locked(Exception):
    """Somebody else has locked a row that a commit needs (PostgreSQL only). Nothing of it was written."""


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
        self._jobs = Jobs()
        self._held: dict[str, Prepared] = {}  # by response: numbered, and waiting for a locked row
        self._held_due: float | None = None
        self._give_up_at: float | None = None
        self._dirty: dict[RunLog, None] = {}
        self._dirty_lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._last: Callable[[], object] | None = None
        self._turn_began: float | None = None  # time.monotonic(); None while it waits for something to do
        self._reported: float | None = None  # the turn that was last named as stalled
        self._thread: threading.Thread | None = None

    # From any thread

    def start(self) -> None:
        self._stopping, self._give_up_at = False, None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def stopping(self) -> bool:
        return self._stopping

    def stop(self, last: Callable[[], object] | None = None) -> None:
        """Writes what waits, then does `last` in a transaction, then ends the thread."""
        self._last = last
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
        """Runs `job(*args)` in a transaction of the writer thread. What it raises, the future raises.

        A job that meets a locked row is done again from its beginning, so it changes nothing but the database.
        """
        if self._stopping or self._thread is None or not self._thread.is_alive():
            raise JournalStopped("the server is stopping")
        future = self._jobs.put(job, args)
        self._wake.set()
        return future

    def report_stall(self) -> None:
        """Logs where the writer is when one turn takes too long, once a turn; to be called now and then."""
        began, thread = self._turn_began, self._thread
        if began is None or thread is None or began == self._reported or time.monotonic() - began < STALLED_AFTER:
            return
        self._reported = began
        frame = sys._current_frames().get(thread.ident or 0)
        where = "".join(traceback.format_stack(frame)) if frame is not None else ""
        logger.error("The writer has been in one turn for %.0f s, at:\n%s", time.monotonic() - began, where)

    # The writer thread

    def _run(self) -> None:
        take_own_connection(TIME_OUTS)
        try:
            while self._turn():
                pass
            self._do_last()
        finally:
            self._thread_ended()

    def _turn(self) -> bool:
        """One round of jobs and one commit, or a wait for more; False when there is nothing left to stop for."""
        self._turn_began = time.monotonic()
        try:
            self._wake.clear()
            more_jobs = self._jobs.do_round()
            self._retry_held()
            due, next_due = self._due_logs()
            if due:
                self._commit(due)
            elif not more_jobs:
                if self._stopping and next_due is None:
                    return False
                self._turn_began = None
                due_in = LOOK_AGAIN if next_due is None else next_due - time.monotonic()
                self._wake.wait(min(max(0.0, due_in), LOOK_AGAIN))
        except BaseException:
            # The border: without its writer the process is good for nothing, so it goes on.
            logger.exception("A turn of the journal failed.")
            connection.close()
        return True

    def _do_last(self) -> None:
        if self._last is None:
            return
        try:
            with transaction.atomic():
                self._last()
        except (DatabaseError, InterfaceError):
            logger.warning("The writer's last job failed.", exc_info=True)

    def _thread_ended(self) -> None:
        connection.close()
        self._jobs.refuse_all(JournalStopped("the server has stopped"))

    def _due_logs(self) -> tuple[list[RunLog], float | None]:
        """The logs to take now, and when the next one is due (time.monotonic())."""
        now = time.monotonic()
        due: list[RunLog] = []
        others = [at for at in (self._jobs.next_due, self._held_due) if at is not None]
        next_due = min(others, default=None)
        with self._dirty_lock:
            waiting = [log for log in self._dirty if log.response_id not in self._held]
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
        release_producers(logs)
        self._write_and_publish(prepared)

    def _write_and_publish(self, prepared: list[Prepared], *, alone: bool = False) -> bool:
        """Whether this process may go on writing: False when its lease is lost."""
        try:
            written = self._write_all(prepared, alone=alone)
        except rows.WorkerLost:
            self._on_lost()
            return False
        except JournalStopped as stopped:
            self._give_up(prepared, stopped)
            return True
        metrics.EVENTS_COMMITTED.inc(sum(len(each.rows) for each in written))
        try:
            self._hub.publish([each.batch for each in written])
        finally:
            for each in written:
                if each.end is not None:
                    self._tell_end(each)
        return True

    def _tell_end(self, prepared: Prepared) -> None:
        try:
            self._on_end(prepared.response_id, prepared.batch)
        except Exception:
            # It is committed and published; what else follows an end must not keep the others from theirs.
            logger.exception("What follows the end of response %s failed.", prepared.response_id)

    def _give_up(self, prepared: list[Prepared], reason: Exception) -> None:
        """Nobody has seen these events, and nothing may follow them; whoever reaps this worker ends the runs."""
        logger.error("The last events of %d responses can't be stored.", len(prepared), exc_info=reason)
        for each in prepared:
            each.log.abandon()

    def _prepare(self, log: RunLog) -> Prepared | None:
        try:
            return prepare(log)
        except Exception as error:
            # What one run yielded must not cost the others their commit.
            logger.exception("The events of response %s can't be numbered.", log.response_id)
            self._on_fault(log, error)
            return None

    def _write_all(self, prepared: list[Prepared], *, alone: bool) -> list[Prepared]:
        """Writes them in one transaction, or else one by one; gives those that are in the log."""
        stored = [each for each in prepared if each.rows]
        if not stored:
            return prepared
        if not alone:
            try:
                self._insist(stored)
            except (rows.WorkerLost, JournalStopped):
                raise
            except Exception:  # noqa: BLE001 - whose fault it is, and what, is found out and logged one by one
                logger.debug("A commit failed; its %d responses are written one by one.", len(stored))
            else:
                return prepared
        refused = {id(each) for each in stored if not self._write_alone(each)}
        return [each for each in prepared if id(each) not in refused]

    def _write_alone(self, prepared: Prepared) -> bool:
        try:
            self._insist([prepared], HASTE)
        except (rows.WorkerLost, JournalStopped):
            raise
        except Locked as locked:
            self._hold(prepared, locked)
            return False
        except Exception as error:
            # The border: whatever the driver makes of one run's rows, the others' are written.
            logger.exception("The events of response %s can't be stored.", prepared.response_id)
            self._on_fault(prepared.log, error)
            return False
        return True

    # Note [locked rows]: a row that somebody else keeps locked (a migration, a console, a stuck process) must not hold
    # up every answer of this process. A commit waits 0.25 s for it; then each run is written alone and in haste, and
    # one that still meets the lock is held: its batch is numbered, so nothing more of it is taken until that is in.

    def _hold(self, prepared: Prepared, locked: Locked) -> None:
        if not prepared.held:
            logger.warning("Response %s waits for a row that is locked.", prepared.response_id, exc_info=locked)
        metrics.HELD_RUNS.inc(not prepared.held)
        prepared.held = True
        self._held[prepared.response_id] = prepared
        self._held_due = time.monotonic() + HELD_PAUSE

    def _retry_held(self) -> None:
        if self._held_due is None or time.monotonic() < self._held_due:
            return
        if self._is_out_of_time(bool(self._held)):
            held = list(self._held.values())
            self.drop_held()
            self._give_up(held, JournalStopped("their rows are locked and the server is stopping"))
            return
        until = time.monotonic() + HELD_TURN
        for response_id in list(self._held):
            if time.monotonic() > until:
                break  # one that is held once more goes to the end, so each has its turn
            if not self._write_and_publish([self._held.pop(response_id)], alone=True):
                return
        self._held_due = time.monotonic() + HELD_PAUSE if self._held else None

    def drop_held(self) -> None:
        """In the writer thread: forgets what waits for locked rows; its runs are given up."""
        self._held.clear()
        self._held_due = None

    def _is_out_of_time(self, unwritten: bool) -> bool:
        """Whether a stopping journal gives up what it can't write."""
        if not (self._stopping and unwritten):
            return False
        self._give_up_at = self._give_up_at or time.monotonic() + LAST_TRIES
        return time.monotonic() > self._give_up_at

    def _insist(self, prepared: list[Prepared], patience: float | None = None) -> None:
        """Writes all of `prepared`, waiting for a database that is away. Raises Locked after `patience` seconds.

        A connection that broke during COMMIT leaves it open whether the rows are in: they are
        looked up before they are sent again.
        """
        backoff = 0.05
        unsure = False
        while True:
            try:
                if unsure:
                    prepared = self._missing(prepared)
                    unsure = False
                if prepared:
                    self._transact(prepared, patience)
            except (DatabaseError, InterfaceError) as error:
                if not is_outage(error):
                    raise
                if is_locked(error) and not unsure:
                    raise Locked from error
                logger.warning("The database is away (%s); trying again in %.2f s.", error, backoff)
                connection.close()
                unsure = True
                if self._is_out_of_time(True):
                    raise JournalStopped("the database is away and the server is stopping") from error
                time.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
            else:
                return

    def _missing(self, prepared: list[Prepared]) -> list[Prepared]:
        """Those that aren't in the log. Raises WorkerLost: what stands at their numbers may then be the reaper's."""
        with transaction.atomic():
            if self.worker_id is not None:
                rows.confirm_lease(self.worker_id, alone=True)
            return [each for each in prepared if not is_stored(each)]

    @metrics.COMMIT_SECONDS.time()
    def _transact(self, prepared: list[Prepared], patience: float | None) -> None:
        events = [row for each in prepared for row in each.rows]
        ending = [each for each in prepared if each.end is not None]
        if not ending and patience is None and self.worker_id is not None and rows.is_fenced_in_one():
            rows.insert_events(events, self.worker_id)
            return
        with transaction.atomic():
            if patience is not None:
                wait_for_locks(patience)
            if self.worker_id is not None:
                rows.confirm_lease(self.worker_id)
            if ending:
                cancelled = rows.cancels_among(each.response_id for each in ending)
                for each in ending:
                    if each.response_id in cancelled and each.end is not None and each.end.status != "cancelled":
                        each.end_as_cancelled()
                rows.finish_responses(
                    [
                        rows.Finished(each.response_id, each.batch.through, each.log.transcript, each.end)
                        for each in ending
                        if each.end is not None
                    ]
                )
            # Taken from them anew: an end that became a cancel has another row than before.
            rows.insert_events([row for each in prepared for row in each.rows])
