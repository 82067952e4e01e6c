"""The runner: drives one handler's generator from first to last `anext`, in one task.

Owns a run in progress: the handler's instance and task, what it yielded on its way to the log, and
how it ends (protocol §2, rules 3 to 5). Time-outs, cancels and the fence round a stubborn handler are
control.py's, which calls `stop` and `fence`; exactly one end is the RunLog's promise.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chats.logcontext import context_of, run_context
from chats.loops import HandlerLoop, LoopPool
from chats.ormthreads import OrmThreads
from chats.recorder import Recorder
from chats.runlog import End, RunLog
from handlers.clients.metrics import noted
from handlers.encoding import clean_text
from handlers.errors import HandlerError

__all__ = ["CANCELLED", "ActiveRun", "RunFacts", "Stop", "drive", "launch"]

logger = logging.getLogger(__name__)

EVENTS_A_TURN = 64
SECONDS_A_TURN = 0.005
SILENT_PAUSE = 0.001  # seconds, after a turn of events that left nothing in the log
TRACE_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run is to end before its handler does. `message` is for the user, as the last error."""

    status: str
    error_type: str | None = None
    message: str | None = None

    @property
    def end(self) -> End:
        return End(self.status, self.error_type)


CANCELLED = Stop("cancelled")


@dataclass(slots=True)
class RunFacts:
    """What identifies a run, for logs, limits and hints."""

    response_id: str
    chat_id: str
    message_id: str
    user_id: UUID
    task: str
    correlation_id: str
    model_id: str = ""


@dataclass(eq=False)
class ActiveRun:
    """One run in this process, from its launch until its end is committed."""

    facts: RunFacts
    log: RunLog
    started_at: float = field(default_factory=time.monotonic)
    last_event_at: float | None = None
    declared_end_at: float | None = None
    stop_at: float | None = None  # when the fence falls, once it was told to stop
    stopping: Stop | None = None
    loop: HandlerLoop | None = None
    task: asyncio.Task[None] | None = None
    held: bool = False  # waits for the writer; the clock doesn't run against it
    cooperative: bool = False
    recorded: set[str] = field(default_factory=set)  # the metrics that its handler recorded itself

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.log)
        self._lock = threading.Lock()

    @property
    def response_id(self) -> str:
        return self.facts.response_id

    def stop(self, reason: Stop, patience: float = 1.0) -> None:
        """Asks the handler to end; control fences it after `patience` seconds. The first reason stands."""
        with self._lock:
            if self.stopping is not None or self.log.closed:
                return
            self.stopping = reason
            self.stop_at = time.monotonic() + patience
        self.cancel_task()

    def cancel_task(self) -> None:
        """Has the handler's task cancelled; its response's end is another matter."""
        loop, task = self.loop, self.task
        if loop is not None and task is not None:
            loop.call(task.cancel)

    def attach(self, task: asyncio.Task[None]) -> None:
        """The task that drives it, known to the loop before its first step."""
        with self._lock:
            self.task = task
            stopping = self.stopping is not None
        if stopping:
            task.cancel()

    def fence(self) -> bool:
        """Ends it without its handler's help: whatever that still yields is dropped. False if it had ended."""
        return self.finish(self.stopping or CANCELLED)

    def fail(self, error: BaseException) -> None:
        """Ends it with what its handler raised."""
        finish_failed(self, error)

    def finish(self, stop: Stop | None = None, *, details: str | None = None) -> bool:
        """Writes the end: the handler's own, or `stop`'s. False if there was one."""
        if stop is None:
            return self.recorder.finish()
        words = None
        if stop.message is not None:
            words = self.recorder.error(stop.error_type or "handler_error", stop.message, details=details)
        return self.recorder.finish(stop.end, words)


async def drive(run: ActiveRun, make_generator: Callable[[], AsyncGenerator[Any, None]]) -> None:
    """Runs the handler to its end, whatever it does, and writes that end."""
    with run_context(run.facts), noted() as run.recorded:
        try:
            await _consume(run, make_generator())
        except asyncio.CancelledError:
            _finish_cancelled(run)
        except BaseException as error:  # noqa: BLE001 - the border: handlers may raise anything, SystemExit too
            finish_failed(run, error)
        else:
            run.finish(run.stopping)


async def _consume(run: ActiveRun, generator: AsyncGenerator[Any, None]) -> None:
    recorder, log = run.recorder, run.log
    count, silent, turn_began = 0, 0, time.monotonic()
    async with aclosing(generator):
        async for value in generator:
            now = time.monotonic()
            run.last_event_at = now
            if log.closed:
                _note_late(run)
                return
            recorder.take(value)
            if recorder.declared_end is not None and run.declared_end_at is None:
                run.declared_end_at = now
            count += 1
            if log.full:
                run.held = True
                await log.wait_for_room()
                run.held = False
                run.last_event_at = turn_began = time.monotonic()
            elif count % EVENTS_A_TURN == 0 or now - turn_began > SECONDS_A_TURN:
                # A generator that never suspends could not be cancelled, nor would its neighbours run. The log's
                # bounds slow one down that says something; one that says nothing would take a core for that.
                await asyncio.sleep(SILENT_PAUSE if recorder.silent - silent >= EVENTS_A_TURN else 0)
                silent, turn_began = recorder.silent, time.monotonic()


def _note_late(run: ActiveRun) -> None:
    logger.warning("Response %s has ended; what its handler still yields is dropped.", run.response_id)


def _finish_cancelled(run: ActiveRun) -> None:
    if run.stopping is not None:
        run.finish(run.stopping)
        return
    if run.log.closed:
        logger.info("The handler of response %s was stopped: that is ended elsewhere.", run.response_id)
        return
    # Nobody cancelled this run: the handler let a CancelledError of its own escape.
    finish_failed(run, RuntimeError("the handler raised CancelledError though nobody cancelled it"))


def finish_failed(run: ActiveRun, error: BaseException) -> None:
    """What escaped the handler becomes its response's last error, unless its end is decided already."""
    if run.stopping is not None:
        # It fell over while it was being stopped; the reason to stop stands, the fall goes to the audit.
        logger.warning("The handler failed while it was being stopped.", exc_info=error)
        run.recorder.note("failed_while_stopping", trace=_trace(error))
        run.finish(run.stopping)
        return
    if run.log.closed:
        logger.warning("The handler failed after its response had ended.", exc_info=error)
        return
    stop = _stop_for(run, error)
    logger.error("The handler %s failed (%s).", run.facts.task, stop.error_type, exc_info=error)
    run.finish(stop, details=_trace(error))


def _stop_for(run: ActiveRun, error: BaseException) -> Stop:
    reference = run.facts.correlation_id
    if isinstance(error, HandlerError):
        return Stop("error", clean_text(str(error.error_type)), clean_text(str(error.message)))
    message = f"Something went wrong while the answer was made. If you report it, give this reference: {reference}"
    return Stop("error", "handler_error", message)


def _trace(error: BaseException) -> str:
    detail = f"{error.detail}\n" if isinstance(error, HandlerError) and error.detail else ""
    text = detail + "".join(traceback.format_exception(error))[-TRACE_CHARACTERS:]
    return clean_text(text)


def launch(
    run: ActiveRun,
    pool: LoopPool,
    orm_threads: OrmThreads,
    make_generator: Callable[[], AsyncGenerator[Any, None]],
    on_done: Callable[[ActiveRun], None],
) -> None:
    """Puts a run on a loop. `on_done` is called there when nothing of it is left."""
    handler_loop = pool.shared(run) if run.cooperative else pool.acquire(run)
    run.loop = handler_loop

    def started(task: asyncio.Task[None]) -> None:
        task.add_done_callback(done)
        run.attach(task)

    def done(task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never entered `drive`.
        if not run.log.closed:
            run.finish(run.stopping or CANCELLED)
        if not task.cancelled() and task.exception() is not None:
            logger.error("Driving response %s failed.", run.response_id, exc_info=task.exception())
        on_done(run)

    handler_loop.spawn(_alone(run, orm_threads, make_generator), context_of(run.facts), started)


async def _alone(
    run: ActiveRun, orm_threads: OrmThreads, make_generator: Callable[[], AsyncGenerator[Any, None]]
) -> None:
    """Drives the run; then, on a loop of its own, clears what its handler started and forgot."""
    turn = orm_threads.enter()
    try:
        await drive(run, make_generator)
        leftovers = set() if run.cooperative else asyncio.all_tasks() - {asyncio.current_task()}
        for task in leftovers:
            task.cancel()
        if leftovers:
            await asyncio.wait(leftovers, timeout=1.0)
    finally:
        orm_threads.leave(turn)
