"""Batches of the log as server-sent events (WHATWG HTML, "Server-sent events").

Owns the encoding and the life of a stream: heartbeats, its reader's pace, and leaving what it reads from
when the reader goes or is dismissed. Knows no HTTP, no database and no users.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Collection
from contextlib import aclosing
from typing import Any, Protocol

from chats.flow import Flow, has_room
from chats.protocol import Batch

__all__ = ["HEARTBEAT", "PATIENCE", "Batches", "encode_batch", "stream"]

HEARTBEAT = 15.0  # seconds without a batch after which a comment is sent; proxies drop idle connections
PATIENCE = 60.0  # seconds that a reader may take nothing

_OPENING = ":\n\n"  # sends the headers out before the first event
_BEAT = ": waiting\n\n"


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


class Batches(Protocol):
    """Where a stream's batches come from: following.Following, or an async generator."""

    def __anext__(self) -> Awaitable[Batch]:
        """The next batch; StopAsyncIteration after the last."""

    def aclose(self) -> Awaitable[None]:
        """Leaves it."""


async def stream(
    batches: Batches,
    dismissed: asyncio.Future[None],
    *,
    types: Collection[str] | None = None,
    flow: Flow | None = None,
) -> AsyncGenerator[str, None]:
    """The text of a stream, to the end of `batches` or until the future `dismissed` is done.

    When the stream is closed or cancelled, the pending read is ended and `batches` closed. A reader that
    takes nothing for PATIENCE seconds is dropped; it may come back with its cursor.
    """
    async with aclosing(_paced(batches, dismissed)) as paced:
        yield _OPENING
        async for batch in paced:
            text = _BEAT if batch is None else encode_batch(batch, types)
            if flow is not None and not await has_room(flow, PATIENCE):
                flow.abort()
                return
            if text:
                yield text


async def _paced(batches: Batches, dismissed: asyncio.Future[None]) -> AsyncGenerator[Batch | None, None]:
    """The batches, and None for each HEARTBEAT without one. A heartbeat never cancels the pending read:
    it is one task until it has its batch."""
    pending: asyncio.Future[Batch | None] | None = None
    try:
        while not dismissed.done():
            pending = pending or asyncio.ensure_future(anext(batches, None))
            either: set[asyncio.Future[Any]] = {pending, dismissed}
            await asyncio.wait(either, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if pending.done():
                batch, pending = pending.result(), None
                if batch is None:
                    return
                yield batch
            elif not dismissed.done():
                yield None
    finally:
        await _leave(batches, pending)


async def _leave(batches: Batches, pending: asyncio.Future[Batch | None] | None) -> None:
    if pending is not None:
        pending.cancel()
        await asyncio.wait({pending})
    await batches.aclose()
