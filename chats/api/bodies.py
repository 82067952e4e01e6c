"""What clients send to the HTTP doors: bodies and query parameters, checked and typed.

Knows shapes and sizes, no users and no tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from chats.protocol import (
    MAX_FRAME_IN,
    CleanObject,
    CleanText,
    DoorError,
    ShortText,
    StartBody,
    is_shadowed,
    is_uuid7,
    parse_body,
    parse_object,
)
from handlers.encoding import clean_text

__all__ = ["Body", "ChatChange", "NewChat", "invalid", "parse_cursor", "parse_start", "parse_time", "read_object"]

MAX_BODY = MAX_FRAME_IN
LONGEST_SEQUENCE = 18  # digits: what a database's 64 bits hold


def invalid(name: str, message: str) -> DoorError:
    """The refusal of one field or parameter."""
    return DoorError("invalid", f"“{name}” isn't right: {message}", fields={name: [message]})


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that is the request's body.

    Raises DoorError: invalid (another content type), too_large (over 1 MiB) or invalid_json.
    Reads the stream itself: the framework's parsers take a chunked body, whose length nobody
    announces, for an empty one.
    """
    kind = (request.content_type or "").lower()
    if kind != "application/json":
        raise DoorError("invalid", f"Send the body as JSON, with “Content-Type: application/json”, not {kind!r}.")
    body = request.read(MAX_BODY + 1) if _announced_length(request) <= MAX_BODY else None
    if body is None or len(body) > MAX_BODY:
        raise DoorError("too_large", f"A body may have {MAX_BODY} bytes. Send long texts as attachments.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DoorError("invalid_json", f"The body isn't UTF-8 (at byte {error.start}).") from error
    return parse_object(text, "body")


def _announced_length(request: HttpRequest) -> int:
    announced = request.META.get("CONTENT_LENGTH") or "0"
    return int(announced) if announced.isdecimal() else 0


# Bodies


def parse_start(raw: Mapping[str, Any]) -> StartBody:
    """The body of the generate doors: as `start`, its parts also as `message: {parts}` or `content: "text"`."""
    given = [name for name in ("parts", "message", "content") if raw.get(name) is not None]
    if len(given) > 1:
        raise invalid(given[1], f"Send only one of {' and '.join(given)}.")
    fields = {name: value for name, value in raw.items() if name not in ("message", "content")}
    if given == ["message"]:
        message = raw["message"]
        if not isinstance(message, dict) or not isinstance(message.get("parts"), list):
            raise invalid("message", "It must be an object with a list of “parts”.")
        fields["parts"] = message["parts"]
    elif given == ["content"]:
        if not isinstance(raw["content"], str):
            raise invalid("content", "It must be text.")
        fields["parts"] = [{"content": raw["content"]}]
    return parse_body(StartBody, fields)


def _as_own_name(name: str) -> str:
    if is_uuid7(name):
        raise ValueError("It looks like an id of ours. Choose another name.")
    if is_shadowed(name):
        raise ValueError("A name can't end in “/" + name.rpartition("/")[2] + "”: that is another address of the chat.")
    return name


# Stripped before its length is looked at, which pydantic does in this order only.
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(clean_text)
]
OwnName = Annotated[CleanText, StringConstraints(min_length=1, max_length=200), AfterValidator(_as_own_name)]


class Body(BaseModel):
    """Of a door that changes something: a field that it doesn't know is refused, not passed over."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class NewChat(Body):
    """POST chats/. `name` is the client's own."""

    name: OwnName | None = None
    title: Title | None = None
    task: ShortText = ""
    model_id: ShortText = ""
    metadata: CleanObject = Field(default_factory=dict)


class ChatChange(Body):
    """PATCH chats/{id}/: what is named changes. `metadata` is merged; a key with null is removed."""

    title: Title = ""
    status: Literal["active", "archived"] = "active"
    pinned: bool = False
    active_leaf: Annotated[str, StringConstraints(max_length=64)] | None = None
    metadata: CleanObject = Field(default_factory=dict)

    def names(self, field: str) -> bool:
        """Whether the client sent the field at all."""
        return field in self.model_fields_set


# Query parameters


def parse_cursor(text: str | None, name: str) -> int:
    """The last sequence that a client has seen; -1 for none."""
    if not text or text == "-1":
        return -1
    # `int` alone takes spaces, underscores and other scripts' digits too.
    if not (text.isascii() and text.isdecimal()) or len(text) > LONGEST_SEQUENCE:
        raise invalid(name, "It must be a sequence number, or -1 for all.")
    return int(text)


def parse_time(text: str, name: str) -> datetime:
    """ISO 8601; without an offset it is UTC. A “+” that arrived as a space is understood."""
    try:
        at = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text)
        at = at.astimezone(UTC) if at is not None and at.tzinfo else at
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise invalid(name, "It must be a time as 2026-01-31T12:00:00Z.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)
