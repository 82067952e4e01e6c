"""What a response must come to, told from what its handler yielded: protocol §2 once more, in the plainest way.

Knows nothing of the runner, the journal and their threads. It leans on handlers.encoding for single values and on
chats.recorder for counting tokens; those have tests of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chats.recorder import normalise_usage
from handlers.encoding import EncodingError, clean_text, encode_event
from handlers.errors import HandlerError
from handlers.events import BaseEvent

__all__ = ["Said", "Story", "coalesce", "story_of"]

TEXT = {"content": "content", "reasoning": "text"}
SHOWN = frozenset({"content", "reasoning", "image", "tool_call", "tool_return", "document", "citation"})
SILENT = frozenset({"status", "metadata", "error"})
REFUSED = "invalid_event"
LONGEST_ERROR_TYPE = 100


class MadeId(str):
    """An id that nobody could foretell: equal to the first one that it is compared with."""

    __slots__ = ("seen",)
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        self.seen = getattr(self, "seen", other)
        return isinstance(other, str) and other != "" and self.seen == other


class Saying(str):
    """Equal to any text that contains this one."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in other


@dataclass
class Said:
    """One event as it must come out."""

    type: str
    fields: dict[str, Any]
    emit: bool = True
    persist: bool = True


@dataclass
class Story:
    """`said` comes between start and end. `last_words` precede the end, except that a cancel may leave them out."""

    said: list[Said] = field(default_factory=list)
    last_words: list[Said] = field(default_factory=list)
    status: str = "completed"
    error_type: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    dropped: int = 0


def story_of(yielded: Sequence[Any], escaped: BaseException | None, reference: str) -> Story:
    """Of a run that nobody cancelled. `reference` is what an unforeseen failure's message must hold."""
    story = Story()
    end: dict[str, Any] | None = None
    ids = _Ids()
    for value in yielded:
        if not isinstance(value, BaseEvent):
            return _ended(story, end, failed_with=_unforeseen(reference))
        if end is not None:
            story.dropped += 1
        elif value.type == "response_end" and (said := _said(value)).type == "response_end":
            end = said.fields
        elif value.type != "response_start":
            story.said.append(ids.settle(_said(value)))
    if isinstance(escaped, HandlerError):
        error_type = clean_text(escaped.error_type)[:LONGEST_ERROR_TYPE]
        failure = {"error_type": error_type, "message": clean_text(escaped.message)}
        return _ended(story, end, failed_with=failure)
    return _ended(story, end, failed_with=None if escaped is None else _unforeseen(reference))


def _unforeseen(reference: str) -> dict[str, Any]:
    return {"error_type": "handler_error", "message": Saying(reference)}


def _said(event: BaseEvent) -> Said:
    try:
        encoded = encode_event(event)
    except EncodingError as error:
        message = Saying(f"“{error.field or type(event).__name__}”")
        # What was to be hidden stays so when it is refused: its field's name is content too.
        return Said("error", {"error_type": REFUSED, "message": message}, emit=event.emit is True)
    encoded.fields.pop("details", None) if encoded.type == "error" else None
    return Said(encoded.type, encoded.fields, encoded.emit, encoded.persist)


class _Ids:
    """Tool returns find their calls, and no two citations have the same id."""

    def __init__(self) -> None:
        self.open_calls: list[tuple[str, str]] = []
        self.citations: set[str] = set()

    def settle(self, said: Said) -> Said:
        fields = said.fields
        if said.type == "tool_call":
            fields["tool_id"] = fields["tool_id"] or MadeId()
            self.open_calls.append((fields["tool_name"], fields["tool_id"]))
        elif said.type == "tool_return":
            fields["tool_id"] = self._returned(fields["tool_name"], fields["tool_id"])
        elif said.type == "citation":
            wanted = fields["citation_id"] or str(len(self.citations) + 1)
            candidates = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, 1000))
            fields["citation_id"] = next(each for each in candidates if each not in self.citations)
            self.citations.add(fields["citation_id"])
        return said

    def _returned(self, tool_name: str, tool_id: str | None) -> str:
        mine = [n for n, call in enumerate(self.open_calls) if call[0] == tool_name]
        if tool_id:
            named = [n for n in mine if self.open_calls[n][1] is tool_id or str.__eq__(self.open_calls[n][1], tool_id)]
            if named:
                self.open_calls.pop(named[0])
            return tool_id
        return self.open_calls.pop(mine[-1])[1] if mine else MadeId()


def _ended(story: Story, end: dict[str, Any] | None, failed_with: dict[str, Any] | None) -> Story:
    story.usage = normalise_usage((end or {}).get("usage") or {})
    if failed_with is not None:
        story.last_words = [Said("error", failed_with)]
        return _as_error(story, failed_with["error_type"])
    declared = (end or {}).get("status", "completed")
    unrecovered = _unrecovered(story.said)
    if declared == "cancelled":
        story.status = "cancelled"
        return story
    if declared == "error":
        return _as_error(story, (end or {})["error_type"] or unrecovered or "handler_error")
    if unrecovered is not None:
        return _as_error(story, unrecovered)
    if not any(_shows(said) for said in story.said):
        story.last_words = [Said("error", {"error_type": "empty_response", "message": Saying("")})]
        return _as_error(story, "empty_response")
    return story


def _as_error(story: Story, error_type: str) -> Story:
    story.status, story.error_type = "error", error_type[:LONGEST_ERROR_TYPE]
    return story


def _unrecovered(events: Iterable[Said]) -> str | None:
    """The type of the last error, if nothing came after it; what a hidden error was called is hidden too."""
    last = None
    for said in events:
        if said.type == "error":
            name = said.fields["error_type"]
            last = name if said.emit or name == REFUSED else "handler_error"
        elif said.type not in SILENT and not _is_empty(said):
            last = None
    return last


def _is_empty(said: Said) -> bool:
    """A text that leaves nothing behind."""
    return _is_text(said.type, said.fields) and not said.fields[TEXT[said.type]]


def _shows(said: Said) -> bool:
    if not said.emit or said.type in SILENT:
        return False
    return not _is_text(said.type, said.fields) or said.fields[TEXT[said.type]].strip() != ""


def _is_text(kind: str, fields: dict[str, Any]) -> bool:
    """Whether it is a delta that may be joined with its neighbours."""
    return kind == "content" or (kind == "reasoning" and fields["signature"] is fields["redacted"] is None)


def coalesce(events: Iterable[Said]) -> list[Said]:
    """With adjacent deltas of the same class, emit and persist joined, as far as they can be."""
    joined: list[Said] = []
    for said in events:
        if _is_empty(said):
            continue
        last = joined[-1] if joined else None
        if last is not None and _joins(last, said):
            name = TEXT[said.type]
            last.fields = {**last.fields, name: last.fields[name] + said.fields[name]}
        else:
            joined.append(Said(said.type, dict(said.fields), said.emit, said.persist))
    return joined


def _joins(last: Said, said: Said) -> bool:
    alike = (last.type, last.emit, last.persist) == (said.type, said.emit, said.persist)
    return alike and _is_text(last.type, last.fields) and _is_text(said.type, said.fields)
