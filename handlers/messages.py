"""Messages and their parts as handlers see them: plain values, free of database and framework.

Owns the kinds of parts (docs/handlers.md lists them) and how a stored part becomes one. Who made a message and
where it is kept is the concern of the app that calls the handlers.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from handlers.errors import AttachmentError

Reader = Callable[[], Awaitable[bytes]]
Kind = Literal["request", "response"]


_TEXT_TYPE = re.compile(
    r"text/|application/(json|xml|yaml|x-yaml|toml|x-ndjson|javascript)\b|(application|image)/[^;]*\+(json|xml)"
)


def is_text_type(mime_type: str) -> bool:
    """Whether what has this MIME type can be read as text."""
    return _TEXT_TYPE.match(mime_type) is not None


@dataclass(kw_only=True)
class MessagePart:
    """One part of a message: text, unless its class says otherwise.

    `content` is the part's text, "" where it has none. A `hidden` part is for handlers and staff: what it says was
    never shown to the user. `reader` gives an attachment's bytes.
    """

    default_kind: ClassVar[str] = "text"

    kind: str = ""
    content: str = ""
    hidden: bool = False
    reader: Reader | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.kind = self.kind or self.default_kind

    async def read(self) -> bytes:
        """The attachment's bytes. Raises AttachmentError when this part has none or they can't be had."""
        if self.reader is None:
            raise AttachmentError(detail=f"a part of kind {self.kind!r} has no reader")
        return await self.reader()


@dataclass(kw_only=True)
class ImagePart(MessagePart):
    """An image, by the id of a stored file. `name` and `size` (bytes) are those of one that was attached."""

    default_kind = "image"
    file_id: str = ""
    mime_type: str = ""
    alt: str = ""
    name: str = ""
    size: int = 0


@dataclass(kw_only=True)
class FilePart(MessagePart):
    """An attachment. `size` in bytes."""

    default_kind = "file"
    file_id: str = ""
    name: str = ""
    mime_type: str = ""
    size: int = 0


@dataclass(kw_only=True)
class DocumentPart(MessagePart):
    """A source that an answer used."""

    default_kind = "document"
    document_id: str = ""
    title: str = ""
    pointer: str = ""
    mime_type: str = ""
    page_count: int | None = None
    word_count: int | None = None


@dataclass(kw_only=True)
class CitationPart(MessagePart):
    """A passage of a source; `content` is the passage."""

    default_kind = "citation"
    document_id: str = ""
    citation_id: str = ""
    reference_number: int | None = None
    page: int | None = None
    section: str | None = None
    document_title: str | None = None
    document_pointer: str | None = None


@dataclass(kw_only=True)
class ToolCallPart(MessagePart):
    """A tool that an answer called."""

    default_kind = "tool-call"
    tool_id: str = ""
    tool_name: str = ""
    tool_args: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class ToolReturnPart(MessagePart):
    """What a tool gave back, any JSON value."""

    default_kind = "tool-return"
    tool_id: str = ""
    tool_name: str = ""
    result: Any = None


@dataclass(kw_only=True)
class ReasoningPart(MessagePart):
    """What a model thought; with the signature, or the redacted block, that its provider wants to see again."""

    default_kind = "reasoning"
    signature: str | None = None
    redacted: str | None = None


@dataclass(kw_only=True)
class CustomPart(MessagePart):
    """A custom event of an answer: its wire name and its fields."""

    default_kind = "custom"
    type: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Message:
    """A request or a response. `status` is that of the response's run; a request is always completed."""

    id: str = ""
    kind: Kind = "request"
    parts: list[MessagePart] = field(default_factory=list)
    status: str = "completed"
    task: str = ""
    model_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The visible text parts, joined as they are."""
        return "".join(part.content for part in self.parts if part.kind == "text" and not part.hidden)


PART_CLASSES: dict[str, type[MessagePart]] = {
    part.default_kind: part
    for part in (
        MessagePart,
        ImagePart,
        FilePart,
        DocumentPart,
        CitationPart,
        ToolCallPart,
        ToolReturnPart,
        ReasoningPart,
        CustomPart,
    )
}


def parse_part(stored: Mapping[str, Any], reader: Reader | None = None) -> MessagePart:
    """A part from its stored or sent object. Fields and kinds that this version doesn't know are passed over."""
    kind = stored.get("kind") or "text"
    part_class = PART_CLASSES.get(kind, MessagePart)
    known = {known.name for known in fields(part_class)} - {"reader"}
    return part_class(reader=reader, **{name: value for name, value in stored.items() if name in known})
