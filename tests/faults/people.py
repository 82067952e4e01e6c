"""Driven clients: people who ask and watch over real websockets, and come back when they are cut off.

Owns how a client behaves: it comes back wherever it is let in, with its cursors, and asks again what was not
answered. What it holds of an answer, and where the server broke its side of the rule, is answers.py's.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.answers import Answer
from tests.faults.recital import Order

__all__ = ["COME_BACK_AFTER", "PATIENCE", "Answer", "Person", "Refused", "next_request_id", "until"]

PATIENCE = 30.0  # seconds
COME_BACK_AFTER = 0.1  # seconds
GREETING_PATIENCE = 10.0  # seconds until a server that doesn't answer is left for the next
FOR_GOOD = (4401, 4403)  # closing codes after which a client doesn't come back

_merging = itertools.cycle((False, True))  # half of all people have adjacent deltas as one
_request_ids = (f"driven-{number}" for number in itertools.count())


def next_request_id() -> str:
    """A key for a start, never used before."""
    return next(_request_ids)


class Refused(Exception):
    """The server answered with an error frame: `frame`."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(f"{frame['code']}: {frame['message']}")
        self.frame = frame


class Person:
    """One websocket client: `async with Person(url, token) as person`. After every close but 4401 and 4403 it
    comes back with its cursors, at the next of its `urls`, and sends again what was not answered."""

    def __init__(self, *urls: str, token: str | None = None, cookie: str | None = None) -> None:
        self.url = ""  # where it is, or was last
        self._urls = itertools.cycle(urls)
        self._merges = next(_merging)
        self.answers: dict[str, Answer] = {}
        self.closings: list[int | None] = []
        self.errors: list[dict[str, Any]] = []
        self.hints: list[dict[str, Any]] = []
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if cookie:
            self._headers["Cookie"] = cookie
        self._socket: ClientConnection | None = None
        self._asking: dict[str, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._cancelling: set[str] = set()
        self._greeted = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._staying = asyncio.create_task(self._stay())
        await until(self._greeted.wait)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._staying.cancel()
        await asyncio.wait({self._staying})

    # What a person does

    async def ask(self, order: Order | str, task: str, *, request_id: str | None = None, **fields: Any) -> Answer:
        """Starts an answer and watches it. Raises Refused."""
        request_id = request_id or next_request_id()
        text = order.as_text() if isinstance(order, Order) else order
        frame = {"type": "start", "request_id": request_id, "task": task, "parts": [{"content": text}]}
        frame |= {"merge": self._merges, **fields}
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asking[request_id] = (json.dumps(frame), future)
        await self._send(self._asking[request_id][0])
        started = await asyncio.wait_for(future, PATIENCE)
        answer = self._answer(started["response_id"])
        answer.chat_id = started["chat_id"]
        answer.order = order if isinstance(order, Order) else None
        return answer

    async def insist(self, order: Order, task: str, **fields: Any) -> Answer:
        """The same with all the patience of a client that is told to try again: the request stays one and the same."""
        request_id = next_request_id()
        while True:
            try:
                return await self.ask(order, task, request_id=request_id, **fields)
            except Refused as refused:
                if refused.frame["code"] != "unavailable":
                    raise
                await asyncio.sleep(COME_BACK_AFTER)

    async def watch(self, response_id: str, order: Order | None = None) -> Answer:
        """Watches an answer from its beginning."""
        answer = self._answer(response_id)
        answer.order = order
        await self._subscribe(answer)
        return answer

    async def cancel(self, response_id: str) -> None:
        self._cancelling.add(response_id)
        await self._send(json.dumps({"type": "cancel", "response_id": response_id}))

    def lose_connection(self) -> None:
        """The network drops it: nothing is said to the server."""
        if self._socket is not None:
            self._socket.transport.abort()

    def leave_at_once(self) -> None:
        """Stops reading and never comes back: what it holds stays as it is."""
        self._staying.cancel()

    async def gone(self) -> None:
        """Returns when it was told to stay away."""
        await asyncio.wait_for(asyncio.shield(self._staying), PATIENCE)

    # The connection

    async def _stay(self) -> None:
        while not self.closings or self.closings[-1] not in FOR_GOOD:
            self.url = next(self._urls)
            try:
                async with connect(
                    self.url,
                    additional_headers=self._headers,
                    open_timeout=GREETING_PATIENCE,
                    close_timeout=1,
                    max_size=None,
                    compression=None,
                    ping_interval=None,
                ) as socket:
                    self._socket = socket
                    await self._converse(socket)
            except (OSError, InvalidHandshake):
                await asyncio.sleep(COME_BACK_AFTER)

    async def _converse(self, socket: ClientConnection) -> None:
        # As it is now: what is asked or watched from here on is sent by who does it.
        watched = [answer for answer in self.answers.values() if not answer.ended.is_set()]
        asked = [text for text, _ in self._asking.values()]
        self._cancelling.clear()
        try:
            for answer in watched:
                await self._subscribe(answer)
            for text in asked:
                await socket.send(text)
            while True:
                self._take(str(await socket.recv()))
        except ConnectionClosed:
            self.closings.append(socket.close_code)
            await asyncio.sleep(COME_BACK_AFTER)

    async def _subscribe(self, answer: Answer) -> None:
        frame = {
            "type": "subscribe",
            "response_id": answer.response_id,
            "after": answer.cursor,
            "merge": self._merges,
        }
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
                self._take_error(frame)
            case kind:
                if kind == "cancelled":
                    self._cancelling.discard(frame["response_id"])
                self.hints.append(frame)

    def _take_error(self, frame: dict[str, Any]) -> None:
        self.errors.append(frame)
        if frame.get("request_id") in self._asking:
            self._asking.pop(frame["request_id"])[1].set_exception(Refused(frame))
        elif frame.get("response_id") in self._cancelling:
            self._cancelling.discard(frame["response_id"])  # its asker's to repeat
        elif frame["code"] == "unavailable" and frame.get("response_id") in self.answers:
            answer = self.answers[frame["response_id"]]
            self._trying_again = asyncio.create_task(self._try_again(answer))

    async def _try_again(self, answer: Answer) -> None:
        """A subscription that was refused for now is asked for again."""
        await asyncio.sleep(COME_BACK_AFTER)
        if not answer.ended.is_set():
            await self._subscribe(answer)

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
