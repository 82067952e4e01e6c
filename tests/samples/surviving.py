"""Going on when something fails: a second way and a third, and doing what can be done of a list.

Errors are caught one by one, the end stands in `finally`, and the statuses are the author's own.
"""

import json
import logging
from collections.abc import AsyncGenerator
from typing import Any

from handlers import BaseTaskHandler
from handlers.errors import ClientUnavailable
from handlers.events import BaseEvent, ContentEvent, ErrorEvent, ResponseEndEvent
from handlers.messages import Message
from tests.samples.stepping import TideTables

logger = logging.getLogger(__name__)

AWAY = "This can't be done at the moment."


class SecondBest(BaseTaskHandler):
    """The tables first, then the model, then an apology."""

    name = "second_best"
    description = "Answers in the best way that is left."

    def __init__(self, tide_tables_client: TideTables, bedrock_runtime_client: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tables = tide_tables_client
        self._bedrock = bedrock_runtime_client

    async def handle(
        self, user_message: Message, model_id: str, response_message_id: str, **kwargs: Any
    ) -> AsyncGenerator[BaseEvent, None]:
        status = "completed"
        try:
            try:
                heights = await self._tables.heights(user_message.text)
                yield ContentEvent(response_id=response_message_id, content=f"High at {max(heights)}.", sequence=0)
            except ClientUnavailable:
                logger.warning("The tables are away, the model is asked.")
                try:
                    answer = await self._ask(model_id, user_message.text)
                    yield ContentEvent(response_id=response_message_id, content=answer, sequence=0)
                except Exception:
                    logger.exception("The model is away too.")
                    yield ContentEvent(response_id=response_message_id, content=AWAY, sequence=0)
        except Exception as error:
            logger.exception("Unforeseen")
            status = "error"
            yield ErrorEvent(response_id=response_message_id, error_type=type(error).__name__, message=AWAY, sequence=0)
        finally:
            yield ResponseEndEvent(response_id=response_message_id, status=status, sequence=0)

    async def _ask(self, model_id: str, text: str) -> str:
        client = await self._bedrock.get_sync_client()  # AttributeError where there is no such client
        asked = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100}
        body = json.dumps({**asked, "messages": [{"role": "user", "content": text}]})
        answer = json.loads(client.invoke_model(modelId=model_id, body=body)["body"].read())
        return str(answer["content"][0]["text"])


class EachInTurn(BaseTaskHandler):
    """One place after the other; those that fail are listed at the end."""

    name = "each_in_turn"
    description = "Says for several places how high the sea gets."

    def __init__(self, tide_tables_client: TideTables, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tables = tide_tables_client

    async def handle(self, **kwargs: Any) -> AsyncGenerator[BaseEvent, None]:
        results, failures = [], []
        for place in kwargs["user_message"].text.split():
            try:
                heights = await self._tables.heights(place)
                results.append(f"{place}: {max(heights.values())} m")
            except Exception as error:  # noqa: BLE001 - as such handlers do
                logger.warning("%s failed: %s", place, error)
                failures.append(place)
                continue
        if results:
            yield ContentEvent(content=f"{len(results)} places found.\n", sequence=1)
            for result in results:
                yield ContentEvent(content=f"- {result}\n", sequence=1)
        if failures:
            yield ContentEvent(content=f"{len(failures)} places failed:\n", sequence=2)
            for place in failures:
                yield ContentEvent(content=f"- {place}\n", sequence=2)
        yield ResponseEndEvent(status="completed" if results else "error", sequence=3)
