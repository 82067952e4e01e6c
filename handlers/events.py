"""The events that a handler yields: small keyword-only values.

Owns their names, fields and defaults (docs/handlers.md lists them). Knows nothing of numbering, storing and
sending, which are the runner's; how a value becomes JSON is handlers.encoding's.
"""

import inspect
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, dataclass_transform

WIRE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")

_FIELDS = "__dataclass_fields__"
_completing = threading.RLock()
_reserved_names: set[str] = set()


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
@dataclass(kw_only=True)
class BaseEvent:
    """What every event has. Subclass it for an event of your own.

    A subclass may carry a bare `@dataclass` or nothing. Its wire name is its class name without `Event` in
    snake_case, unless it sets `type`. Raises TypeError when a subclass takes the wire name of a built-in event.
    """

    type: ClassVar[str] = ""

    response_id: str = ""
    sequence: int | None = None
    emit: bool = True
    persist: bool = True

    def __new__(cls, *_args: Any, **_values: Any) -> Any:
        if _FIELDS not in cls.__dict__:
            _complete(cls)
        return object.__new__(cls)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for parent in _event_classes_above(cls):
            _complete(parent)
        _annotate_overridden_defaults(cls)
        cls.type = _wire_name_declared_by(cls)


def _event_classes_above(cls: type[BaseEvent]) -> Iterator[type[BaseEvent]]:
    """The event classes that `cls` inherits from, the most basic one first."""
    return (parent for parent in reversed(cls.__mro__[1:]) if issubclass(parent, BaseEvent))


def _complete(cls: type[BaseEvent]) -> None:
    """Make a subclass without a decorator the dataclass that it reads like.

    Not done when the class is made: its own `@dataclass` may still come, and decorating twice loses default
    factories. Under a lock, since runs with threads of their own may yield the first such event together.
    """
    with _completing:
        if _FIELDS not in cls.__dict__:
            dataclass(kw_only=True)(cls)


def _annotate_overridden_defaults(cls: type[BaseEvent]) -> None:
    """Let `emit = False` in a subclass's body be the default that it reads like.

    A dataclass looks at annotated names only: without this, such an event would be sent to every client.
    """
    annotations = inspect.get_annotations(cls)
    for known in (known for parent in _event_classes_above(cls) for known in fields(parent)):
        value = cls.__dict__.get(known.name, _FIELDS)
        if known.name not in annotations and value is not _FIELDS and not hasattr(value, "__get__"):
            annotations[known.name] = known.type
    cls.__annotations__ = annotations


def _wire_name_declared_by(cls: type[BaseEvent]) -> str:
    """The wire name of a class just made: its own `type`, else made from its name. Raises TypeError."""
    own = cls.__dict__.get("type")
    name = own if isinstance(own, str) else _snake_case(cls.__name__.strip("_").removesuffix("Event") or "event")
    if not WIRE_NAME.fullmatch(name):
        raise TypeError(
            f"{cls.__qualname__}: {name!r} can't be a wire name: up to 64 letters, digits and _.:- after a first "
            f'letter. Set it in the class: `type = "..."`.'
        )
    if name in _reserved_names:
        raise TypeError(
            f"{cls.__qualname__}: the wire name {name!r} belongs to a built-in event. "
            f'Rename the class, or set `type = "..."` in it.'
        )
    return name


def _snake_case(name: str) -> str:
    """`HTTPProbe` -> `http_probe`."""
    parted = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parted).lower()


def wire_name(event_class: type[BaseEvent]) -> str:
    """The `type` under which this class's events are stored and sent."""
    return event_class.type


def new_tool_id() -> str:
    """An id for a tool call, in the form that every known model API accepts."""
    return f"call_{uuid.uuid4().hex}"


@dataclass(kw_only=True)
class ResponseStartEvent(BaseEvent):
    """The first event of every response, at sequence 0. The runner's: a handler never yields it.

    `request_id` is the client's own key, if it gave one, `message_id` the request message, `parent_id` that message's
    parent.
    """

    request_id: str | None
    chat_id: str
    message_id: str
    parent_id: str | None
    task: str
    model_id: str


@dataclass(kw_only=True)
class StatusEvent(BaseEvent):
    """Progress, in words for the user. With `persist=False` it is shown once and not kept."""

    status: str = "processing"
    message: str = ""


@dataclass(kw_only=True)
class ContentEvent(BaseEvent):
    """A piece of the answer's text. Pieces are joined exactly as they are."""

    content: str


@dataclass(kw_only=True)
class ReasoningEvent(BaseEvent):
    """A piece of what the model thought. A `signature` closes its block; `redacted` is opaque to us."""

    text: str
    signature: str | None = None
    redacted: str | bytes | None = None


@dataclass(kw_only=True)
class ImageEvent(BaseEvent):
    """An image in the answer, by the id of a stored file."""

    file_id: str
    mime_type: str
    alt: str = ""


@dataclass(kw_only=True)
class ToolCallEvent(BaseEvent):
    """A tool is called. `tool_id` ties the return to the call; one is made when none is given."""

    tool_name: str
    tool_args: dict[str, Any] = field(default_factory=dict)
    tool_id: str = field(default_factory=new_tool_id)


@dataclass(kw_only=True)
class ToolReturnEvent(BaseEvent):
    """What a tool gave back. Without a `tool_id` the runner binds it to that tool's last open call."""

    tool_name: str
    result: Any
    tool_id: str | None = None


@dataclass(kw_only=True)
class DocumentEvent(BaseEvent):
    """A source that the answer uses. `pointer` is where it is: a URL or a path of the author's making."""

    document_id: str
    title: str
    pointer: str = ""
    mime_type: str = ""
    page_count: int | None = None
    word_count: int | None = None


@dataclass(kw_only=True)
class CitationEvent(BaseEvent):
    """A passage of a source. `reference_number` is the n of a `[n]` in the answer's text."""

    document_id: str
    text: str
    page: int | None = None
    section: str | None = None
    citation_id: str | None = None
    reference_number: int | None = None
    document_title: str | None = None
    document_pointer: str | None = None


@dataclass(kw_only=True)
class MetadataEvent(BaseEvent):
    """Facts about the answer, merged shallowly into the message: the last one wins, key by key."""

    metadata: dict[str, Any]


@dataclass(kw_only=True)
class ErrorEvent(BaseEvent):
    """Something failed. `message` is shown to the user; `details` is for the audit and is never sent to them.

    Followed by more content it was a recovery, else the response ends as an error of this `error_type`.
    """

    error_type: str
    message: str
    details: Any = None


@dataclass(kw_only=True)
class ResponseEndEvent(BaseEvent):
    """The end. Optional: the runner writes one. `status` is completed, cancelled or error; `usage` counts tokens."""

    status: str = "completed"
    usage: dict[str, Any] = field(default_factory=dict)
    error_type: str | None = None


BUILT_IN_EVENTS: tuple[type[BaseEvent], ...] = (
    ResponseStartEvent,
    StatusEvent,
    ContentEvent,
    ReasoningEvent,
    ImageEvent,
    ToolCallEvent,
    ToolReturnEvent,
    DocumentEvent,
    CitationEvent,
    MetadataEvent,
    ErrorEvent,
    ResponseEndEvent,
)

# `run_error` is what an error is called in an SSE stream, where EventSource keeps `error` for itself.
_reserved_names.update({event.type for event in BUILT_IN_EVENTS} | {"run_error"})
