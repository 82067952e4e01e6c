"""Chats that are longer than the model can read, with every provider on a server that refuses what is too long."""

import json
from typing import Any

import pytest

from chats.runs import start_run
from handlers.builtin.chat import ChatHandler
from handlers.clients import clients
from handlers.testing import collect, conversation, text_of
from tests.chats.live import make_user
from tests.chats.scripted import body_of, wait_for_end
from tests.contract.providers import ProviderUnderTest
from tests.standins.behaviour import Behaviour, ask_for

SMALL = {"bedrock": "meta.llama3-8b-instruct-v1:0", "openai": "stand-in-small"}
SMALL_TOKENS = 8_192
SENTENCE = "The tide follows the moon by about fifty minutes each day, as the tables say. "


@pytest.fixture
def small(tested: ProviderUnderTest, settings: Any) -> ProviderUnderTest:
    """The provider with a model that reads 8,192 tokens: one whose size is known, and one whose isn't."""
    settings.WORKBENCH_BEDROCK_MODELS = [SMALL["bedrock"]]
    tested.model_id = SMALL[tested.name]
    tested.server.context_tokens = SMALL_TOKENS  # type: ignore[attr-defined]
    return tested


async def _answered(tested: ProviderUnderTest, turns: int, behaviour: Behaviour) -> list[Any]:
    history = conversation(*(f"{number}: {SENTENCE * 3}" for number in range(2 * turns)))
    try:
        return await collect(ChatHandler(), ask_for(behaviour), message_history=history, model_id=tested.model_id)
    finally:
        await clients.close_loop()


async def test_a_chat_of_500_turns_works_on_a_small_model(small: ProviderUnderTest) -> None:
    events = await _answered(small, 500, Behaviour(say="Still following."))
    assert text_of(events) == "Still following."
    (seen,) = small.seen
    assert seen.status == 200
    sent = json.dumps(seen.body)
    assert "999: The tide" in sent
    assert sent.count(SENTENCE.strip()) > 100
    (status,) = [event for event in events if event.type == "status"]
    assert "oldest messages were left out" in status.message


async def test_with_tools_between_it_works_too(small: ProviderUnderTest) -> None:
    behaviour = Behaviour(tools=(("calculator", '{"expression":"6*7"}'),))
    events = await _answered(small, 500, behaviour)
    if small.name == "openai":
        assert text_of(events) == "The tools gave: 42"
    else:  # its small model takes no tools
        assert "toolConfig" not in small.seen[0].body
    assert {seen.status for seen in small.seen} == {200}


async def test_a_model_that_reads_less_than_is_known_gets_one_shorter_request(tested: ProviderUnderTest) -> None:
    tested.server.context_tokens = 2_500  # type: ignore[attr-defined]
    events = await _answered(tested, 50, Behaviour(say="Shorter."))
    assert text_of(events) == "Shorter."
    assert [seen.status for seen in tested.seen] == [400, 200]


async def test_one_that_reads_far_less_gets_no_third(tested: ProviderUnderTest) -> None:
    tested.server.context_tokens = 5  # type: ignore[attr-defined]
    events = await _answered(tested, 50, Behaviour(say="Never."))
    assert [seen.status for seen in tested.seen] == [400, 400]
    assert events[-1].error_type == "context_length"


def test_the_user_and_the_audit_are_told_what_was_sent(small: ProviderUnderTest, engine: Any) -> None:
    user = make_user()

    def ask(text: str) -> Any:
        body = body_of(text, task="chat", model_id=small.model_id, chat_id="one")
        return wait_for_end(start_run(user, body).response_id)

    first = ask(SENTENCE * 150 + ask_for(Behaviour(say="One.")))
    ask(SENTENCE * 150 + ask_for(Behaviour(say="Two.")))
    third = ask(ask_for(Behaviour(say="Three.")))
    assert first.types.count("history_cut") == 0
    assert third.outcome == ("completed", None)
    (audit,) = [event for event in third.log if event.type == "history_cut"]
    assert audit.emit is False
    told = json.loads(audit.payload)
    assert (told["messages_sent"], told["messages_left_out"]) == (2, 2)
    assert third.types.count("status") == 1
    assert third.message.metadata["messages_left_out"] == 2
    assert all(part["kind"] == "text" for part in third.message.parts)  # the owner sees nothing of it
