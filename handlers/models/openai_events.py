"""From the bytes of a chat/completions stream to the seam's events. Pure.

Owns the lines of the event stream, the calls whose pieces come by index, and what servers do that are only nearly
OpenAI's: reasoning under two names or within the text, calls without index or id, whole arguments as an object, errors
in the middle.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from handlers.models.seam import ModelEvent
from handlers.models.thinking import Kind, ThoughtSplitter

LONGEST_LINE = 16 << 20  # bytes
END = b"[DONE]"

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filtered",
}


class ErrorInStream(Exception):
    """The server ended its answer with an error: its code, its words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code}: {words}")
        self.code = code
        self.words = words


class EventLines:
    """The payloads (`data:`) of an event stream, however its bytes are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[bytes]:
        """The payloads that are whole now. Comments and other fields are passed over."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise ErrorInStream("garbled", "a line of the event stream has no end")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()

    def last(self) -> Iterator[bytes]:
        """That of the last line, when the stream ended without its line's end."""
        yield from self.feed(b"\n")


@dataclass
class _Call:
    """A tool call whose pieces come in. It starts when its name is known; what came before is kept."""

    block: int
    id: str
    name: str = ""
    pending: str = ""
    started: bool = False


class AnswerReader:
    """One answer as its bytes come.

    `begun`: something has been passed on. `whole`: the server gave a reason for its end. `done`: nothing will follow.
    `heard`: how many payloads have come; comments, by which a server keeps a connection open, don't count.
    """

    def __init__(self, tool_names: Mapping[str, str]) -> None:
        self._tool_names = tool_names
        self._lines = EventLines()
        self._calls: list[tuple[Any, _Call]] = []  # with the index that the server gives each, if it does
        self._open: str | None = None  # the kind of the text or reasoning block that isn't closed yet
        self._blocks = 0
        self._thoughts = ThoughtSplitter()
        self._stop_reason = ""
        self._usage: Mapping[str, Any] | None = None
        self._ended = False
        self.begun = self.done = False
        self.heard = 0

    @property
    def whole(self) -> bool:
        return bool(self._stop_reason)

    def feed(self, received: bytes) -> Iterator[ModelEvent]:
        """The seam's events. Raises ErrorInStream; the events before it have been given then."""
        for payload in self._lines.feed(received):
            yield from self._payload(payload)

    def finish(self) -> Iterator[ModelEvent]:
        """What is left to say when the stream is over: for a whole answer its end and its usage, once."""
        if not self.done:
            for payload in self._lines.last():
                yield from self._payload(payload)
        if not self.whole or self._ended:
            return
        self._ended = True
        yield from self._pieces(self._thoughts.finish())
        yield from self._begin()
        yield from self._close_blocks()
        reason = "tool_use" if self._calls and self._stop_reason == "stop" else self._stop_reason
        yield {"messageStop": {"stopReason": _STOP_REASONS.get(reason, reason)}}
        if self._usage:
            yield {"metadata": {"usage": _usage(self._usage)}}  # type: ignore[typeddict-item]

    # --- one payload

    def _payload(self, payload: bytes) -> Iterator[ModelEvent]:
        if self.done or not payload:
            return
        self.heard += 1
        if payload == END:
            self.done = True
            return
        chunk = _parsed(payload)
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or ():
            if choice.get("index") or 0:
                continue  # a second answer, which nobody asked for
            delta = choice.get("delta") or choice.get("message")
            if delta:
                yield from self._delta(delta)
            self._stop_reason = choice.get("finish_reason") or self._stop_reason
            if self._stop_reason == "error":
                self._stop_reason = ""
                raise ErrorInStream("error", "the server ended its answer with the reason “error”")

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[ModelEvent]:
        if reasoning := _text(delta.get("reasoning_content")) or _text(delta.get("reasoning")):
            yield from self._said("reasoning", {"reasoningContent": {"text": reasoning}})
        if text := _text(delta.get("content")) or _text(delta.get("refusal")):
            yield from self._pieces(self._thoughts.feed(text))
        for piece in delta.get("tool_calls") or ():
            yield from self._pieces(self._thoughts.finish())
            yield from self._tool(piece)

    def _pieces(self, pieces: Iterator[tuple[Kind, str]]) -> Iterator[ModelEvent]:
        for kind, text in pieces:
            yield from self._said(kind, {"text": text} if kind == "text" else {"reasoningContent": {"text": text}})

    def _begin(self) -> Iterator[ModelEvent]:
        """The message's start, held back until something follows it: an error in its place can be got over."""
        if not self.begun:
            self.begun = True
            yield {"messageStart": {"role": "assistant"}}

    def _said(self, kind: str, delta: dict[str, Any]) -> Iterator[ModelEvent]:
        if self._open != kind:
            yield from self._begin()
            yield from self._close_text()
            self._open, self._blocks = kind, self._blocks + 1
            self._text_block = self._blocks - 1
        yield cast("ModelEvent", {"contentBlockDelta": {"contentBlockIndex": self._text_block, "delta": delta}})

    def _close_text(self) -> Iterator[ModelEvent]:
        if self._open is not None:
            self._open = None
            yield {"contentBlockStop": {"contentBlockIndex": self._text_block}}

    def _close_blocks(self) -> Iterator[ModelEvent]:
        yield from self._close_text()
        for _, call in self._calls:
            if not call.started:
                yield from self._start(call)
            yield {"contentBlockStop": {"contentBlockIndex": call.block}}

    # --- tool calls

    def _tool(self, piece: Mapping[str, Any]) -> Iterator[ModelEvent]:
        yield from self._begin()
        yield from self._close_text()
        call = self._call_of(piece)
        function = piece.get("function") or {}
        arguments = function.get("arguments")
        text = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments else ""
        call.name = call.name or function.get("name") or ""
        if not call.started:
            call.pending += text
            if call.name:
                yield from self._start(call)
        elif text:
            yield _arguments(call, text)

    def _call_of(self, piece: Mapping[str, Any]) -> _Call:
        """The call that a piece belongs to: that of its index, unless its id says that another one begins."""
        index, given = piece.get("index"), piece.get("id") or ""
        for known, call in reversed(self._calls):
            if known == index and given in {"", call.id}:
                return call
        number = len(self._calls)
        call = _Call(self._blocks, given or f"call_{number}")
        self._blocks += 1
        self._calls.append((index, call))
        return call

    def _start(self, call: _Call) -> Iterator[ModelEvent]:
        call.started = True
        name = self._tool_names.get(call.name, call.name)
        tool = {"toolUseId": call.id, "name": name}
        yield {"contentBlockStart": {"contentBlockIndex": call.block, "start": {"toolUse": tool}}}
        if call.pending:
            yield _arguments(call, call.pending)


def _arguments(call: _Call, text: str) -> ModelEvent:
    return {"contentBlockDelta": {"contentBlockIndex": call.block, "delta": {"toolUse": {"input": text}}}}


def _parsed(payload: bytes) -> dict[str, Any]:
    """A chunk. Raises ErrorInStream for an error in its place, and for what is no chunk."""
    try:
        chunk = json.loads(payload)
    except ValueError:
        raise ErrorInStream("garbled", f"not JSON: {payload[:200]!r}") from None
    if not isinstance(chunk, dict):
        raise ErrorInStream("garbled", f"not a chunk: {payload[:200]!r}")
    error = chunk.get("error") or (chunk if chunk.get("object") == "error" else None)
    if error:
        said = error if isinstance(error, dict) else {"message": error}
        raise ErrorInStream(str(said.get("code") or said.get("type") or "error"), str(said.get("message") or error))
    return chunk


def _text(value: Any) -> str:
    """A delta's text, which some servers give as a list of parts."""
    if isinstance(value, list):
        return "".join(str(part.get("text") or "") for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _usage(told: Mapping[str, Any]) -> dict[str, int]:
    """As the seam counts: what came from the server's cache isn't among the input."""
    given, said = int(told.get("prompt_tokens") or 0), int(told.get("completion_tokens") or 0)
    cached = min(given, int((told.get("prompt_tokens_details") or {}).get("cached_tokens") or 0))
    usage = {"inputTokens": given - cached, "outputTokens": said, "totalTokens": given + said}
    return {**usage, "cacheReadInputTokens": cached} if cached else usage
