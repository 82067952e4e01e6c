"""Batches of the log as server-sent events (WHATWG HTML, "Server-sent events").

Owns the encoding and the life of a stream: heartbeats, the check that its reader may still read, and
leaving what it reads from when the reader goes. Knows no HTTP, no database and no users.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Protocol

from chats.protocol import Batch

__all__ = ["CHECK_EVERY", "HEARTBEAT", "PATIENCE", "Flow", "encode_batch", "stream"]

HEARTBEAT = 15.0  # seconds without a batch after which a comment is sent; proxies drop idle connections
CHECK_EVERY = 4.0  # seconds between checks of the reader's right: a logout is to take effect within 5
PATIENCE = 60.0  # seconds that a reader may take nothing

_OPENING = ":\n\n"  # sends the headers out before the first event
_BEAT = ": waiting\n\n"

Allowed = Callable[[], Awaitable[bool]]


def encode_batch(batch: Batch, types: Collection[str] | None = None) -> str:
    """The blocks of a batch, of `types` only where they are given.

    An event outside the log has no `id`. What the batch covers beyond the last event shown, hidden or
    unasked for, is passed with a block of an `id` alone: it moves the reader's cursor and nothing else.
    """
    blocks = []
    cursor = batch.after
    for event in batch.events:
        if types is not None and event.type not in types:
            continue
        number = ""
        if event.sequence is not None:
            cursor = event.sequence
            number = f"id: {cursor}\n"
        # EventSource keeps the name `error` for its own faults.
        name = "run_error" if event.type == "error" else event.type
        blocks.append(f"{number}event: {name}\ndata: {event.body_for(batch.response_id)}\n\n")
    if batch.through > cursor:
        blocks.append(f"id: {batch.through}\n\n")
    return "".join(blocks)


class Flow(Protocol):
    """What the server tells of a connection's transport; `manage.py serve` gives one, plain servers none."""

    open: asyncio.Event  # set while the transport's buffer has room

    def abort(self) -> None:
        """Drops the connection."""


async def stream(
    batches: AsyncGenerator[Batch, None],
    allowed: Allowed,
    *,
    types: Collection[str] | None = None,
    flow: Flow | None = None,
) -> AsyncGenerator[str, None]:
    """The text of a stream, to the end of `batches` or until `allowed()` says no.

    When the stream is closed or cancelled, the pending read is ended and `batches` closed. A reader that
    takes nothing for PATIENCE seconds is dropped; it may come back with its cursor.
    """
    async with aclosing(_paced(batches, allowed)) as paced:
        yield _OPENING
        async for batch in paced:
            text = _BEAT if batch is None else encode_batch(batch, types)
            if flow is not None and not await _has_room(flow):
                flow.abort()
                return
            if text:
                yield text


async def _has_room(flow: Flow) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await flow.open.wait()
    except TimeoutError:
        return False
    return True


async def _paced(batches: AsyncGenerator[Batch, None], allowed: Allowed) -> AsyncGenerator[Batch | None, None]:
    """The batches, and None for each HEARTBEAT without one. A heartbeat never cancels the pending read:
    it is one task until it has its batch."""
    clock = asyncio.get_running_loop().time
    beat_at, check_at = clock() + HEARTBEAT, clock() + CHECK_EVERY
    pending: asyncio.Future[Batch | None] | None = None
    try:
        while True:
            if clock() >= check_at:
                if not await allowed():
                    return
                check_at = clock() + CHECK_EVERY
            pending = pending or asyncio.ensure_future(anext(batches, None))
            done, _ = await asyncio.wait({pending}, timeout=max(0.0, min(beat_at, check_at) - clock()))
            if done:
                batch, pending = pending.result(), None
                if batch is None:
                    return
                yield batch
            elif clock() < beat_at:
                continue
            else:
                yield None
            beat_at = clock() + HEARTBEAT
    finally:
        await _leave(batches, pending)


async def _leave(batches: AsyncGenerator[Batch, None], pending: asyncio.Future[Batch | None] | None) -> None:
    if pending is not None:
        pending.cancel()
        await asyncio.wait({pending})
    await batches.aclose()
