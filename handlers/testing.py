"""For tests of handlers: run one without a server, a database or a chat.

events = await collect(Greeter(), "Ann")
assert text_of(events) == "Hello, Ann!"
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from handlers.base import BaseTaskHandler, call_handle
from handlers.events import BaseEvent, ContentEvent
from handlers.messages import FilePart, Message, MessagePart
from handlers.registry import HandlerEntry, registry


async def collect(
    handler: BaseTaskHandler,
    request: str | Message = "",
    *,
    limit: int | None = None,
    files: dict[str, bytes] | None = None,
    **values: Any,
) -> list[BaseEvent]:
    """Everything that a handler yields for a request; with a `limit`, it is closed after that many events.

    `files` gets what it saves, by id. `values` are any of the other names that `handle` may take; those not given have
    plain defaults. What the handler raises is raised here. Events are as yielded: the runner's numbering and rules are
    not applied.
    """
    message = Message(id="request", parts=[MessagePart(content=request)]) if isinstance(request, str) else request
    everything: dict[str, Any] = {
        "chat_id": "chat",
        "message_history": [],
        "user_message": message,
        "model_id": "offline",
        "response_message_id": "response",
        "context": None,
        "persona": None,
        "user_id": "user",
        "user_groups": [],
        "options": handler.UserOptions() if handler.UserOptions else None,
    }
    saved = {} if files is None else files

    async def keep(content: bytes, name: str) -> str:
        saved[f"file-{len(saved) + 1}"] = content
        return f"file-{len(saved)}"

    handler.file_keeper = keep
    events: list[BaseEvent] = []
    async with aclosing(call_handle(handler, **{**everything, **values})) as stream:
        async for event in stream:
            events.append(event)
            if limit is not None and len(events) >= limit:
                break
    return events


def text_of(events: Iterable[BaseEvent]) -> str:
    """The answer's text, as the user sees it."""
    return "".join(event.content for event in events if isinstance(event, ContentEvent) and event.emit)


def conversation(*texts: str) -> list[Message]:
    """A history of requests and responses by turns, as `message_history` gives it."""
    return [
        Message(id=f"message-{number}", kind="response" if number % 2 else "request", parts=[MessagePart(content=text)])
        for number, text in enumerate(texts)
    ]


def attachment(name: str, content: bytes, mime_type: str = "application/octet-stream") -> FilePart:
    """A file part whose `read` gives these bytes."""

    async def read() -> bytes:
        return content

    return FilePart(file_id=name, name=name, mime_type=mime_type, size=len(content), reader=read)


@contextmanager
def registered(*handlers: type[BaseTaskHandler] | BaseTaskHandler) -> Iterator[Sequence[HandlerEntry]]:
    """Have handlers in the process's registry for a while."""
    registry.load()
    entries: list[HandlerEntry] = []
    try:
        for handler in handlers:
            entries.append(registry.register(handler, "test"))  # noqa: PERF401 - those before a refused one go too
        yield entries
    finally:
        for entry in entries:
            registry.unregister(entry.name)
