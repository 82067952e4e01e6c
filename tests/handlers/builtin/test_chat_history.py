"""What the chat handler tells a model of a chat that is longer than the model can read."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.builtin.chat.history import SUMMARY_TITLE, HistoryCutEvent
from handlers.encoding import encode_event
from handlers.errors import ContextTooLong, ModelThrottled
from handlers.events import StatusEvent
from handlers.messages import CustomPart, Message, MessagePart
from handlers.models import ModelRequest, providers
from handlers.models.budget import turn_tokens
from handlers.models.history import parse_context_text
from handlers.testing import attachment, conversation, text_of
from tests.handlers.builtin.chat_models import TurnsProvider, calls, chat, of, says


@pytest.fixture
def model() -> Iterator[TurnsProvider]:
    provider = TurnsProvider(says("Answer."), context_tokens=2_000)
    providers.register(provider)
    yield provider
    providers.unregister("turns")


def _history(pairs: int = 50) -> list[Message]:
    """Of 40 tokens a message, numbered from q0 and a0."""
    texts = [f"{kind}{number} " + "x" * 120 for number in range(pairs) for kind in "qa"]
    history = conversation(*texts)
    for message in history:
        message.model_id = "turns"
    return history


def _told(request: ModelRequest) -> list[str]:
    """The first word of each turn's last text."""
    return [turn["content"][-1]["text"].split()[0] for turn in request.messages]


def _answered(history: list[Message], events: list[Any]) -> list[Message]:
    """The chat as the next answer is given it: with the question, the answer, and what was hidden in it."""
    hidden = [
        CustomPart(type=event.type, fields=encode_event(event).fields, hidden=True)
        for event in of(events, "history_cut")
    ]
    answer = Message(
        id=f"answer-{len(history)}", kind="response", parts=[*hidden, MessagePart(content="Answer.")], model_id="turns"
    )
    return [*history, Message(id=f"question-{len(history)}", parts=[MessagePart(content="Hello")]), answer]


async def test_a_chat_that_fits_is_told_whole_and_nothing_is_said_of_it(model: TurnsProvider) -> None:
    events = await chat("Now?", message_history=_history(5))
    assert _told(model.requests[0]) == ["q0", "a0", "q1", "a1", "q2", "a2", "q3", "a3", "q4", "a4", "Now?"]
    assert [event.type for event in events] == ["content", "metadata", "response_end"]
    assert "messages_left_out" not in events[1].metadata


async def test_the_oldest_messages_are_left_out_and_the_rest_is_what_the_model_can_read(model: TurnsProvider) -> None:
    await chat("Now?", {"system_prompt": "Be brief."}, message_history=_history())
    (request,) = model.requests
    told = _told(request)
    assert told[0].startswith("q")
    assert told[-3:] == ["q49", "a49", "Now?"]
    assert turn_tokens(request.messages) < 2_000
    assert len(told) > 20
    assert request.system == [{"text": "Be brief."}]


async def test_the_user_is_told_once_and_the_audit_what_was_sent(model: TurnsProvider) -> None:
    model.turns = [calls(("c", "calculator", {"expression": "1"})), says("One.")]
    events = await chat("Now?", message_history=_history())
    kept = len(model.requests[0].messages) - 1
    (status,) = of(events, "status")
    assert status == StatusEvent(
        status="history_cut",
        message=f"This chat is longer than the model can read; its {100 - kept} oldest messages were left out "
        "for this answer.",
    )
    (audit,) = of(events, "history_cut")
    assert (audit.emit, audit.persist) == (False, True)
    assert (audit.messages_sent, audit.messages_left_out) == (kept, 100 - kept)
    assert audit.first_message_id == f"message-{100 - kept}"
    assert 500 < audit.estimated_tokens <= audit.context_tokens == 2_000
    (metadata,) = of(events, "metadata")
    assert metadata.metadata["messages_left_out"] == 100 - kept


async def test_a_question_too_long_for_the_model_is_sent_alone(model: TurnsProvider) -> None:
    await chat("word " * 5_000, message_history=_history())
    assert len(model.requests[0].messages) == 1


async def test_a_model_whose_size_is_not_known_is_taken_to_read_what_is_set(model: TurnsProvider) -> None:
    model.described = {}
    await chat(message_history=_history())
    assert len(model.requests[0].messages) == 101
    await chat("Hello", {"context_tokens": 1_000}, message_history=_history())
    assert len(model.requests[1].messages) < 30


async def test_the_cut_stays_where_it_was_while_it_fits(model: TurnsProvider) -> None:
    history = _history()
    firsts = []
    for _ in range(6):
        events = await chat(message_history=history)
        firsts.append(of(events, "history_cut")[0].first_message_id)
        history = _answered(history, events)
    assert len(set(firsts)) == 1


async def test_a_larger_model_is_told_more_whatever_was_cut_before(model: TurnsProvider) -> None:
    history = _answered(_history(), await chat(message_history=_history()))
    model.described = {"context_tokens": 3_000}
    before = len(model.requests[0].messages)
    await chat(message_history=history)
    assert len(model.requests[1].messages) > before + 5


# --- a refusal


async def test_one_that_was_too_long_is_sent_once_more_at_half_its_length(model: TurnsProvider) -> None:
    model.described = {"context_tokens": 100_000}
    model.turns = [[ContextTooLong(detail="too long")], says("Shorter.")]
    events = await chat(message_history=_history())
    first, second = model.requests
    assert turn_tokens(second.messages) <= turn_tokens(first.messages) / 2
    assert text_of(events) == "Shorter."
    (audit,) = of(events, "history_cut")
    assert audit.refused
    assert audit.messages_sent == len(second.messages) - 1
    assert len(of(events, "status")) == 1


async def test_a_limit_that_the_refusal_names_is_kept(model: TurnsProvider) -> None:
    model.described = {"context_tokens": 100_000}
    words = "This model's maximum context length is 900 tokens."
    model.turns = [[ContextTooLong(detail=words)], says("Shorter.")]
    await chat(message_history=_history())
    assert turn_tokens(model.requests[1].messages) < 810


async def test_attachments_that_are_too_long_are_left_out_at_last_and_the_user_is_told(model: TurnsProvider) -> None:
    model.described = {"context_tokens": 100_000, "accepts": ["text", "document"]}
    model.turns = [[ContextTooLong(detail="too long")], [ContextTooLong(detail="too long")], says("Without it.")]
    question = Message(id="now", parts=[attachment("a.pdf", b"%PDF", "application/pdf"), MessagePart(content="Hello")])
    events = await chat(question, message_history=_history())
    assert text_of(events) == "Without it."
    assert [error.message for error in of(events, "error")] == [
        "The model wasn't given “a.pdf”: the file is too large for it."
    ]


async def test_the_second_refusal_is_the_users(model: TurnsProvider) -> None:
    model.described = {"context_tokens": 100_000}
    model.turns = [[ContextTooLong(detail="too long")]]
    *_, error, end = await chat(message_history=_history())
    assert len(model.requests) == 2
    assert (error.error_type, error.message) == ("context_length", ContextTooLong.default_message)
    assert end.error_type == "context_length"


async def test_what_cannot_be_shortened_is_not_sent_again(model: TurnsProvider) -> None:
    model.turns = [[ContextTooLong(detail="too long")]]
    events = await chat("word " * 10_000)
    assert len(model.requests) == 1
    assert events[-1].error_type == "context_length"


async def test_after_something_was_shown_nothing_is_sent_again(model: TurnsProvider) -> None:
    model.turns = [[*says("Half an ")[:1], ContextTooLong(detail="too long")]]
    events = await chat(message_history=_history())
    assert len(model.requests) == 1
    assert text_of(events) == "Half an "
    assert events[-1].error_type == "context_length"


async def test_the_next_answer_has_learned_from_a_refusal(model: TurnsProvider) -> None:
    model.described = {"context_tokens": 100_000}
    model.turns = [[ContextTooLong(detail="too long")], says("Shorter.")]
    history = _answered(_history(), await chat(message_history=_history()))
    await chat(message_history=history)
    assert len(model.requests) == 3
    assert turn_tokens(model.requests[2].messages) <= turn_tokens(model.requests[1].messages) * 1.4


# --- summaries


def _summarising(request: ModelRequest) -> list[Any]:
    asked = "Write a summary" in str(request.system)
    return says(f"Summary of {request.messages[0]['content'][0]['text'].count('User: ')}." if asked else "Answer.")


async def test_what_is_left_out_is_summarised_when_that_is_set(model: TurnsProvider) -> None:
    model.answer = _summarising
    events = await chat("Now?", {"summarise": True}, message_history=_history(22))
    asked, answered = model.requests
    assert "User: q0" in asked.messages[0]["content"][0]["text"]
    assert (asked.max_tokens, asked.tools) == (400, [])
    title, text = parse_context_text(answered.messages[0]["content"][0]["text"]) or ("", "")
    assert title == SUMMARY_TITLE
    assert text.startswith("Summary of ")
    (audit,) = of(events, "history_cut")
    assert audit.summary == text
    assert "replaced by a summary" in of(events, "status")[0].message
    assert of(events, "metadata")[0].metadata["messages_summarised"]
    assert events[-1].usage["totalTokens"] == 22


async def test_a_summary_is_made_once_and_goes_on_from_there(model: TurnsProvider) -> None:
    model.answer = _summarising
    history = _history()
    for _ in range(60):
        history = _answered(history, await chat(config={"summarise": True}, message_history=history))
    summaries = [request for request in model.requests if request.max_tokens == 400]
    assert 2 <= len(summaries) < 15
    assert "Summary of what came before:\nSummary of" in summaries[-1].messages[0]["content"][0]["text"]


async def test_without_its_summary_there_is_an_answer_all_the_same(model: TurnsProvider) -> None:
    model.turns = [[ModelThrottled(detail="429")], says("Answer.")]
    events = await chat(config={"summarise": True}, message_history=_history())
    assert text_of(events) == "Answer."
    assert "left out" in of(events, "status")[0].message


def test_what_is_for_the_audit_is_hidden_and_can_be_stored() -> None:
    event = HistoryCutEvent(
        messages_sent=1, messages_left_out=2, first_message_id="m", estimated_tokens=3, context_tokens=4
    )
    encoded = encode_event(event)
    assert (encoded.type, encoded.emit, encoded.persist) == ("history_cut", False, True)
