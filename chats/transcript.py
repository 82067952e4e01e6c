"""The fold: events in sequence order → the parts, metadata, errors, usage and status of a response.

Pure: no Django, no clock, no I/O. The same fold serves the journal (as it commits), reads of a
response in progress, and the reaper; the web page's is its twin in JavaScript. What the owner sees
is the fold of the emitted events alone, so it equals what a client folds from the wire; where a
handler hid events, a second fold holds all of them, for staff and handlers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Fold", "Transcript"]

Fields = dict[str, Any]

# Text is joined when a part is read, not at every delta.
_JOINED = "chunks"


class Fold:
    """The parts of one response so far. `feed` takes normalised fields (handlers.encoding)."""

    def __init__(self) -> None:
        self.metadata: Fields = {}
        self.errors: list[Fields] = []
        self.usage: Fields = {}
        self.status: str | None = None
        self.error_type: str | None = None
        self._parts: list[Fields] = []
        self._open: Fields | None = None  # the part that an adjacent delta continues
        self._documents: set[str] = set()

    def feed(self, kind: str, fields: Fields, sequence: int | None, *, hidden: bool = False) -> None:
        """Takes the next event. An unknown kind is a custom event and makes a part of its own."""
        step = _STEPS.get(kind)
        if step is None:
            self._add({"kind": "custom", "type": kind, "fields": fields, "content": ""}, hidden)
        else:
            step(self, fields, sequence, hidden)

    @property
    def parts(self) -> list[Fields]:
        return [_closed(part) for part in self._parts]

    @property
    def has_parts(self) -> bool:
        return bool(self._parts)

    def _add(self, part: Fields, hidden: bool) -> Fields:
        if hidden:
            part["hidden"] = True
        self._parts.append(part)
        self._open = None
        return part

    def _extend(self, kind: str, text: str, hidden: bool) -> Fields:
        part = self._open
        if part is None or part["kind"] != kind or part.get("hidden", False) != hidden:
            part = self._add({"kind": kind, _JOINED: []}, hidden)
            self._open = part
        part[_JOINED].append(text)
        return part

    def _content(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        if fields["content"]:
            self._extend("text", fields["content"], hidden)

    def _reasoning(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        if fields.get("redacted") is not None:
            part = {"kind": "reasoning", "redacted": fields["redacted"], "content": fields.get("text") or ""}
            self._add(part, hidden)
            return
        part = self._extend("reasoning", fields.get("text") or "", hidden)
        if fields.get("signature") is not None:
            part["signature"] = fields["signature"]
            self._open = None

    def _image(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        self._add({"kind": "image", **_only(fields, "file_id", "mime_type", "alt"), "content": ""}, hidden)

    def _tool_call(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        names = ("tool_id", "tool_name", "tool_args")
        self._add({"kind": "tool-call", **_only(fields, *names), "content": ""}, hidden)

    def _tool_return(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        names = ("tool_id", "tool_name", "result")
        self._add({"kind": "tool-return", **_only(fields, *names), "content": ""}, hidden)

    def _document(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        self._documents.add(fields["document_id"])
        names = ("document_id", "title", "pointer", "mime_type", "page_count", "word_count")
        self._add({"kind": "document", **_only(fields, *names), "content": ""}, hidden)

    def _citation(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        if fields["document_id"] not in self._documents:
            self._document(_stub_document(fields), sequence, hidden)
        names = (
            "document_id",
            "citation_id",
            "reference_number",
            "page",
            "section",
            "document_title",
            "document_pointer",
        )
        self._add({"kind": "citation", **_only(fields, *names), "content": fields["text"]}, hidden)

    def _metadata(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        self.metadata = {**self.metadata, **fields["metadata"]}

    def _error(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        error = {"type": fields["error_type"], "message": fields["message"], "sequence": sequence}
        self.errors.append({**error, "hidden": True} if hidden else error)
        self._open = None

    def _end(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        self.status = fields["status"]
        self.usage = fields["usage"]
        self.error_type = fields["error_type"]

    def _nothing(self, fields: Fields, sequence: int | None, hidden: bool) -> None:
        """An event that leaves no trace in the parts."""


_STEPS: dict[str, Callable[[Fold, Fields, int | None, bool], None]] = {
    "response_start": Fold._nothing,
    "status": Fold._nothing,
    "content": Fold._content,
    "reasoning": Fold._reasoning,
    "image": Fold._image,
    "tool_call": Fold._tool_call,
    "tool_return": Fold._tool_return,
    "document": Fold._document,
    "citation": Fold._citation,
    "metadata": Fold._metadata,
    "error": Fold._error,
    "response_end": Fold._end,
}


def _only(fields: Fields, *names: str) -> Fields:
    return {name: fields.get(name) for name in names}


def _stub_document(citation: Fields) -> Fields:
    title = citation.get("document_title") or citation["document_id"]
    return {
        "document_id": citation["document_id"],
        "title": title,
        "pointer": citation.get("document_pointer") or "",
        "mime_type": "",
    }


def _closed(part: Fields) -> Fields:
    if _JOINED not in part:
        return part
    rest = {name: value for name, value in part.items() if name != _JOINED}
    return {**rest, "content": "".join(part[_JOINED])}


class Transcript:
    """Both folds of a response: the owner's, and from the first hidden event on the whole one."""

    def __init__(self) -> None:
        self.visible = Fold()
        self._all: Fold | None = None

    @classmethod
    def of(cls, events: Iterable[tuple[str, Fields, int, bool]]) -> Transcript:
        """Of (type, fields, sequence, emit) in sequence order."""
        transcript = cls()
        for kind, fields, sequence, emit in events:
            transcript.feed(kind, fields, sequence, emit)
        return transcript

    def feed(self, kind: str, fields: Fields, sequence: int | None, emit: bool) -> None:
        if not emit and self._all is None:
            self._all = copy.deepcopy(self.visible)
        if emit:
            self.visible.feed(kind, fields, sequence)
        if self._all is not None:
            self._all.feed(kind, fields, sequence, hidden=not emit)

    @property
    def unredacted(self) -> Fields | None:
        """parts, metadata and errors with the hidden ones marked; None where nothing was hidden."""
        if self._all is None:
            return None
        return {"parts": self._all.parts, "metadata": self._all.metadata, "errors": self._all.errors}
