"""From what a model says to what a handler yields.

Owns the reading of a model's stream: pure, fed one event at a time. Where the stream comes from is the provider's.
"""

from typing import Any

from handlers.errors import ModelError
from handlers.events import BaseEvent, ContentEvent, ReasoningEvent
from handlers.models.seam import ModelEvent, ReasoningDelta

CUT_SHORT = "The model's answer broke off. Please try again."


class ModelAnswer:
    """One answer as it streams in. `stop_reason` and `usage` are known when it is over."""

    def __init__(self) -> None:
        self.stop_reason: str | None = None
        self.usage: dict[str, Any] = {}

    def feed(self, event: ModelEvent) -> list[BaseEvent]:
        """The events that a model's event stands for; none for those that only mark a beginning or an end."""
        if "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]["delta"]
            if delta.get("text"):
                return [ContentEvent(content=delta["text"])]
            if "reasoningContent" in delta:
                return [_reasoning(delta["reasoningContent"])]
        elif "messageStop" in event:
            self.stop_reason = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            self.usage = dict(event["metadata"].get("usage", {}))
        return []

    def require_end(self) -> None:
        """Raises ModelError when the stream is over and the answer isn't: a cut connection looks like an end."""
        if self.stop_reason is None:
            raise ModelError(CUT_SHORT, detail="the model's stream ended without messageStop")


def _reasoning(delta: ReasoningDelta) -> ReasoningEvent:
    return ReasoningEvent(
        text=delta.get("text", ""), signature=delta.get("signature"), redacted=delta.get("redactedContent")
    )
