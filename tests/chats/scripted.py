"""Handlers made of one async generator function each, and a run of one followed to its end, without a socket."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chats.models import UNFINISHED, Event, Message, Run
from chats.protocol import StartBody
from chats.runs import start_run
from handlers.base import BaseTaskHandler
from handlers.events import ContentEvent

__all__ = [
    "HELLO",
    "Finished",
    "body_of",
    "handler_class",
    "run_to_end",
    "says_hello",
    "start",
    "until",
    "wait_for_end",
]

HELLO = ContentEvent(content="hello")
PATIENCE = 20.0  # seconds until a test gives up

Body = Callable[[BaseTaskHandler], AsyncGenerator[Any, None]]


def handler_class(body: Body, name: str = "scripted", **attributes: Any) -> type[BaseTaskHandler]:
    """A handler whose `handle` is `body(self)`."""
    members = {"name": name, "description": "Made for a test.", "handle": body, **attributes}
    return type("Scripted", (BaseTaskHandler,), members)


async def says_hello(self: BaseTaskHandler) -> AsyncGenerator[Any, None]:
    yield HELLO


def body_of(text: str = "hello", **fields: Any) -> StartBody:
    return StartBody.model_validate({"parts": [{"content": text}], **fields})


def start(user: Any, task: str = "scripted", text: str = "hello") -> str:
    """The response's id of a run that is launched."""
    return start_run(user, body_of(text, task=task)).response_id


@dataclass(frozen=True)
class Finished:
    """A response whose end is committed, as the database has it."""

    message: Message
    run: Run
    log: list[Event]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.log]

    @property
    def text(self) -> str:
        return "".join(part["content"] for part in self.message.parts if part["kind"] == "text")

    @property
    def end(self) -> dict[str, Any]:
        """The fields of the one end, which is last; fails where there are two, or where its run says otherwise."""
        assert self.types.count("response_end") == 1
        assert self.types[-1] == "response_end"
        assert [event.sequence for event in self.log] == list(range(len(self.log)))
        end: dict[str, Any] = json.loads(self.log[-1].payload)
        assert end["status"] == self.run.status == self.message.status
        assert end["error_type"] == self.run.error_type
        return end

    @property
    def outcome(self) -> tuple[str, str | None]:
        return self.end["status"], self.end["error_type"]

    @property
    def error(self) -> str:
        """The words of the one error that the user sees."""
        (error,) = self.message.errors
        return str(error["message"])

    @property
    def notes(self) -> list[str]:
        return [note["note"] for note in self.run.notes]

    def fields(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(event.payload) for event in self.log if event.type == kind]


def until(condition: Callable[[], Any], what: str = "it came true") -> None:
    """Returns when `condition()` holds; fails when it doesn't within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s in vain until {what}"
        time.sleep(0.005)


def has_ended(response_id: str) -> bool:
    return not Run.objects.filter(pk=UUID(response_id), status__in=UNFINISHED).exists()


def wait_for_end(response_id: str) -> Finished:
    until(lambda: has_ended(response_id), "the response ended")
    run = Run.objects.select_related("response").get(pk=UUID(response_id))
    return Finished(run.response, run, list(Event.objects.filter(response=run.response).order_by("sequence")))


def run_to_end(user: Any, task: str = "scripted", text: str = "hello") -> Finished:
    return wait_for_end(start(user, task, text))
