"""A handler that waits for the test, and a client that reads event streams as they come."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any, Self

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from handlers.base import BaseTaskHandler
from handlers.errors import HandlerError
from handlers.events import BaseEvent, ContentEvent, StatusEvent
from handlers.messages import Message
from tests.chats.api.makers import API
from tests.chats.api.openapi.contract import judge
from workbench.models import User

PATIENCE = 20  # seconds until a test that waits for something gives up


class Gated(BaseTaskHandler):
    """Says one thing, waits for `gate`, says another; some words do something else."""

    name = "gated"
    description = "For tests."
    cooperative = True
    gate = threading.Event()

    async def handle(self, user_message: Message, **_: Any) -> AsyncGenerator[BaseEvent, None]:
        yield StatusEvent(message="Thinking…", persist=False)
        yield ContentEvent(content=f"You said: {user_message.text}")
        yield ContentEvent(content="secret", emit=False)
        if user_message.text == "fail":
            raise HandlerError("The oracle is silent.", error_type="silence")
        await asyncio.to_thread(self.gate.wait, PATIENCE)
        yield ContentEvent(content=" More.")


async def until(condition: Callable[[], Any]) -> None:
    """Returns when the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


class EventSource:
    """An event stream as an EventSource reads it: its last id, and its events one after the other."""

    def __init__(self, response: StreamingHttpResponse) -> None:
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/event-stream")
        self.response = response
        self.last_id: str | None = None
        self.comments = 0
        self._chunks = aiter(response)
        self._buffer = ""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        while True:
            async with asyncio.timeout(PATIENCE):
                block = await self._next_block()
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            self.comments += block.startswith(":")
            self.last_id = fields.get("id", self.last_id)
            if "data" in fields:
                event = json.loads(fields["data"])
                assert fields["event"] == {"error": "run_error"}.get(event["type"], event["type"])
                return event

    async def _next_block(self) -> str:
        while "\n\n" not in self._buffer:
            self._buffer += (await anext(self._chunks)).decode()
        block, self._buffer = self._buffer.split("\n\n", 1)
        return block

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """The events up to the first of this type."""
        events = [await anext(self)]
        while events[-1]["type"] != kind:
            events.append(await anext(self))
        return events

    async def rest(self) -> list[dict[str, Any]]:
        """The events to the stream's end."""
        return [event async for event in self]

    async def close(self) -> None:
        """Leaves while something is being sent: what Django's ASGI handler does when the client disconnects."""
        await self._chunks.aclose()  # type: ignore[attr-defined]
        await sync_to_async(self.response.close)()


class AsyncJSONClient(AsyncClient):
    """Sends JSON to the ASGI application, each request with a thread of its own, as a server does."""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = b"" if body is None else json.dumps(body)
        async with ThreadSensitiveContext():
            try:
                response = await self.generic(method, API + path, content, "application/json", headers=headers or None)
            finally:
                # A server's request ends so; Django's test client leaves the thread's connection open.
                await sync_to_async(close_old_connections)()
        judge(method, path, response)
        return response

    async def stream(self, body: dict[str, Any], **headers: str) -> EventSource:
        return EventSource(await self.ask("POST", "/generate/stream", {"task": "gated", **body}, **headers))

    async def follow(self, response_id: str, query: str = "", **headers: str) -> EventSource:
        path = f"/responses/{response_id}/events/{query}"
        return EventSource(await self.ask("GET", path, accept="text/event-stream", **headers))


async def alogged_in(user: User) -> AsyncJSONClient:
    client = AsyncJSONClient()
    await client.aforce_login(user)
    return client
