"""The engine: one per process, made of journal, hub, control, loops and pools, and the runs in progress.

Owns their start and stop, this process's lease, and what happens to a run between its launch and the
commit of its end. Started by `manage.py serve`, by the ASGI application at its first request under a
plain server, and by test fixtures; never on import.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.translation import gettext_noop as _

from chats import limits, metrics
from chats.control import Control, Limits
from chats.following import resync
from chats.hub import Hub, Port
from chats.indexing import Indexing
from chats.journal import Journal, JournalStopped
from chats.lease import Lease
from chats.logcontext import run_context
from chats.loops import LoopPool
from chats.ormthreads import OrmThreads
from chats.pools import GrowingPool, QueryPool
from chats.protocol import Batch, ClosingCode, DoorError, encode_frame
from chats.relay import Relay, shared_layer
from chats.rows import AlreadyEnded
from chats.runlog import RunLog
from chats.runner import CANCELLED, ActiveRun, RunFacts, Stop, launch
from chats.tidying import Tidying
from chats.titles import TitleWriter
from handlers.clients import clients, metrics_client
from handlers.registry import registry

Prepare = Callable[[ActiveRun], Callable[[], AsyncGenerator[Any, None]]]

__all__ = ["Engine", "get_engine"]

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

SHUTDOWN = Stop("error", "shutdown", "The server was stopped while this answer was being written. Please ask again.")
NOT_STORED = Stop("error", "handler_error", "The answer could not be stored, so it was ended.")
STOP_PATIENCE = 3.0  # seconds
DATABASE_PATIENCE = 30.0  # seconds that a run may wait for the database before it begins
DATABASE_PAUSE = 0.25


class Engine:
    """See the module. `start` and `stop` may be called again; `drain` comes before a `stop` that is to be kind."""

    def __init__(self) -> None:
        self.runs: dict[str, ActiveRun] = {}
        self.starting: set[str] = set()  # responses whose start is being stored: launched next, or not at all
        self.hub = Hub()
        self.blocking_tasks: set[str] = set()  # handlers that broke their word to be cooperative
        self.accepting = False
        self._started = False
        self._lock = threading.Lock()

    # Start and stop

    def start(self) -> None:
        """Takes a lease, reaps what ended processes of this machine left, and begins to write."""
        with self._lock:
            if self._started:
                return
            registry.load()  # imports the handlers: no work for an event loop
            self._make_threads()
            self._make_log()
            self._make_control()
            self.journal.start()
            try:
                self.lease.take()
            except DatabaseError:
                self.journal.stop()
                raise
            self._started = self.accepting = True
            self.control.start()
            self._start_relay()
            atexit.register(self.stop)

    def _make_threads(self) -> None:
        """Where handlers run, and whatever may block. Their threads begin with their first work."""
        self.loops = LoopPool()
        self.orm_threads = OrmThreads()
        self.queries = QueryPool(6, "queries")
        self.preparing = GrowingPool("preparing")
        self.files = GrowingPool("files")  # a storage may hang
        self.titles = TitleWriter(self.queries, self.hub, self.write)
        self.tidying = Tidying(self.files, self.write)

    def _make_log(self) -> None:
        """The journal, and what writes through it for the whole process."""
        self.journal = Journal(
            self.hub,
            on_end=self._ended,
            on_fault=self._run_cannot_be_stored,
            on_lost=self._lease_lost,
        )
        self.indexing = Indexing(self.journal)
        self.lease = Lease(
            self.journal,
            self.runs,
            self.starting,
            on_lost=self._give_up_runs,
            on_cancel=self._cancel_here,
            on_reaped=self._publish_orphan,
        )

    def _make_control(self) -> None:
        """Which ends runs on time."""
        time_limits = Limits(
            settings.WORKBENCH_RUN_TIMEOUT,
            settings.WORKBENCH_FIRST_EVENT_TIMEOUT,
            settings.WORKBENCH_IDLE_TIMEOUT,
        )
        self.control = Control(
            self.runs,
            self.loops,
            time_limits,
            beat=self._beat,
            on_fenced=self._fenced,
            on_blocked=self._blocked,
            watch_writer=self.journal.report_stall,
        )

    def _start_relay(self) -> None:
        layer = shared_layer()
        self.relay = Relay(layer, self.hub, self._cancel_here) if layer is not None else None
        if self.relay is not None:
            self.relay.start()
            self.hub.relay, self.hub.relay_notice = self.relay.batches, self.relay.notice

    def _stop_relay(self) -> None:
        self.hub.relay = self.hub.relay_notice = None
        if self.relay is not None:
            self.relay.stop()

    @property
    def started(self) -> bool:
        return self._started

    async def drain(self, grace: float) -> None:
        """Takes no more runs, lets those in progress finish for `grace` seconds, ends the rest, closes sockets."""
        self.accepting = False
        await self._wait_until_idle(grace)
        for run in list(self.runs.values()):
            run.stop(SHUTDOWN)
        await self._wait_until_idle(STOP_PATIENCE)
        self.hub.everywhere(lambda port: _close_sinks(port, ClosingCode.RESTART))

    async def _wait_until_idle(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.runs and time.monotonic() < deadline:  # noqa: ASYNC110 - a poll that ends; runs end in other threads
            await asyncio.sleep(0.05)

    def stop(self) -> None:
        """Ends what still runs as `shutdown`, writes what waits, gives the lease back, ends the threads."""
        with self._lock:
            if not self._started:
                return
            self._started = self.accepting = False
            atexit.unregister(self.stop)
            for run in list(self.runs.values()):
                run.stop(SHUTDOWN, patience=0.2)
            deadline = time.monotonic() + STOP_PATIENCE
            while self.runs and time.monotonic() < deadline:
                time.sleep(0.02)
            self.control.stop()
            self.titles.stop()
            self.preparing.stop()
            self.files.stop()
            self.lease.stop()
            self.journal.stop(self.lease.give_back)
            self._stop_relay()
            self.loops.stop()
            clients.close_all()
            self.orm_threads.stop()
            self.queries.stop()
            self.runs.clear()
            self.starting.clear()
            self.blocking_tasks.clear()

    # For the doors

    def write(self, job: Callable[..., Result], *args: Any) -> Future[Result]:
        """Runs `job` in a transaction of the journal's thread; see Journal.write."""
        if not self._started:
            raise DoorError("unavailable", _("The server is starting or stopping; try again shortly."), retry_after=1)
        try:
            return self.journal.write(job, *args)
        except JournalStopped as error:
            raise DoorError("unavailable", _("The server is stopping; try again shortly."), retry_after=1) from error

    def require_capacity(self) -> None:
        """Raises DoorError unless this process can take one more run."""
        if not self.accepting:
            raise DoorError("unavailable", _("The server is stopping; try again shortly."), retry_after=2)
        if len(self.runs) >= settings.WORKBENCH_MAX_RUNS:
            metrics.RATE_LIMITED.labels("capacity").inc()
            raise DoorError("rate_limited", _("The server is at its limit of running answers."), retry_after=5)

    def launch(self, facts: RunFacts, prepare: Prepare) -> None:
        """Begins a run whose start, event 0, is committed. In the writer thread.

        `prepare` runs in a thread that may use the database and gives what begins the generator.
        """
        run = ActiveRun(facts, RunLog(facts.response_id, self.journal.mark, next_sequence=1))
        self.runs[facts.response_id] = run
        try:
            self.preparing.submit(self._prepare, run, prepare)
        except RuntimeError as error:  # no thread can be had, or the pool has stopped
            run.fail(error)
        self.hub.notify(facts.user_id, run_frame(facts, "running", 0))

    def _prepare(self, run: ActiveRun, prepare: Prepare) -> None:
        with run_context(run.facts):
            try:
                self._put_on_a_loop(run, prepare(run))
            except (OperationalError, InterfaceError) as error:
                self._prepare_again(run, prepare, error)
            except BaseException as error:  # noqa: BLE001 - the border: a handler's constructor may raise anything
                run.fail(error)

    def _prepare_again(self, run: ActiveRun, prepare: Prepare, error: Exception) -> None:
        """The database is away, which is no fault of the handler's: it gets a fresh connection a moment later."""
        if run.log.closed or run.stopping is not None or time.monotonic() - run.started_at > DATABASE_PATIENCE:
            run.fail(error)
            return
        logger.warning("The run of response %s can't begin now (%s); trying again.", run.response_id, error)
        time.sleep(DATABASE_PAUSE)
        try:
            self.preparing.submit(self._prepare, run, prepare)
        except RuntimeError:  # the pool has stopped
            run.fail(error)

    def _put_on_a_loop(self, run: ActiveRun, make_generator: Callable[[], AsyncGenerator[Any, None]]) -> None:
        if run.log.closed:
            return  # given up meanwhile: nothing of it could be written
        if run.stopping is not None:
            run.finish(run.stopping)
            return
        run.cooperative = run.cooperative and run.facts.task not in self.blocking_tasks
        launch(run, self.loops, self.orm_threads, make_generator, self._done)

    def cancel(self, response_id: str) -> None:
        """Makes a stored cancel effective, wherever the run is."""
        if not self._cancel_here(response_id) and self.relay is not None:
            self.relay.cancel(response_id)

    def _cancel_here(self, response_id: str) -> bool:
        run = self.runs.get(response_id)
        if run is not None:
            run.stop(CANCELLED)
        return run is not None

    # What happens to runs

    def _done(self, run: ActiveRun) -> None:
        """Nothing of the handler is left: its loop is free."""
        if run.loop is not None:
            self.loops.release(run.loop, run)

    def _fenced(self, run: ActiveRun) -> None:
        if run.loop is None:
            return
        logger.warning("The handler %s did not stop; response %s was ended for it.", run.facts.task, run.response_id)
        if not run.cooperative:
            self.loops.abandon(run.loop, run)

    def _blocked(self, task: str) -> None:
        self.blocking_tasks.add(task)
        metrics.BLOCKED_HANDLERS.labels(task).inc()

    def _ended(self, response_id: str, batch: Batch) -> None:
        """In the writer thread: the end is committed and published."""
        run = self.runs.pop(response_id, None)
        if run is not None:
            self.hub.notify(run.facts.user_id, run_frame(run.facts, batch.status or "error", batch.through))
            if batch.status == "completed":
                self.titles.offer(run.facts)
            _measure(run)
            self._count_tokens(run)

    def _count_tokens(self, run: ActiveRun) -> None:
        """Elsewhere: the writer waits for no broker. What isn't counted now is when the log is summed up again."""
        used = limits.tokens_of(run.log.end.usage) if run.log.end is not None else 0
        if used and limits.tokens_are_limited():
            self.queries.submit(limits.count_tokens, run.facts.user_id, used)

    def _run_cannot_be_stored(self, log: RunLog, error: BaseException) -> None:
        """In the writer thread: the database refuses this run's events for good, and only this run's."""
        self._forget(log.response_id)
        if isinstance(error, AlreadyEnded):
            return
        self.lease.end_response(log.response_id, NOT_STORED)

    def _forget(self, response_id: str) -> None:
        """Drops a run that somebody else ends: nothing of it is written any more."""
        self.hub.drop_position(response_id)
        run = self.runs.pop(response_id, None)
        if run is not None:
            run.log.abandon()
            run.cancel_task()

    # The lease

    def _beat(self) -> Future[None] | None:
        for port in self.hub.ports:
            port.post(partial(self._resync, port))
        beating = self.lease.beat()
        self.queries.submit(limits.refresh_places)
        self.indexing.look()
        self.tidying.look()
        return beating

    def _resync(self, port: Port) -> None:
        if port.listeners:
            port.spawn(resync(port, self.hub, self.queries))

    def _publish_orphan(self, facts: RunFacts, batch: Batch) -> None:
        metrics.REAPED_RUNS.inc()
        self.hub.publish([batch])
        self.hub.notify(facts.user_id, run_frame(facts, batch.status or "error", batch.through))

    def _lease_lost(self) -> None:
        self.lease.lost()

    def _give_up_runs(self) -> None:
        """In the writer thread: this process was taken for dead."""
        logger.error("This process's lease was ended by another; its %d runs are given up.", len(self.runs))
        for response_id in list(self.runs):
            self._forget(response_id)


def _measure(run: ActiveRun) -> None:
    """What is counted of every run, without its handler's doing."""
    end, log, task = run.log.end, run.log, run.facts.task
    if end is None:
        return
    seconds = time.monotonic() - run.started_at
    metrics_client.record_run(task, end.status, seconds, end.error_type, run.recorded)
    metrics.RUNS.labels(task, end.status).inc()
    if end.status == "error":
        metrics.RUN_ERRORS.labels(metrics.error_label(end.error_type)).inc()
    if log.began_at is not None:
        metrics.FIRST_EVENT_SECONDS.labels(task).observe(log.began_at - run.started_at)


def run_frame(facts: RunFacts, status: str, sequence: int) -> str:
    """The hint that a run began or ended."""
    return encode_frame(
        "run",
        chat_id=facts.chat_id,
        message_id=facts.message_id,
        response_id=facts.response_id,
        status=status,
        sequence=sequence,
    )


def _close_sinks(port: Port, code: int) -> None:
    sinks: Sequence[Any] = [sink for sinks in port.sinks.values() for sink in sinks]
    for sink in sinks:
        sink.close(code)


_engine = Engine()


def get_engine() -> Engine:
    """The engine of this process, started or not."""
    return _engine
