"""`make run` beside each stand-in: a conversation with two tool calls, stopped in its middle, then continued."""

import json
from collections.abc import Iterator

import pytest

from tests.contract.conversation import Conversation, hold, request_log, served, transcript
from tests.standins.leading import MODELS


@pytest.fixture(scope="module")
def conversations() -> Iterator[dict[str, Conversation]]:
    """One with each stand-in's model, on one server."""
    with served(list(MODELS)) as (server, password, logs):
        yield {name: hold(server.address, "demo", password, logs[name], MODELS[name]) for name in MODELS}


@pytest.fixture(params=list(MODELS))
def conversation(request: pytest.FixtureRequest, conversations: dict[str, Conversation]) -> Conversation:
    return conversations[request.param]


def test_the_transcript_has_the_calls_what_was_said_until_the_stop_and_the_rest(conversation: Conversation) -> None:
    _, stopped, _, continued = conversation.messages
    kinds = ["tool-call", "tool-call", "tool-return", "tool-return", "text"]
    assert ([part["kind"] for part in stopped["parts"]], stopped["status"]) == (kinds, "cancelled")
    assert "The tools gave".startswith(stopped["parts"][-1]["content"].strip())
    assert (continued["parts"][0]["content"], continued["status"]) == ("You are welcome.", "completed")
    assert continued["usage"]["output_tokens"] > 0


def test_the_model_was_asked_once_for_each_turn_and_the_stop_reached_it(conversation: Conversation) -> None:
    calling, answering, continuing, titling = conversation.requests
    assert [each["status"] for each in conversation.requests] == [200] * 4
    assert [each["finished"] for each in (calling, answering, continuing, titling)] == [True, False, True, True]
    assert answering["closed_at"]
    sent = json.dumps(continuing["body"])
    assert all(word in sent for word in ("calculator", "42", "current_time", "The tools", "that's enough"))


def test_the_chat_has_a_title_that_isnt_in_the_answers_tokens(conversation: Conversation) -> None:
    assert conversation.title
    assert "The title:" in json.dumps(conversation.requests[-1]["body"])


def test_both_can_be_shown(conversation: Conversation) -> None:
    assert '→ calculator {"expression": "6*7"}' in "\n".join(transcript(conversation))
    assert "closed by the client" in "\n".join(request_log(conversation))
