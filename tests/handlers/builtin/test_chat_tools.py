"""The chat handler's tool loop: what models ask for, what tools do, and where it ends."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from handlers.builtin.chat import ChatHandler
from handlers.builtin.chat.answering import AT_ONCE, MOST_CALLS, NOT_CALLED, TOO_MANY_CALLS, forget_refusals
from handlers.errors import ModelError, ModelThrottled, ToolsRefused
from handlers.models import providers
from handlers.testing import text_of
from handlers.tools import ToolContext, ToolError, tools
from tests.handlers.builtin.chat_models import STOP, TurnsProvider, calls, chat, of, says, used

ADD = ("call-1", "calculator", {"expression": "2 + 2"})


@pytest.fixture
def model() -> Iterator[TurnsProvider]:
    provider = TurnsProvider()
    providers.register(provider)
    yield provider
    providers.unregister("turns")
    forget_refusals()


@pytest.fixture
def registered() -> Iterator[Any]:
    """`registered(function)` makes it a tool for one test, and gives the Config that turns it on."""
    names = []

    def add(function: Any) -> dict[str, Any]:
        names.append(tools.register(function).name)
        return {"tools": list(names)}

    yield add
    for name in names:
        tools.unregister(name)


# --- the loop


async def test_a_tool_is_called_and_the_model_goes_on_with_its_result(model: TurnsProvider) -> None:
    model.turns = [calls(ADD), says("It is 4.")]
    call, returned, content, metadata, end = await chat("What is 2 + 2?")
    assert (call.type, call.tool_id, call.tool_args) == ("tool_call", "call-1", {"expression": "2 + 2"})
    assert (returned.type, returned.tool_id, returned.result) == ("tool_return", "call-1", "4")
    assert content.content == "It is 4."
    assert metadata.metadata["stop_reason"] == "end_turn"
    assert end.usage == {"inputTokens": 20, "outputTokens": 6, "totalTokens": 26}
    assert model.results == [{"toolUseId": "call-1", "content": [{"text": "4"}], "status": "success"}]


async def test_the_models_turn_goes_back_whole_with_its_signed_reasoning(model: TurnsProvider) -> None:
    thought = [
        {"contentBlockDelta": {"contentBlockIndex": 9, "delta": {"reasoningContent": {"text": "hm"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 9, "delta": {"reasoningContent": {"signature": "s1"}}}},
        {"contentBlockStop": {"contentBlockIndex": 9}},
    ]
    model.turns = [[*thought, *calls(ADD)], says("4")]
    await chat()
    question, answered, _ = model.requests[1].messages
    assert question["role"] == "user"
    assert answered["content"][0] == {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s1"}}}
    assert answered["content"][1]["toolUse"]["toolUseId"] == "call-1"


async def test_calls_of_one_turn_run_at_the_same_time_and_return_in_their_order(
    model: TurnsProvider, registered: Any
) -> None:
    arrived = asyncio.Barrier(2)

    async def meet(name: str) -> str:
        """Waits for the other call."""
        await arrived.wait()
        return name

    model.turns = [calls(("a", "meet", {"name": "first"}), ("b", "meet", {"name": "second"})), says("Met.")]
    events = await chat(config=registered(meet))
    assert [(event.type, event.tool_id) for event in events[:4]] == [
        ("tool_call", "a"),
        ("tool_call", "b"),
        ("tool_return", "a"),
        ("tool_return", "b"),
    ]
    assert [result["content"] for result in model.results] == [[{"text": "first"}], [{"text": "second"}]]


async def test_no_more_than_a_few_calls_run_at_the_same_time(model: TurnsProvider, registered: Any) -> None:
    running, most = 0, 0

    async def count() -> None:
        """Counts."""
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    model.turns = [calls(*((f"c{number}", "count", {}) for number in range(MOST_CALLS + 2))), says("Done.")]
    events = await chat(config=registered(count))
    assert most <= AT_ONCE
    assert [event.result for event in of(events, "tool_return")[-2:]] == [{"error": TOO_MANY_CALLS}] * 2


async def test_a_model_that_loops_on_tools_is_stopped_kindly(model: TurnsProvider) -> None:
    model.turns = [calls(ADD)]
    events = await chat(config={"max_turns": 3})
    assert len(model.requests) == 3
    assert [event.result for event in of(events, "tool_return")] == ["4", "4", {"error": NOT_CALLED}]
    error, end = events[-2:]
    assert (error.error_type, end.error_type) == ("too_many_turns", "too_many_turns")
    assert error.message.startswith("The model kept calling tools without coming to an answer, so it was stopped")
    assert error.details["detail"] == "its last calls: calculator"
    assert end.usage["totalTokens"] == 45


async def test_an_id_that_comes_twice_or_not_at_all_is_told_apart(model: TurnsProvider) -> None:
    model.turns = [calls(("x", *ADD[1:]), ("x", *ADD[1:])), calls(("", *ADD[1:]), ("x", *ADD[1:])), says("4")]
    events = await chat()
    ids = [event.tool_id for event in of(events, "tool_call")]
    assert ids == ["x", "x-2", "call", "x-3"]
    assert [event.tool_id for event in of(events, "tool_return")] == ids


# --- what goes wrong


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (("c", "calculator", '{"expression": '), "The arguments aren't valid JSON."),
        (("c", "calculator", "[1]"), "The arguments must be a JSON object."),
        (("c", "calculator", {"expresion": "1"}), "expression: Missing required argument."),
        (("c", "calculator", {"expression": "1 / 0"}), "This divides by zero."),
        (("c", "delete_all", {}), "There is no tool “delete_all”. There are: calculator, current_time."),
    ],
)
async def test_what_is_wrong_with_a_call_goes_back_to_the_model(model: TurnsProvider, call: Any, words: str) -> None:
    model.turns = [calls(call), says("Sorry.")]
    events = await chat()
    (returned,) = of(events, "tool_return")
    assert words in returned.result["error"]
    assert model.results[0]["status"] == "error"
    assert words in model.results[0]["content"][0]["text"]
    assert text_of(events) == "Sorry."
    assert events[-1].status == "completed"


async def test_a_tool_that_hangs_is_given_up_and_the_answer_goes_on(model: TurnsProvider, registered: Any) -> None:
    async def hang() -> None:
        """Never ends."""
        await asyncio.Event().wait()

    model.turns = [calls(("h", "hang", {})), says("It takes too long.")]
    events = await chat(config={**registered(hang), "tool_timeout": 0.05})
    assert of(events, "tool_return")[0].result == {"error": "The tool took longer than 0.05 seconds and was given up."}
    assert text_of(events) == "It takes too long."


async def test_a_tool_that_fails_is_told_without_its_exceptions_text(model: TurnsProvider, registered: Any) -> None:
    def fail() -> None:
        """Fails."""
        raise ConnectionError("postgres://me:secret@db")

    model.turns = [calls(("f", "fail", {})), says("It failed.")]
    assert "secret" not in str(await chat(config=registered(fail)))
    assert model.results[0]["content"] == [{"text": "The tool failed."}]


async def test_a_long_result_is_cut(model: TurnsProvider, registered: Any) -> None:
    def long() -> str:
        """Long."""
        return "x" * 100_000

    model.turns = [calls(("l", "long", {})), says("Long.")]
    model.described = {"context_tokens": 100_000}
    (returned,) = of(await chat(config={**registered(long), "tool_result_characters": 500}), "tool_return")
    assert returned.result == "x" * 500 + "… (cut: 500 of 100,000 characters)"


async def test_results_leave_a_small_model_room_for_its_turns(model: TurnsProvider, registered: Any) -> None:
    def long() -> str:
        """Long."""
        return "word " * 100_000

    model.turns = [
        *[calls((f"l{number}", "long", {}), (f"m{number}", "long", {})) for number in range(5)],
        says("Done."),
    ]
    model.described = {"context_tokens": 4_000}
    await chat(config=registered(long))
    sent = sum(len(str(message["content"]).split()) for message in model.requests[-1].messages)
    assert sent < 4_000


async def test_a_model_that_fails_in_a_later_turn_keeps_what_was_said_and_counted(model: TurnsProvider) -> None:
    model.turns = [calls(ADD), [ModelThrottled(detail="429")]]
    events = await chat()
    assert [event.type for event in events] == ["tool_call", "tool_return", "metadata", "error", "response_end"]
    assert (events[-1].error_type, events[-1].usage["totalTokens"]) == ("throttled", 15)


async def test_a_guardrail_ends_the_answer_and_nothing_is_called(model: TurnsProvider) -> None:
    model.turns = [[*calls(ADD)[:-2], {"messageStop": {"stopReason": "guardrail_intervened"}}]]
    events = await chat()
    assert [event.type for event in events] == ["tool_call", "metadata", "response_end"]


async def test_stopping_while_a_tool_runs_stops_the_tool(model: TurnsProvider, registered: Any) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        """Waits."""
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    model.turns = [calls(("w", "wait", {}))]
    answer = asyncio.create_task(chat(config=registered(wait)))
    await begun.wait()
    answer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await answer
    assert ended.is_set()


# --- which tools there are


async def test_the_tools_that_are_on_are_offered(model: TurnsProvider) -> None:
    model.turns = [says("Hi")]
    await chat(config={"tools": ["current_time"]})
    assert [tool["toolSpec"]["name"] for tool in model.requests[0].tools] == ["current_time"]


async def test_who_asks_reaches_the_tool_whatever_the_model_says(model: TurnsProvider, registered: Any) -> None:
    def my_orders(context: ToolContext) -> list[str]:
        """Orders."""
        if not context.user_groups:
            raise ToolError("Nobody's.")
        return [context.user_id, context.chat_id, context.response_id, *context.user_groups]

    model.turns = [calls(("o", "my_orders", {})), says("Here.")]
    events = await chat(config=registered(my_orders), user_id="ada", user_groups=["staff"])
    assert of(events, "tool_return")[0].result == ["ada", "chat", "response", "staff"]


@pytest.mark.parametrize(
    ("described", "config"),
    [({"tools": False}, {}), ({}, {"tools": []}), ({}, {"without_tools": ["other", "tur*"]})],
    ids=["the model takes none", "none are on", "off for the model"],
)
async def test_a_model_without_tools_gets_none(model: TurnsProvider, described: Any, config: Any) -> None:
    model.described, model.turns = described, [says("Hi")]
    await chat(config=config)
    assert model.requests[0].tools == []


async def test_a_model_that_refuses_tools_is_asked_without_and_not_offered_any_again(model: TurnsProvider) -> None:
    model.answer = lambda request: [ToolsRefused(detail="does not support tools")] if request.tools else says("Hi")
    assert text_of(await chat()) == "Hi"
    assert text_of(await chat()) == "Hi"
    assert [bool(request.tools) for request in model.requests] == [True, False, False]


async def test_a_call_of_a_model_that_was_offered_nothing_ends_kindly(model: TurnsProvider) -> None:
    model.turns = [calls(ADD)]
    *_, returned, _cost, error, end = await chat(config={"tools": []})
    assert returned.result == {"error": "There is no tool “calculator”. There are: none."}
    assert (error.error_type, end.error_type) == ("no_tools", "no_tools")
    assert len(model.requests) == 1


async def test_a_private_address_is_not_fetched_even_from_an_allowed_host(model: TurnsProvider) -> None:
    model.turns = [calls(("f", "fetch_url", {"url": "http://127.0.0.1:9/"})), says("No.")]
    events = await chat(config={"tools": ["fetch_url"], "fetch_hosts": ["127.0.0.1:9"]})
    assert "isn't one of the open internet" in of(events, "tool_return")[0].result["error"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"tools": ["calculater"]}, "There is no tool calculater; there are calculator"),
        ({"tools": ["fetch_url"]}, "needs fetch_hosts"),
        ({"fetch_hosts": ["https://example.org"]}, "isn't a host"),
        ({"max_turns": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_set_wrongly_is_said(config: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ChatHandler.Config(**config)


def test_fetching_is_off_until_it_is_turned_on() -> None:
    assert ChatHandler.Config().tools == ["calculator", "current_time"]


async def test_text_beside_a_call_is_kept(model: TurnsProvider) -> None:
    beside = {"contentBlockDelta": {"contentBlockIndex": 7, "delta": {"text": "Let me see. "}}}
    model.turns = [[beside, *calls(ADD)], [*says("It is 4.")[:1], STOP, used(1, 1)]]
    assert text_of(await chat()) == "Let me see. It is 4."
    assert {"text": "Let me see. "} in model.requests[1].messages[1]["content"]


async def test_an_error_before_anything_is_an_error(model: TurnsProvider) -> None:
    model.turns = [[ToolsRefused(detail="no tools")]]
    error, _ = await chat(config={"tools": []})
    assert error.message == ToolsRefused.default_message
    assert isinstance(ToolsRefused(), ModelError)
