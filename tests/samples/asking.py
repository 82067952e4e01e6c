"""A question to a model through the SDK's own client: the first handler that most people write.

Kept as hard on the product as such handlers are: the call blocks its thread, ids and numbers are the author's, whatever
goes wrong is caught, and the end says completed in any case.
"""

import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

from handlers import BaseTaskHandler
from handlers.events import BaseEvent, ContentEvent, ResponseEndEvent, StatusEvent
from handlers.messages import Message

logger = logging.getLogger(__name__)

APOLOGY = "The model couldn't be asked. Please try again later."


def text_in(message: Message) -> str:
    """All text of a message's parts, in the way of one who doesn't know `message.text`."""
    text = ""
    for part in message.parts:
        if hasattr(part, "content") and part.content:
            text += str(part.content)
    return text


class PlainQuestion(BaseTaskHandler):
    """Asks with `invoke_model`, whose body is the model family's own."""

    def __init__(self, bedrock_runtime_client: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._bedrock = bedrock_runtime_client

    @property
    def name(self) -> str:
        return "plain_question"

    @property
    def description(self) -> str:
        return "Asks the model once and shows its answer in one piece."

    async def handle(
        self, chat_id: str, user_message: Message, model_id: str, response_message_id: str, **kwargs: Any
    ) -> AsyncGenerator[BaseEvent, None]:
        yield StatusEvent(
            response_id=response_message_id,
            status="processing",
            message="Asking…",
            sequence=0,
            emit=True,
            persist=False,
        )
        usage = {}
        try:
            client = await self._bedrock.get_sync_client()
            asked = [{"role": "user", "content": text_in(user_message)}]
            body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 500, "messages": asked}
            response = client.invoke_model(modelId=model_id, body=json.dumps(body))
            answer = json.loads(response.get("body").read())
            usage = {"prompt_tokens": answer["usage"]["input_tokens"]}
            usage["completion_tokens"] = answer["usage"]["output_tokens"]
            content = answer["content"][0]["text"]
            yield ContentEvent(response_id=response_message_id, content=content, sequence=1, emit=True, persist=True)
        except Exception as error:  # noqa: BLE001 - as such handlers do
            logger.error("The model couldn't be asked: %s", error)
            yield ContentEvent(response_id=response_message_id, content=APOLOGY, sequence=1)
        yield ResponseEndEvent(response_id=response_message_id, status="completed", usage=usage, sequence=2)


class ImpatientQuestion(PlainQuestion):
    """The same, with its end in `finally`: also when it is cancelled, also when nobody listens any more."""

    name = "impatient_question"  # type: ignore[assignment]

    async def handle(self, *args: Any, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        try:
            async for event in super().handle(*args, **kwargs):
                if not isinstance(event, ResponseEndEvent):
                    yield event
        finally:
            yield ResponseEndEvent(response_id="another", status="completed", sequence=999)
