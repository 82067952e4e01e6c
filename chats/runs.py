"""The use cases of runs: start one, cancel one, wait for its end. Every door comes through here.

Owns that a start is written before it is launched, and a cancel before it is signalled. Each asks whose
it is and raises DoorError. The synchronous forms are for threads, the others for event loops.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from chats import reading
from chats.engine import Engine, get_engine
from chats.handover import hand_over
from chats.models import UNFINISHED, Chat, Run
from chats.orphans import facts_of
from chats.protocol import Batch, DoorError, StartBody, encode_frame, is_uuid7
from chats.starts import Plan, Started, Stored, find_repeated, plan_start, store_start

if TYPE_CHECKING:
    from workbench.models import User

__all__ = ["Started", "acancel_run", "astart_run", "cancel_run", "cancel_runs_of", "start_run", "wait_for_end"]

logger = logging.getLogger(__name__)

PATIENCE = 20.0  # seconds that a thread waits for the writer
LOOK_AGAIN = 2.0  # seconds: an end's announcement may be lost, the database is asked


def start_run(user: User, body: StartBody) -> Started:
    """Stores and launches a run. Raises DoorError. Call it from a thread."""
    with _database_faults():
        plan = plan_start(user, body)
        if isinstance(plan, Started):
            return plan
        try:
            return get_engine().write(_start, plan).result(PATIENCE)
        except IntegrityError:
            # Another process has just made the same: this very request, or the chat of that name. Now it's found.
            return get_engine().write(_start, plan).result(PATIENCE)


async def astart_run(user: User, body: StartBody) -> Started:
    """The same from an event loop."""
    engine = get_engine()
    with _database_faults():
        plan = await engine.preparing.run(plan_start, user, body)
        if isinstance(plan, Started):
            return plan
        try:
            return await asyncio.wrap_future(engine.write(_start, plan))
        except IntegrityError:
            return await asyncio.wrap_future(engine.write(_start, plan))


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


def _start(plan: Plan) -> Started:
    repeated = find_repeated(plan)
    if repeated is not None:
        return repeated
    engine = get_engine()
    engine.require_capacity()
    engine.require_lease()
    stored = store_start(plan, engine.journal.worker_id)
    # Robust: it is committed, so whatever fails now the caller has its run; a stray is ended at the next beat.
    transaction.on_commit(lambda: _launch(engine, stored), robust=True)
    return stored.started


def _launch(engine: Engine, stored: Stored) -> None:
    run = stored.run
    engine.hub.open(stored.opening)
    engine.launch(facts_of(run), partial(hand_over, run))
    if stored.chat_created:
        change, chat = "created", reading.represent_chat(run.chat, [str(run.pk)])
    else:
        change, chat = "updated", reading.represent_chats([run.chat])[0]
    engine.hub.notify(run.user_id, encode_frame("chat", change=change, chat=chat))


def _cancel(user: User, response_id: str) -> str:
    found = Run.objects.visible_to(user).filter(pk=UUID(response_id)) if is_uuid7(response_id) else Run.objects.none()
    if not found.exists():
        raise DoorError("not_found", "There is no such response, or it isn't yours.", response_id=response_id)
    _ask_to_cancel(found)
    return found.values_list("status", flat=True).get()


def _ask_to_cancel(runs: QuerySet[Run]) -> None:
    asked = [str(pk) for pk in runs.filter(status__in=UNFINISHED).values_list("pk", flat=True)]
    Run.objects.filter(pk__in=asked, status__in=UNFINISHED, cancel_requested_at=None).update(
        cancel_requested_at=timezone.now()
    )
    engine = get_engine()
    for response_id in asked:
        # Robust: it is stored, so the beat makes it effective if this fails.
        transaction.on_commit(partial(engine.cancel, response_id), robust=True)
