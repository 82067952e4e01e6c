"""A model that says what a test wants, and keeps what it was asked."""

from collections.abc import AsyncGenerator

from handlers.models import ModelDescription, ModelEvent, ModelProvider, ModelRequest


class ScriptedProvider(ModelProvider):
    """Says `said` to every request; raises `failure`, if there is one, when all is said and counted."""

    name = "scripted"
    model_id = "scripted-model"

    def __init__(self, said: str) -> None:
        self.said = said
        self.failure: Exception | None = None
        self.asked: list[ModelRequest] = []

    def models(self) -> list[ModelDescription]:
        return [ModelDescription(id=self.model_id, label="Scripted", provider=self.name)]

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.asked.append(request)
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": self.said}}}
        yield {"contentBlockStop": {"contentBlockIndex": 0}}
        yield {"messageStop": {"stopReason": "end_turn"}}
        yield {"metadata": {"usage": {"inputTokens": 20, "outputTokens": 5, "totalTokens": 25}}}
        if self.failure is not None:
            raise self.failure
