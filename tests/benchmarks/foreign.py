"""The protocols of what the product is compared with, each with the least that its client must do.

Like `client`, nothing is parsed while the clock runs; what was received is read and checked afterwards.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

import aiohttp

from tests.benchmarks.frames import Answer, BrokenPromiseError, Stream, answer_of, frame_size
from tests.benchmarks.load import Load
from tests.benchmarks.rounds import Dialect
from tests.benchmarks.servers import Server

__all__ = ["CHAINLIT", "SSE"]

# Server-sent events


class _EventStream:
    """One HTTP request a stream: POST /stream with the load."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def stream(self, task: str, load: Load) -> Stream:
        stream = Stream(load, uuid.uuid4().hex, time.monotonic_ns())
        async with self._session.post(self._url, json=asdict(load)) as response:
            if response.status != 200:
                raise BrokenPromiseError(f"the server answered {response.status}: {await response.text()}")
            async for chunk in response.content.iter_any():
                stream.frames.append((time.monotonic_ns(), chunk.decode()))
        return stream


@asynccontextmanager
async def _event_streams(server: Server, tokens: Sequence[str]) -> AsyncIterator[list[_EventStream]]:
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
        yield [_EventStream(session, f"{server.http}/stream") for _ in tokens]


def read_sse(stream: Stream) -> Answer:
    """One event a delta, and [DONE]; raises BrokenPromiseError unless all are there."""
    events = list(_sse_events(stream.frames))
    if not events or events[-1][1] != "[DONE]":
        raise BrokenPromiseError(f"an event stream stopped after {len(events)} events")
    chunks = [(at, str(json.loads(event)["events"][0]["content"])) for at, event in events[:-1]]
    wire = sum(len(text) for _, text in stream.frames)
    return answer_of(stream, chunks, rows=0, wire_bytes=wire)


def _sse_events(chunks: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Each event's data, with the moment of the chunk that completed it."""
    rest = ""
    for at, text in chunks:
        *whole, rest = (rest + text).split("\n\n")
        yield from ((at, event.removeprefix("data: ")) for event in whole)


SSE = Dialect(_event_streams, read_sse)

# Chainlit: Engine.IO 4 and Socket.IO 5 over a websocket, with the events of Chainlit's own page

GREETED, ENDED = '42["clear_call_fn"', '42["task_end"'
TOKENS = ('42["stream_start"', '42["stream_token"')
PING, PONG = "2", "3"


class _ChainlitChat:
    """One session, as its page has one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def open(self) -> None:
        identity = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}"}
        await self._socket.send_str("40" + json.dumps(identity))
        await self._until("40")
        await self._emit("connection_successful")
        await self._until(GREETED)

    async def stream(self, task: str, load: Load) -> Stream:
        stream = Stream(load, str(uuid.uuid4()), time.monotonic_ns())
        said = {
            "id": stream.response_id,
            "name": "user",
            "type": "user_message",
            "output": load.as_text(),
            "createdAt": "2026-01-01T00:00:00Z",
        }
        await self._emit("client_message", {"message": said, "fileReferences": []})
        while not (text := await self._receive()).startswith(ENDED):
            stream.frames.append((time.monotonic_ns(), text))
        return stream

    async def _emit(self, *event: object) -> None:
        await self._socket.send_str("42" + json.dumps(event))

    async def _until(self, beginning: str) -> None:
        while not (await self._receive()).startswith(beginning):
            pass

    async def _receive(self) -> str:
        while True:
            message = await self._socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise BrokenPromiseError(f"the server closed the socket: {self._socket.close_code} {message.extra}")
            if message.data != PING:
                return str(message.data)
            await self._socket.send_str(PONG)


@asynccontextmanager
async def _chainlit_chats(server: Server, tokens: Sequence[str]) -> AsyncIterator[list[_ChainlitChat]]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        url = f"{server.ws}/ws/socket.io/?EIO=4&transport=websocket"
        sockets = [await session.ws_connect(url, compress=0, max_msg_size=0) for _ in tokens]
        chats = [_ChainlitChat(socket) for socket in sockets]
        await asyncio.gather(*(chat.open() for chat in chats))
        try:
            yield chats
        finally:
            await asyncio.gather(*(socket.close() for socket in sockets))


def read_chainlit(stream: Stream) -> Answer:
    """The first token comes with its message, the others alone."""
    chunks = [(at, _token_of(text)) for at, text in stream.frames if text.startswith(TOKENS)]
    wire = sum(frame_size(len(text)) for _, text in stream.frames)
    return answer_of(stream, chunks, rows=0, wire_bytes=wire)


def _token_of(frame: str) -> str:
    _, fields = json.loads(frame[2:])
    return str(fields["token"] if "token" in fields else fields["output"])


CHAINLIT = Dialect(_chainlit_chats, read_chainlit)
