"""What a handler asks of a model and what it is told, whoever's model it is.

Owns the shapes, which are those of Bedrock's ConverseStream: other providers translate. Pure: no vendor, no I/O.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

ContentBlock = dict[str, Any]
Reasoning = Literal["least", "low", "medium", "high"]
StopReason = Literal["end_turn", "tool_use", "max_tokens", "stop_sequence", "guardrail_intervened", "content_filtered"]


class ModelMessage(TypedDict):
    """One turn. Blocks: {"text": …}, {"image": …}, {"document": …}, {"toolUse": …}, {"toolResult": …},
    {"reasoningContent": …}."""

    role: Literal["user", "assistant"]
    content: list[ContentBlock]


class ReasoningDelta(TypedDict, total=False):
    """A piece of reasoning; `signature` and `redactedContent` are opaque and go back with the next turn."""

    text: str
    signature: str
    redactedContent: bytes


class Delta(TypedDict, total=False):
    """One of these."""

    text: str
    toolUse: dict[str, str]
    reasoningContent: ReasoningDelta
    citation: dict[str, Any]


class MessageStart(TypedDict):
    """The answer begins."""

    role: Literal["assistant"]


class ContentBlockStart(TypedDict):
    """A block begins; text and reasoning blocks may begin without it."""

    contentBlockIndex: int
    start: dict[str, Any]


class ContentBlockDelta(TypedDict):
    """A piece of the block of that index."""

    contentBlockIndex: int
    delta: Delta


class ContentBlockStop(TypedDict):
    """The block of that index is whole."""

    contentBlockIndex: int


class MessageStop(TypedDict):
    """The answer is whole. A stream that ends without it was cut, which is a ModelError."""

    stopReason: str


class Usage(TypedDict):
    """Tokens, as the provider counts them."""

    inputTokens: int
    outputTokens: int
    totalTokens: int
    cacheReadInputTokens: NotRequired[int]
    cacheWriteInputTokens: NotRequired[int]


class Metadata(TypedDict, total=False):
    """What is known when the answer is over; the last event of a stream."""

    usage: Usage
    metrics: dict[str, Any]


class ModelEvent(TypedDict, total=False):
    """Exactly one of these keys."""

    messageStart: MessageStart
    contentBlockStart: ContentBlockStart
    contentBlockDelta: ContentBlockDelta
    contentBlockStop: ContentBlockStop
    messageStop: MessageStop
    metadata: Metadata


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """One request. `system` and `messages` hold content blocks; `tools` hold {"toolSpec": …}.

    `messages` alternate between user and assistant, begin and end with a user's, and have no empty text: whoever
    makes a request sees to that (`handlers.models.history`). `tool_choice` is Converse's: {"auto": {}}, {"any": {}} or
    {"tool": {"name": …}}. `extra` are fields of the model's own, beyond the seam; `metadata` (chat, user) is for the
    provider's log. Without `cache`, nothing is kept at the provider to make the next turn cheaper. `reasoning`: how
    long the model is to think first, where that can be said to it; without it as long as it does by itself.
    """

    model_id: str
    messages: list[ModelMessage]
    system: list[ContentBlock] = field(default_factory=list)
    max_tokens: int | None = None
    temperature: float | None = None
    stop_sequences: list[str] = field(default_factory=list)
    tools: list[dict[str, Any]] = field(default_factory=list)
    tool_choice: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    cache: bool = True
    reasoning: Reasoning | None = None


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """A model that can be chosen: the API's model object. `accepts`: "text", "image", "document".
    `context_tokens`: how much it can read, its answer included; None when that isn't known. `tools`: False when it is
    known to take none; of the others some refuse them, with ToolsRefused."""

    id: str
    label: str
    provider: str
    available: bool = True
    reason: str | None = None
    accepts: list[str] = field(default_factory=lambda: ["text"])
    context_tokens: int | None = None
    tools: bool = True


class ModelProvider(ABC):
    """Models of one kind. Made once for a process and used from many threads and event loops at the same time."""

    #: Unique among providers.
    name: str

    @property
    def sold_by(self) -> str | None:
        """The vendor whose public prices hold for these models (`handlers.models.prices`); None for nobody's."""
        return None

    @abstractmethod
    def models(self) -> list[ModelDescription]:
        """The models, those that can't be used now included, with the reason. Quick; never asks the network."""

    @abstractmethod
    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer, piece by piece: an async generator. Closing it ends the request, the bill included.

        Raises ModelThrottled, ModelUnavailable or ModelError, at the start or in between. Never blocks its loop.
        """
