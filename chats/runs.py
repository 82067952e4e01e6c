"""The use cases of runs: start one, cancel one, wait for its end. Every door comes through here.

Owns that a start is written before it is launched, and a cancel before it is signalled. Each asks whose
it is and raises DoorError. The synchronous forms are for threads, the others for event loops.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from chats import limits, reading
from chats.engine import Engine, get_engine
from chats.handover import hand_over
from chats.models import UNFINISHED, Chat, Run
from chats.orphans import facts_of
from chats.protocol import Batch, DoorError, StartBody, encode_frame, is_uuid7
from chats.rows import confirm_lease
from chats.starts import Plan, Started, Stored, find_repeated, plan_start, store_start

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Started", "acancel_run", "astart_run", "cancel_run", "cancel_runs_of", "start_run", "wait_for_end"]

logger = logging.getLogger(__name__)

PATIENCE = 20.0  # seconds that a thread waits for the writer
PAUSES = (0.05, 0.25, 0.5, 1.0, 2.0)  # seconds between the tries of a start whose COMMIT was cut off
LOOK_AGAIN = 2.0  # seconds: an end's announcement may be lost, the database is asked


def start_run(user: User, body: StartBody) -> Started:
    """Stores and launches a run. Raises DoorError. Call it from a thread."""
    with _database_faults():
        plan = _plan(user, body)
        if isinstance(plan, Started):
            return plan
        with _Attempt(plan) as attempt:
            while True:
                try:
                    return get_engine().write(attempt.store).result(PATIENCE)
                except (IntegrityError, OperationalError, InterfaceError) as error:
                    time.sleep(attempt.pause_after(error))


async def astart_run(user: User, body: StartBody) -> Started:
    """The same from an event loop."""
    engine = get_engine()
    with _database_faults():
        plan = await engine.preparing.run(_plan, user, body)
        if isinstance(plan, Started):
            return plan
        with _Attempt(plan) as attempt:
            while True:
                try:
                    return await asyncio.wrap_future(engine.write(attempt.store))
                except (IntegrityError, OperationalError, InterfaceError) as error:
                    await asyncio.sleep(attempt.pause_after(error))


def _plan(user: User, body: StartBody) -> Plan | Started:
    """The plan, counted against the user's limits. Raises DoorError."""
    plan = plan_start(user, body)
    if isinstance(plan, Started):
        return plan
    try:
        limits.take_start(user.pk)
    except DoorError:
        # What was taken once stays taken, and may be asked for as often as the client likes.
        repeated = find_repeated(plan)
        if repeated is None:
            raise
        return repeated
    return plan


def _give_back(user: User) -> None:
    engine = get_engine()
    try:
        if engine.started:
            engine.queries.submit(limits.give_back_start, user.pk)
    except RuntimeError:
        logger.debug("A start was refused since the server stops; it stays counted for a minute.")


def cancel_run(user: User, response_id: str) -> str:
    """Asks a run to end, and gives its status as it is now. Raises DoorError. Call it from a thread."""
    with _database_faults():
        return get_engine().write(_cancel, user, response_id).result(PATIENCE)


async def acancel_run(user: User, response_id: str) -> str:
    """The same from an event loop."""
    with _database_faults():
        return await asyncio.wrap_future(get_engine().write(_cancel, user, response_id))


@contextmanager
def _database_faults() -> Iterator[None]:
    """A database that is away becomes a refusal; any other fault of it is a bug, and stays one."""
    try:
        yield
    except (OperationalError, InterfaceError, TimeoutError) as error:
        logger.warning("The database is away.", exc_info=error)
        message = "The database can't be reached now; try again. With the same request_id nothing is started twice."
        raise DoorError("unavailable", message, retry_after=2) from error


def cancel_runs_of(chat: Chat) -> None:
    """Asks all runs of a chat to end. Only within a job of the journal's thread."""
    _ask_to_cancel(Run.objects.filter(chat=chat))


async def wait_for_end(response_id: str) -> None:
    """Returns when the response's end is committed, wherever it runs."""
    waiter = _EndWaiter(response_id)
    engine = get_engine()
    port = engine.hub.port()
    port.listen(waiter)
    try:
        while not await engine.queries.run(_has_ended, response_id):
            try:
                async with asyncio.timeout(LOOK_AGAIN):
                    await waiter.ended.wait()
            except TimeoutError:
                continue
    finally:
        port.leave(waiter)


class _EndWaiter:
    """Hears of one response's end."""

    def __init__(self, response_id: str) -> None:
        self.response_id = response_id
        self.ended = asyncio.Event()

    def offer(self, batch: Batch) -> None:
        if batch.status is not None:
            self.ended.set()

    def nudge(self, last: int, ended: bool) -> None:
        if ended:
            self.ended.set()


def _has_ended(response_id: str) -> bool:
    return not Run.objects.filter(pk=UUID(response_id), status__in=UNFINISHED).exists()


# Jobs of the journal's thread, each in its transaction


class _Attempt:
    """One start, stored in as many tries as that takes.

    A connection that broke during COMMIT leaves it open whether the start is stored, and then nobody has launched it:
    it is looked for and launched after all, or else stored once more. As long as that isn't settled, the beat must
    not take it for one whose launch failed. What was counted is given back for one that turns out to be none: refused,
    or sent before.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._pauses = iter(PAUSES)
        self._conflicts = 0
        self._uncertain: Stored | None = None
        self._starting: set[str] = set()  # what this has added to the engine's
        self._began = self._left = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._left = True
        get_engine().starting.difference_update(self._starting)
        # Whoever leaves while it's being stored doesn't take it back.
        if not self._began and not (kind and issubclass(kind, asyncio.CancelledError | TimeoutError)):
            _give_back(self._plan.user)

    def store(self) -> Started:
        """A job of the journal's thread."""
        engine = get_engine()
        if self._uncertain is not None and _is_stored(engine, self._uncertain):
            self._began = True
            return self._launch_later(engine, self._uncertain)
        repeated = find_repeated(self._plan)
        if repeated is not None:
            return repeated
        engine.require_capacity()
        engine.lease.require()
        self._uncertain = store_start(self._plan, engine.journal.worker_id)
        self._began = True
        if not self._left:
            self._starting.add(self._uncertain.started.response_id)
            engine.starting.update(self._starting)
        return self._launch_later(engine, self._uncertain)

    def _launch_later(self, engine: Engine, stored: Stored) -> Started:
        # Robust: it is committed, so whatever fails now the caller has its run; a stray is ended at the next beat.
        transaction.on_commit(lambda: _launch(engine, stored), robust=True)
        return stored.started

    def pause_after(self, error: Exception) -> float:
        """Seconds until the next try. Raises `error` where that would be of no use."""
        self._began = False
        if isinstance(error, IntegrityError):
            # Another process has just made the same: this very request, or the chat of that name. Now it's found.
            self._uncertain = None
            self._conflicts += 1
            if self._conflicts == 1:
                return 0.0
            raise error
        if self._uncertain is None:
            raise error
        pause = next(self._pauses, None)
        if pause is None:
            raise error
        return pause


def _is_stored(engine: Engine, uncertain: Stored) -> bool:
    """Whether a start whose COMMIT was cut off is in the database, and nothing of it is on its way any more."""
    engine.lease.require()
    worker_id = engine.journal.worker_id
    if worker_id is not None:
        confirm_lease(worker_id, alone=True)
    return Run.objects.filter(pk=uncertain.run.pk, worker=worker_id, status__in=UNFINISHED).exists()


def _launch(engine: Engine, stored: Stored) -> None:
    run = stored.run
    engine.starting.discard(str(run.pk))
    engine.hub.open(stored.opening)
    engine.launch(facts_of(run), partial(hand_over, run, stored.handler))
    if stored.chat_created:
        change, chat = "created", reading.represent_chat(run.chat, [str(run.pk)])
    else:
        change, chat = "updated", reading.represent_chats([run.chat])[0]
    engine.hub.notify(run.user_id, encode_frame("chat", change=change, chat=chat))


def _cancel(user: User, response_id: str) -> str:
    found = Run.objects.visible_to(user).filter(pk=UUID(response_id)) if is_uuid7(response_id) else Run.objects.none()
    if not found.exists():
        raise DoorError("not_found", _("There is no such response, or it isn't yours."), response_id=response_id)
    _ask_to_cancel(found)
    return found.values_list("status", flat=True).get()


def _ask_to_cancel(runs: QuerySet[Run]) -> None:
    # In the order in which a commit locks those that end.
    unfinished = runs.filter(status__in=UNFINISHED).order_by("pk").select_for_update(no_key=True, of=("self",))
    asked = [str(pk) for pk in unfinished.values_list("pk", flat=True)]
    Run.objects.filter(pk__in=asked, status__in=UNFINISHED, cancel_requested_at=None).update(
        cancel_requested_at=timezone.now()
    )
    engine = get_engine()
    for response_id in asked:
        # Robust: it is stored, so the beat makes it effective if this fails.
        transaction.on_commit(partial(engine.cancel, response_id), robust=True)
