"""How a message is shown: which cards its parts make, and errors in plain words.

Owns what the server's templates (chats/parts/) and the page's modules (static/chats/items.js) must agree on.
Takes message objects of the wire (reading.py) or parts of that shape; knows no tables and no HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

__all__ = [
    "ERROR_WORDS",
    "Item",
    "Problem",
    "Source",
    "error_words",
    "items_of",
    "problems_of",
    "shown_message",
    "sources_of",
]

# By error_type (docs/protocol.md); `other` for a handler's own.
ERROR_WORDS = {
    "handler_error": _("The answer failed"),
    "timeout": _("The answer took too long and was stopped"),
    "first_event_timeout": _("No answer came in time"),
    "idle_timeout": _("The answer stopped coming"),
    "worker_lost": _("The server was interrupted in the middle of this answer"),
    "shutdown": _("The server was restarted in the middle of this answer"),
    "model_error": _("The model failed"),
    "throttled": _("The model is too busy at the moment"),
    "unavailable": _("This isn't available at the moment"),
    "empty_response": _("The answer was empty"),
    "other": _("The answer failed"),
}

UNFINISHED = ("queued", "running")
PARTIALS = ("text", "reasoning", "tool-call", "tool-return", "sources", "image", "file", "custom")


@dataclass(slots=True)
class Source:
    """A document, and what is cited of it."""

    document: Mapping[str, Any]
    citations: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Item:
    """One card: a part, with its tool call's return or the sources where it has them. `partial` is its template."""

    part: Mapping[str, Any]
    returned: Mapping[str, Any] | None = None
    sources: Sequence[Source] = ()

    @property
    def partial(self) -> str:
        kind = self.part["kind"]
        return f"chats/parts/{kind if kind in PARTIALS else 'custom'}.html"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error of a message. `is_mild`: the handler got over it, and the answer went on."""

    heading: str
    message: str
    is_mild: bool


def items_of(parts: Sequence[Mapping[str, Any]]) -> list[Item]:
    """The cards for `parts`, in order.

    A tool's return goes into its call's card. Sources and what is cited of them stand together after the answer, and
    text that was parted only by them is one text again, unless one piece of it is hidden and the other isn't.
    """
    returns = {part["tool_id"]: part for part in parts if part["kind"] == "tool-return"}
    called = {part["tool_id"] for part in parts if part["kind"] == "tool-call"}
    items: list[Item] = []
    for part in parts:
        if _is_shown_elsewhere(part, called):
            continue
        if items and _goes_on(items[-1].part, part):
            items[-1] = Item({**items[-1].part, "content": items[-1].part["content"] + part["content"]})
        else:
            items.append(_item(part, returns))
    sources = sources_of(parts)
    return [*items, Item({"kind": "sources"}, sources=sources)] if sources else items


def _is_shown_elsewhere(part: Mapping[str, Any], called: set[str]) -> bool:
    match part["kind"]:
        case "document" | "citation":
            return True
        case "reasoning":
            return not part["content"] and "redacted" not in part
        case "tool-return":
            return part["tool_id"] in called
    return False


def _goes_on(before: Mapping[str, Any], part: Mapping[str, Any]) -> bool:
    are_texts = before["kind"] == part["kind"] == "text"
    return are_texts and bool(before.get("hidden")) == bool(part.get("hidden"))


def sources_of(parts: Iterable[Mapping[str, Any]]) -> list[Source]:
    """The sources with what is cited of them, in the order in which they came."""
    sources: dict[str, Source] = {}
    for part in parts:
        if part["kind"] == "document":
            sources.setdefault(part["document_id"], Source(part))
        elif part["kind"] == "citation":
            sources.setdefault(part["document_id"], Source(_named_by(part))).citations.append(part)
    return list(sources.values())


def _named_by(citation: Mapping[str, Any]) -> dict[str, Any]:
    """For a citation whose source came to nobody's knowledge."""
    title = citation.get("document_title") or citation["document_id"]
    return {"kind": "document", "title": title, "pointer": citation.get("document_pointer") or "", "mime_type": ""}


def _item(part: Mapping[str, Any], returns: Mapping[str, Mapping[str, Any]]) -> Item:
    if part["kind"] == "tool-return":
        return Item(part, part)
    if part["kind"] == "tool-call":
        return Item(part, returns.get(part["tool_id"]))
    if part["kind"] not in PARTIALS:
        fields = {name: value for name, value in part.items() if name != "kind" and value != ""}
        return Item({"kind": part["kind"], "type": part["kind"], "fields": fields})
    return Item(part)


def error_words(error_type: str) -> str:
    """An error type in plain words."""
    return str(ERROR_WORDS.get(error_type, ERROR_WORDS["other"]))


def problems_of(status: str, errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
    """The errors of a message: the last is the reason where the status is `error`, the others were got over."""
    listed = list(errors)
    if status == "error" and not listed:
        listed = [{"type": "other", "message": ""}]
    return [
        Problem(error_words(error["type"]), error["message"], is_mild=False)
        if status == "error" and error is listed[-1]
        else Problem(str(_("Something went wrong on the way")), error["message"], is_mild=True)
        for error in listed
    ]


def shown_message(message: Mapping[str, Any], task_labels: Mapping[str, str]) -> dict[str, Any]:
    """The message object with what chats/message.html needs beside it."""
    return {
        **message,
        "author": task_labels.get(message["task"], message["task"]),
        "items_shown": items_of(message["parts"]),
        "is_unfinished": message["status"] in UNFINISHED,
        "is_continuation": message["kind"] == "request" and bool(message["metadata"].get("continues")),
        "reached_limit": message["status"] == "completed" and message["metadata"].get("stop_reason") == "max_tokens",
        "problems": problems_of(message["status"], message["errors"]),
    }
