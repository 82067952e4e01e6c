"""Every provider through the whole product: the `chat` handler, the engine and the database."""

from typing import Any

import pytest

from chats.protocol import StartBody
from chats.runs import cancel_run, start_run
from handlers.models.continuing import GO_ON
from tests.chats.live import make_user
from tests.chats.scripted import Finished, body_of, until, wait_for_end
from tests.contract.providers import ProviderUnderTest
from tests.standins.behaviour import Behaviour, ask_for


class Chat:
    """One user's chat with the model under test."""

    def __init__(self, tested: ProviderUnderTest) -> None:
        self.user = make_user()
        self._model_id = tested.model_id

    def start(self, behaviour: Behaviour) -> str:
        body = body_of(ask_for(behaviour), task="chat", model_id=self._model_id, chat_id="one")
        return start_run(self.user, body).response_id

    def ask(self, behaviour: Behaviour) -> Finished:
        return wait_for_end(self.start(behaviour))


@pytest.fixture
def chat(tested: ProviderUnderTest, engine: Any) -> Chat:
    return Chat(tested)


def test_an_answer_is_stored_with_its_tokens(chat: Chat) -> None:
    finished = chat.ask(Behaviour(reasoning="let me think", say="Forty-two."))
    assert (finished.text, finished.outcome) == ("Forty-two.", ("completed", None))
    assert finished.message.usage["output_tokens"] > 0
    assert finished.message.metadata["stop_reason"] == "end_turn"
    assert [part["kind"] for part in finished.message.parts] == ["reasoning", "text"]


def test_a_stopped_answer_ends_at_the_server_and_the_next_question_works(chat: Chat, tested: ProviderUnderTest) -> None:
    response_id = chat.start(Behaviour(words=10_000, pause=0.005))
    until(lambda: tested.seen and tested.seen[0].said > 3, "words flow")
    cancel_run(chat.user, response_id)
    assert wait_for_end(response_id).outcome == ("cancelled", None)
    assert tested.wait_until_closed(0)
    assert chat.ask(Behaviour(say="Still here.")).text == "Still here."


@pytest.mark.parametrize(
    ("behaviour", "error_type"),
    [
        (Behaviour(cut=2), "model_error"),
        (Behaviour(silent=True), "model_error"),
        (Behaviour(refuse="denied"), "unavailable"),
        (Behaviour(refuse="length"), "context_length"),
        (Behaviour(throttle=1000, retry_after=60), "throttled"),
    ],
    ids=["cut", "no end", "denied", "too long", "throttled"],
)
def test_a_failure_is_told_kindly_kept_for_the_audit_and_got_over(
    chat: Chat, behaviour: Behaviour, error_type: str
) -> None:
    failed = chat.ask(behaviour)
    assert failed.outcome == ("error", error_type)
    (error,) = [event for event in failed.log if event.type == "error"]
    assert error.details
    assert error.details not in failed.error
    assert chat.ask(Behaviour(say="Works again.")).text == "Works again."


def test_an_answer_cut_at_its_longest_says_so_and_the_model_is_asked_for_the_rest(
    chat: Chat, tested: ProviderUnderTest
) -> None:
    asked = body_of(ask_for(Behaviour(words=5)), task="chat", model_id=tested.model_id, options={"max_tokens": 2})
    cut = wait_for_end(start_run(chat.user, asked).response_id)
    assert (cut.outcome, cut.message.metadata["stop_reason"]) == (("completed", None), "max_tokens")
    rest = StartBody(chat_id=str(cut.message.chat_id), task="chat", model_id=tested.model_id, continuation=True)
    assert wait_for_end(start_run(chat.user, rest).response_id).outcome == ("completed", None)
    *_, answered, last = tested.seen[-1].body["messages"]
    assert (answered["role"], last["role"]) == ("assistant", "user")
    assert cut.text.strip() in str(answered["content"])
    assert GO_ON in str(last["content"]).replace("\\'", "'")
