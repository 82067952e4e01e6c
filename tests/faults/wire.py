"""The wire between a server and PostgreSQL: a TCP proxy that can cut a connection off at a COMMIT, or hold it there.

Knows just enough of PostgreSQL's protocol to see that events are about to be committed: by COMMIT, which psycopg sends
as a message of its own, after a transaction that wrote some; or by the end of the statement that is a transaction of
its own (chats/rows.py). https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

import asyncio
import re
from contextlib import suppress
from typing import Self

__all__ = ["CUTS", "Wire"]

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
ROLLBACK = b"Q\x00\x00\x00\x0dROLLBACK\x00"
FENCED = re.compile(rb"Q....WITH lease ", re.DOTALL)
WRITES_EVENTS = re.compile(rb'(INSERT INTO|COPY) "chats_event"')
LATE = 0.5  # seconds

# Where a connection is cut: before COMMIT reaches the database; after it was done and before its answer is told;
# or at once, and the database gets COMMIT a moment later, when the server may already be looking.
CUTS = ("before", "after", "late")
HOLD = "hold"


class Wire:
    """`async with Wire(port) as wire`: takes connections at `wire.port` for the database at `port`."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._cut: str | None = None
        self._has_cut = asyncio.Event()
        self._let_go = asyncio.Event()
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        self._let_go.set()
        for client in self._clients.values():
            client.transport.abort()
        if self._clients:
            await asyncio.wait(self._clients)

    async def cut_next(self, cut: str) -> None:
        """Cuts the next COMMIT of events (one of CUTS); returns when that has been done."""
        self._has_cut.clear()
        self._cut = cut
        await self._has_cut.wait()

    async def hold_next(self) -> None:
        """Holds the next COMMIT of events, its transaction open; returns when it is held, until `let_go`."""
        self._let_go.clear()
        await self.cut_next(HOLD)

    def let_go(self) -> None:
        """Passes on what is held, and holds nothing that comes."""
        self._cut = None
        self._let_go.set()

    async def hold(self) -> None:
        self._has_cut.set()
        await self._let_go.wait()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients[task] = writer
        task.add_done_callback(self._clients.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            onwards_reader, onwards_writer = await asyncio.open_connection("127.0.0.1", self._target)
            there = _Pump(self, writer, reader, onwards_writer)
            back = asyncio.create_task(_pass_on(onwards_reader, writer, there))
            try:
                await there.run()
            finally:
                onwards_writer.close()
                back.cancel()
                await asyncio.wait({back})
        writer.close()

    def take_cut(self) -> str | None:
        """The cut that is due, once."""
        cut, self._cut = self._cut, None
        return cut

    def tell_cut(self) -> None:
        self._has_cut.set()


class _Pump:
    """One connection's way to the database."""

    def __init__(
        self,
        wire: Wire,
        client: asyncio.StreamWriter,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._wire, self._client, self._reader, self._writer = wire, client, reader, writer
        self._writes_events = False
        self._left = 0  # bytes of a statement that commits by itself
        self.swallow = False  # the database's next answer, and with it the connection

    async def run(self) -> None:
        while chunk := await self._reader.read(65536):
            cut = self._wire.take_cut() if self._commits(chunk) else None
            if cut == HOLD:
                await self._wire.hold()
            elif cut is not None:
                await self._cut_off(cut, chunk)
                return
            self._writer.write(chunk)
            await self._writer.drain()

    def _commits(self, chunk: bytes) -> bool:
        """Whether events are committed when the database has this, which is the next piece."""
        if FENCED.match(chunk):
            self._left = 1 + int.from_bytes(chunk[1:5])
        if self._left > 0:
            self._left -= len(chunk)
            return self._left <= 0
        if WRITES_EVENTS.search(chunk):
            self._writes_events = True
        if not chunk.endswith((COMMIT, ROLLBACK)):
            return False
        writes_events, self._writes_events = self._writes_events, False
        return writes_events and chunk.endswith(COMMIT)

    async def _cut_off(self, cut: str, chunk: bytes) -> None:
        if cut == "before":
            self._client.transport.abort()
        elif cut == "after":
            self.swallow = True
            self._writer.write(chunk)
            await self._reader.read()  # until `_pass_on` has seen the answer and drops the client
        else:
            self._client.transport.abort()
            await asyncio.sleep(LATE)
            self._writer.write(chunk)
            await self._writer.drain()
        self._wire.tell_cut()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pump: _Pump) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            if pump.swallow:
                break
            writer.write(chunk)
            await writer.drain()
    writer.transport.abort()
