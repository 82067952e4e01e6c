"""The demo's scenes: one async generator per keyword, its docstring's first line its help."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from handlers.events import (
    BaseEvent,
    CitationEvent,
    ContentEvent,
    DocumentEvent,
    ErrorEvent,
    MetadataEvent,
    ReasoningEvent,
    ResponseEndEvent,
    StatusEvent,
    ToolCallEvent,
    ToolReturnEvent,
)

Scene = AsyncGenerator[BaseEvent, None]

SLOW_SECONDS = 30.0
SLOWEST_SECONDS = 600.0
STREAMED = (
    "Each of these words is an event of its own. It is numbered and stored before you see it, so you may reload the "
    "page now, or open this chat in a second tab: you will read the same text, and it will go on."
)
LOG_TITLE, LOG_TEXT = (
    "The event log",
    "What a handler yields is appended to one log; the page, the transcript and the audit are all read from it.",
)
DELIVERY_TITLE, DELIVERY_TEXT = (
    "Delivery",
    "A client holds a cursor into the log, so that a dropped connection delays an answer and can't change it.",
)


@dataclass(frozen=True)
class Stage:
    """What a scene is given: the words after its keyword, and how long its pauses are."""

    words: str
    pace: float = 1.0

    async def pause(self, seconds: float) -> None:
        """Wait, as an answer that takes its time would."""
        await asyncio.sleep(seconds * self.pace)


class ProgressReportEvent(BaseEvent):
    """A custom event; its wire name is `progress_report`."""

    step: str
    percent: float


async def text(stage: Stage) -> Scene:
    """a short answer in one piece"""
    yield ContentEvent(content="This is an answer in one piece." + (f" You wrote: {stage.words}" * bool(stage.words)))


async def streaming(stage: Stage) -> Scene:
    """an answer that arrives word by word"""
    for word in STREAMED.split():
        yield ContentEvent(content=f"{word} ")
        await stage.pause(0.03)


async def tool(stage: Stage) -> Scene:
    """a tool is called and gives a result"""
    subject = stage.words or "Count the words of this sentence, please."
    call = ToolCallEvent(tool_name="count_words", tool_args={"text": subject})
    yield call
    await stage.pause(0.3)
    count = len(subject.split())
    yield ToolReturnEvent(tool_name=call.tool_name, tool_id=call.tool_id, result={"words": count})
    yield ContentEvent(content=f"The tool counted {count} words.")


async def document(stage: Stage) -> Scene:
    """sources that an answer uses"""
    yield _document("demo-log", LOG_TITLE, LOG_TEXT)
    await stage.pause(0.2)
    yield _document("demo-delivery", DELIVERY_TITLE, DELIVERY_TEXT)
    yield ContentEvent(content="These two documents are what I know of this product.")


async def citation(stage: Stage) -> Scene:
    """an answer that cites its sources, [1]"""
    yield _document("demo-log", LOG_TITLE, LOG_TEXT)
    yield ContentEvent(content="Everything that you see is read from one log [1]. ")
    yield _citation("demo-log", LOG_TITLE, LOG_TEXT, 1)
    await stage.pause(0.2)
    yield _document("demo-delivery", DELIVERY_TITLE, DELIVERY_TEXT)
    yield ContentEvent(content="A lost connection can't change an answer [2].")
    yield _citation("demo-delivery", DELIVERY_TITLE, DELIVERY_TEXT, 2)


async def reasoning(stage: Stage) -> Scene:
    """thoughts before the answer"""
    for thought in ("The question asks for reasoning. ", "So I show a few thoughts first, ", "and then the answer."):
        yield ReasoningEvent(text=thought)
        await stage.pause(0.2)
    yield ContentEvent(content="This is the answer; the thoughts stand above it.")


async def metadata(stage: Stage) -> Scene:
    """facts about the answer, kept with the message"""
    yield MetadataEvent(metadata={"topic": "demonstration", "confidence": 0.5})
    await stage.pause(0.1)
    yield ContentEvent(content="This message has metadata: a topic, and a confidence that was raised afterwards.")
    yield MetadataEvent(metadata={"confidence": 1.0})


async def status(stage: Stage) -> Scene:
    """progress that is shown and not kept"""
    for step in ("Looking for words…", "Putting them in order…", "Checking the spelling…"):
        yield StatusEvent(message=step, persist=False)
        await stage.pause(0.5)
    yield ContentEvent(content="Done. The three steps were shown while they lasted, and aren't stored.")


async def error(stage: Stage) -> Scene:
    """an answer that fails; `error recover` goes on after it, `error raise` breaks"""
    yield ContentEvent(content="This part was said before the error, and stays. ")
    await stage.pause(0.2)
    if stage.words.lower().startswith("raise"):
        raise RuntimeError("The demo was asked to raise. Users must never read this text.")
    yield ErrorEvent(
        error_type="demo_error",
        message="The demo failed, as you asked.",
        details={"note": "Only the audit shows this."},
    )
    if stage.words.lower().startswith("recover"):
        yield ContentEvent(content="It found another way, so the answer is complete; the error stays on record.")


async def slow(stage: Stage) -> Scene:
    """half a minute of text, to be stopped; `slow 5` takes five seconds"""
    seconds = _seconds(stage.words)
    if seconds is None:
        yield ContentEvent(content=f"Write a number of seconds up to {SLOWEST_SECONDS:.0f} after `slow`, or nothing.")
        return
    steps = max(1, round(seconds * 4))
    yield ContentEvent(content=f"This takes {seconds:g} seconds. Stop it whenever you like: ")
    for step in range(1, steps + 1):
        await stage.pause(seconds / steps)
        yield ContentEvent(content=f"{step}/{steps} ")
    yield ContentEvent(content="and that was all.")


async def custom(stage: Stage) -> Scene:
    """events of a handler's own kind"""
    for percent in (0.0, 50.0, 100.0):
        yield ProgressReportEvent(step=f"{percent:.0f} % of nothing in particular", percent=percent)
        await stage.pause(0.2)
    yield ContentEvent(content="Three `progress_report` events stand above; a page that knows them can draw them.")


async def complex_(stage: Stage) -> Scene:
    """all of it in one answer, over a few seconds"""
    written = 0
    for scene in (_thinking, _searching, streaming, _concluding):
        async with aclosing(scene(stage)) as events:
            async for event in events:
                written += len(event.content.split()) if isinstance(event, ContentEvent) else 0
                yield event
    yield ProgressReportEvent(step="Finished", percent=100.0)
    yield MetadataEvent(metadata={"topic": "demonstration", "sources": 2})
    yield ResponseEndEvent(usage={"input_tokens": len(stage.words.split()) + 1, "output_tokens": written})


async def _thinking(stage: Stage) -> Scene:
    yield StatusEvent(message="Thinking…", persist=False)
    for thought in ("To show everything, ", "I look something up first ", "and then write with sources."):
        yield ReasoningEvent(text=thought)
        await stage.pause(0.2)


async def _searching(stage: Stage) -> Scene:
    yield StatusEvent(message="Searching…")
    call = ToolCallEvent(tool_name="search", tool_args={"query": stage.words or "event log", "max_results": 2})
    yield call
    await stage.pause(0.5)
    yield ToolReturnEvent(
        tool_name="search", tool_id=call.tool_id, result={"documents": ["demo-log", "demo-delivery"], "found": 2}
    )
    yield _document("demo-log", LOG_TITLE, LOG_TEXT)
    yield _document("demo-delivery", DELIVERY_TITLE, DELIVERY_TEXT)


async def _concluding(stage: Stage) -> Scene:
    yield ContentEvent(content="\n\nIt works because there is one log [1]. ")
    yield _citation("demo-log", LOG_TITLE, LOG_TEXT, 1)
    await stage.pause(0.3)
    yield ContentEvent(content="Every client reads it from where it was [2].")
    yield _citation("demo-delivery", DELIVERY_TITLE, DELIVERY_TEXT, 2)


def _document(document_id: str, title: str, body: str) -> DocumentEvent:
    return DocumentEvent(
        document_id=document_id,
        title=title,
        pointer=f"https://www.example.org/{document_id}",
        mime_type="text/plain",
        page_count=1,
        word_count=len(body.split()),
    )


def _citation(document_id: str, title: str, passage: str, number: int) -> CitationEvent:
    return CitationEvent(
        document_id=document_id,
        text=passage,
        page=1,
        section="Summary",
        citation_id=f"{document_id}-{number}",
        reference_number=number,
        document_title=title,
        document_pointer=f"https://www.example.org/{document_id}",
    )


def _seconds(words: str) -> float | None:
    """What was asked for; None when it isn't a number of seconds that the demo would take."""
    try:
        seconds = float(words.split(maxsplit=1)[0]) if words else SLOW_SECONDS
    except ValueError:
        return None
    return seconds if 0 < seconds <= SLOWEST_SECONDS else None


SCENES: dict[str, Callable[[Stage], Scene]] = {
    "text": text,
    "streaming": streaming,
    "tool": tool,
    "document": document,
    "citation": citation,
    "reasoning": reasoning,
    "metadata": metadata,
    "status": status,
    "error": error,
    "slow": slow,
    "custom": custom,
    "complex": complex_,
}
