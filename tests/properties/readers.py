"""A person's connections, each with what it holds of a response: over the websocket, and over server-sent events.

They keep the client's rule of protocol §4 and are stricter than a client need be: in one process, and with nobody
dropping frames, a gap or a reset is the server's fault and raises LawBroken.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

from tests.chats.api.streams import AsyncJSONClient, EventSource
from tests.chats.live import Client
from tests.properties.law import LawBroken, Sight

__all__ = ["Reader", "SocketReader", "StreamReader"]


class Reader:
    """`texts` takes all that comes, as it comes; `sight` what it adds up to."""

    def __init__(self, sight: Sight, texts: list[str]) -> None:
        self.sight = sight
        self._texts = texts
        self._reading: asyncio.Task[None] | None = None

    def read(self, reading: Coroutine[Any, Any, None]) -> None:
        self._reading = asyncio.get_running_loop().create_task(reading)

    async def read_out(self, patience: float) -> None:
        """Returns when nothing more is to come; raises LawBroken if that takes too long, or what came was wrong."""
        assert self._reading is not None
        await asyncio.wait({self._reading}, timeout=patience)
        if not self._reading.done():
            raise LawBroken(f"{self.sight.name} never saw the end: {self.sight.events}")
        self._reading.result()

    async def see_the_end(self, patience: float) -> None:
        """The same, with the response's end as the last that came."""
        await self.read_out(patience)
        if not self._has_ended():
            raise LawBroken(f"{self.sight.name} was left before the end: {self.sight.events}")

    async def see_nothing_more(self, patience: float) -> None:
        """Raises LawBroken if something follows the end."""

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _take(self, event: dict[str, Any]) -> None:
        if self._has_ended():
            raise LawBroken(f"{self.sight.name} got something after the end: {event}")
        self.sight.events.append(event)

    def _has_ended(self) -> bool:
        events = self.sight.events
        return bool(events) and events[-1]["type"] == "response_end"


class SocketReader(Reader):
    """Over the websocket; several may share a `client`, one after the other."""

    client: Client
    response_id = ""

    async def open(self, key: str) -> None:
        self.client = Client(key)
        await self.client.__aenter__()

    async def start(self, text: str, task: str, **fields: Any) -> str:
        self.response_id = (await self.client.start(text, task=task, **fields))["response_id"]
        self.read(self._take_frames())
        return self.response_id

    async def follow(self, response_id: str, merge: bool = False) -> None:
        """From the cursor on."""
        self.response_id = response_id
        await self.client.send(type="subscribe", response_id=response_id, after=self.sight.cursor, merge=merge)
        self.read(self._take_frames())

    async def see_nothing_more(self, patience: float) -> None:
        """What the server had queued for this socket after the end comes before its pong."""
        await self.client.send(type="ping")
        async with asyncio.timeout(patience):
            while (frame := await self._receive())["type"] != "pong":
                if frame["type"] == "events" and frame["response_id"] == self.response_id:
                    raise LawBroken(f"{self.sight.name} got something after the end: {frame}")

    async def close(self) -> None:
        await super().close()
        await self.client.__aexit__()

    async def _receive(self) -> dict[str, Any]:
        frame = await self.client.receive()
        self._texts.append(json.dumps(frame, ensure_ascii=False))
        return frame

    async def _take_frames(self) -> None:
        while True:
            frame = await self._receive()
            if frame["type"] == "error":
                raise LawBroken(f"{self.sight.name} was refused: {frame}")
            if frame["type"] == "events" and frame["response_id"] == self.response_id:
                self._take_frame(frame)
                # A replay after the last event is one empty frame.
                if self._has_ended() or (not frame["events"] and frame["after"] == frame["through"]):
                    return

    def _take_frame(self, frame: dict[str, Any]) -> None:
        sight = self.sight
        if frame["after"] > sight.cursor or frame.get("reset"):
            raise LawBroken(f"{sight.name} sees a gap after {sight.cursor}: {frame}")
        for event in frame["events"]:
            if event["sequence"] is None or event["sequence"] > sight.cursor:
                self._take(event)
        sight.cursor = max(sight.cursor, frame["through"])


class StreamReader(Reader):
    """Over server-sent events."""

    async def start(self, http: AsyncJSONClient, text: str, task: str) -> str:
        source = await http.stream({"content": text, "task": task})
        self.read(self._take_events(source))
        return str(source.response["X-Response-Id"])

    async def follow(self, http: AsyncJSONClient, response_id: str) -> None:
        self.read(self._take_events(await http.follow(response_id, f"?after={self.sight.cursor}")))

    async def _take_events(self, source: EventSource) -> None:
        async for event in source:
            self._texts.append(json.dumps(event, ensure_ascii=False))
            self._take({name: value for name, value in event.items() if name != "response_id"})
        self.sight.cursor = int(source.last_id or -1)
