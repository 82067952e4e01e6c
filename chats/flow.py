"""Whether a connection's reader keeps up: how long those wait who have much to send, and for whom not at all.

Knows no HTTP and no frames. A server that doesn't tell (any but `manage.py serve`) gives no Flow: it waits by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol, TypeVar

__all__ = ["DOWNLOAD_PATIENCE", "Flow", "has_room", "paced"]

Piece = TypeVar("Piece", str, bytes)

DOWNLOAD_PATIENCE = 60.0  # seconds that a reader may take nothing


class Flow(Protocol):
    """What the server tells of a connection's transport."""

    open: asyncio.Event  # set while the transport's buffer has room

    def abort(self) -> None:
        """Drops the connection."""


async def has_room(flow: Flow, patience: float) -> bool:
    """Whether the transport has room, or gets it within `patience` seconds."""
    if flow.open.is_set():
        return True
    try:
        async with asyncio.timeout(patience):
            await flow.open.wait()
    except TimeoutError:
        return False
    return True


async def paced(pieces: AsyncGenerator[Piece, None], flow: Flow | None) -> AsyncGenerator[Piece, None]:
    """The pieces of a download, none before there is room for it. Who takes nothing for long is dropped: what he has by
    then is shorter than he was told, or its end is missing, so that nobody takes it for the whole."""
    async with aclosing(pieces):
        async for piece in pieces:
            if flow is not None and not await has_room(flow, DOWNLOAD_PATIENCE):
                flow.abort()
                return
            yield piece
