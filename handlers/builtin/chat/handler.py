"""A conversation with whichever model the user chose.

Owns what a model is told: instructions, persona, history, context, limits. Models and their streams are
handlers.models'.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from django.conf import settings
from pydantic import BaseModel, Field

from handlers.base import BaseTaskHandler
from handlers.errors import ModelError
from handlers.events import BaseEvent, ErrorEvent, MetadataEvent, ResponseEndEvent
from handlers.messages import Message
from handlers.models import ModelMessage, ModelRequest, available_models, describe_model, provider_for
from handlers.models.conversation import to_conversation
from handlers.models.translation import ModelAnswer

NOTHING_ASKED = "There is no text in this message. Please write a question."


class ChatHandler(BaseTaskHandler):
    """Answers with the chosen model, which is given the chat so far, the persona and the context items."""

    name = "chat"
    label = "Chat"
    description = "A conversation with the model of your choice."
    cooperative = True

    class Config(BaseModel):
        """What administrators set. A user's own options go before them."""

        system_prompt: str = Field("", description="Told to the model before everything else.")
        temperature: float | None = Field(None, ge=0, le=2, description="The model's own when empty.")
        max_tokens: int | None = Field(None, ge=1, description="The longest answer; the model's own limit when empty.")

    class UserOptions(BaseModel):
        """What a user sets for a chat."""

        temperature: float | None = Field(None, ge=0, le=2, title="Temperature")
        max_tokens: int | None = Field(None, ge=1, title="Longest answer, in tokens")
        instructions: str = Field("", max_length=10_000, title="Instructions for every answer")

    def __init__(self, config: Config | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._config = config or self.Config()

    @classmethod
    def model_ids(cls) -> list[str]:
        return [model.id for model in available_models() if model.available]

    async def handle(
        self,
        *,
        message_history: list[Message],
        user_message: Message,
        model_id: str,
        context: list[dict[str, Any]] | None = None,
        persona: str | None = None,
        options: UserOptions | None = None,
        **_others: Any,
    ) -> AsyncGenerator[BaseEvent, None]:
        if not user_message.text.strip() and not context and not _has_attachment(user_message):
            yield ErrorEvent(error_type="empty_request", message=NOTHING_ASKED)
            return
        model_id = model_id or settings.WORKBENCH_DEFAULT_MODEL
        answer = ModelAnswer()
        try:
            messages = await to_conversation(message_history, user_message, context, model=describe_model(model_id))
            request = self._request(model_id=model_id, messages=messages, persona=persona, options=options)
            async with aclosing(provider_for(model_id).stream(request)) as stream:
                async for model_event in stream:
                    for event in answer.feed(model_event):
                        yield event
            answer.require_end()
        except ModelError as error:
            yield ErrorEvent(error_type=error.error_type, message=error.message, details=_details(error, model_id))
            yield ResponseEndEvent(status="error", error_type=error.error_type, usage=answer.usage)
            return
        yield MetadataEvent(metadata=answer.facts)
        yield ResponseEndEvent(usage=answer.usage)

    def _request(
        self,
        *,
        model_id: str,
        messages: list[ModelMessage],
        persona: str | None,
        options: UserOptions | None,
    ) -> ModelRequest:
        mine, chosen = self._config, options or self.UserOptions()
        system = [mine.system_prompt, persona or "", chosen.instructions]
        return ModelRequest(
            model_id=model_id,
            system=[{"text": text} for text in system if text.strip()],
            messages=messages,
            temperature=mine.temperature if chosen.temperature is None else chosen.temperature,
            max_tokens=_smaller(mine.max_tokens, chosen.max_tokens),
        )


def _has_attachment(message: Message) -> bool:
    return any(part.kind in {"image", "file"} and not part.hidden for part in message.parts)


def _smaller(limit: int | None, wanted: int | None) -> int | None:
    """A user may ask for less than the administrator allows, not for more."""
    return min((number for number in (limit, wanted) if number is not None), default=None)


def _details(error: ModelError, model_id: str) -> Mapping[str, Any]:
    return {"model_id": model_id, "error": type(error).__name__, "detail": error.detail}
