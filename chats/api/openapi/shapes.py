"""What the doors answer, as models: they describe, and nothing is made or checked with them when requests are served.

Owns the names and words of the document's schemas. The objects themselves are made in reading.py and in the doors;
tests compare every door's real answers with these. A field with a default may be absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel

from chats.models import Message as StoredMessage
from chats.models import Status
from chats.protocol import STATUS_OF, RequestPart, StartBody
from handlers.models.seam import ModelDescription
from handlers.registry import HandlerDescription

__all__ = [
    "CancelAnswer",
    "Chat",
    "ErrorBody",
    "FeedbackAnswer",
    "FilePart",
    "GenerateBody",
    "Handler",
    "ImagePart",
    "Message",
    "Model",
    "Part",
    "Persona",
    "Prompt",
    "RunError",
    "SearchHit",
    "SocketTicket",
    "Transcript",
    "UploadedPart",
]

Id: TypeAlias = UUID
_CODES = (
    "internal",
    "method_not_allowed",
    *(code for code in STATUS_OF if code != "unknown_type"),
)  # a websocket's own
# Taken from where they are defined, which pydantic reads when it runs and a type checker can't.
ErrorCode: TypeAlias = Literal[*_CODES]  # type: ignore[valid-type]
RunStatus: TypeAlias = Literal[*Status.values]  # type: ignore[valid-type]
MessageKind: TypeAlias = Literal[*StoredMessage.Kind.values]  # type: ignore[valid-type]


class Shape(BaseModel):
    """Base of the shapes. What is written below a field is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True)


# Errors


class ErrorBody(Shape):
    """Every refusal and every fault. Decide by `code`; `message` is for people, in the language that
    `Accept-Language` asks for."""

    code: ErrorCode
    message: str
    fields: dict[str, list[str]] = {}
    """Name of a field or parameter, dotted where it lies deeper, to what is wrong with it."""
    retry_after: float = 0
    """Seconds after which another try may succeed; the header `Retry-After` says so too."""
    response_id: str = ""
    """The response that it is about, where there is one."""


class RunError(Shape):
    """A run that failed. What had been said until then is in the message of this `response_id`."""

    code: str
    """The run's `error_type`: `handler_error`, `model_error`, `throttled`, `unavailable`, `worker_lost`, `shutdown`,
    `timeout`, `first_event_timeout`, `idle_timeout`, `empty_response`, or one of the handler's own."""
    message: str
    response_id: Id


# Parts of messages


class TextPart(Shape):
    kind: Literal["text"]
    content: str


class ReasoningPart(Shape):
    """What the model thought. A redacted piece is opaque: it is there to be sent back to the model."""

    kind: Literal["reasoning"]
    content: str
    signature: str | None = None
    redacted: str | None = None


class ImagePart(Shape):
    """An image, attached or made by a handler. An attached one has `name` and `size` too."""

    kind: Literal["image"]
    file_id: str
    """GET files/{file_id}/ has its bytes."""
    mime_type: str
    alt: str
    content: Literal[""]
    name: str = ""
    size: int = 0
    """In bytes."""


class FilePart(Shape):
    """An attachment that is no image."""

    kind: Literal["file"]
    file_id: Id
    """GET files/{file_id}/ has its bytes."""
    name: str
    mime_type: str
    """By its content, not by what was said of it."""
    size: int
    """In bytes."""
    content: Literal[""]


class DocumentPart(Shape):
    """A source that the answer uses."""

    kind: Literal["document"]
    document_id: str
    title: str
    pointer: str
    """Where it is: a URL, or a path of the author's making."""
    mime_type: str
    page_count: int | None
    word_count: int | None
    content: Literal[""]


class CitationPart(Shape):
    """A passage of a source; its text is `content`."""

    kind: Literal["citation"]
    document_id: str
    citation_id: str | None
    reference_number: int | None
    """The n of a `[n]` in the answer's text."""
    page: int | None
    section: str | None
    document_title: str | None
    document_pointer: str | None
    content: str


class ToolCallPart(Shape):
    kind: Literal["tool-call"]
    tool_id: str
    """Ties the return to the call."""
    tool_name: str
    tool_args: dict[str, Any]
    content: Literal[""]


class ToolReturnPart(Shape):
    kind: Literal["tool-return"]
    tool_id: str | None
    tool_name: str
    result: Any
    content: Literal[""]


class CustomPart(Shape):
    """An event of a handler's own."""

    kind: Literal["custom"]
    type: str
    """The event's wire name."""
    fields: dict[str, Any]
    content: Literal[""]


_AnyPart: TypeAlias = Annotated[
    TextPart
    | ReasoningPart
    | ImagePart
    | FilePart
    | DocumentPart
    | CitationPart
    | ToolCallPart
    | ToolReturnPart
    | CustomPart,
    Field(discriminator="kind"),
]


class Part(RootModel[_AnyPart]):
    """A piece of a message."""


class UploadedPart(RootModel[Annotated[ImagePart | FilePart, Field(discriminator="kind")]]):
    """The part that stands for a file that was sent. Put it among a start's `parts` within a day."""


# Messages and chats


class Feedback(Shape):
    rating: Literal["up", "down"]
    comment: str
    updated_at: datetime


class FeedbackAnswer(Shape):
    message_id: str
    feedback: Feedback | None


class MessageError(Shape):
    """An error of a run. The answer got over it unless the message's status is `error`."""

    type: str
    message: str
    sequence: int | None
    """The event's, in the log."""


class Message(Shape):
    """A question or an answer. An unfinished answer has what its log holds so far."""

    id: Id
    """A response's is its `response_id`."""
    chat_id: Id
    parent_id: Id | None
    """What it answers, or what it follows. Null: a root of the tree."""
    kind: MessageKind
    status: RunStatus
    sequence: int | None
    """Up to where of its log the response is shown: follow its events from there. Null for a request."""
    parts: list[Part]
    errors: list[MessageError]
    metadata: dict[str, Any]
    task: str
    """The handler that answered."""
    model_id: str
    usage: dict[str, Any]
    """Numbers: `input_tokens`, `output_tokens`, `total_tokens`, and what else the model counts."""
    feedback: Feedback | None
    created_at: datetime
    finished_at: datetime | None


class Chat(Shape):
    """A tree of messages."""

    id: Id
    name: str | None
    """The client's own. Wherever an address has the chat's id, it does too."""
    title: str
    title_source: Literal["first_words", "auto", "user"]
    status: Literal["active", "archived"]
    pinned: bool
    task: str
    """The handler of the last start; empty before the first."""
    model_id: str
    """The model of the last start; empty before the first."""
    active_leaf: Id | None
    """The message at the end of the branch that is shown."""
    metadata: dict[str, Any]
    """The client's own."""
    running: list[Id]
    """The ids of its unfinished responses."""
    created_at: datetime
    updated_at: datetime
    """Any change; sync by it."""
    last_message_at: datetime
    """A question was asked or an answer ended; nothing else moves it."""


class Transcript(Shape):
    """A chat as a file."""

    chat: Chat
    messages: list[Message]


class CancelAnswer(Shape):
    response_id: Id
    status: RunStatus
    """Of a run that had ended, how it ended."""


# Found


class Highlighted(Shape):
    """Plain text, and the stretches of it that matched. Never put it into HTML unescaped."""

    text: str
    ranges: list[Annotated[list[int], Field(min_length=2, max_length=2)]]
    """`[start, end)` in UTF-16 units, as JavaScript's `slice` counts."""


class SearchHit(Shape):
    """A chat that was found, by its title or by one of its messages."""

    chat: Chat
    title: Highlighted
    message_id: Id | None
    """The message that was found; null for a hit in the title, as are the fields below."""
    kind: MessageKind | None
    created_at: datetime | None
    snippet: Highlighted | None


# What there is to choose from


class Kept(Shape):
    id: Id
    name: str
    description: str
    own: bool
    """Whether it is one's own: only those can be changed."""


class Persona(Kept):
    """A way of answering. Send its id as a start's `persona_id`."""

    prompt: str = ""
    """Of one's own only: others' stay on the server."""
    groups: list[str] = []
    """Whose members may use it. Of one's own only."""


class Prompt(Kept):
    """A text to start a question from."""

    text: str
    groups: list[str] = []
    """Whose members may use it. Of one's own only."""


@dataclass(frozen=True, slots=True)
class Handler(HandlerDescription):
    """Who may answer."""


@dataclass(frozen=True, slots=True)
class Model(ModelDescription):
    """What a handler may ask."""


class SocketTicket(Shape):
    ticket: str
    """Opens one websocket: `/ws/chat/?ticket=…`."""
    expires_in: int
    """In seconds."""


# Bodies


class SpokenMessage(Shape):
    parts: list[RequestPart]
    """As a start's own `parts`."""


class GenerateBody(StartBody):
    """A start. Its words are one of `parts`, `message` and `content`; without any it is one more answer to the request
    that `parent_id` names."""

    message: SpokenMessage | None = None
    content: str | None = None
