"""Following one response: what its log holds after a cursor, then what comes, in order, each once.

A Follower belongs to one connection (websocket or SSE) and one event loop. While it is live it passes
the hub's batches on as they come; when it is new, missed something, or its reader lagged behind, it
reads the log page by page until it has caught up. The cursor decides everything: what lies before it
is skipped, what lies beyond the next number means a gap, and a gap is read from the log. With `merge` adjacent deltas
come as one, live ones gathered (gathering.py).
"""

from __future__ import annotations

import asyncio
import json
import logging
import weakref
from collections import deque
from dataclasses import dataclass
from typing import Protocol, Self
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Max

from chats.gathering import Gatherer
from chats.hub import Hub, Opening, Port
from chats.merging import merge_events
from chats.metrics import EVENTS_REPLAYED
from chats.models import UNFINISHED, Event, Run
from chats.pools import QueryPool
from chats.protocol import Batch, WireEvent

__all__ = ["Follower", "Following", "Outlet", "Page", "positions_of", "read_page", "resync"]

logger = logging.getLogger(__name__)

PAGE_CHARACTERS = 256 * 1024
PAGE_ROWS = 2000
MAX_BACKLOG = 256  # batches kept while catching up; beyond it the log is read once more
BACKLOG_CHARACTERS = 1024 * 1024  # the same in characters, but for the last batch
FAULT_PAUSE = 1.0  # seconds before a failed read is tried again


@dataclass(slots=True)
class Page:
    """A stretch of the log as read; `more` when it was cut by its size."""

    batch: Batch
    more: bool


def read_page(response_id: str, after: int, merge: bool = False) -> Page:
    """The emitted events after `after`, about 256 KiB of them. Blocks on the database."""
    key = UUID(response_id)
    # The status first: if it is final, all its rows are there to be read.
    status = Run.objects.values_list("status", flat=True).get(pk=key)
    ended = status not in UNFINISHED
    rows = (
        Event.objects.filter(response_id=key, sequence__gt=after)
        .order_by("sequence")
        .values_list("sequence", "type", "emit", "payload", "timestamp")
    )
    most = PAGE_ROWS
    if connection.vendor == "sqlite":
        some = rows[: most + 1].iterator(chunk_size=20)
    else:
        # A cursor of the server's would ask it again for every few rows: ten times slower.
        most = _rows_that_fit(key, after)
        some = iter(rows[: most + 1])
    events: list[WireEvent] = []
    through, size, count, first, more = after, 0, 0, None, False
    for sequence, kind, emit, payload, timestamp in some:
        if count and (size + len(payload) > PAGE_CHARACTERS or count == most):
            more = True
            break
        through, count, first = sequence, count + 1, first or timestamp
        if kind == "response_end":  # it may have been committed since the status was read
            ended, status = True, json.loads(payload)["status"]
        if emit:
            events.append(WireEvent(kind, sequence, payload))
            size += len(payload)
    if not count and after >= 0 and not Event.objects.filter(response_id=key, sequence=after).exists():
        # The cursor isn't of this log (of a restored backup, say): the client starts over.
        page = read_page(response_id, -1, merge)
        page.batch.reset = True
        return page
    batch = Batch(
        response_id,
        after,
        through,
        merge_events(events) if merge else events,
        int(first.timestamp() * 1000) if first else 0,
        status if ended and not more else None,
    )
    return Page(batch, more)


ROWS_THAT_FIT = """
SELECT COUNT(*) FROM (
    SELECT SUM(OCTET_LENGTH(payload)) OVER (ORDER BY sequence) AS size FROM (
        SELECT sequence, payload FROM chats_event WHERE response_id = %s AND sequence > %s ORDER BY sequence LIMIT %s
    ) AS page
) AS sizes WHERE size <= %s
"""


def _rows_that_fit(key: UUID, after: int) -> int:
    """How many rows after `after` make a page: found by their sizes alone, since together they may be far too large."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS_THAT_FIT, [key, after, PAGE_ROWS, PAGE_CHARACTERS])
        return max(1, int(cursor.fetchone()[0]))


def positions_of(response_ids: list[str]) -> dict[str, tuple[int, bool]]:
    """How far each response's log is, and whether it has ended: one query for all that a process watches."""
    found = Run.objects.filter(pk__in=response_ids).annotate(last=Max("response__events__sequence"))
    return {
        str(pk): (-1 if last is None else last, status not in UNFINISHED)
        for pk, last, status in found.values_list("pk", "last", "status")
    }


class Outlet(Protocol):
    """Where a follower's batches go. Called on the loop.

    `turn` is held from waiting for room to putting the page: followers of one connection read one by one,
    or all would see the same room and fill it many times over.
    """

    turn: asyncio.Lock

    def put(self, batch: Batch) -> None:
        """Takes a batch to send. Never waits."""

    async def room(self) -> None:
        """Returns when a further page may be put."""

    @property
    def lagging(self) -> bool:
        """Whether the reader is so far behind that live batches had better be read from the log later."""

    def ended(self, follower: Follower) -> None:
        """The response's end was put: nothing follows."""


class Follower:
    """See the module."""

    def __init__(
        self, response_id: str, after: int, outlet: Outlet, hub: Hub, pool: QueryPool, *, merge: bool = False
    ) -> None:
        self.response_id = response_id
        self.cursor = after
        self.finished = False
        self._outlet = outlet
        self._hub = hub
        self._pool = pool
        self._merge = merge
        self._gatherer = Gatherer(outlet.put) if merge else None
        self._port: Port | None = None
        self._backlog: deque[Batch] = deque()
        self._backlog_size = 0
        self._opening: tuple[Batch, ...] = ()
        self._catching_up: asyncio.Task[None] | None = None

    def begin(self, opening: Opening | None = None) -> None:
        """Goes live at once if the cursor is where a local run is, else catches up first.

        `opening` is what a start has just begun: with it nothing has to be read.
        """
        self._port = self._hub.port()
        self._port.listen(self)
        if opening is not None:
            self._opening = tuple(opening.batches)
            for batch in self._opening:
                self._pass_on(batch)
            if not opening.whole:
                self.catch_up()
        elif self._hub.position(self.response_id) != self.cursor:
            self.catch_up()

    def stop(self) -> None:
        self.finished = True
        if self._gatherer is not None:
            self._gatherer.drop()
        if self._port is not None:
            self._port.leave(self)
        if self._catching_up is not None:
            self._catching_up.cancel()

    def offer(self, batch: Batch) -> None:
        """The hub's: a committed batch."""
        if self.finished:
            return
        if self._opening:
            if any(batch is known for known in self._opening):
                return
            self._opening = ()
        if self._catching_up is not None:
            self._keep(batch)
        elif self._outlet.lagging or batch.after > self.cursor:
            self._keep(batch)
            self.catch_up()
        else:
            self._pass_on(batch)

    def _keep(self, batch: Batch) -> None:
        """For when the log is read. Of too much the oldest goes: it is a gap then, and read as well."""
        self._backlog.append(batch)
        self._backlog_size += batch.size
        while len(self._backlog) > 1 and (len(self._backlog) > MAX_BACKLOG or self._backlog_size > BACKLOG_CHARACTERS):
            self._backlog_size -= self._backlog.popleft().size

    def nudge(self, last: int, ended: bool) -> None:
        """The log is known to reach `last`: reads it, if that is news."""
        if not self.finished and (last > self.cursor or ended):
            self.catch_up()

    def catch_up(self) -> None:
        if self._catching_up is None and not self.finished:
            self._catching_up = asyncio.get_running_loop().create_task(self._read_the_log())
            self._catching_up.add_done_callback(self._caught_up)

    def _pass_on(self, batch: Batch) -> None:
        if batch.after < self.cursor:
            if batch.through <= self.cursor:
                return
            batch = batch.since(self.cursor)
        self.cursor = batch.through
        if self._gatherer is not None:
            self._gatherer.take(batch)
        else:
            self._outlet.put(batch)
        if batch.status is not None:
            self._finish()

    def _finish(self) -> None:
        self.finished = True
        if self._port is not None:
            self._port.leave(self)
        self._outlet.ended(self)

    async def _read_the_log(self) -> None:
        """Puts page after page until what came meanwhile joins on. `stop` cancels it."""
        while True:
            try:
                async with self._outlet.turn:
                    await self._outlet.room()
                    page = await self._pool.run(read_page, self.response_id, self.cursor, self._merge)
                    self._put_page(page)
            except (DatabaseError, InterfaceError):
                logger.warning("Response %s can't be read now; trying again.", self.response_id, exc_info=True)
                await asyncio.sleep(FAULT_PAUSE)
                continue
            if page.batch.status is not None or (not page.more and self._backlog_fits()):
                return

    def _put_page(self, page: Page) -> None:
        batch = page.batch
        EVENTS_REPLAYED.inc(len(batch.events))
        if self._gatherer is not None:
            self._gatherer.flush()  # what comes before it
        self.cursor = batch.through
        # An empty last page is sent too: it tells who was there already that nothing follows.
        if batch.through > batch.after or batch.status is not None:
            self._outlet.put(batch)
        if batch.status is not None:
            self._finish()

    def _backlog_fits(self) -> bool:
        """Whether what came meanwhile joins what was read without a gap."""
        return not self._backlog or self._backlog[0].after <= self.cursor

    def _caught_up(self, task: asyncio.Task[None]) -> None:
        self._catching_up = None
        if task.cancelled() or self.finished:
            return
        if task.exception() is not None:
            logger.error("Following response %s failed; trying again.", self.response_id, exc_info=task.exception())
            asyncio.get_running_loop().call_later(FAULT_PAUSE, self.catch_up)
            return
        backlog, self._backlog, self._backlog_size = self._backlog, deque(), 0
        for batch in backlog:
            self.offer(batch)


async def resync(port: Port, hub: Hub, pool: QueryPool) -> None:
    """Has followers of responses that run elsewhere catch up. A lost last hint leaves no gap to see."""
    elsewhere = [response_id for response_id in port.listeners if hub.position(response_id) is None]
    if not elsewhere:
        return
    try:
        positions = await pool.run(positions_of, elsewhere)
    except (DatabaseError, InterfaceError):
        logger.warning("The watched responses can't be looked up now.", exc_info=True)
        return
    for response_id, (last, ended) in positions.items():
        for listener in tuple(port.listeners.get(response_id, ())):
            listener.nudge(last, ended)


class _Queue:
    """An outlet that a single reader takes from."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._size = 0
        self.turn = asyncio.Lock()
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self.done = False

    def put(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._size += batch.size
        self._arrived.set()

    async def room(self) -> None:
        while self.lagging:
            self._taken.clear()
            await self._taken.wait()

    @property
    def lagging(self) -> bool:
        return self._size > PAGE_CHARACTERS

    def ended(self, follower: Follower) -> None:
        self.done = True
        self._arrived.set()

    async def get(self) -> Batch | None:
        """The next batch; None after the last."""
        while not self._batches:
            if self.done:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        batch = self._batches.popleft()
        self._size -= batch.size
        self._taken.set()
        return batch


class Following:
    """Batches after the cursor, then live, until the one whose `status` is set, for one reader.

    It has its place in the hub from the moment it is made (on the reader's loop), so that no unstored event
    is missed before the first read. `aclose`, or `close` from any thread, gives the place up; so does its
    being forgotten.
    """

    def __init__(
        self,
        response_id: str,
        after: int,
        hub: Hub,
        pool: QueryPool,
        *,
        merge: bool = False,
        opening: Opening | None = None,
    ) -> None:
        self._outlet = _Queue()
        self._follower = Follower(response_id, after, self._outlet, hub, pool, merge=merge)
        self.close = weakref.finalize(self, _stop_from_anywhere, asyncio.get_running_loop(), self._follower)
        self.close.atexit = False
        self._follower.begin(opening)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Batch:
        batch = await self._outlet.get()
        if batch is None:
            raise StopAsyncIteration
        return batch

    async def aclose(self) -> None:
        self._follower.stop()


def _stop_from_anywhere(loop: asyncio.AbstractEventLoop, follower: Follower) -> None:
    if not follower.finished:
        try:
            loop.call_soon_threadsafe(follower.stop)
        except RuntimeError:
            logger.debug("The loop of a forgotten reader is closed.")
