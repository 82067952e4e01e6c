"""What every model provider keeps, against a server on a real socket: providers × cases.

The servers are stand-ins that refuse what the vendor refuses; providers.py says how another provider joins.
"""

import asyncio
import threading
import time
from contextlib import aclosing
from typing import Any

import pytest

from handlers.errors import ContextTooLong, ModelError, ModelThrottled, ModelTimedOut, ModelUnavailable
from handlers.models import ModelRequest
from handlers.models.translation import ModelAnswer, tool_result
from tests.contract.providers import ProviderUnderTest, text_of
from tests.standins.behaviour import Behaviour, ask_for, call

KINDS = {"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}
ADDER = {
    "toolSpec": {
        "name": "add",
        "description": "Adds.",
        "inputSchema": {"json": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    }
}


async def _fed(tested: ProviderUnderTest, behaviour: Behaviour, **values: Any) -> ModelAnswer:
    answer = ModelAnswer()
    for event in await tested.answer(behaviour, **values):
        answer.feed(event)
    return answer


async def _until_seen(tested: ProviderUnderTest, number: int, said: int) -> None:
    """Wait until `number` requests have come, of which the last has been answered with so many words."""
    async with asyncio.timeout(20):
        while len(tested.seen) < number or tested.seen[number - 1].said < said:
            await asyncio.sleep(0.005)


# --- an answer


async def test_each_event_is_of_one_kind_and_they_come_in_order(tested: ProviderUnderTest) -> None:
    events = await tested.answer()
    kinds = [next(iter(event)) for event in events]
    assert all(len(event) == 1 for event in events)
    assert set(kinds) <= KINDS
    assert kinds[0] == "messageStart"
    assert kinds[-2:] == ["messageStop", "metadata"]
    assert kinds.count("messageStop") == 1


async def test_the_text_is_what_the_server_said(tested: ProviderUnderTest) -> None:
    events = await tested.answer(Behaviour(say="One, two: größer — 三 𝄞!"))
    assert text_of(events) == "One, two: größer — 三 𝄞!"
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}


async def test_words_come_one_by_one(tested: ProviderUnderTest) -> None:
    async with aclosing(tested.provider.stream(tested.request(Behaviour(words=50, stall=3)))) as stream:
        text = ""
        while text.count(" ") < 3:
            text += text_of([await anext(stream)])
    assert text == "word0 word1 word2 "


async def test_tokens_are_counted(tested: ProviderUnderTest) -> None:
    usage = (await tested.answer(Behaviour(words=7)))[-1]["metadata"]["usage"]
    assert usage["outputTokens"] == 7
    assert usage["inputTokens"] > 0
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


async def test_the_longest_answer_is_sent_and_its_end_told(tested: ProviderUnderTest) -> None:
    events = await tested.answer(Behaviour(words=9), max_tokens=4)
    assert len(text_of(events).split()) == 4
    assert {"messageStop": {"stopReason": "max_tokens"}} in events


async def test_what_is_set_in_a_request_reaches_the_server(tested: ProviderUnderTest) -> None:
    await tested.answer(Behaviour(words=1), system=[{"text": "Be brief."}], temperature=0.25, max_tokens=17)
    sent = str(tested.seen[0].body)
    assert all(value in sent for value in ("Be brief.", "0.25", "17"))


async def test_reasoning_is_told_apart_from_the_answer(tested: ProviderUnderTest) -> None:
    answer = ModelAnswer()
    events = [
        event
        for model_event in await tested.answer(Behaviour(reasoning="let me think", say="Yes."))
        for event in answer.feed(model_event)
    ]
    assert "".join(event.text for event in events if event.type == "reasoning") == "let me think"
    assert "".join(event.content for event in events if event.type == "content") == "Yes."


# --- tools


async def test_tool_calls_come_whole_and_in_order(tested: ProviderUnderTest) -> None:
    behaviour = Behaviour(tools=(call("add", a=1), call("add", a=22)))
    answer = await _fed(tested, behaviour, tools=[ADDER])
    assert [(made.name, made.arguments, made.problem) for made in answer.calls] == [
        ("add", {"a": 1}, ""),
        ("add", {"a": 22}, ""),
    ]
    assert len({made.id for made in answer.calls}) == 2
    assert answer.stop_reason == "tool_use"


async def test_a_call_without_arguments_has_none(tested: ProviderUnderTest) -> None:
    (made,) = (await _fed(tested, Behaviour(tools=(("add", "{}"),)), tools=[ADDER])).calls
    assert (made.arguments, made.problem) == ({}, "")


@pytest.mark.parametrize("arguments", ['{"a":', '["a"]', "{'a':1}"])
async def test_malformed_arguments_are_a_problem_of_that_call(tested: ProviderUnderTest, arguments: str) -> None:
    (made,) = (await _fed(tested, Behaviour(tools=(("add", arguments),)), tools=[ADDER])).calls
    assert made.arguments == {}
    assert made.problem


async def test_results_are_given_back_and_the_answer_goes_on(tested: ProviderUnderTest) -> None:
    behaviour = Behaviour(reasoning="think first", say="Wait.", tools=(call("add", a=1), call("add", a=2)))
    answer = await _fed(tested, behaviour, tools=[ADDER])
    messages: list[Any] = [
        {"role": "user", "content": [{"text": ask_for(behaviour)}]},
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [tool_result(answer.calls[0], {"sum": 42}), tool_result(answer.calls[1], "fine")]},
    ]
    text = text_of(await tested.answer(messages=messages, tools=[ADDER]))
    assert "42" in text
    assert "fine" in text


async def test_a_tools_own_name_is_kept_whatever_the_vendor_takes(tested: ProviderUnderTest) -> None:
    name = "docs.search/über alles"
    tool = {"toolSpec": {**ADDER["toolSpec"], "name": name}}
    events = await tested.answer(Behaviour(), tools=[tool], messages=_asking("Say something."))
    assert events
    answer = await _fed(tested, Behaviour(tools=(call("docs_search__ber_alles", a=1),)), tools=[tool])
    assert answer.calls[0].name == name


# --- histories that no vendor takes as they are

_USE = {"toolUse": {"toolUseId": "call_1", "name": "add", "input": {"a": 1}}}
_RESULT = {"toolResult": {"toolUseId": "call_1", "content": [{"text": "2"}]}}


def _asking(text: str) -> list[Any]:
    return [{"role": "user", "content": [{"text": text}]}]


@pytest.mark.parametrize(
    "history",
    [
        [("user", [{"text": "One question"}])],
        [("assistant", [{"text": "I begin"}])],
        [("user", [{"text": "A question"}]), ("assistant", [{"text": "  "}])],
        [("user", [{"text": "A question"}]), ("assistant", [{"text": "Half an answer \n"}])],
        [("user", [{"text": "A question"}]), ("assistant", [_USE])],
        [("user", [{"text": "A question"}]), ("assistant", [_USE]), ("user", [_RESULT])],
        [("user", [{"text": "A question"}]), ("user", [_RESULT]), ("assistant", [{"text": "Fine"}])],
        [("user", [{"text": "Q"}]), ("assistant", [_USE]), ("user", [_RESULT]), ("assistant", [_USE])],
        [("user", [{"text": "Q"}]), ("assistant", [{"reasoningContent": {"reasoningText": {"text": "unsigned"}}}])],
    ],
    ids=[
        "two questions",
        "an answer first",
        "a blank answer",
        "half an answer",
        "a call without its result",
        "a result without an answer",
        "a result without its call",
        "an id twice",
        "unsigned reasoning",
    ],
)
@pytest.mark.parametrize("tools", [[], [ADDER]], ids=["no tools", "tools"])
async def test_the_next_question_works_after(tested: ProviderUnderTest, history: list[Any], tools: list[Any]) -> None:
    messages = [{"role": role, "content": content} for role, content in history]
    behaviour = Behaviour(say="Works.")
    text = text_of(await tested.answer(messages=[*messages, *_asking(ask_for(behaviour))], tools=tools))
    assert text in {"Works.", "The tools gave: 2", "The tools gave: This call was interrupted, and has no result."}


# --- refusals


@pytest.mark.parametrize(
    ("refusal", "error"),
    [("denied", ModelUnavailable), ("model", ModelUnavailable), ("length", ContextTooLong), ("invalid", ModelError)],
)
async def test_a_refusal_is_said_kindly_once_and_in_full_to_the_audit(
    tested: ProviderUnderTest, refusal: str, error: type[ModelError]
) -> None:
    with pytest.raises(ModelError) as caught:
        await tested.answer(Behaviour(refuse=refusal))
    assert type(caught.value) is error
    assert caught.value.detail
    assert caught.value.detail not in caught.value.message
    assert len(tested.seen) == 1


async def test_one_that_is_throttled_is_asked_again(tested: ProviderUnderTest) -> None:
    assert text_of(await tested.answer(Behaviour(throttle=1, say="At last."))) == "At last."
    assert [seen.status for seen in tested.seen] == [429, 200]


async def test_a_short_wait_that_the_server_asks_for_is_kept(tested: ProviderUnderTest) -> None:
    began = time.monotonic()
    await tested.answer(Behaviour(throttle=1, retry_after=1))
    assert time.monotonic() - began >= 1


async def test_one_that_is_throttled_for_long_says_so_and_for_how_long(tested: ProviderUnderTest) -> None:
    with pytest.raises(ModelThrottled) as caught:
        await tested.answer(Behaviour(throttle=100, retry_after=90))
    assert caught.value.retry_after == 90
    assert len(tested.seen) == 1


async def test_after_three_attempts_it_is_given_up(tested: ProviderUnderTest) -> None:
    with pytest.raises(ModelThrottled):
        await tested.answer(Behaviour(throttle=100))
    assert len(tested.seen) == 3


# --- streams that go wrong


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [(Behaviour(cut=2), 2), (Behaviour(fail=2), 2), (Behaviour(silent=True), 5)],
    ids=["cut", "an error in the middle", "no end"],
)
async def test_what_was_said_is_given_then_the_error_and_nothing_is_asked_again(
    tested: ProviderUnderTest, behaviour: Behaviour, words: int
) -> None:
    text = ""
    with pytest.raises(ModelError):
        async with aclosing(tested.provider.stream(tested.request(behaviour))) as stream:
            async for event in stream:
                text += text_of([event])
    assert len(text.split()) == words
    assert len(tested.seen) == 1


@pytest.mark.parametrize("behaviour", [Behaviour(fail=0), Behaviour(cut=0)], ids=["an error", "a cut"])
async def test_a_stream_that_fails_before_its_first_word_is_asked_again(
    tested: ProviderUnderTest, behaviour: Behaviour
) -> None:
    with pytest.raises(ModelError):
        await tested.answer(behaviour)
    assert len(tested.seen) == 3


@pytest.mark.parametrize(
    "behaviour", [Behaviour(hang=60), Behaviour(stall=0), Behaviour(stall=2)], ids=["no headers", "no word", "stalled"]
)
async def test_a_silence_ends_in_one_request_that_is_closed(
    tested: ProviderUnderTest, behaviour: Behaviour, settings: Any
) -> None:
    await tested.answer(Behaviour(words=1))  # the client is made, which may take longer than this patience
    settings.WORKBENCH_MODEL_FIRST_TOKEN_TIMEOUT = settings.WORKBENCH_MODEL_IDLE_TIMEOUT = 1.0
    with pytest.raises(ModelTimedOut):
        await tested.answer(behaviour)
    assert await asyncio.to_thread(tested.wait_until_closed, 1)
    assert len(tested.seen) == 2


# --- cancelling

_STAGES = pytest.mark.parametrize(
    ("behaviour", "said"),
    [(Behaviour(words=10_000, pause=0.005), 3), (Behaviour(stall=2), 2), (Behaviour(hang=60), 0)],
    ids=["flowing", "stalled", "before headers"],
)


@_STAGES
async def test_a_cancel_closes_the_connection_and_nothing_is_sent_after(
    tested: ProviderUnderTest, behaviour: Behaviour, said: int
) -> None:
    task = asyncio.create_task(tested.answer(behaviour))
    await _until_seen(tested, 1, said)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(tested.wait_until_closed, 0)
    assert len(tested.seen) == 1


@_STAGES
async def test_the_next_request_after_a_cancel_works(
    tested: ProviderUnderTest, behaviour: Behaviour, said: int
) -> None:
    task = asyncio.create_task(tested.answer(behaviour))
    await _until_seen(tested, 1, said)
    task.cancel()
    await asyncio.wait([task])
    assert text_of(await tested.answer(Behaviour(say="Still here."))) == "Still here."


async def test_closing_the_stream_in_its_middle_closes_the_connection(tested: ProviderUnderTest) -> None:
    async with aclosing(tested.provider.stream(tested.request(Behaviour(words=10_000, pause=0.005)))) as stream:
        await anext(stream)
    assert await asyncio.to_thread(tested.wait_until_closed, 0)


async def test_a_cancel_while_it_waits_to_ask_again_sends_nothing(tested: ProviderUnderTest) -> None:
    task = asyncio.create_task(tested.answer(Behaviour(throttle=100, retry_after=5)))
    await _until_seen(tested, 1, 0)
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait([task])
    await asyncio.sleep(0.2)
    assert len(tested.seen) == 1


# --- many at once


async def test_sixty_answers_stream_at_the_same_time(tested: ProviderUnderTest) -> None:
    tasks = [asyncio.create_task(tested.answer(Behaviour(stall=1))) for _ in range(60)]
    await _until_seen(tested, 60, 1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(await asyncio.gather(*(asyncio.to_thread(tested.wait_until_closed, n) for n in range(60))))


def test_event_loops_share_it(tested: ProviderUnderTest) -> None:
    texts: list[str] = []

    def ask() -> None:
        texts.append(text_of(asyncio.run(tested.answer(Behaviour(words=20, pause=0.01)))))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(text.split()) for text in texts] == [20] * 4


async def test_a_slow_reader_loses_nothing(tested: ProviderUnderTest) -> None:
    text = ""
    async with aclosing(tested.provider.stream(tested.request(Behaviour(words=3000)))) as stream:
        async for event in stream:
            text += text_of([event])
            if len(text) % 7 == 0:
                await asyncio.sleep(0)
    assert text.split() == [f"word{number}" for number in range(3000)]


# --- what there is


def test_its_models_are_listed(tested: ProviderUnderTest) -> None:
    model = next(model for model in tested.provider.models() if model.id == tested.model_id)
    assert (model.provider, model.available, model.reason) == (tested.name, True, None)
    assert "text" in model.accepts


async def test_an_empty_request_is_refused_without_asking(tested: ProviderUnderTest) -> None:
    request = ModelRequest(model_id=tested.model_id, messages=[{"role": "user", "content": [{"text": " "}]}])
    with pytest.raises(ModelError) as caught:
        async with aclosing(tested.provider.stream(request)) as stream:
            await anext(stream)
    assert caught.value.error_type == "empty_request"
    assert tested.seen == []
