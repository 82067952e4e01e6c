"""The hub: who in this process hears of what was committed, and of what changed in a user's chats.

Owns the fan-out. Committed batches come from the journal's thread and are handed to every event loop
that has listeners (a port each, one wake-up per commit), there to followers by response and to sinks
by user, all by reference. Pub/sub between processes (relay.py) goes through the same two calls.
Nothing here is the truth: a listener that misses something reads the log.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from chats.metrics import EVENTS_PUBLISHED
from chats.protocol import Batch

__all__ = ["Hub", "Listener", "Opening", "Port", "UserSink"]

logger = logging.getLogger(__name__)
MOST_OPENING = 32  # batches
MOST_OPENING_CHARACTERS = 256 * 1024  # of payload in them
Key = TypeVar("Key")
Member = TypeVar("Member")


class Listener(Protocol):
    """Follows one response. Called on its port's loop; must not block or raise."""

    response_id: str

    def offer(self, batch: Batch) -> None:
        """Takes a committed batch."""

    def nudge(self, last: int, ended: bool) -> None:
        """Hears that the log reaches `last`, and whether the run has ended."""


class UserSink(Protocol):
    """One connection of a user. Called on its port's loop; must not block or raise."""

    user_id: UUID

    def notice(self, frame: str) -> None:
        """Takes a frame for all the user's connections."""

    def close(self, code: int) -> None:
        """Ends the connection, with a websocket close code."""


class Opening:
    """A response's first batches, kept for whoever started it: an unstored event is sent once, and the run may
    yield one before its starter listens. `whole` while nothing has been left out."""

    def __init__(self, first: Batch) -> None:
        self.batches = [first]
        self.whole = True
        self._room = MOST_OPENING_CHARACTERS

    def add(self, batch: Batch) -> None:
        """Keeps the next batch, or is whole no more."""
        self._room -= sum(len(event.payload) for event in batch.events)
        if len(self.batches) < MOST_OPENING and self._room >= 0:
            self.batches.append(batch)
        else:
            self.whole = False


class Port:
    """The listeners of one event loop. All but `post` and `call` belong to that loop."""

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._hub = hub
        self._inbox: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._scheduled = False
        self._delivering = False
        self.listeners: dict[str, set[Listener]] = {}
        self.sinks: dict[UUID, set[UserSink]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, listener: Listener) -> None:
        self.listeners.setdefault(listener.response_id, set()).add(listener)

    def leave(self, listener: Listener) -> None:
        _discard(self.listeners, listener.response_id, listener)

    def add_sink(self, sink: UserSink) -> None:
        self.sinks.setdefault(sink.user_id, set()).add(sink)

    def remove_sink(self, sink: UserSink) -> None:
        _discard(self.sinks, sink.user_id, sink)

    def post(self, call: Callable[[], None]) -> None:
        """From any thread: has `call` run on the loop, in order, many in one wake-up."""
        with self._lock:
            self._inbox.append(call)
            if self._scheduled:
                return
            self._scheduled = True
        try:
            self.loop.call_soon_threadsafe(self._drain)
        except RuntimeError:
            self._hub.forget(self)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` as a task of this loop, held until it ends; what it raises is logged."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("A task of the hub failed.", exc_info=task.exception())

    @property
    def behind(self) -> bool:
        """Whether something posted hasn't gone out yet."""
        return (self._scheduled or self._delivering) and not self.loop.is_closed()

    def _drain(self) -> None:
        with self._lock:
            calls, self._inbox = self._inbox, deque()
            self._delivering = True
            self._scheduled = False
        for call in calls:
            try:
                call()
            except Exception:
                # The border: one listener's fault is its own; what it missed, it reads from the log.
                logger.exception("A listener failed.")
        # The senders that these calls woke run before this does.
        self.loop.call_soon(self._delivered)

    def _delivered(self) -> None:
        self._delivering = False
        self._hub.delivered()

    def deliver(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            for listener in tuple(self.listeners.get(batch.response_id, ())):
                listener.offer(batch)

    def deliver_notice(self, user_id: UUID, frame: str) -> None:
        for sink in tuple(self.sinks.get(user_id, ())):
            sink.notice(frame)


def _discard(table: dict[Key, set[Member]], key: Key, member: Member) -> None:
    members = table.get(key)
    if members is not None:
        members.discard(member)
        if not members:
            del table[key]


class Hub:
    """See the module. `relay`, where set, carries both kinds of news to other processes."""

    def __init__(self) -> None:
        self.relay: Callable[[Sequence[Batch]], None] | None = None
        self.relay_notice: Callable[[UUID, str], None] | None = None
        self._ports: tuple[Port, ...] = ()
        self._lock = threading.Lock()
        self._delivered = threading.Event()
        self._positions: dict[str, int] = {}
        self._openings: dict[str, Opening] = {}

    def port(self) -> Port:
        """The port of the running loop."""
        loop = asyncio.get_running_loop()
        for port in self._ports:
            if port.loop is loop:
                return port
        with self._lock:
            port = Port(self, loop)
            self._ports = (*(each for each in self._ports if not each.loop.is_closed()), port)
        return port

    @property
    def ports(self) -> tuple[Port, ...]:
        return self._ports

    def forget(self, port: Port) -> None:
        """Drops the port of a loop that is closed."""
        with self._lock:
            self._ports = tuple(each for each in self._ports if each is not port)

    # What was committed

    def position(self, response_id: str) -> int | None:
        """Up to where a response that runs here was published; None where it doesn't run here."""
        return self._positions.get(response_id)

    def open(self, opening: Opening) -> None:
        """Publishes a response's first batch, and has the next ones kept in its opening for a while."""
        first = opening.batches[0]
        self.publish([first])
        self._openings[first.response_id] = opening

    def _keep(self, batch: Batch) -> None:
        opening = self._openings.get(batch.response_id)
        if opening is None:
            return
        opening.add(batch)
        if batch.status is not None or not opening.whole:
            self._openings.pop(batch.response_id, None)

    def publish(self, batches: Sequence[Batch]) -> None:
        """From any thread: tells this process's listeners, and other processes."""
        for batch in batches:
            self._keep(batch)  # before it is posted: whoever listens first and looks then misses nothing
            if batch.status is None:
                self._positions[batch.response_id] = batch.through
            else:
                self._positions.pop(batch.response_id, None)
        EVENTS_PUBLISHED.inc(sum(len(batch.events) for batch in batches))
        self.publish_here(batches)
        if self.relay is not None:
            self.relay(batches)

    def publish_here(self, batches: Sequence[Batch]) -> None:
        if batches:
            for port in self._ports:
                if port.listeners:
                    port.post(partial(port.deliver, batches))

    def drop_position(self, response_id: str) -> None:
        """Says that a response no longer runs here though its end wasn't published here."""
        self._positions.pop(response_id, None)
        self._openings.pop(response_id, None)

    # Hints to a user's connections

    def notify(self, user_id: UUID, frame: str) -> None:
        """From any thread: sends a frame to all the user's sockets, in every process. A hint only."""
        self.notify_here(user_id, frame)
        if self.relay_notice is not None:
            self.relay_notice(user_id, frame)

    def notify_here(self, user_id: UUID, frame: str) -> None:
        for port in self._ports:
            port.post(partial(port.deliver_notice, user_id, frame))

    def everywhere(self, call: Callable[[Port], None]) -> None:
        """From any thread: has `call(port)` run on each port's loop."""
        for port in self._ports:
            port.post(partial(call, port))

    # Pace

    def wait_for_delivery(self, patience: float) -> None:
        """Blocks the writer until the loops have taken the last commit, for `patience` seconds at most.

        Without it the writer outruns busy loops: more and smaller commits, more frames, more delay.
        """
        deadline = time.monotonic() + patience
        while any(port.behind for port in self._ports):
            self._delivered.clear()
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not any(port.behind for port in self._ports):
                return
            self._delivered.wait(remaining)

    def delivered(self) -> None:
        if not self._delivered.is_set():
            self._delivered.set()
