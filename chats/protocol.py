"""The wire: what clients may send, and the frames and errors they get (version 1).

Pure: no Django, no clock, no I/O. Owns the words of the websocket and of HTTP's error bodies.
Who may do what is decided in runs.py; how frames travel is the consumers' and sse.py's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import pydantic
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from handlers.encoding import EncodingError, canonical_json, clean_text, encode_value

__all__ = [
    "MAX_FRAME_IN",
    "PROTOCOL_VERSION",
    "STATUS_OF",
    "SUBADDRESSES",
    "Batch",
    "Cancel",
    "ClosingCode",
    "DoorError",
    "Ping",
    "StartBody",
    "Subscribe",
    "Unsubscribe",
    "WireEvent",
    "encode_frame",
    "is_shadowed",
    "is_uuid7",
    "parse_body",
    "parse_client_frame",
    "parse_object",
    "read_client_frame",
]

PROTOCOL_VERSION = 1
MAX_FRAME_IN = 1 << 20  # bytes; up to 4 MiB the server answers too_large, above that it drops the socket

STATUS_OF = {
    "invalid_json": 400,
    "unknown_type": 400,
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "busy": 409,
    "conflict": 409,
    "too_large": 413,
    "unsupported_type": 415,
    "rate_limited": 429,
    "handler_unavailable": 503,
    "unavailable": 503,
}


SUBADDRESSES = ("messages", "export", "share", "files")  # what stands, or may come to stand, behind a chat's name


class ClosingCode:
    """Why a websocket was closed. Clients come back with their cursors on all but the first two."""

    UNAUTHORIZED = 4401
    WRONG_ORIGIN = 4403
    RESTART = 1012
    TOO_MANY_SOCKETS = 4429
    TOO_SLOW = 4408


class DoorError(Exception):
    """An anticipated refusal, in the words that the client gets. `code` is one of STATUS_OF's.

    `message` may name `values`, as `%(count)s`; `text` is it without them, as catalogues of translations have it.
    `fields` maps a field's name to its messages; `retry_after` is in seconds.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: Mapping[str, list[str]] | None = None,
        retry_after: float | None = None,
        response_id: str | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        self.code = code
        self.text = message
        self.values = dict(values or {})
        self.message = message % self.values if self.values else message
        super().__init__(self.message)
        self.fields = dict(fields or {})
        self.retry_after = retry_after
        self.response_id = response_id

    @property
    def http_status(self) -> int:
        return STATUS_OF[self.code]

    def body(self) -> dict[str, Any]:
        """The error object of HTTP and, with a `type`, of the websocket."""
        optional = {"fields": self.fields, "retry_after": self.retry_after, "response_id": self.response_id}
        return {"code": self.code, "message": self.message} | {k: v for k, v in optional.items() if v}


# What clients send


def is_uuid7(text: str) -> bool:
    """Whether `text` has the shape of our ids (RFC 9562 §5.7), in the usual hyphenated form."""
    try:
        parsed = UUID(text)
    except ValueError:
        return False
    return parsed.version == 7 and str(parsed) == text.lower()


def is_shadowed(name: str) -> bool:
    """Whether a chat of this name couldn't be reached by it: its address would be another door's."""
    return "/" in name and name.rpartition("/")[2] in SUBADDRESSES


def clean_json(value: Any) -> Any:
    """User input with NUL and lone surrogates replaced, in keys and values. Raises ValueError, as pydantic takes it,
    for what is too deep, too large or no number of JSON's (1e999)."""
    try:
        return encode_value(value, "")
    except EncodingError as error:
        raise ValueError(f"Can't be stored: {error.message}.") from error


CleanText = Annotated[str, AfterValidator(clean_text)]
ShortText = Annotated[CleanText, StringConstraints(max_length=200)]
ResponseId = Annotated[CleanText, StringConstraints(max_length=64)]
CleanObject = Annotated[dict[str, Any], AfterValidator(clean_json)]


class _Incoming(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class RequestPart(_Incoming):
    """A part of a person's message. Attachments are named by the id that the upload gave; what else is said of them
    is passed over, but an image's `alt`."""

    kind: Literal["text", "image", "file"] = "text"
    content: Annotated[CleanText | None, Field(validate_default=True)] = None
    file_id: Annotated[ResponseId | None, Field(validate_default=True)] = None
    alt: ShortText = ""

    @property
    def is_attachment(self) -> bool:
        return self.kind != "text"

    @pydantic.field_validator("content", "file_id")
    @classmethod
    def _is_there(cls, value: str | None, field: pydantic.ValidationInfo) -> str | None:
        wanted = "content" if field.data.get("kind", "text") == "text" else "file_id"
        if value is None and field.field_name == wanted:
            raise PydanticCustomError("missing", "Field required")
        return value


class ContextItem(_Incoming):
    type: ShortText = "text"
    title: ShortText = ""
    content: CleanText


class StartBody(_Incoming):
    """What `start` and both `generate` doors take."""

    request_id: Annotated[CleanText, StringConstraints(min_length=1, max_length=128)] | None = None
    chat_id: Annotated[CleanText, StringConstraints(min_length=1, max_length=200)] | None = None
    parent_id: ResponseId | None = None
    task: ShortText | None = None
    parts: list[RequestPart] | None = None
    model_id: ShortText | None = None
    persona_id: ResponseId | None = None
    context: list[ContextItem] | None = None
    options: CleanObject | None = None
    branch: bool = False
    continuation: bool = False

    @pydantic.model_validator(mode="after")
    def _says_something(self) -> StartBody:
        said = (part.is_attachment or (part.content or "").strip() for part in self.parts or ())
        if self.parts is not None and not any(said):
            raise ValueError("parts: Write something: every part is empty.")
        if self.continuation and self.parts is not None:
            raise ValueError("continuation: It says all there is to say: leave parts out.")
        return self

    @property
    def names_parent(self) -> bool:
        """Whether `parent_id` was sent at all; a null means a new root, its absence the active leaf."""
        return "parent_id" in self.model_fields_set

    def canonical(self) -> str:
        """What is asked for, and not how it is told: equal texts are the same request sent again."""
        return canonical_json(self.model_dump(mode="json", exclude={"request_id", "merge"}, exclude_unset=True))


class Start(StartBody):
    """`merge` is `subscribe`'s, for the subscription that a start is."""

    request_id: Annotated[CleanText, StringConstraints(min_length=1, max_length=128)]
    merge: bool = False


class Subscribe(_Incoming):
    response_id: ResponseId
    after: Annotated[int, Field(ge=-1, lt=1 << 62)] = -1
    merge: bool = False


class Unsubscribe(_Incoming):
    response_id: ResponseId


class Cancel(_Incoming):
    response_id: ResponseId


class Ping(_Incoming):
    pass


Model = TypeVar("Model", bound=BaseModel)

_FRAMES: dict[str, type[_Incoming]] = {
    "start": Start,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "cancel": Cancel,
    "ping": Ping,
}


def read_client_frame(text: str) -> dict[str, Any]:
    """The JSON object of a client's frame. Raises DoorError: invalid_json or too_large."""
    if len(text) > MAX_FRAME_IN or (not text.isascii() and len(text.encode("utf-8", "replace")) > MAX_FRAME_IN):
        raise DoorError("too_large", f"A frame may have {MAX_FRAME_IN} bytes. Send long texts as attachments.")
    return parse_object(text, "frame")


def parse_client_frame(raw: Mapping[str, Any]) -> _Incoming:
    """The frame that `raw` is. Raises DoorError: unknown_type, or invalid with the fields named."""
    kind = raw.get("type")
    model = _FRAMES.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise DoorError("unknown_type", f"The frame's “type” must be one of {', '.join(_FRAMES)}.")
    return parse_body(model, raw)


def parse_object(text: str, noun: str) -> dict[str, Any]:
    """The JSON object that `text` is; a DoorError `invalid_json` calls it by `noun`."""
    try:
        raw = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise DoorError("invalid_json", f"The {noun} isn't valid JSON{where}.") from error
    if not isinstance(raw, dict):
        raise DoorError("invalid_json", f"The {noun} must be a JSON object.")
    return raw


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} isn't JSON")


def parse_body(model: type[Model], raw: Mapping[str, Any]) -> Model:
    """`raw` as `model`; a DoorError `invalid` names each field and what's wrong with it."""
    try:
        return model.model_validate(raw)
    except pydantic.ValidationError as error:
        raise DoorError("invalid", "Some fields aren't right.", fields=field_messages(error)) from error


def field_messages(error: pydantic.ValidationError) -> dict[str, list[str]]:
    """Dotted field name → messages, free of the values that were sent."""
    messages: dict[str, list[str]] = {}
    for line in error.errors(include_url=False, include_input=False):
        path = ".".join(str(step) for step in line["loc"])
        text = line["msg"].removeprefix("Value error, ")
        if not path:
            path, _, text = text.partition(": ")
        messages.setdefault(path, []).append(text)
    return messages


# What clients get


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One event as a client sees it. `body` is its JSON object with type and sequence.

    `sequence` is None for an event that isn't in the log; `first_sequence` is set where it
    stands for several.
    """

    type: str
    sequence: int | None
    payload: str
    first_sequence: int | None = None

    @property
    def body(self) -> str:
        number = "null" if self.sequence is None else str(self.sequence)
        span = "" if self.first_sequence is None else f',"first_sequence":{self.first_sequence}'
        rest = "}" if self.payload == "{}" else "," + self.payload[1:]
        return f'{{"type":"{self.type}","sequence":{number}{span}{rest}'

    def body_for(self, response_id: str) -> str:
        """The same with the response's id, as SSE and the list of events send it."""
        return f'{{"response_id":"{response_id}",{self.body[1:]}'


@dataclass(slots=True)
class Batch:
    """A stretch of one response's log, `after`+1 to `through`, with the unstored events in their place.

    `events` are those a client may see; numbers missing in between are hidden. `status` is set
    when the stretch ends with the response's end. `timestamp` is ms since the epoch, of the first event.
    The frame is encoded once, however many sockets it goes to.
    """

    response_id: str
    after: int
    through: int
    events: list[WireEvent]
    timestamp: int
    status: str | None = None
    reset: bool = False
    _frame: str | None = field(default=None, repr=False)

    @property
    def frame(self) -> str:
        if self._frame is None:
            reset = ',"reset":true' if self.reset else ""
            self._frame = (
                f'{{"type":"events","response_id":"{self.response_id}","after":{self.after},'
                f'"through":{self.through},"timestamp":{self.timestamp}{reset},'
                f'"events":[{",".join([event.body for event in self.events])}]}}'
            )
        return self._frame

    @property
    def size(self) -> int:
        """Characters of payload, for bounds."""
        return sum(len(event.payload) for event in self.events)

    def since(self, cursor: int) -> Batch:
        """What of it comes after `cursor`, which lies inside."""
        known = sum(1 for event in self.events if event.sequence is not None and event.sequence <= cursor)
        later = list(self.events)
        while known:
            known -= later.pop(0).sequence is not None
        return Batch(self.response_id, cursor, self.through, later, self.timestamp, self.status)


def encode_frame(kind: str, **fields: Any) -> str:
    """A server frame; fields that are None are left out where the contract makes them optional."""
    return canonical_json({"type": kind, **fields})
