"""Starting on one process and watching on another: the product's websocket, twice.

The socket that starts a response gives it up before its first delta is due, so all of it takes the way round.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.benchmarks.client import Connection, connections
from tests.benchmarks.frames import Stream, read_stream
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import Dialect
from tests.benchmarks.servers import Server


class Apart:
    """A user's two connections."""

    def __init__(self, starting: Connection, watching: Connection) -> None:
        self._starting = starting
        self._watching = watching

    async def stream(self, task: str, load: Load) -> Stream:
        stream = await self._starting.start(task, load)
        await self._starting.unsubscribe(stream)
        await self._watching.subscribe(stream)
        return await self._watching.receive(stream)


def watched_on(watching: Server) -> Dialect:
    """What is started on the server that is played on is watched on this one."""

    @asynccontextmanager
    async def connect(server: Server, tokens: Sequence[str]) -> AsyncIterator[list[Apart]]:
        async with connections(server.ws, tokens) as here, connections(watching.ws, tokens) as there:
            yield [Apart(*pair) for pair in zip(here, there, strict=True)]

    return Dialect(connect, read_stream, others=(watching,))
