"""The models of a server that speaks OpenAI's API, through streaming chat/completions.

Owns the order of things: what is sent (openai_request), how long is waited, when it is asked again, what comes back
(openai_events) and what a failure means (openai_errors). Connections are handlers.clients'.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator

from django.conf import settings

from handlers.clients.failures import CallFailed
from handlers.clients.openai import OpenAIClient, is_openai
from handlers.clients.registry import ClientRegistry
from handlers.errors import ClientUnavailable, ModelError, ModelUnavailable
from handlers.models.asking import ATTEMPTS, NOTHING_TO_SEND, pause_before_next
from handlers.models.bedrock_models import labelled
from handlers.models.counting import counted
from handlers.models.openai_errors import may_ask_again, model_error
from handlers.models.openai_events import AnswerReader, ErrorInStream
from handlers.models.openai_models import answers_chats, context_tokens_of, traits_of
from handlers.models.openai_request import ChatRequest
from handlers.models.seam import ModelDescription, ModelEvent, ModelProvider, ModelRequest

CLIENT = "openai"
LAST_PATIENCE = 5.0  # seconds between an answer's last word and its usage
NO_LIST = "The server lists no models; name them in WORKBENCH_OPENAI_MODELS."


class OpenAICompatibleProvider(ModelProvider):
    """The models of WORKBENCH_OPENAI_MODELS, or those that the server lists."""

    name = "openai"

    def __init__(self, clients: ClientRegistry) -> None:
        self._clients = clients

    @property
    def sold_by(self) -> str | None:
        """OpenAI's prices are its own server's: elsewhere the same name is another's model, or another's bill."""
        return "openai" if is_openai() else None

    def models(self) -> list[ModelDescription]:
        availability = self._clients.availability(CLIENT)
        if settings.WORKBENCH_OPENAI_MODELS:
            labels = labelled(settings.WORKBENCH_OPENAI_MODELS)
            return [self._describe(model_id, label, availability.reason) for model_id, label in labels.items()]
        if availability.available:
            return self._listed()
        configured = settings.OPENAI_BASE_URL or settings.OPENAI_API_KEY
        return [self._describe(self.name, "OpenAI-compatible server", availability.reason)] if configured else []

    @counted
    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer. Asked again after a refusal that may pass, or a lost connection, as long as nothing came."""
        client, chat = self._client(), ChatRequest(request, openai=is_openai())
        if chat.is_empty:
            raise ModelError(NOTHING_TO_SEND, error_type="empty_request")
        for attempt in range(1, ATTEMPTS + 1):
            call, reader = client.chat(chat.body), AnswerReader(chat.tool_names)
            patience = _Patience(reader)
            try:
                while not reader.done and (received := await call.take(patience.left())):
                    for event in reader.feed(received):
                        yield event
                for event in _end(reader):
                    yield event
                await call.settle()
                return
            except (CallFailed, ErrorInStream) as error:
                if reader.whole:
                    for event in reader.finish():
                        yield event
                    return  # only the count of tokens is lost
                failure = error if isinstance(error, CallFailed) else _as_failure(error)
                again = may_ask_again(failure) and not reader.begun
                pause = pause_before_next(attempt, failure.retry_after) if again else None
                if pause is None:
                    raise model_error(failure, _label(request.model_id)) from error
            finally:
                call.stop()
            await asyncio.sleep(pause)

    def _client(self) -> OpenAIClient:
        try:
            client: OpenAIClient = self._clients.get(CLIENT)
        except ClientUnavailable as error:
            raise ModelUnavailable("The model isn't available at the moment.", detail=error.reason) from error
        return client

    def _listed(self) -> list[ModelDescription]:
        """The server's own; while there is no list, one entry that says why stands for them all."""
        models, reason = self._clients.get(CLIENT).catalogue.known()
        described = [
            self._describe(str(model["id"]), str(model["id"]), reason, context_tokens_of(model))
            for model in models
            if answers_chats(str(model["id"]))
        ]
        return described or [self._describe(self.name, "OpenAI-compatible server", reason or NO_LIST)]

    def _describe(
        self, model_id: str, label: str, reason: str | None, context_tokens: int | None = None
    ) -> ModelDescription:
        return ModelDescription(
            id=model_id,
            label=label,
            provider=self.name,
            available=reason is None,
            reason=reason,
            accepts=list(traits_of(model_id).accepts),
            context_tokens=context_tokens or traits_of(model_id).context_tokens,
        )


class _Patience:
    """How long a server may still be silent. What only keeps the connection open doesn't break a silence."""

    def __init__(self, reader: AnswerReader) -> None:
        self._reader = reader
        self._heard = reader.heard
        self._since = time.monotonic()

    def left(self) -> float:
        """Seconds; called again after each piece."""
        if self._reader.heard != self._heard:
            self._heard, self._since = self._reader.heard, time.monotonic()
        return max(0.0, self._since + self._limit() - time.monotonic())

    def _limit(self) -> float:
        if self._reader.whole:
            return LAST_PATIENCE
        begun: float = settings.WORKBENCH_MODEL_IDLE_TIMEOUT
        return begun if self._reader.begun else settings.WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT


def _end(reader: AnswerReader) -> Iterator[ModelEvent]:
    yield from reader.finish()
    if not reader.whole:
        raise CallFailed("lost", "the stream ended without a finish_reason")


def _as_failure(error: ErrorInStream) -> CallFailed:
    return CallFailed("refused", error.words, code=error.code)


def _label(model_id: str) -> str:
    return labelled(settings.WORKBENCH_OPENAI_MODELS).get(model_id, model_id)
