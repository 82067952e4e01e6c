"""The load client: websockets that ask, keep what arrives with its time, and stop at the response's end.

It must never be what's measured: nothing is parsed while the clock runs but the frames around a stream (see
`frames`), and no compression is negotiated. `rounds` tells how busy it was all the same.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import aiohttp

from tests.benchmarks.frames import BrokenPromiseError, Stream, is_end, start_frame
from tests.benchmarks.load import Load

CONNECTING_AT_ONCE = 50  # below the listen queue of any server under test


class Connection:
    """One websocket; serves one stream at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def stream(self, task: str, load: Load) -> Stream:
        """Asks for `load` and receives until its end; raises BrokenPromiseError if the server refuses or closes."""
        return await self.receive(await self.start(task, load))

    async def start(self, task: str, load: Load) -> Stream:
        """Asks for `load`; what comes of it is still to be received."""
        request_id = uuid.uuid4().hex
        asked_ns = time.monotonic_ns()
        await self._send(start_frame(request_id, task, load))
        return Stream(load, await self._started(request_id), asked_ns)

    async def subscribe(self, stream: Stream) -> None:
        """Follows, from its beginning, a response that was started elsewhere or earlier."""
        await self._send(json.dumps({"type": "subscribe", "response_id": stream.response_id, "after": -1}))

    async def unsubscribe(self, stream: Stream) -> None:
        """Returns when nothing more of it comes here."""
        await self._send(json.dumps({"type": "unsubscribe", "response_id": stream.response_id}))
        while json.loads(await self._receive())["type"] != "unsubscribed":
            pass

    async def receive(self, stream: Stream) -> Stream:
        """Receives until the response's end."""
        while True:
            text = await self._receive()
            stream.frames.append((time.monotonic_ns(), text))
            if is_end(text):
                return stream

    async def idle(self) -> None:
        """Answers the server's pings, until it is cancelled."""
        while True:
            await self._receive()

    async def receive_hello(self) -> None:
        await self._receive_one("hello")

    async def close(self) -> None:
        await self._socket.close()

    async def _send(self, text: str) -> None:
        await self._socket.send_str(text)

    async def _started(self, request_id: str) -> str:
        while True:
            frame = await self._receive_one("started", "chat", "run")
            if frame.get("request_id") == request_id:
                return str(frame["response_id"])

    async def _receive_one(self, *expected: str) -> dict[str, object]:
        text = await self._receive()
        frame: dict[str, object] = json.loads(text)
        if frame["type"] not in expected:
            raise BrokenPromiseError(f"expected one of {expected}, the server sent {text[:300]}")
        return frame

    async def _receive(self) -> str:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise BrokenPromiseError(f"the server closed the socket: {self._socket.close_code} {message.extra}")
        return str(message.data)


@asynccontextmanager
async def connections(url: str, tokens: Sequence[str]) -> AsyncIterator[list[Connection]]:
    """One greeted websocket per token (a token may repeat), closed at the end."""
    places = asyncio.Semaphore(CONNECTING_AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def connect(token: str) -> Connection:
            async with places:
                socket = await session.ws_connect(
                    f"{url}/ws/chat/", headers={"Authorization": f"Bearer {token}"}, compress=0, max_msg_size=0
                )
                connection = Connection(socket)
                await connection.receive_hello()
                return connection

        opened = await asyncio.gather(*(connect(token) for token in tokens))
        try:
            yield opened
        finally:
            await asyncio.gather(*(connection.close() for connection in opened))


class Streaming(Protocol):
    """What one stream at a time is asked of, whatever is spoken."""

    async def stream(self, task: str, load: Load) -> Stream:
        """Asks for `load` and receives until its end."""


async def run_streams(opened: Sequence[Streaming], task: str, loads: Sequence[Load], timeout: float) -> list[Stream]:
    """Runs one load on each connection at the same time; raises TimeoutError when one hasn't ended in time."""
    async with asyncio.timeout(timeout):
        return await asyncio.gather(
            *(connection.stream(task, load) for connection, load in zip(opened, loads, strict=True))
        )
