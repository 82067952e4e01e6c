"""What every model keeps that can be used here, whoever provides it."""

from contextlib import aclosing
from typing import Any

import pytest

from handlers.models import ModelRequest, available_models, provider_for

KINDS = {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}

every_model = pytest.mark.parametrize("model_id", [model.id for model in available_models() if model.available])


def _request(model_id: str, text: str = "Hello") -> ModelRequest:
    return ModelRequest(
        model_id=model_id,
        system=[{"text": "Be brief."}],
        messages=[
            {"role": "user", "content": [{"text": "An earlier question"}]},
            {"role": "assistant", "content": [{"text": "Its answer"}]},
            {"role": "user", "content": [{"text": text}]},
        ],
        max_tokens=200,
        temperature=0.0,
    )


async def _stream(request: ModelRequest) -> list[Any]:
    return [event async for event in provider_for(request.model_id).stream(request)]


@every_model
async def test_each_event_is_of_one_kind(model_id: str) -> None:
    for event in await _stream(_request(model_id)):
        assert len(event) == 1
        assert set(event) <= KINDS


@every_model
async def test_it_says_text_then_stops_once_then_tells_its_usage(model_id: str) -> None:
    kinds = [next(iter(event)) for event in await _stream(_request(model_id))]
    assert kinds[0] == "messageStart"
    assert "contentBlockDelta" in kinds
    assert kinds.count("messageStop") == 1
    assert kinds[-2:] == ["messageStop", "metadata"]


@every_model
async def test_usage_adds_up(model_id: str) -> None:
    usage = (await _stream(_request(model_id)))[-1]["metadata"]["usage"]
    assert usage["inputTokens"] > 0
    assert usage["outputTokens"] > 0
    assert usage["inputTokens"] + usage["outputTokens"] == usage["totalTokens"]


@every_model
async def test_it_stops_at_the_longest_answer_allowed(model_id: str) -> None:
    request = ModelRequest(**{**vars(_request(model_id, "What are you, and what can you do?")), "max_tokens": 3})
    (stop,) = [event for event in await _stream(request) if "messageStop" in event]
    assert stop == {"messageStop": {"stopReason": "max_tokens"}}


@every_model
async def test_it_can_be_closed_midway(model_id: str) -> None:
    async with aclosing(provider_for(model_id).stream(_request(model_id))) as stream:
        assert await anext(stream)


@every_model
def test_it_is_described(model_id: str) -> None:
    (model,) = [model for model in available_models() if model.id == model_id]
    assert model.label
    assert model.provider
    assert "text" in model.accepts
    assert model.reason is None
