"""Whatever a model asks for and a tool does, there is an outcome in words for the model."""

import asyncio
import threading
from datetime import date
from typing import Any

import pytest

from handlers.tools import Outcome, Tool, ToolBox, ToolContext, ToolError
from handlers.tools.calling import shortened

SECRET = "postgres://me:secret@db"


def _box(function: Any, **values: Any) -> ToolBox:
    return ToolBox([Tool(function, name="it", description="A tool.")], **values)


async def test_a_function_runs_in_a_thread_and_a_coroutine_on_the_loop() -> None:
    def blocks() -> str:
        return threading.current_thread().name

    async def awaits() -> bool:
        return threading.current_thread() is here

    here = threading.current_thread()
    assert await _box(blocks).call("it", {}) == Outcome(result="tool")
    assert await _box(awaits).call("it", {}) == Outcome(result=True)


async def test_a_result_is_plain_json() -> None:
    def gives() -> Any:
        return {"day": date(2026, 1, 2), "numbers": {3, 1}}

    assert (await _box(gives).call("it", {})).result == {"day": "2026-01-02", "numbers": [1, 3]}


async def test_who_asks_is_passed_on() -> None:
    def who(context: ToolContext) -> str:
        return context.user_id

    assert (await _box(who, context=ToolContext(user_id="ada")).call("it", {})).result == "ada"


async def test_an_unknown_tool_is_told_with_those_that_there_are() -> None:
    outcome = await _box(lambda: 1).call("other", {})
    assert outcome.error == "There is no tool “other”. There are: it."


async def test_arguments_that_do_not_fit_never_reach_the_tool() -> None:
    called = []

    def counts(number: int) -> None:
        called.append(number)

    outcome = await _box(counts).call("it", {"number": "many"})
    assert outcome.error.startswith("The arguments don't fit. number: Input should be a valid integer")
    assert called == []


def _refuses() -> None:
    raise ToolError("There is no order 7.")


def _fails() -> None:
    raise ConnectionError(SECRET)


async def _fails_asynchronously() -> None:
    raise TimeoutError(SECRET)


def _leaves() -> None:
    raise SystemExit(SECRET)


async def _leaves_asynchronously() -> None:
    raise SystemExit(SECRET)


async def _cancels_itself() -> None:
    raise asyncio.CancelledError(SECRET)


@pytest.mark.parametrize(
    "function",
    [_fails, _fails_asynchronously, _leaves, _leaves_asynchronously, _cancels_itself],
    ids=lambda f: f.__name__,
)
async def test_a_failing_tool_is_told_without_the_exceptions_text_which_is_logged(
    function: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await _box(function).call("it", {})).error == "The tool failed."
    assert "The tool it failed." in caplog.text


async def test_a_tools_own_words_are_told() -> None:
    assert (await _box(_refuses).call("it", {})).error == "There is no order 7."


async def test_a_tool_that_blocks_is_given_up() -> None:
    gate = threading.Event()
    outcome = await _box(lambda: gate.wait(30), timeout=0.05).call("it", {})
    gate.set()
    assert outcome.error == "The tool took longer than 0.05 seconds and was given up."


async def test_a_tool_that_awaits_for_ever_is_cancelled() -> None:
    ended = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert "was given up" in (await _box(waits, timeout=0.05).call("it", {})).error
    assert ended.is_set()


async def test_a_tool_that_does_not_let_itself_be_cancelled_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    gate = asyncio.Event()

    async def stubborn() -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    assert "was given up" in (await _box(stubborn, timeout=0.05).call("it", {})).error
    assert "is left behind" in caplog.text
    gate.set()
    await asyncio.sleep(0)


async def test_a_cancel_reaches_the_tool() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def waits() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    call = asyncio.create_task(_box(waits).call("it", {}))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert ended.is_set()


async def test_what_is_no_json_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    outcome = await _box(lambda: {"x": float("nan")}).call("it", {})
    assert outcome.error.startswith("The tool's result can't be passed on (x: ")
    assert "gave what isn't JSON" in caplog.text


async def test_a_long_result_is_cut_and_says_so() -> None:
    assert (
        await _box(lambda: "ab" * 500).call("it", {}, most=10)
    ).result == "ababababab… (cut: 10 of 1,000 characters)"
    assert (await _box(_refuses).call("it", {}, most=8)).error == "There is… (cut: 8 of 20 characters)"


def test_a_long_structure_becomes_its_text() -> None:
    assert shortened({"a": [1, 2, 3]}, 100) == {"a": [1, 2, 3]}
    assert shortened({"a": [1, 2, 3]}, 6) == '{"a":[… (cut: 6 of 13 characters)'
