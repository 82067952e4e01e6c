"""The client of the scenarios with models: asks a stand-in's model over the websocket, stops answers, waits for ends.

What a stand-in was sent, and when its connections closed, is read from its log; its clock is this machine's monotonic
one, as ours is.
"""

import asyncio
import json
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.benchmarks.frames import BrokenPromiseError
from tests.benchmarks.servers import Server

PATIENCE = 60.0


class Asker:
    """One websocket, one answer at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.response_id = ""
        self.words = 0  # content events of the last answer

    async def start(self, text: str) -> None:
        """Asks the default handler and model; returns when the run is stored."""
        request_id, self.words = uuid.uuid4().hex, 0
        await self._send(type="start", request_id=request_id, parts=[{"content": text}])
        started = await self._until(lambda frame: frame.get("request_id") == request_id)
        self.response_id = started["response_id"]

    async def begun(self) -> None:
        """Returns when there are words."""
        while not self.words:
            await self._until(lambda frame: frame["type"] == "events")

    async def cancel(self) -> float:
        """Asks for the answer's end; gives when (time.monotonic())."""
        asked_at = time.monotonic()
        await self._send(type="cancel", response_id=self.response_id)
        return asked_at

    async def end(self) -> dict[str, Any]:
        """The answer's end."""
        frame = await self._until(lambda frame: frame["type"] == "events" and _end_of(frame) is not None)
        return _end_of(frame) or {}

    async def ask(self, text: str) -> dict[str, Any]:
        await self.start(text)
        return await self.end()

    async def _send(self, **frame: Any) -> None:
        await self._socket.send_str(json.dumps(frame))

    async def _until(self, wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self._socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise BrokenPromiseError(f"the server closed the socket: {self._socket.close_code}")
                frame: dict[str, Any] = json.loads(message.data)
                if frame["type"] == "error":
                    raise BrokenPromiseError(f"the server refused: {frame}")
                self.words += sum(event["type"] == "content" for event in frame.get("events", ()))
                if wanted(frame):
                    return frame


def _end_of(frame: dict[str, Any]) -> dict[str, Any] | None:
    last: dict[str, Any] = frame["events"][-1] if frame["events"] else {"type": ""}
    return last if last["type"] == "response_end" else None


@asynccontextmanager
async def askers(server: Server, tokens: Sequence[str]) -> AsyncIterator[list[Asker]]:
    """One greeted websocket a token."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        opened = await asyncio.gather(*(_connect(session, server, token) for token in tokens))
        try:
            yield [Asker(socket) for socket in opened]
        finally:
            await asyncio.gather(*(socket.close() for socket in opened))


async def _connect(session: aiohttp.ClientSession, server: Server, token: str) -> aiohttp.ClientWebSocketResponse:
    headers = {"Authorization": f"Bearer {token}"}
    socket = await session.ws_connect(f"{server.ws}/ws/chat/", headers=headers, compress=0, max_msg_size=0)
    await socket.receive_json()  # hello
    return socket


def log_of(standin: Server) -> list[dict[str, Any]]:
    """The requests that a stand-in has had, in their order."""
    with urllib.request.urlopen(f"{standin.http}/_log", timeout=10) as answer:
        requests: list[dict[str, Any]] = json.load(answer)
    return requests


async def wait_for_log(standin: Server, number: int, wanted: Any) -> dict[str, Any]:
    """The stand-in's request of this number, once `wanted(request)`. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while True:
            requests = await asyncio.to_thread(log_of, standin)
            if len(requests) > number and wanted(requests[number]):
                return requests[number]
            await asyncio.sleep(0.01)
