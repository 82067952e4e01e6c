"""A client of the websocket for tests, in this process: the real consumer, engine and database without a server."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any, Self

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from chats.models import Chat, Event, Message
from chats.routing import websocket_urlpatterns

__all__ = ["Client", "begin", "content", "error_for", "login", "make_user", "nothing_is_stored"]

PATIENCE = 20.0  # seconds
APPLICATION = URLRouter(websocket_urlpatterns)

_request_ids = (f"request-{number}" for number in itertools.count())


def make_user(username: str = "ada", **fields: Any) -> Any:
    return get_user_model().objects.create_user(username, password="correct horse", **fields)


def login(user: Any) -> str:
    """A session key, as the login page makes one."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


class Client:
    """`async with Client(session_key) as client:` has read `hello`, unless it isn't to be greeted.

    It keeps what it is sent, by the client's rule.
    """

    def __init__(
        self,
        session_key: str | None = None,
        headers: dict[str, str] | None = None,
        query: str = "",
        *,
        greeted: bool = True,
    ) -> None:
        sent = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        if session_key:
            sent.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session_key}".encode()))
        self._communicator = WebsocketCommunicator(APPLICATION, f"/ws/chat/{query}", headers=sent)
        self._greeted = greeted
        self.hello: dict[str, Any] = {}
        self.frames: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        await self._communicator.connect(timeout=PATIENCE)
        if self._greeted:
            self.hello = await self.receive_until("hello")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._communicator.disconnect(timeout=PATIENCE)

    async def send(self, **frame: Any) -> None:
        await self._communicator.send_to(text_data=json.dumps(frame))

    async def send_text(self, text: str) -> None:
        await self._communicator.send_to(text_data=text)

    async def send_bytes(self, frame: bytes) -> None:
        await self._communicator.send_to(bytes_data=frame)

    async def receive(self, timeout: float = PATIENCE) -> dict[str, Any]:
        frame = json.loads(await self._communicator.receive_from(timeout=timeout))
        self.frames.append(frame)
        return frame

    async def receive_until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next frame of this kind with these fields; those before it are kept in `frames`."""
        while True:
            frame = await self.receive()
            if frame["type"] == kind and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def closing_code(self) -> int:
        """The code that the server closes with, whatever it sends before."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self._communicator.receive_output(PATIENCE)
                if message["type"] == "websocket.close":
                    return int(message["code"])

    async def start(self, text: str = "hello", **fields: Any) -> dict[str, Any]:
        """Sends a start and gives its `started` frame. Fails at once when it is refused."""
        request_id = fields.pop("request_id", None) or next(_request_ids)
        await self.send(type="start", request_id=request_id, parts=[{"content": text}], **fields)
        while (frame := await self.receive()).get("request_id") != request_id:
            pass
        assert frame["type"] == "started", frame
        return frame

    async def ask(self, text: str = "hello", **fields: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Starts, and gives `started` with all events to the end."""
        started = await self.start(text, **fields)
        return started, await self.events_to_end(started["response_id"])

    async def events_to_end(self, response_id: str) -> list[dict[str, Any]]:
        """The events of a response that this socket follows, from what has come already to `response_end`."""
        while True:
            events = self.events(response_id)
            if events and events[-1]["type"] == "response_end":
                return events
            await self.receive_until("events", response_id=response_id)

    def events(self, response_id: str, after: int = -1) -> list[dict[str, Any]]:
        """What the client holds of a response, by protocol §4's rule. Fails on a gap, which a client would refetch."""
        held: list[dict[str, Any]] = []
        cursor = after
        for frame in self.frames:
            if frame["type"] != "events" or frame["response_id"] != response_id:
                continue
            if frame.get("reset"):
                held, cursor = [], -1
            assert frame["after"] <= cursor, f"a gap: {frame['after']} after {cursor}"
            held += [event for event in frame["events"] if event["sequence"] is None or event["sequence"] > cursor]
            cursor = max(cursor, frame["through"])
        return held


async def begin(client: Client, task: str, **fields: Any) -> dict[str, Any]:
    """Starts, and waits for the first words."""
    started = await client.start(task=task, **fields)
    while not any(event["type"] == "content" for event in client.events(started["response_id"])):
        await client.receive_until("events", response_id=started["response_id"])
    return started


async def error_for(client: Client, text: str) -> dict[str, Any]:
    """The answer to a frame, which is an error; shows that the socket goes on."""
    await client.send_text(text)
    error = await client.receive_until("error")
    await client.send(type="ping")
    await client.receive_until("pong")
    return error


async def nothing_is_stored() -> bool:
    return not (await Chat.objects.aexists() or await Message.objects.aexists() or await Event.objects.aexists())


def content(events: list[dict[str, Any]]) -> str:
    return "".join(event["content"] for event in events if event["type"] == "content")
