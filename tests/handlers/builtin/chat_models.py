"""A model for tests of the chat handler: each request has its own script."""

import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from handlers.builtin.chat import ChatHandler
from handlers.messages import Message
from handlers.models import ModelDescription, ModelEvent, ModelProvider, ModelRequest
from handlers.testing import collect

Script = list[Any]  # model events, exceptions, and callables that are awaited

STOP: ModelEvent = {"messageStop": {"stopReason": "end_turn"}}
CALLED: ModelEvent = {"messageStop": {"stopReason": "tool_use"}}


def says(text: str) -> Script:
    """An answer of one delta."""
    return [{"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": text}}}, STOP, used(10, 1)]


def calls(*wanted: tuple[str, str, Any]) -> Script:
    """A turn that calls tools: id, name and arguments of each, as a value or as raw JSON."""
    events: Script = []
    for index, (call_id, name, arguments) in enumerate(wanted):
        raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
        start = {"toolUse": {"toolUseId": call_id, "name": name}}
        events += [
            {"contentBlockStart": {"contentBlockIndex": index, "start": start}},
            {"contentBlockDelta": {"contentBlockIndex": index, "delta": {"toolUse": {"input": raw}}}},
            {"contentBlockStop": {"contentBlockIndex": index}},
        ]
    return [*events, CALLED, used(10, 5)]


def used(given: int, said: int) -> ModelEvent:
    return {"metadata": {"usage": {"inputTokens": given, "outputTokens": said, "totalTokens": given + said}}}


class TurnsProvider(ModelProvider):
    """Plays `turns`, one for each request, the last one for all that follow; `requests` has what was asked."""

    name = "turns"

    def __init__(self, *turns: Script, **described: Any) -> None:
        self.turns = list(turns)
        self.described = described
        self.requests: list[ModelRequest] = []
        self.answer: Callable[[ModelRequest], Script] | None = None

    def models(self) -> list[ModelDescription]:
        return [ModelDescription(**{"id": "turns", "label": "Turns", "provider": self.name, **self.described})]

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        script = self.answer(request) if self.answer else self.turns[min(len(self.requests), len(self.turns)) - 1]
        for step in script:
            if isinstance(step, Exception):
                raise step
            yield step

    @property
    def results(self) -> list[dict[str, Any]]:
        """The tools' results in the last request's last turn."""
        return [block["toolResult"] for block in self.requests[-1].messages[-1]["content"] if "toolResult" in block]


async def chat(text: str | Message = "Hello", config: dict[str, Any] | None = None, **values: Any) -> list[Any]:
    """All events of an answer of the chat handler with the model of TurnsProvider."""
    handler = ChatHandler(ChatHandler.Config(**(config or {})))
    return await collect(handler, text, **{"model_id": "turns", **values})


def of(events: list[Any], kind: str) -> list[Any]:
    """The events of this type."""
    return [event for event in events if event.type == kind]
