"""Control: what keeps every run within its bounds, on a thread that no handler can hold.

Owns time-outs, the fence round a handler that won't stop, the watch over the shared loop, and the beat
of this process's lease, with which it hears of cancels that nobody signalled and of dead workers.
The writes themselves are jobs of the journal's thread (orphans.py).
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from chats.loops import HandlerLoop, LoopPool
from chats.runner import ActiveRun, Stop

__all__ = ["Control", "Limits"]

logger = logging.getLogger(__name__)

TICK = 0.1
BEAT = 2.0
END_PATIENCE = 5.0  # seconds that a handler may go on after its own end event
BLOCKED_AFTER = 0.25  # seconds without a sign of life from the shared loop


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a run may take: in all, to its first event, and between two."""

    run: float
    first_event: float
    idle: float


class Control:
    """See the module. `beat` is called every two seconds and gives a future, or None while it can't."""

    def __init__(
        self,
        runs: Mapping[str, ActiveRun],
        loops: LoopPool,
        limits: Limits,
        *,
        beat: Callable[[], Future[None] | None],
        on_fenced: Callable[[ActiveRun], None],
        on_blocked: Callable[[str], None],
        watch_writer: Callable[[], None],
    ) -> None:
        self.limits = limits
        self._runs = runs
        self._loops = loops
        self._beat = beat
        self._on_fenced = on_fenced
        self._on_blocked = on_blocked
        self._watch_writer = watch_writer
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_beat = 0.0
        self._beating: Future[None] | None = None
        self._suspect: tuple[object, float] | None = None  # a task's step, and since when the loop is in it

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(TICK):
            try:
                self._tick()
            except Exception:
                # The border: without control no run would ever be stopped, so it goes on.
                logger.exception("A turn of the control thread failed.")

    def _tick(self) -> None:
        now = time.monotonic()
        for run in list(self._runs.values()):
            if not run.log.closed:
                self._check_alone(run, now)
        self._watch_shared_loop()
        self._watch_writer()
        if now - self._last_beat >= BEAT and (self._beating is None or self._beating.done()):
            self._last_beat = now
            self._beating = self._beat()

    def _check_alone(self, run: ActiveRun, now: float) -> None:
        try:
            self._check(run, now)
        except Exception:
            # What is wrong with one run must cost neither the others their bounds nor this process its lease.
            logger.exception("Response %s can't be kept within its bounds.", run.response_id)

    def _check(self, run: ActiveRun, now: float) -> None:
        if run.stop_at is not None:
            if now >= run.stop_at and run.fence():
                self._on_fenced(run)
        elif run.declared_end_at is not None:
            if now - run.declared_end_at > END_PATIENCE:
                run.recorder.note("still_running_after_its_end")
                run.finish()
                run.cancel_task()
        elif not run.held:
            stop = self._overdue(run, now)
            if stop is not None:
                run.stop(stop)

    def _overdue(self, run: ActiveRun, now: float) -> Stop | None:
        limits = self.limits
        if now - run.started_at > limits.run:
            return _timed_out("timeout", f"The answer took longer than {limits.run:g} seconds and was stopped.")
        if run.last_event_at is None:
            if now - run.started_at > limits.first_event:
                text = f"No answer began within {limits.first_event:g} seconds, so it was stopped."
                return _timed_out("first_event_timeout", text)
        elif now - run.last_event_at > limits.idle:
            return _timed_out("idle_timeout", f"Nothing came for {limits.idle:g} seconds, so the answer was stopped.")
        return None

    # The shared loop

    def _watch_shared_loop(self) -> None:
        loop = self._loops.shared_if_any
        if loop is None or loop.ask_for_life() < BLOCKED_AFTER:
            self._suspect = None
            return
        # A busy loop is slow to answer too: only a task that stays in one step blocks it.
        task, now = loop.current_task(), time.monotonic()
        run = self._runs.get(loop.owner_of(task) or "") if task else None
        step = (task, run.last_event_at if run else None)
        if self._suspect is None or self._suspect[0] != step:
            self._suspect = (step, now)
        elif now - self._suspect[1] >= BLOCKED_AFTER:
            if run is not None:
                self._name_culprit(run, loop, now - self._suspect[1])
            # Whoever comes next isn't held up by it.
            self._loops.retire_shared(loop)

    def _name_culprit(self, run: ActiveRun, loop: HandlerLoop, silent_for: float) -> None:
        frame = sys._current_frames().get(loop.thread.ident or 0)
        where = "".join(traceback.format_stack(frame, limit=3)) if frame is not None else ""
        logger.warning(
            "The handler %s says that it is cooperative and has blocked the shared loop for %.0f ms at:\n%s"
            "From its next run on it gets a thread of its own.",
            run.facts.task,
            silent_for * 1000,
            where,
        )
        run.recorder.note("blocked_the_shared_loop", milliseconds=round(silent_for * 1000), where=where)
        self._on_blocked(run.facts.task)


def _timed_out(error_type: str, message: str) -> Stop:
    return Stop("error", error_type, message)
