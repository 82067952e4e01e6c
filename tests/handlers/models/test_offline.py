"""The offline model: honest, deterministic, and useful with nothing configured."""

from typing import Any

import pytest

from handlers.messages import Message, MessagePart
from handlers.models import ModelRequest, available_models, describe_model, provider_for
from handlers.models.continuing import GO_ON
from handlers.models.conversation import to_conversation
from handlers.models.history import to_model_messages
from handlers.models.offline import NOTHING_BEFORE, NOTHING_MORE, WHO_I_AM, answer
from handlers.testing import attachment, conversation


def _request(text: str, *history: str, context: Any = None, **fields: Any) -> ModelRequest:
    messages = to_model_messages(conversation(*history), Message(parts=[MessagePart(content=text)]), context)
    return ModelRequest(model_id="offline", messages=messages, **fields)


async def _stream(request: ModelRequest) -> list[Any]:
    return [event async for event in provider_for("offline").stream(request)]


def _text(events: list[Any]) -> str:
    return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)


@pytest.mark.parametrize(
    "question", ["Who are you?", "hello", "What can you do", "are you an AI?", "help", "which model"]
)
def test_it_says_what_it_is(question: str) -> None:
    assert answer(_request(question)) == WHO_I_AM


def test_it_never_claims_to_be_a_language_model() -> None:
    assert "not a language model" in WHO_I_AM
    assert "not a language model" in answer(_request("Write a poem about rain."))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("echo  Hello   there", "Hello   there"),
        ("ECHO: one\n\ntwo", "one\n\ntwo"),
        ("count one two. three", "3 words, 2 sentences, 1 line, 14 characters"),
        ("outline # A\n- b", "- **A**\n  - b"),
        ("echo", "Write a text after `echo`, or attach one as context."),
        ("quote dragons", "I have no text that shares a word with your question."),
        ("   ", "You sent no text that I could read."),
    ],
)
def test_it_obeys_its_commands(question: str, said: str) -> None:
    # An empty request makes no turn, so a space stands for one with nothing readable in it.
    request = (
        _request(question)
        if question.strip()
        else ModelRequest(model_id="offline", messages=[{"role": "user", "content": [{"text": question}]}])
    )
    assert answer(request) == said


def test_it_quotes_from_the_context_by_title() -> None:
    context = [{"type": "file", "title": "Zoo", "content": "Lions sleep.\nTigers swim in the river."}]
    assert answer(_request("quote Do tigers swim?", context=context)) == "> Tigers swim in the river.\n>\n> — Zoo"


def test_it_quotes_what_was_said_earlier_by_the_user_only() -> None:
    said = answer(_request("quote tigers", "I like tigers.", "Tigers are cats."))
    assert said == "> I like tigers.\n>\n> — you, earlier"


def test_it_outlines_context_and_counts_instructions() -> None:
    request = _request(
        "Summarise this, please",
        context=[{"title": "Plan", "content": "# Goal\nWin."}],
        system=[{"text": "You are a pirate."}],
    )
    said = answer(request)
    assert "> Summarise this, please" in said
    assert "**Plan** has 2 words, 2 sentences, 2 lines, 11 characters:\n\n- **Goal**" in said
    assert "4 words of instructions, which I can't follow" in said


async def test_it_streams_the_answer_word_by_word_with_stop_and_usage() -> None:
    events = await _stream(_request("echo one two\nthree"))
    assert _text(events) == "one two\nthree"
    assert [event["contentBlockDelta"]["delta"]["text"] for event in events[1:4]] == ["one", " two", "\nthree"]
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert events[-1] == {"metadata": {"usage": {"inputTokens": 4, "outputTokens": 3, "totalTokens": 7}}}


async def test_a_large_text_is_answered_like_a_small_one() -> None:
    text = "word " * 10_000
    events = await _stream(_request(f"echo {text}"))
    assert _text(events) == text
    assert events[-1]["metadata"]["usage"]["inputTokens"] == 10_001


def test_a_long_text_that_asks_what_it_is_in_passing_is_treated_as_a_text() -> None:
    assert answer(_request("What are you waiting for, said the fox. " + "It ran. " * 30)) != WHO_I_AM


async def test_it_stops_at_max_tokens_and_says_so() -> None:
    events = await _stream(_request("echo one two three", max_tokens=2))
    assert _text(events) == "one two"
    assert events[-2] == {"messageStop": {"stopReason": "max_tokens"}}


async def test_the_same_words_get_the_same_answer() -> None:
    request = _request("Tell me about tigers", "I like tigers.", "Fine.")
    assert await _stream(request) == await _stream(request)


def test_it_is_always_available() -> None:
    assert [
        (model.id, model.available, model.accepts) for model in available_models() if model.provider == "offline"
    ] == [("offline", True, ["text"])]


async def test_it_goes_on_where_its_answer_was_cut_off() -> None:
    first = _text(await _stream(_request("echo one two three four", max_tokens=2)))
    second = _text(await _stream(_request(GO_ON, "echo one two three four", first, max_tokens=1)))
    third = _text(await _stream(_request(GO_ON, "echo one two three four", first, GO_ON, second)))
    assert first + second + third == "one two three four"


@pytest.mark.parametrize(
    ("turns", "said"),
    [((), NOTHING_BEFORE), (("echo one", "one"), NOTHING_MORE), (("echo one", "two"), NOTHING_MORE)],
)
def test_where_nothing_is_missing_it_says_so(turns: tuple[str, ...], said: str) -> None:
    assert answer(_request(GO_ON, *turns)) == said


async def _attached(*parts: Any) -> str:
    messages = await to_conversation([], Message(parts=list(parts)), model=describe_model("offline"))
    return answer(ModelRequest(model_id="offline", messages=messages))


async def test_it_says_what_was_attached_and_that_it_cannot_see_it() -> None:
    image = attachment("photo.png", b"x" * 2048, "image/png")
    assert await _attached(image) == "You attached:\n\n- “photo.png” (image/png, 2 kB), which this model can't see"
    with_question = await _attached(MessagePart(content="What is on it?"), image)
    assert "You wrote 4 words" in with_question
    assert "“photo.png” (image/png, 2 kB), which this model can't see" in with_question


async def test_it_reads_an_attached_text() -> None:
    said = await _attached(attachment("notes.txt", b"Buy milk.", "text/plain"))
    assert "**notes.txt** has 2 words" in said
    assert "You wrote" not in said
