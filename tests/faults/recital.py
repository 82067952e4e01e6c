"""What a driven answer says: events made from a seed, so that whoever has the order knows the whole answer.

Pure. The handlers recite it, and `score_of_recital` and `score_of_log` write what was said and what was stored in
one notation, in which deltas that were merged or split look the same. A log is sound if its score is how the
recital's begins.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from random import Random
from typing import Any

from handlers.events import (
    BaseEvent,
    ContentEvent,
    DocumentEvent,
    MetadataEvent,
    ReasoningEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)

TEXT_FIELD = {"content": "content", "reasoning": "text"}
FRAME = {"response_start", "response_end", "error"}  # not the handler's


class ProgressEvent(BaseEvent):
    """A custom event."""

    step: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to recite: sent to the server as the text of the question. `per_second` 0: as fast as it goes.

    `unstored` is how often an event is said that isn't stored, to 96 of all other kinds.
    """

    seed: int = 0
    events: int = 400
    per_second: float = 40.0
    unstored: int = 4

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Order":
        return cls(**json.loads(text))


# How often each kind is said, and how it is made of the event's number.
KINDS: tuple[tuple[int, Callable[[int], BaseEvent]], ...] = (
    (60, lambda number: ContentEvent(content=f"{number} ")),
    (15, lambda number: ContentEvent(content=f"{number} é 日本 🙂\n")),
    (5, lambda number: ContentEvent(content=f"hidden {number} ", emit=False)),
    (4, lambda number: ReasoningEvent(text=f"thought {number} ")),
    (3, lambda number: StatusEvent(message=f"stored {number}")),
    (2, lambda number: MetadataEvent(metadata={"last": number})),
    (2, lambda number: DocumentEvent(document_id=f"document-{number}", title=f"“{number}”")),
    (2, lambda number: ToolCallEvent(tool_name="look", tool_args={"n": number}, tool_id=f"call-{number}")),
    (2, lambda number: ToolReturnEvent(tool_name="look", result={"n": number}, tool_id=f"return-{number}")),
    (1, lambda number: ProgressEvent(step=number, label="\0")),
)


def _unstored(number: int) -> BaseEvent:
    return StatusEvent(message=f"unstored {number}", persist=False)


def recital(order: Order) -> Iterator[BaseEvent]:
    """The order's events. Every one carries its number, so none can stand for another."""
    random = Random(order.seed)
    weights, makers = zip((order.unstored, _unstored), *KINDS, strict=True)
    for number in range(order.events):
        (make,) = random.choices(makers, weights)
        yield make(number)


@lru_cache(maxsize=16)
def score_of_recital(order: Order) -> str:
    """What is stored of it when it is recited to its end."""
    kept = (event for event in recital(order) if event.persist)
    return "".join(_note(event.type, _shown_fields(event), event.emit) for event in kept)


def score_of_log(events: Iterable[tuple[str, dict[str, Any], bool]]) -> str:
    """What a log's events (type, fields, emit) hold of what a handler said."""
    return "".join(_note(kind, fields, emit) for kind, fields, emit in events if kind not in FRAME)


def _shown_fields(event: BaseEvent) -> dict[str, Any]:
    common = {"response_id", "sequence", "emit", "persist"}
    return {name: value for name, value in asdict(event).items() if name not in common}


def _note(kind: str, fields: dict[str, Any], emit: bool) -> str:
    flag = "+" if emit else "-"
    if kind in TEXT_FIELD:
        return "".join(f"{flag}{kind[0]}{character}" for character in fields[TEXT_FIELD[kind]])
    text = json.dumps(fields, sort_keys=True).replace("\\u0000", "\\ufffd")  # NUL isn't stored
    return f"{flag}<{kind} {text}>"
