"""The unit test that such handlers come with: mocks for clients, no product round it."""

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from handlers.events import ContentEvent, ResponseEndEvent
from handlers.messages import Message, MessagePart
from tests.samples.asking import APOLOGY, PlainQuestion


class TestPlainQuestion:
    @pytest.fixture
    def sdk_client(self) -> Mock:
        body = Mock(
            read=Mock(
                return_value='{"content": [{"text": "Tested"}], "usage": {"input_tokens": 1, "output_tokens": 1}}'
            )
        )
        return Mock(invoke_model=Mock(return_value={"body": body}))

    @pytest.fixture
    def handler(self, sdk_client: Mock) -> PlainQuestion:
        bedrock = Mock()
        bedrock.get_sync_client = AsyncMock(return_value=sdk_client)
        return PlainQuestion(bedrock)

    async def _events(self, handler: PlainQuestion) -> list[Any]:
        message = Message(parts=[MessagePart(content="Test query")])
        return [
            event
            async for event in handler.handle(
                chat_id="chat",
                user_message=message,
                model_id="some-model",
                response_message_id="response",
                message_history=[],
            )
        ]

    def test_it_says_what_it_is(self, handler: PlainQuestion) -> None:
        assert handler.name == "plain_question"
        assert "asks the model" in handler.description.lower()

    async def test_the_models_answer_is_the_content_and_there_is_one_end(
        self, handler: PlainQuestion, sdk_client: Mock
    ) -> None:
        events = await self._events(handler)
        assert [event.content for event in events if isinstance(event, ContentEvent)] == ["Tested"]
        assert [event.status for event in events if isinstance(event, ResponseEndEvent)] == ["completed"]
        assert "Test query" in sdk_client.invoke_model.call_args.kwargs["body"]

    async def test_a_failing_client_is_apologised_for(self, handler: PlainQuestion, sdk_client: Mock) -> None:
        sdk_client.invoke_model.side_effect = RuntimeError("boom")
        events = await self._events(handler)
        assert [event.content for event in events if isinstance(event, ContentEvent)] == [APOLOGY]
