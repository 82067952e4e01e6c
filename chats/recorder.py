"""From what a handler yields to what its response's log takes: the rules that no handler can break.

Owns one run's state of these rules (protocol §2): encoding and splitting, tool and citation ids, the
end held back, recovery after an error, and what the audit must know. Runs in the handler's own thread,
so that a bad value harms only its own run. Knows no loops, tasks or time-outs: that's runner.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chats.runlog import MAX_TEXT_BYTES, End, Pending, RunLog, byte_length
from handlers.encoding import EncodedEvent, EncodingError, canonical_json, clean_text, encode_event
from handlers.errors import HandlerError
from handlers.events import BaseEvent, ErrorEvent, new_tool_id

__all__ = ["MOST_KEPT", "AnswerTooLarge", "NotAnEvent", "Recorder", "normalise_usage", "note", "split_text"]

# What shows nothing of an answer: an error that only these follow is how the run ended.
SILENT = frozenset({"status", "metadata", "error", "response_start", "response_end"})
MOST_NOTES = 100
LONGEST_MESSAGE = 16 * 1024  # characters of an error's message that was an exception's text
LONGEST_ERROR_TYPE = 100  # of an end: the column's width
MOST_TOKENS = 2**53  # beyond it neither every client nor a sum is exact
# An answer's end writes all of its parts in one statement, beside other runs' events: 200 MB of them take PostgreSQL
# 6 s, and a statement may take 10 (journal.TIME_OUTS); SQLite refuses 1 GB for ever.
MOST_KEPT = 32 * 1024 * 1024  # bytes of an answer's parts, metadata and errors, as JSON
PART_OVERHEAD = 100  # bytes of a part's JSON beside what is said in it
EMPTY_ANSWER = "The assistant gave no answer. Please try again, or ask in another way."
STATUSES = ("completed", "cancelled", "error")


class NotAnEvent(TypeError):
    """A handler yielded something that is no event."""

    def __init__(self, value: object) -> None:
        super().__init__(f"a handler yields events (handlers.events), not {type(value).__name__}")


class AnswerTooLarge(HandlerError):
    """A response says more than can be stored as one message."""

    error_type = "too_large"
    default_message = "This answer has become too large to be kept, so it ends here. What it had said is kept."


def note(slug: str, **facts: Any) -> dict[str, Any]:
    """An entry for the audit."""
    cleaned = {name: clean_text(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    return {"at": datetime.now(UTC).isoformat(), "note": slug, **cleaned}


class Recorder:
    """See the module."""

    def __init__(self, log: RunLog) -> None:
        self.log = log
        self.notes: list[dict[str, Any]] = []
        self.dropped = 0  # events after the end
        self.silent = 0  # events that left nothing in the log
        self._kept = 0  # bytes of what the message will hold
        self._last_class: tuple[str, bool] | None = None  # of text: more of the same makes no new part
        self.declared_end: dict[str, Any] | None = None
        self._unrecovered: str | None = None  # the error_type of the last error that nothing visible followed
        self._shown = False
        self._open_calls: dict[str, list[str]] = {}
        self._citation_ids: set[str] = set()

    def take(self, value: object) -> None:
        """Records one yielded value; one that can't be encoded becomes an error event. Raises NotAnEvent, and
        AnswerTooLarge before the event that would be too much."""
        if not isinstance(value, BaseEvent):
            raise NotAnEvent(value)
        if self.declared_end is not None:
            self.dropped += 1
            self.silent += 1
            return
        try:
            event = encode_event(value)
        except EncodingError as error:
            self._refuse(value, error)
            return
        if event.type == "content":
            self._text("content", event.fields["content"], event.emit, event.persist)
        elif event.type == "reasoning":
            self._reasoning(event)
        else:
            self._other(event, _take_details(event) if isinstance(value, ErrorEvent) else None)

    def error(self, error_type: str, message: str, *, details: str | None = None) -> Pending:
        """An error event, to be appended or to be the last words. Its texts may be an exception's: anything."""
        details = None if details is None else clean_text(details)
        message = clean_text(message[:LONGEST_MESSAGE])
        fields = {"error_type": clean_text(error_type[:LONGEST_ERROR_TYPE]), "message": message}
        return Pending("error", fields, True, True, time.time(), size=len(message), details=details)

    def finish(self, end: End | None = None, last_words: Pending | None = None) -> bool:
        """Closes the log: with `end`, or with what the handler's own events add up to. False if it was closed."""
        if end is None:
            end, last_words = self._own_end()
        if self.dropped:
            self.note("events_after_end_dropped", count=self.dropped)
        if end.error_type is not None:
            end.error_type = end.error_type[:LONGEST_ERROR_TYPE]
        end.usage = end.usage or normalise_usage((self.declared_end or {}).get("usage") or {})
        end.notes = [*end.notes, *self.notes]
        return self.log.close(end, last_words)

    def note(self, slug: str, **facts: Any) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append(note(slug, **facts))

    # One event

    def _text(self, kind: str, text: str, emit: bool, persist: bool) -> None:
        if not text:
            self.silent += 1
            return
        if emit and not self._shown and not text.isspace():
            self._shown = True
        self._unrecovered = None
        if persist:
            new_part, self._last_class = self._last_class != (kind, emit), (kind, emit)
            self._keep(byte_length(text) + (PART_OVERHEAD if new_part else 0))
        if byte_length(text) <= MAX_TEXT_BYTES:
            self.log.append_text(kind, text, emit=emit, persist=persist)
        else:
            for piece in split_text(text):
                self.log.append_text(kind, piece, emit=emit, persist=persist)

    def _reasoning(self, event: EncodedEvent) -> None:
        fields = event.fields
        if fields["signature"] is None and fields["redacted"] is None:
            self._text("reasoning", fields["text"], event.emit, event.persist)
        else:
            self._other(event)

    def _other(self, event: EncodedEvent, details: str | None = None) -> None:
        fields = event.fields
        match event.type:
            case "response_start":
                self.note("response_start_dropped")
                return
            case "response_end":
                self.declared_end = fields
                return
            case "tool_call":
                fields["tool_id"] = fields["tool_id"] or new_tool_id()
                self._open_calls.setdefault(fields["tool_name"], []).append(fields["tool_id"])
            case "tool_return":
                fields["tool_id"] = self._close_call(fields["tool_name"], fields["tool_id"])
            case "citation":
                fields["citation_id"] = self._unique_citation_id(fields["citation_id"])
            case "error":
                # The end is shown, so it can't name what was hidden.
                self._unrecovered = fields["error_type"] if event.emit else "handler_error"
        if event.type not in SILENT:
            self._shown = self._shown or event.emit
            self._unrecovered = None
        self._append(Pending(event.type, fields, event.emit, event.persist, time.time(), details=details))

    def _append(self, event: Pending) -> None:
        event.payload = canonical_json(event.fields)
        event.size = len(event.payload)
        if event.persist and event.type != "status":
            self._last_class = None
            self._keep(byte_length(event.payload) + PART_OVERHEAD)
        self.log.append(event)

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > MOST_KEPT:
            raise AnswerTooLarge(detail=f"more than {MOST_KEPT} bytes would have to be kept")

    def _close_call(self, tool_name: str, tool_id: str | None) -> str:
        open_calls = self._open_calls.get(tool_name, [])
        if not tool_id:
            return open_calls.pop() if open_calls else new_tool_id()
        if tool_id in open_calls:
            open_calls.remove(tool_id)
        return tool_id

    def _unique_citation_id(self, wanted: str | None) -> str:
        base = wanted or str(len(self._citation_ids) + 1)
        unique, n = base, 1
        while unique in self._citation_ids:
            n += 1
            unique = f"{base}-{n}"
        self._citation_ids.add(unique)
        return unique

    def _refuse(self, value: BaseEvent, error: EncodingError) -> None:
        message = f"A part of the answer could not be shown (“{error.field or type(value).__name__}”)."
        self._unrecovered = "invalid_event"
        details = f"{type(value).__name__}: {error}"
        refusal = self.error("invalid_event", message, details=details)
        # A field's name may be content (a key of metadata, say): where the event was hidden, so is its name.
        refusal.emit = _is_shown(value)
        self._append(refusal)

    # The end

    def _own_end(self) -> tuple[End, Pending | None]:
        """How it ended, when the generator was exhausted."""
        declared = self.declared_end or {"status": "completed", "error_type": None}
        status, error_type = declared["status"], declared["error_type"]
        if status not in STATUSES:
            self.note("unknown_status", status=status)
            status = "completed"
        if status != "completed":
            return End(
                status, (error_type or self._unrecovered or "handler_error") if status == "error" else None
            ), None
        if self._unrecovered is not None:
            return End("error", self._unrecovered), None
        if not self._shown:
            return End("error", "empty_response"), self.error("empty_response", EMPTY_ANSWER)
        return End("completed"), None


def _take_details(error: EncodedEvent) -> str | None:
    """What is for the audit alone, out of an error's fields; also of an author's own kind of error."""
    details = error.fields.pop("details", None)
    return details if details is None or isinstance(details, str) else canonical_json(details)


def _is_shown(event: BaseEvent) -> bool:
    try:
        return event.emit is True
    except Exception:  # noqa: BLE001 - an author's property may raise anything
        return False


def split_text(text: str) -> Iterable[str]:
    """`text` in pieces of at most MAX_TEXT_BYTES of UTF-8, whole characters each."""
    step = MAX_TEXT_BYTES if text.isascii() else MAX_TEXT_BYTES // 4
    return (text[start : start + step] for start in range(0, len(text), step))


_USAGE_SPELLINGS = {
    "input_tokens": ("input_tokens", "inputTokens", "prompt_tokens", "promptTokens", "inputTokenCount"),
    "output_tokens": ("output_tokens", "outputTokens", "completion_tokens", "completionTokens", "outputTokenCount"),
    "total_tokens": ("total_tokens", "totalTokens", "totalTokenCount"),
}


def normalise_usage(usage: Mapping[str, Any]) -> dict[str, int | float]:
    """input_tokens, output_tokens and total_tokens, from any common spelling; numbers only."""
    found = {}
    for name, spellings in _USAGE_SPELLINGS.items():
        counts = [usage[spelling] for spelling in spellings if _is_count(usage.get(spelling))]
        if counts:
            found[name] = counts[0]
    if "total_tokens" not in found and found:
        found["total_tokens"] = sum(found.values())
    return found


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS
