"""The use cases of runs: start one, cancel one, wait for its end. Every door comes through here.

Owns that a start is written before it is launched, and a cancel before it is signalled. Each asks whose
it is and raises DoorError. The synchronous forms are for threads, the others for event loops.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db import DatabaseError, transaction
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

Result = TypeVar("Result")

LOOK_AGAIN = 2.0  # seconds: an end's announcement may be lost, the database is asked


def start_run(user: User, body: StartBody) -> Started:
    """Stores and launches a run. Raises DoorError. Call it from a thread."""
    plan = plan_start(user, body)
    return plan if isinstance(plan, Started) else _result(get_engine().write(_start, plan))


async def astart_run(user: User, body: StartBody) -> Started:
    """The same from an event loop."""
    engine = get_engine()
    try:
        plan = await engine.preparing.run(plan_start, user, body)
        if isinstance(plan, Started):
            return plan
        return await asyncio.wrap_future(engine.write(_start, plan))
    except DatabaseError as error:
        raise _away() from error


def cancel_run(user: User, response_id: str) -> str:
    """Asks a run to end, and gives its status as it is now. Raises DoorError. Call it from a thread."""
    return _result(get_engine().write(_cancel, user, response_id))


async def acancel_run(user: User, response_id: str) -> str:
    """The same from an event loop."""
    try:
        return await asyncio.wrap_future(get_engine().write(_cancel, user, response_id))
    except DatabaseError as error:
        raise _away() from error


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


def _result(future: Future[Result]) -> Result:
    try:
        return future.result()
    except DatabaseError as error:
        raise _away() from error


def _away() -> DoorError:
    return DoorError("unavailable", "The database can't be reached. Nothing was started; try again.", retry_after=2)


# Jobs of the journal's thread, each in its transaction


def _start(plan: Plan) -> Started:
    repeated = find_repeated(plan)
    if repeated is not None:
        return repeated
    engine = get_engine()
    engine.require_capacity()
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
        transaction.on_commit(partial(engine.cancel, response_id))
