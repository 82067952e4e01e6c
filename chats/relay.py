"""The relay: carries committed batches, hints and cancels between processes, over the channel layer.

Owns one channel and one group for the process, on a thread and loop of its own, so that neither the
writer nor the sockets ever wait for Redis. What it loses costs delay only: followers see a gap or are
told by the next resync, cancels are stored before they are signalled. Not used with the in-memory
layer: it would talk to itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

from channels.layers import BaseChannelLayer, InMemoryChannelLayer, get_channel_layer

from chats.hub import Hub
from chats.protocol import Batch, WireEvent

__all__ = ["Relay", "shared_layer"]

logger = logging.getLogger(__name__)

GROUP = "workbench.hub"
MOST_WAITING = 1000  # messages that wait to be sent; beyond it the oldest are dropped, and counted
MOST_CHARACTERS = 16 * 1024 * 1024  # of payload in them, likewise
PAUSE = 1.0  # seconds before a broken connection is tried again
REMINDED = 60.0  # seconds after which the log says once more that the broker is still away


def shared_layer() -> BaseChannelLayer | None:
    """The channel layer, if it reaches other processes."""
    layer = get_channel_layer()
    return None if layer is None or isinstance(layer, InMemoryChannelLayer) else layer


class Outage:
    """What the log says while the broker doesn't do one thing: why, once, that it lasts, and that it is over."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told_at: float | None = None
        self._failures = 0

    def goes_on(self, error: Exception) -> None:
        now = time.monotonic()
        self._failures += 1
        if self._told_at is None:
            words = "The channel layer can't %s; followers elsewhere read the log instead until it can."
            logger.warning(words, self._what, exc_info=error)
        elif now - self._told_at >= REMINDED:
            logger.warning("The channel layer still can't %s (%d tries): %r", self._what, self._failures, error)
        else:
            return
        self._told_at = now

    def ends(self) -> None:
        if self._told_at is not None:
            logger.warning("The channel layer can %s again, after %d tries.", self._what, self._failures)
        self._told_at, self._failures = None, 0


class Relay:
    """See the module. `failures` counts what the broker refused, `dropped` what was too much to wait."""

    def __init__(self, layer: BaseChannelLayer, hub: Hub, on_cancel: Callable[[str], object]) -> None:
        self.failures = self.dropped = 0
        self._layer = layer
        self._hub = hub
        self._on_cancel = on_cancel
        self._origin = str(uuid4())
        self._deaf, self._mute = Outage("receive"), Outage("send")
        self._outgoing: deque[tuple[int, dict[str, Any]]] = deque()  # each with its size
        self._waiting = 0  # characters
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._something: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._work.cancel)
        self._thread.join()

    # From any thread

    def batches(self, batches: Sequence[Batch]) -> None:
        """Tells other processes of a commit: one message, however many responses it held."""
        self._put({"batches": [_pack(batch) for batch in batches]}, sum(batch.size for batch in batches))

    def notice(self, user_id: UUID, frame: str) -> None:
        self._put({"user_id": str(user_id), "frame": frame}, len(frame))

    def cancel(self, response_id: str) -> None:
        self._put({"cancel": response_id})

    def _put(self, message: dict[str, Any], size: int = 0) -> None:
        with self._lock:
            self._outgoing.append((size, {"type": "hub.news", "origin": self._origin, **message}))
            self._waiting += size
            # The newest goes out however large it is: a gap before it is seen and read from the log.
            while len(self._outgoing) > MOST_WAITING or (self._waiting > MOST_CHARACTERS and len(self._outgoing) > 1):
                self._waiting -= self._outgoing.popleft()[0]
                self.dropped += 1
        if self._something is not None:
            self._loop.call_soon_threadsafe(self._something.set)

    # On the relay's loop

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._something = asyncio.Event()
        self._work = self._loop.create_task(self._send_and_receive())
        self._ready.set()
        try:
            self._loop.run_until_complete(self._work)
        except asyncio.CancelledError:
            logger.debug("The relay has stopped.")
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _send_and_receive(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send())
                tasks.create_task(self._receive())
        finally:
            # Closes the layer's connections of this loop, and its own tasks.
            flush = getattr(self._layer, "flush", None)
            if flush is not None:
                await flush()

    async def _send(self) -> None:
        assert self._something is not None  # noqa: S101 - set before the task is made
        while True:
            await self._something.wait()
            self._something.clear()
            while (message := self._next()) is not None:
                try:
                    await self._layer.group_send(GROUP, message)
                except Exception as error:  # noqa: BLE001 - the border: a hint that isn't sent is only counted
                    self.failures += 1
                    self._mute.goes_on(error)
                    await asyncio.sleep(PAUSE)
                else:
                    self._mute.ends()

    def _next(self) -> dict[str, Any] | None:
        with self._lock:
            if not self._outgoing:
                return None
            size, message = self._outgoing.popleft()
            self._waiting -= size
            return message

    async def _receive(self) -> None:
        while True:
            try:
                channel = await self._layer.new_channel()
                await self._layer.group_add(GROUP, channel)
                self._deaf.ends()
                while True:
                    self._take(await self._layer.receive(channel))
            except Exception as error:  # noqa: BLE001 - the border: the broker is away, the log is not
                self.failures += 1
                self._deaf.goes_on(error)
                await asyncio.sleep(PAUSE)

    def _take(self, message: dict[str, Any]) -> None:
        if message["origin"] == self._origin:
            return
        if "batches" in message:
            self._hub.publish_here([_unpack(packed) for packed in message["batches"]])
        elif "frame" in message:
            self._hub.notify_here(UUID(message["user_id"]), message["frame"])
        elif "cancel" in message:
            self._on_cancel(message["cancel"])


def _pack(batch: Batch) -> list[Any]:
    events = [[event.type, event.sequence, event.payload] for event in batch.events]
    return [batch.response_id, batch.after, batch.through, events, batch.timestamp, batch.status]


def _unpack(packed: list[Any]) -> Batch:
    response_id, after, through, events, timestamp, status = packed
    return Batch(response_id, after, through, [WireEvent(*event) for event in events], timestamp, status)
