"""The `chat` handler's tools with every provider: the handler, the engine, the database, and a strict server."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from chats.runs import cancel_run, start_run
from handlers.builtin.chat.answering import forget_refusals
from handlers.registry import registry
from handlers.tools import tools
from tests.chats.live import make_user
from tests.chats.scripted import Finished, body_of, until, wait_for_end
from tests.contract.providers import ProviderUnderTest
from tests.standins.behaviour import Behaviour, ask_for, call

ADD = call("calculator", expression="1+1")
TELL = call("current_time", time_zone="Asia/Tokyo")
WAIT = call("wait")


class Waiting:
    """A tool that waits until it is let go. `begun` is set as soon as it is called, `stopped` when it is cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.stopped = threading.Event()

    async def wait(self) -> str:
        """Waits."""
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        return "never"


@pytest.fixture
def waiting(settings: Any) -> Iterator[Waiting]:
    tool = Waiting()
    tools.register(tool.wait)
    settings.WORKBENCH_HANDLER_OPTIONS = {"chat": {"tools": '["calculator", "wait"]', "tool_timeout": "60"}}
    registry.load()
    yield tool
    tools.unregister("wait")


class Chat:
    """One user's chat with the model under test."""

    def __init__(self, tested: ProviderUnderTest) -> None:
        self.user = make_user()
        self._tested = tested

    def start(self, behaviour: Behaviour) -> str:
        body = body_of(ask_for(behaviour), task="chat", model_id=self._tested.model_id, chat_id="one")
        return start_run(self.user, body).response_id

    def ask(self, behaviour: Behaviour) -> Finished:
        return wait_for_end(self.start(behaviour))

    def stop(self, response_id: str) -> Finished:
        cancel_run(self.user, response_id)
        return wait_for_end(response_id)

    def goes_on(self) -> None:
        """The server takes the chat as it is now, and every request before was taken too."""
        finished = self.ask(Behaviour(say="Still here."))
        assert finished.outcome == ("completed", None)
        # Where the question follows results at once, they come in one turn, and the stand-ins answer those.
        assert finished.text == "Still here." or finished.text.startswith("The tools gave: ")
        assert {seen.status for seen in self._tested.seen} <= {200, 0}


@pytest.fixture
def chat(tested: ProviderUnderTest, engine: Any) -> Iterator[Chat]:
    yield Chat(tested)
    forget_refusals()


def _kinds(finished: Finished) -> list[str]:
    return [part["kind"] for part in finished.message.parts]


# --- calls


def test_two_calls_are_made_told_stored_and_counted(chat: Chat, tested: ProviderUnderTest) -> None:
    finished = chat.ask(Behaviour(tools=(ADD, TELL)))
    assert finished.outcome == ("completed", None)
    assert _kinds(finished) == ["tool-call", "tool-call", "tool-return", "tool-return", "text"]
    called, told = finished.fields("tool_call"), finished.fields("tool_return")
    assert [each["tool_id"] for each in called] == [each["tool_id"] for each in told]
    assert told[0]["result"] == "2"
    assert told[1]["result"]["time"].endswith("+09:00")
    assert finished.text.startswith("The tools gave: 2, ")
    assert len(tested.seen) == 2
    said = len(finished.text.split())
    assert finished.message.usage["output_tokens"] == said + 10  # of the stand-in: 5 for a call
    chat.goes_on()


def test_the_next_question_tells_earlier_calls_and_results(chat: Chat, tested: ProviderUnderTest) -> None:
    chat.ask(Behaviour(tools=(ADD,)))
    chat.ask(Behaviour(say="Yes."))
    assert "1+1" in json.dumps(tested.seen[-1].body)
    assert json.dumps(tested.seen[-1].body).count("calculator") >= 2  # offered, and called before


def test_a_model_that_loops_on_tools_is_stopped_and_the_chat_goes_on(chat: Chat, tested: ProviderUnderTest) -> None:
    finished = chat.ask(Behaviour(tools=(ADD,), insist=True))
    assert finished.outcome == ("error", "too_many_turns")
    assert "kept calling tools" in finished.error
    assert len(tested.seen) == 8
    chat.goes_on()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (("calculator", '{"expression":'), "aren't valid JSON"),
        (call("calculator", expresion="1"), "expression: Missing"),
        (call("delete_all"), "There is no tool"),
    ],
    ids=["broken", "wrong", "unknown"],
)
def test_a_wrong_call_goes_back_to_the_model(chat: Chat, made: Any, words: str) -> None:
    finished = chat.ask(Behaviour(tools=(made,)))
    assert finished.outcome == ("completed", None)
    assert words in finished.fields("tool_return")[0]["result"]["error"]
    assert words.split(maxsplit=1)[0] in finished.text
    chat.goes_on()


def test_a_tool_that_hangs_is_given_up_and_the_answer_goes_on(chat: Chat, waiting: Waiting, settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {"chat": {"tools": '["wait"]', "tool_timeout": "0.1"}}
    finished = chat.ask(Behaviour(tools=(WAIT,)))
    assert finished.outcome == ("completed", None)
    assert "took longer than 0.1 seconds" in finished.text
    assert waiting.stopped.is_set()
    chat.goes_on()


def test_a_server_that_takes_no_tools_is_asked_without(chat: Chat, tested: ProviderUnderTest) -> None:
    behaviour = Behaviour(refuse="tools", say="No tools here.")
    assert chat.ask(behaviour).text == "No tools here."
    assert chat.ask(behaviour).text == "No tools here."
    assert [seen.status for seen in tested.seen] == [400, 200, 200]


# --- a stop in the middle


def test_a_stop_while_a_tool_runs_leaves_a_chat_that_goes_on(
    chat: Chat, waiting: Waiting, tested: ProviderUnderTest
) -> None:
    response_id = chat.start(Behaviour(tools=(ADD, WAIT)))
    until(waiting.begun.is_set, "the tool is called")
    stopped = chat.stop(response_id)
    assert stopped.outcome == ("cancelled", None)
    until(waiting.stopped.is_set, "the tool is stopped")
    assert _kinds(stopped)[:2] == ["tool-call", "tool-call"]
    assert len(tested.seen) == 1
    chat.goes_on()
    assert "was interrupted" in json.dumps(tested.seen[-1].body)


def test_a_stop_in_a_later_turn_leaves_a_chat_that_goes_on(chat: Chat, tested: ProviderUnderTest) -> None:
    response_id = chat.start(Behaviour(tools=(ADD,), insist=True, say="Once more. ", words=10_000, pause=0.02))
    until(lambda: len(tested.seen) > 1 and tested.seen[1].said > 0, "the second turn flows")
    stopped = chat.stop(response_id)
    assert stopped.outcome == ("cancelled", None)
    assert "tool-return" in _kinds(stopped)
    assert stopped.message.usage["total_tokens"] > 0  # of the first turn, which is paid for
    assert "cost" in stopped.message.metadata  # None where the model has no price
    chat.goes_on()


def test_a_stop_before_a_calls_arguments_are_whole_leaves_a_chat_that_goes_on(
    chat: Chat, tested: ProviderUnderTest
) -> None:
    response_id = chat.start(Behaviour(say="One two three", stall=2, tools=(ADD,)))
    until(lambda: tested.seen and tested.seen[0].said == 2, "words flow")
    assert chat.stop(response_id).outcome == ("cancelled", None)
    chat.goes_on()


def test_a_stream_that_breaks_in_a_later_turn_leaves_a_chat_that_goes_on(chat: Chat, tested: ProviderUnderTest) -> None:
    finished = chat.ask(Behaviour(tools=(ADD,), cut=2))
    assert finished.outcome == ("error", "model_error")
    assert _kinds(finished)[:2] == ["tool-call", "tool-return"]
    assert chat.ask(Behaviour(say="Still here.")).text == "Still here."


# --- reasoning


def test_reasoning_before_a_call_goes_back_with_its_signature(chat: Chat, tested: ProviderUnderTest) -> None:
    finished = chat.ask(Behaviour(reasoning="let me think", tools=(ADD,)))
    assert _kinds(finished) == ["reasoning", "tool-call", "tool-return", "text"]
    chat.goes_on()
    for seen in tested.seen[1:]:  # OpenAI's API signs no reasoning, and takes none back
        assert ("signature" in json.dumps(seen.body)) is (tested.name == "bedrock")
        assert ("let me think" in json.dumps(seen.body)) is (tested.name == "bedrock")
