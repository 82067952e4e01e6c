"""Driven clients: people who ask and watch over real websockets, and come back when they are cut off.

Owns the client's rule of protocol §4 (cursor, reset) and holds the server to its side of it: on one subscription
every frame joins on to the one before. What a client ever held is kept as the bytes that came, to be compared
with the log.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.log import StoredResponse
from tests.faults.recital import Order

__all__ = ["PATIENCE", "Answer", "Person", "Refused", "until"]

PATIENCE = 30.0  # seconds
COME_BACK_AFTER = 0.1  # seconds
FOR_GOOD = (4401, 4403)  # closing codes after which a client doesn't come back

_request_ids = (f"driven-{number}" for number in itertools.count())


class Refused(Exception):
    """The server answered with an error frame: `frame`."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(f"{frame['code']}: {frame['message']}")
        self.frame = frame


class Answer:
    """What one client holds of one response, and `breaches`: where the server broke the rule."""

    def __init__(self, response_id: str, order: Order | None = None) -> None:
        self.response_id = response_id
        self.chat_id = ""  # known to who asked
        self.order = order
        self.cursor = -1
        self.held: dict[int, str] = {}
        self.unstored = 0
        self.breaches: list[str] = []
        self.ended = asyncio.Event()

    def take(self, frame: dict[str, Any], text: str) -> None:
        if frame.get("reset"):
            self.held, self.cursor = {}, -1
        if frame["after"] != self.cursor:
            self.breaches.append(f"a frame after {frame['after']} came at cursor {self.cursor}")
        for event, raw in zip(frame["events"], raw_events(text), strict=True):
            if event["sequence"] is None:
                self.unstored += 1
                continue
            if not self.cursor < event["sequence"] <= frame["through"]:
                self.breaches.append(f"event {event['sequence']} came at cursor {self.cursor}")
            self.held[event["sequence"]] = raw
            self.cursor = event["sequence"]
            if event["type"] == "response_end":
                self.ended.set()
        self.cursor = frame["through"]

    def check(self, stored: StoredResponse, *, whole: bool = True) -> None:
        """Fails unless this client holds the log, byte for byte, up to its cursor (`whole`: to its end)."""
        assert self.breaches == []
        log = {event.sequence: event.on_the_wire for event in stored.events if event.emit}
        assert self.held == {number: text for number, text in log.items() if number <= self.cursor}
        assert self.cursor <= stored.events[-1].sequence
        if whole:
            assert self.cursor == stored.events[-1].sequence
            stored.check(self.order)


def raw_events(text: str) -> list[str]:
    """The events of a frame as they came, to the byte."""
    decoder = json.JSONDecoder()
    at = text.index('"events":[') + len('"events":[')
    found = []
    while text[at] != "]":
        at += text[at] == ","
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = end
    return found


class Person:
    """One websocket client: `async with Person(url, token) as person`. After every close but 4401 and 4403 it
    comes back with its cursors, and sends again what was not answered."""

    def __init__(self, url: str, token: str | None = None, *, cookie: str | None = None) -> None:
        self.url = url
        self.answers: dict[str, Answer] = {}
        self.closings: list[int | None] = []
        self.errors: list[dict[str, Any]] = []
        self.hints: list[dict[str, Any]] = []
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if cookie:
            self._headers["Cookie"] = cookie
        self._socket: ClientConnection | None = None
        self._asking: dict[str, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._greeted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._staying = asyncio.create_task(self._stay())
        await until(self._greeted.wait)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._staying.cancel()
        await asyncio.wait({self._staying})

    # What a person does

    async def ask(self, order: Order | str, task: str, **fields: Any) -> Answer:
        """Starts an answer and watches it. Raises Refused."""
        request_id = next(_request_ids)
        text = order.as_text() if isinstance(order, Order) else order
        frame = {"type": "start", "request_id": request_id, "task": task, "parts": [{"content": text}], **fields}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asking[request_id] = (json.dumps(frame), future)
        await self._send(self._asking[request_id][0])
        started = await asyncio.wait_for(future, PATIENCE)
        answer = self._answer(started["response_id"])
        answer.chat_id = started["chat_id"]
        answer.order = order if isinstance(order, Order) else None
        return answer

    async def watch(self, response_id: str, order: Order | None = None) -> Answer:
        """Watches an answer from its beginning."""
        answer = self._answer(response_id)
        answer.order = order
        await self._subscribe(answer)
        return answer

    async def cancel(self, response_id: str) -> None:
        await self._send(json.dumps({"type": "cancel", "response_id": response_id}))

    def leave_at_once(self) -> None:
        """Stops reading and never comes back: what it holds stays as it is."""
        self._staying.cancel()

    async def gone(self) -> None:
        """Returns when it was told to stay away."""
        await asyncio.wait_for(asyncio.shield(self._staying), PATIENCE)

    # The connection

    async def _stay(self) -> None:
        while not self.closings or self.closings[-1] not in FOR_GOOD:
            try:
                async with connect(
                    self.url, additional_headers=self._headers, max_size=None, compression=None, ping_interval=None
                ) as socket:
                    self._socket = socket
                    await self._converse(socket)
            except (OSError, InvalidHandshake):
                await asyncio.sleep(COME_BACK_AFTER)

    async def _converse(self, socket: ClientConnection) -> None:
        try:
            for answer in self.answers.values():
                if not answer.ended.is_set():
                    await self._subscribe(answer)
            for text, _ in list(self._asking.values()):
                await socket.send(text)
            while True:
                self._take(str(await socket.recv()))
        except ConnectionClosed:
            self.closings.append(socket.close_code)
            await asyncio.sleep(COME_BACK_AFTER)

    async def _subscribe(self, answer: Answer) -> None:
        frame = {"type": "subscribe", "response_id": answer.response_id, "after": answer.cursor}
        await self._send(json.dumps(frame))

    async def _send(self, text: str) -> None:
        """Sends, if there is a connection; when there is one again, `_converse` sends what matters."""
        if self._socket is not None:
            try:
                await self._socket.send(text)
            except ConnectionClosed:
                return

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        match frame["type"]:
            case "hello":
                self._greeted.set()
            case "started":
                self._answer(frame["response_id"])
                self._asking.pop(frame["request_id"])[1].set_result(frame)
            case "events":
                self._answer(frame["response_id"]).take(frame, text)
            case "error":
                self.errors.append(frame)
                if frame.get("request_id") in self._asking:
                    self._asking.pop(frame["request_id"])[1].set_exception(Refused(frame))
            case _:
                self.hints.append(frame)

    def _answer(self, response_id: str) -> Answer:
        return self.answers.setdefault(response_id, Answer(response_id))


async def until(condition: Callable[[], Any], patience: float = PATIENCE) -> None:
    """Waits for what a coroutine function awaits, or a plain one says; TimeoutError after `patience` seconds."""
    async with asyncio.timeout(patience):
        outcome = condition()
        if asyncio.iscoroutine(outcome):
            await outcome
            return
        while not outcome:
            await asyncio.sleep(0.05)
            outcome = condition()
