"""Bedrock's models, through ConverseStream.

Owns the order of things: what is sent (bedrock_request), how long is waited, when it is asked again, what comes back
(bedrock_events) and what a failure means (bedrock_errors). boto3 and its threads are handlers.clients'.
"""

import asyncio
from collections.abc import AsyncGenerator

from django.conf import settings

from handlers.clients.bedrock_runtime import BedrockRuntimeClient, CallFailed
from handlers.clients.registry import ClientRegistry
from handlers.errors import ClientUnavailable, ModelError, ModelUnavailable
from handlers.models.asking import ATTEMPTS, NOTHING_TO_SEND, pause_before_next
from handlers.models.bedrock_errors import may_ask_again, model_error
from handlers.models.bedrock_events import AnswerReader
from handlers.models.bedrock_models import DEFAULT_MODELS, labelled, traits_of
from handlers.models.bedrock_request import ConverseRequest
from handlers.models.counting import counted
from handlers.models.seam import ModelDescription, ModelEvent, ModelProvider, ModelRequest


class BedrockProvider(ModelProvider):
    """The models of WORKBENCH_BEDROCK_MODELS, or a few of everybody's."""

    name = "bedrock"
    sold_by = "bedrock"

    def __init__(self, clients: ClientRegistry) -> None:
        self._clients = clients

    def models(self) -> list[ModelDescription]:
        availability = self._clients.availability("bedrock_runtime")
        return [
            ModelDescription(
                id=model_id,
                label=label,
                provider=self.name,
                available=availability.available,
                reason=availability.reason,
                accepts=list(traits_of(model_id).accepts),
                context_tokens=traits_of(model_id).context_tokens,
                tools=traits_of(model_id).tools,
            )
            for model_id, label in _labels().items()
        ]

    @counted
    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """The answer. Asked again after a refusal that may pass, or a lost connection, as long as nothing came."""
        client, label = self._client(), _labels().get(request.model_id, request.model_id)
        converse = ConverseRequest(request, traits_of(request.model_id))
        if "messages" not in converse.parameters:
            raise ModelError(NOTHING_TO_SEND, error_type="empty_request")
        for attempt in range(1, ATTEMPTS + 1):
            call, reader = client.converse(converse.parameters), AnswerReader(converse.tool_names)
            try:
                while (events := await call.take(_patience(reader))) is not None:
                    for event in reader.feed(events):
                        yield event
                if not reader.whole:
                    raise CallFailed("lost", "the stream ended without messageStop")
                return
            except CallFailed as failure:
                if reader.whole:
                    return  # only the count of tokens is lost
                again = may_ask_again(failure) and not reader.begun
                pause = pause_before_next(attempt, failure.retry_after) if again else None
                if pause is None:
                    raise model_error(failure, label) from failure
            finally:
                call.stop()
            await asyncio.sleep(pause)

    def _client(self) -> BedrockRuntimeClient:
        try:
            client: BedrockRuntimeClient = self._clients.get("bedrock_runtime")
        except ClientUnavailable as error:
            raise ModelUnavailable("Bedrock isn't available at the moment.", detail=error.reason) from error
        return client


def _labels() -> dict[str, str]:
    return labelled(settings.WORKBENCH_BEDROCK_MODELS or DEFAULT_MODELS)


def _patience(reader: AnswerReader) -> float:
    begun: float = settings.WORKBENCH_MODEL_IDLE_TIMEOUT
    return begun if reader.begun else settings.WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT
