"""The simple Bedrock call through the socket: there, missing, failing, and stopped while it blocks."""

from typing import Any

import pytest

from handlers.clients import clients
from handlers.registry import registry
from tests.chats.live import Client
from tests.samples.asking import APOLOGY, ImpatientQuestion, PlainQuestion
from tests.samples.audience import Audience
from tests.standins.bedrock import BedrockStandIn

MODEL = "global.anthropic.claude-sonnet-5"

both = pytest.mark.parametrize("sample", [PlainQuestion, ImpatientQuestion])


@both
async def test_the_answer_comes_with_the_products_numbers(
    audience: Audience, bedrock: BedrockStandIn, register: Any, sample: Any
) -> None:
    answer = await audience.ask(register(sample), "say=High_at_nine.", model_id=MODEL)
    assert answer.text == "High at nine."
    assert answer.outcome == ("completed", None)
    assert answer.types == ["response_start", "content", "response_end"]
    assert [event["type"] for event in audience.live if event["sequence"] is None] == ["status"]


async def test_usage_is_told_in_the_products_words(audience: Audience, bedrock: BedrockStandIn, register: Any) -> None:
    answer = await audience.ask(register(PlainQuestion), "say=High_at_nine.", model_id=MODEL)
    assert answer.message.usage == {"input_tokens": 3, "output_tokens": 3, "total_tokens": 6}


async def test_without_bedrock_it_is_unavailable_with_the_reason(audience: Audience, register: Any) -> None:
    name = register(PlainQuestion)
    refusal = await audience.refused(name)
    assert refusal["code"] == "handler_unavailable"
    listed = (await audience.http.ask("GET", "/handlers/")).json()["results"]
    (entry,) = [entry for entry in listed if entry["name"] == name]
    assert (entry["available"], "AWS_REGION" in entry["reason"]) == (False, True)
    assert (await audience.ask("demo", "text")).outcome == ("completed", None)


@both
@pytest.mark.parametrize("words", ["refuse=denied", "refuse=model", "refuse=invalid"])
async def test_what_it_catches_is_told_in_its_own_words(
    audience: Audience, bedrock: BedrockStandIn, register: Any, sample: Any, words: str
) -> None:
    answer = await audience.ask(register(sample), words, model_id=MODEL)
    assert answer.text == APOLOGY
    assert answer.outcome == ("completed", None)


@both
async def test_a_blocked_call_can_be_stopped_and_holds_up_nobody(
    audience: Audience, bedrock: BedrockStandIn, register: Any, sample: Any
) -> None:
    name = register(sample)
    stopped = await audience.ask(name, "hang=5", model_id=MODEL, cancel_when=lambda: bedrock.log)
    assert stopped.outcome == ("cancelled", None)
    assert stopped.text == ""
    assert (await audience.ask(name, "say=Still_here.", model_id=MODEL)).text == "Still here."


async def test_others_are_answered_while_one_is_blocked(
    audience: Audience, bedrock: BedrockStandIn, register: Any
) -> None:
    async with Client(audience.key) as client:
        blocked = await client.start("hang=5 say=Late.", task=register(PlainQuestion), model_id=MODEL)
        _, events = await client.ask("text", task="demo")
        assert events[-1]["status"] == "completed"
        assert client.events(blocked["response_id"])[-1]["type"] in {"response_start", "status"}
        await client.send(type="cancel", response_id=blocked["response_id"])
        assert (await client.events_to_end(blocked["response_id"]))[-1]["status"] == "cancelled"


async def test_a_prototype_that_a_project_made_itself_works_alike(
    audience: Audience, bedrock: BedrockStandIn, register: Any
) -> None:
    name = register(PlainQuestion(clients.get("bedrock_runtime")))
    assert registry.get(name).prototype is not None
    assert (await audience.ask(name, "say=High_at_nine.", model_id=MODEL)).text == "High at nine."
