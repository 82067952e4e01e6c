"""What a handler may do, drawn at random: the strategies of the law tests.

A Script is what one handler yields and how it leaves, and what happens round it meanwhile. Every event that is
to be hidden carries SECRET in all of its text, so that a leak shows wherever it comes out.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from handlers.errors import HandlerError
from handlers.events import (
    BaseEvent,
    CitationEvent,
    ContentEvent,
    DocumentEvent,
    ErrorEvent,
    ImageEvent,
    MetadataEvent,
    ReasoningEvent,
    ResponseEndEvent,
    ResponseStartEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)

SECRET = "only-for-staff"
UNSPEAKABLE = "a trace's words"  # in exceptions and details: on nobody's wire


# Custom events


class ProgressReportEvent(BaseEvent):
    percent: float
    note: str = ""


class BlankEvent(BaseEvent):
    """No fields of its own."""


class OddlyNamedEvent(BaseEvent):
    type = "vendor.x:odd-1"

    value: Any = None
    timestamp: Any = "the author's own"


class SilentEvent(BaseEvent):
    """Hidden unless it says otherwise."""

    emit = False

    note: str = SECRET


# What a handler does beside yielding


@dataclass(frozen=True)
class Pause:
    """Lets go of the loop; with `seconds`, long enough for the writer to come round."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Raise:
    error: BaseException


@dataclass(frozen=True)
class Cue:
    """Something happens outside: a cancel, or a reader who comes back or comes late. The handler waits, or races it."""

    action: str  # cancel, reconnect, join
    waits: bool = True
    merge: bool = False


@dataclass(frozen=True)
class Script:
    """One run. `parting` is yielded when something is thrown into the handler, which then `swallows` it or not."""

    steps: list[Any]
    parting: list[Any] = field(default_factory=list)
    swallows: bool = False
    cooperative: bool = True
    eager: bool = False  # doesn't wait until somebody watches
    streamed: bool = False  # started by SSE, not by the websocket
    resumes: list[float] = field(default_factory=list)  # cursors for the end, as shares of the log

    def __repr__(self) -> str:
        lines = "".join(f"\n    {_shortened(repr(step))}," for step in self.steps)
        rest = [f"{name}={_shortened(repr(value))}" for name, value in vars(self).items() if name != "steps"]
        return f"Script(steps=[{lines}\n  ], {', '.join(rest)})"


def _shortened(text: str) -> str:
    return text if len(text) < 200 else f"{text[:100]} … {text[-60:]} ({len(text)} characters)"


# Values

odd_texts = st.sampled_from(
    ["", " ", "\0", "\ud800", "a\udc00b", "\n\r\u2028", "naïve", "日本語", "👩‍🚀", "e\u0301", '"\\', "</script>"]
)
long_texts = st.sampled_from(["x" * 70_000, "é" * 40_000, "👩" * 33_000, "\0" * 65_537, "ab" * 32_768])
texts = st.one_of(st.text(max_size=8), odd_texts)
names = st.sampled_from(["search", "calculate", "Ünïcode"])
ids = st.sampled_from(["a", "b", "7"])
counts = st.none() | st.integers(0, 9)
usage_counts = st.sampled_from([0, 3, 12.5, -1, True, "7", None, 10**400, 1e308, 2**53])
usages = st.dictionaries(
    st.sampled_from(["input_tokens", "inputTokens", "prompt_tokens", "completion_tokens", "total_tokens", "cost"]),
    usage_counts,
    max_size=3,
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
        st.binary(max_size=4),
        st.sampled_from([Decimal("1.10"), uuid.UUID(int=7), dt.date(2024, 2, 29), {3, 1, 2}, 10**60]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def _looped() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


unencodable = st.sampled_from([math.nan, math.inf, object(), _looped(), {1: 0, "1": 0}, "x" * 2**20, b"x" * 2**20])


# Events


def _marked(text: str) -> str:
    return SECRET + text


def _event_strategies(mark: bool) -> dict[str, st.SearchStrategy[BaseEvent]]:
    """By kind; with `mark`, SECRET in every text that isn't an id by which events find each other."""
    words = texts.map(_marked) if mark else texts
    pieces = st.one_of(*[texts] * 5, long_texts)
    anything = values.map(lambda value: {SECRET: value}) if mark else values
    facts = st.dictionaries(words, values, max_size=2)
    maybe = st.none() | words
    return {
        "content": st.builds(ContentEvent, content=pieces.map(_marked) if mark else pieces),
        "reasoning": st.builds(ReasoningEvent, text=words, signature=maybe, redacted=st.none() | maybe),
        "status": st.builds(StatusEvent, message=words),
        "image": st.builds(ImageEvent, file_id=words, mime_type=words, alt=words),
        "tool_call": st.builds(ToolCallEvent, tool_name=names, tool_args=facts, tool_id=ids | st.just("")),
        "tool_return": st.builds(ToolReturnEvent, tool_name=names, result=anything, tool_id=st.none() | ids),
        "document": st.builds(DocumentEvent, document_id=ids, title=words, pointer=words, page_count=counts),
        "citation": st.builds(
            CitationEvent, document_id=ids, text=words, page=counts, citation_id=st.none() | ids, document_title=maybe
        ),
        "metadata": st.builds(MetadataEvent, metadata=facts),
        "error": st.builds(
            ErrorEvent,
            error_type=words | st.just("long-" * 30).map(_marked if mark else str),
            message=words,
            details=st.none() | st.just(UNSPEAKABLE) | st.just({"trace": UNSPEAKABLE}),
        ),
        "progress": st.builds(ProgressReportEvent, percent=st.floats(0, 100), note=words),
        "odd": st.builds(OddlyNamedEvent, value=anything),
        "refused": st.one_of(
            st.builds(OddlyNamedEvent, value=unencodable.map(lambda value: {SECRET if mark else "key": value})),
            st.builds(MetadataEvent, metadata=unencodable.map(lambda value: {SECRET if mark else "key": value})),
            st.builds(ContentEvent, content=st.just(7)),
        ),
    }


_SHOWN, _HIDDEN = _event_strategies(mark=False), _event_strategies(mark=True)


def _a_start() -> BaseEvent:
    return ResponseStartEvent(request_id="x", chat_id="x", message_id="x", parent_id=None, task="x", model_id="x")


@st.composite
def events(draw: st.DrawFn, kinds: tuple[str, ...]) -> BaseEvent:
    """An event of one of these kinds, flagged at random, perhaps with a number and an id of its own."""
    flags = draw(st.sampled_from(["plain", "plain", "plain", "unstored", "hidden", "hidden", "both"]))
    hidden = flags in ("hidden", "both")
    event = draw((_HIDDEN if hidden else _SHOWN)[draw(st.sampled_from(kinds))])
    event.emit, event.persist = not hidden, flags not in ("unstored", "both")
    if draw(st.booleans()):
        event.sequence, event.response_id = draw(st.sampled_from([(0, "x"), (998, ""), (-1, SECRET)]))
    return event


ends = st.builds(
    ResponseEndEvent,
    status=st.sampled_from(["completed", "completed", "cancelled", "error", "weird\0"]),
    usage=usages,
    error_type=st.none() | texts | st.just("t" * 150),
    emit=st.booleans(),
    persist=st.booleans(),
)
oddities: st.SearchStrategy[Any] = st.one_of(
    st.builds(BlankEvent),
    st.builds(SilentEvent),
    st.builds(_a_start),
    st.builds(StatusEvent, emit=st.just("no")),
    st.builds(StatusEvent, persist=st.none()),
    st.sampled_from(["not an event", None, {"type": "content"}]),
)
_trouble = f"{UNSPEAKABLE}\0\ud800"
raises = st.builds(
    Raise,
    st.one_of(
        st.builds(ValueError, st.just(_trouble)),
        st.builds(HandlerError, texts, error_type=texts | st.just("t" * 150), detail=st.just(_trouble)),
        st.builds(asyncio.CancelledError, st.just(_trouble)),
        st.builds(TimeoutError, st.just(_trouble)),
        st.builds(SystemExit, st.just(_trouble)),
        st.builds(StopIteration, st.just(_trouble)),
    ),
)
pauses = st.sampled_from([Pause(), Pause(), Pause(0.002), Pause(0.005)])
watching_cues = st.builds(Cue, st.sampled_from(["reconnect", "reconnect", "join"]), st.booleans(), st.booleans())
cancels = st.builds(Cue, st.just("cancel"), st.booleans())

KINDS = tuple(_SHOWN)


@st.composite
def scripts(draw: st.DrawFn, fewest: int = 0) -> Script:
    """Few kinds of event at a time: what neighbours do to each other is where the log could go wrong."""
    kinds = ("content", "content", *draw(st.lists(st.sampled_from(KINDS), max_size=3)))
    step = st.one_of(events(kinds), events(kinds), events(kinds), pauses)
    steps = draw(st.lists(step, min_size=max(fewest, draw(st.sampled_from([0, 2, 5, 8]))), max_size=14))
    for guests, chance, early in (
        (watching_cues, 3, 1),
        (cancels, 2, 0.5),
        (ends, 2, 0.5),
        (oddities, 1, 0.5),
        (raises, 1, 0.7),
    ):
        if draw(st.integers(1, 6)) > 6 - chance:
            # At a place of its own; what may end the run rather late.
            steps.insert(draw(st.integers(int(len(steps) * (1 - early)), len(steps))), draw(guests))
    return Script(
        steps,
        parting=draw(st.lists(events(kinds) | ends, max_size=2)),
        swallows=draw(st.booleans()),
        cooperative=draw(st.booleans()),
        eager=draw(st.integers(0, 3)) == 3,
        streamed=draw(st.booleans()),
        resumes=draw(st.lists(st.floats(0, 1), min_size=1, max_size=2)),
    )
