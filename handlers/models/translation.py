"""From what a model says to what a handler yields, and to what the model is told of it in the next turn.

Owns the reading of a model's stream: pure, fed one event at a time. Where the stream comes from is the provider's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from handlers.errors import ModelError
from handlers.events import BaseEvent, CitationEvent, ContentEvent, ReasoningEvent, ToolCallEvent
from handlers.models.repair import unique
from handlers.models.seam import ContentBlock, ContentBlockDelta, ModelEvent, ReasoningDelta

CUT_SHORT = "The model's answer broke off. Please try again."


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a request gave the model to cite, in the order of its blocks."""

    document_id: str
    title: str = ""
    pointer: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A call that the model asks for. `problem` says why its arguments can't be used; they are empty then."""

    id: str
    name: str
    arguments: dict[str, Any]
    problem: str = ""


@dataclass
class _Block:
    """A block that isn't whole yet."""

    kind: str = "text"
    pieces: list[str] = field(default_factory=list)
    tool: dict[str, Any] = field(default_factory=dict)
    signature: str | None = None
    redacted: bytes | None = None


class ModelAnswer:
    """One answer as it streams in. `begun`: something has come. `stop_reason` and `usage` are known when it is over.

    `content` has its whole blocks, as the assistant's turn of the next request has them; `calls` the tools that it asks
    for. `sources`: what the request gave it to cite. `taken_ids`: of the calls before this answer; there are servers
    that give an id twice, or none.
    """

    def __init__(self, sources: Sequence[Source] = (), taken_ids: set[str] | None = None) -> None:
        self.stop_reason: str | None = None
        self.usage: dict[str, Any] = {}
        self.metrics: dict[str, Any] = {}
        self.content: list[ContentBlock] = []
        self.calls: list[ToolCall] = []
        self.begun = False
        self._sources = sources
        self._taken_ids = set() if taken_ids is None else taken_ids
        self._open: dict[int, _Block] = {}

    def feed(self, event: ModelEvent) -> list[BaseEvent]:
        """The events that a model's event stands for; none for those that only mark a beginning or an end."""
        self.begun = True
        if "contentBlockDelta" in event:
            return self._delta(event["contentBlockDelta"])
        if "contentBlockStart" in event:
            started = event["contentBlockStart"]
            if "toolUse" in started["start"]:
                self._open[started["contentBlockIndex"]] = _Block("tool", tool=started["start"]["toolUse"])
        elif "contentBlockStop" in event:
            return self._close(event["contentBlockStop"]["contentBlockIndex"])
        elif "messageStop" in event:
            self.stop_reason = event["messageStop"]["stopReason"]
            return [closed for index in list(self._open) for closed in self._close(index)]
        elif "metadata" in event:
            self.usage = dict(event["metadata"].get("usage", {}))
            self.metrics = dict(event["metadata"].get("metrics", {}))
        return []

    def require_end(self) -> None:
        """Raises ModelError when the stream is over and the answer isn't: a cut connection looks like an end."""
        if self.stop_reason is None:
            raise ModelError(CUT_SHORT, detail="the model's stream ended without messageStop")

    @property
    def facts(self) -> dict[str, Any]:
        """What is worth a MetadataEvent: the stop reason, tokens of the provider's cache, the provider's own time."""
        known = {
            "stop_reason": self.stop_reason,
            "cache_read_tokens": self.usage.get("cacheReadInputTokens"),
            "cache_write_tokens": self.usage.get("cacheWriteInputTokens"),
            "latency_ms": self.metrics.get("latencyMs"),
        }
        return {name: value for name, value in known.items() if value is not None}

    # --- blocks

    def _delta(self, fields: ContentBlockDelta) -> list[BaseEvent]:
        delta = fields["delta"]
        block = self._open.setdefault(fields["contentBlockIndex"], _Block())
        if delta.get("text"):
            block.pieces.append(delta["text"])
            return [ContentEvent(content=delta["text"])]
        if "toolUse" in delta:
            block.pieces.append(delta["toolUse"].get("input", ""))
        elif "reasoningContent" in delta:
            return [_reasoning(block, delta["reasoningContent"])]
        elif "citation" in delta:
            return [self._citation(delta["citation"])]
        return []

    def _close(self, index: int) -> list[BaseEvent]:
        block = self._open.pop(index, None)
        if block is None:
            return []
        if block.kind == "tool":
            return [self._call(block)]
        text = "".join(block.pieces)
        if block.kind == "text" and text:
            self.content.append({"text": text})
        elif block.redacted is not None:
            self.content.append({"reasoningContent": {"redactedContent": block.redacted}})
        elif block.kind == "reasoning" and text:
            signed = {"signature": block.signature} if block.signature else {}
            self.content.append({"reasoningContent": {"reasoningText": {"text": text, **signed}}})
        return []

    def _call(self, block: _Block) -> ToolCallEvent:
        call = _tool_call(block)
        call = replace(call, id=unique(call.id or "call", self._taken_ids, 64))
        self.calls.append(call)
        self.content.append({"toolUse": {"toolUseId": call.id, "name": call.name, "input": call.arguments}})
        return ToolCallEvent(tool_name=call.name, tool_args=call.arguments, tool_id=call.id)

    def _citation(self, citation: dict[str, Any]) -> CitationEvent:
        """A passage of one of the sources, found by its place among the request's blocks."""
        location: dict[str, Any] = citation.get("location") or {}
        place: dict[str, Any] = next(iter(location.values()), {})
        index = int(place.get("documentIndex", place.get("searchResultIndex", -1)))
        title, pointer = citation.get("title") or "", citation.get("source") or place.get("url") or ""
        known = 0 <= index < len(self._sources)
        source = self._sources[index] if known else Source(document_id=pointer or title or "source")
        return CitationEvent(
            document_id=source.document_id,
            text="".join(part.get("text", "") for part in citation.get("sourceContent") or []),
            page=place.get("start") if "documentPage" in location else None,
            document_title=source.title or title or None,
            document_pointer=source.pointer or pointer or None,
        )


def tool_result(call: ToolCall, result: Any = None, *, error: str = "") -> ContentBlock:
    """The block that tells the model what a call gave; with `error`, why it gave nothing."""
    content = {"text": error} if error else {"text": result} if isinstance(result, str) else {"json": _object(result)}
    return {"toolResult": {"toolUseId": call.id, "content": [content], "status": "error" if error else "success"}}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"result": value}


def _tool_call(block: _Block) -> ToolCall:
    raw = "".join(block.pieces)
    identity = {"id": str(block.tool.get("toolUseId", "")), "name": str(block.tool.get("name", ""))}
    try:
        arguments = json.loads(raw or "{}")
    except ValueError:
        return ToolCall(**identity, arguments={}, problem="The arguments aren't valid JSON.")
    if not isinstance(arguments, dict):
        return ToolCall(**identity, arguments={}, problem="The arguments must be a JSON object.")
    return ToolCall(**identity, arguments=arguments)


def _reasoning(block: _Block, delta: ReasoningDelta) -> ReasoningEvent:
    block.kind = "reasoning"
    block.pieces.append(delta.get("text", ""))
    block.signature = delta.get("signature", block.signature)
    block.redacted = delta.get("redactedContent", block.redacted)
    return ReasoningEvent(
        text=delta.get("text", ""), signature=delta.get("signature"), redacted=delta.get("redactedContent")
    )
