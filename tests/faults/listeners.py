"""Driven clients that ask by HTTP and read the answer as server-sent events (protocol §5).

Owns how such a client behaves: cut off, it goes to the next address with its cursor, or asks once more with the same
request_id where it never heard of a response.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any, Self

import aiohttp

from tests.faults.answers import HeardAnswer
from tests.faults.people import COME_BACK_AFTER, next_request_id
from tests.faults.recital import Order

__all__ = ["Listener"]

SILENCE = 25.0  # seconds; the server sends a comment every 15
HTTP_AWAY = 503


class Listener:
    """One HTTP client, `async with Listener(*addresses, token=…)`; it asks one thing at a time."""

    def __init__(self, *addresses: str, token: str) -> None:
        self.answers: dict[str, HeardAnswer] = {}
        self._addresses = itertools.cycle(addresses)
        self.url = next(self._addresses)  # where it is, or was last
        self._token = token
        self._response: aiohttp.ClientResponse | None = None
        self._hearing: HeardAnswer | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE)
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._token}"}, timeout=timeout)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._session.close()

    async def hear(self, order: Order, task: str) -> HeardAnswer:
        """Asks, and returns with the answer's end. An error that doesn't say "try again" is raised."""
        body = {"request_id": next_request_id(), "task": task, "content": order.as_text()}
        self._hearing = None
        while self._hearing is None or not self._hearing.ended.is_set():
            try:
                async with self._request(body) as response:
                    await self._read(response, order)
                    continue
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError):
                self._response = None
            self.url = next(self._addresses)
            await asyncio.sleep(COME_BACK_AFTER)
        return self._hearing

    def lose_connection(self) -> None:
        """The network drops it."""
        if self._response is not None and self._response.connection is not None:
            transport = self._response.connection.transport
            if transport is not None:
                transport.abort()

    def _request(self, body: dict[str, Any]) -> Any:
        if self._hearing is None:
            return self._session.post(f"{self.url}/api/v1/generate/stream", json=body)
        path = f"/api/v1/responses/{self._hearing.response_id}/events/"
        cursor = {"Last-Event-ID": str(self._hearing.cursor)} if self._hearing.cursor >= 0 else {}
        return self._session.get(f"{self.url}{path}", headers={"Accept": "text/event-stream"} | cursor)

    async def _read(self, response: aiohttp.ClientResponse, order: Order) -> None:
        if response.status == HTTP_AWAY:
            await asyncio.sleep(COME_BACK_AFTER)
            return
        if response.status != 200:
            raise AssertionError(f"{response.method} was answered {response.status}: {(await response.text())[:300]}")
        self._response = response
        if self._hearing is None:
            response_id = response.headers["X-Response-Id"]
            self._hearing = self.answers[response_id] = HeardAnswer(response_id, order)
        async for number, data in _blocks(response.content):
            self._hearing.take_block(number, data)


async def _blocks(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, str]]:
    """The id and data of each whole block; one that breaks off is never seen."""
    number, data = "", ""
    async for line in content:
        text = line.decode().removesuffix("\n")
        if text.startswith("id: "):
            number = text.removeprefix("id: ")
        elif text.startswith("data: "):
            data = text.removeprefix("data: ")
        elif not text and (number or data):
            yield number, data
            number, data = "", ""
