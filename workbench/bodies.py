"""How much of a request's body is kept, under any server: of what the API refuses anyhow, no more than it takes to.

Servers and Django write a body to a temporary file whole before anybody looks at it. What is over the bound is read and
forgotten, so that the client gets its answer.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from chats.api.formsize import longest_form

API_BODY_LIMIT = (1 << 20) + 1  # bytes kept of a body to the API: one more than it takes, so that it sees too much
BODY_LIMIT = 64 << 20  # bytes that a client may send in a body at all; then it's cut off
API = "/api/"
UPLOADS = "/api/v1/files/"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def kept_bytes(path: str, announced: int | None) -> int:
    """Of a body to `path`; `announced` is its Content-Length. An upload is kept whole or not at all: cut off, it would
    be another file."""
    if path.startswith(UPLOADS):
        return announced if announced and announced <= longest_form() else 0
    return API_BODY_LIMIT if path.startswith(API) else BODY_LIMIT


def bounded(application: Application) -> Application:
    """An ASGI application that is given no more than that; for servers that don't see to it themselves."""

    async def bounding(scope: Scope, receive: Receive, send: Send) -> None:
        kept, received = kept_bytes(scope["path"], _announced(scope)), 0

        async def receive_bounded() -> Any:
            nonlocal received
            message = await receive()
            if message["type"] != "http.request":
                return message
            body = message.get("body", b"")
            room, received = kept - received, received + len(body)
            if received > BODY_LIMIT:
                return {"type": "http.disconnect"}
            return {**message, "body": body[: max(0, room)]}

        await application(scope, receive_bounded, send)

    return bounding


def _announced(scope: Scope) -> int | None:
    found = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(found[0]) if found and found[0].isdigit() else None
