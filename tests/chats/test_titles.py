"""Titles after the first exchange: by a model, beside everything else, and never over a user's own."""

import asyncio
import threading
from typing import Any

import pytest
from prometheus_client import REGISTRY

from chats import titles
from chats.editing import change_chat, delete_chat
from chats.models import Chat
from chats.runs import start_run
from handlers.errors import ModelUnavailable
from handlers.events import ContentEvent, ResponseEndEvent
from handlers.models import ModelDescription, ModelProvider, ModelRequest, providers
from handlers.models.titling import INSTRUCTIONS
from tests.chats.live import Client, login, make_user
from tests.chats.scripted import body_of, handler_class, until, wait_for_end

QUESTION = "Why is the sea salty?"


class Author(ModelProvider):
    """A model that answers, and gives the title that a test wants; it waits for the gate before a title."""

    name = "author"

    def __init__(self) -> None:
        self.title: str | Exception = "Salt in the sea"
        self.asked: list[ModelRequest] = []
        self.gate = threading.Event()
        self.gate.set()

    def models(self) -> list[ModelDescription]:
        return [ModelDescription(id=each, label=each, provider=self.name) for each in ("novelist", "poet")]

    async def stream(self, request):
        said = "Rivers bring it."
        if request.system and INSTRUCTIONS in request.system[0]["text"]:
            self.asked.append(request)
            while not self.gate.is_set():
                await asyncio.sleep(0.005)
            if isinstance(self.title, Exception):
                raise self.title
            said = self.title
        yield {"messageStart": {"role": "assistant"}}
        yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": said}}}
        yield {"contentBlockStop": {"contentBlockIndex": 0}}
        yield {"messageStop": {"stopReason": "end_turn"}}
        yield {"metadata": {"usage": {"inputTokens": 20, "outputTokens": 5, "totalTokens": 25}}}

    @property
    def told(self) -> str:
        """All that the one request for a title said."""
        (request,) = self.asked
        return str(request.messages)


@pytest.fixture
def author(settings):
    settings.WORKBENCH_TITLES = True
    provider = Author()
    providers.register(provider)
    yield provider
    provider.gate.set()
    providers.unregister(provider.name)


@pytest.fixture
def user(engine, author):
    return make_user()


def ask(user: Any, text: str = QUESTION, **fields: Any) -> Chat:
    """The chat after an answer; its title may still be on its way."""
    fields = {"task": "chat", "model_id": "novelist", "chat_id": "one", **fields}
    started = start_run(user, body_of(text, **fields))
    wait_for_end(started.response_id)
    return Chat.objects.get(pk=started.chat_id)


def all_offered(engine: Any) -> None:
    """Returns when all runs have ended, and the writer's thread has done all that it does at an end."""
    until(lambda: not engine.runs, "all runs ended")
    engine.write(lambda: None).result(20)


def settled(engine: Any, chat: Chat) -> tuple[str, str]:
    """The chat's title and its source when nothing is on its way any more."""
    all_offered(engine)
    until(lambda: not engine.titles.waiting, "titles were written")
    chat.refresh_from_db()
    return chat.title, chat.title_source


def test_the_first_answer_gives_the_chat_its_title(engine, user, author):
    assert settled(engine, ask(user)) == ("Salt in the sea", "auto")
    assert QUESTION in author.told
    assert "Rivers bring it." in author.told


def test_a_second_answer_leaves_it(engine, user, author):
    settled(engine, ask(user))
    author.title = "Something else"
    assert settled(engine, ask(user, "And why blue?")) == ("Salt in the sea", "auto")
    assert len(author.asked) == 1


def test_an_answer_that_failed_gives_none_and_the_next_one_does(engine, user, register):
    async def body(self):
        raise ModelUnavailable("Not now.")
        yield

    failing = register(handler_class(body, "failing", model_ids=classmethod(lambda cls: ["novelist"])))
    assert settled(engine, ask(user, task=failing)) == (QUESTION, "first_words")
    assert settled(engine, ask(user, "Again?")) == ("Salt in the sea", "auto")


@pytest.mark.parametrize("said", [ModelUnavailable("Not now."), "", "  \n``` \n"], ids=["down", "empty", "blank"])
def test_without_a_usable_title_the_first_words_stay(engine, user, author, said):
    author.title = said
    assert settled(engine, ask(user)) == (QUESTION, "first_words")
    assert author.asked


def test_only_the_first_answer_asks_for_a_title(engine, user, author):
    author.title = ModelUnavailable("Not now.")
    settled(engine, ask(user))
    author.title = "Too late"
    assert settled(engine, ask(user, "And why blue?")) == (QUESTION, "first_words")
    assert len(author.asked) == 1


def test_a_model_that_takes_too_long_is_given_up(engine, user, author, monkeypatch):
    monkeypatch.setattr(titles, "PATIENCE", 0.01)
    author.gate.clear()
    assert settled(engine, ask(user)) == (QUESTION, "first_words")


def test_a_title_that_the_user_gave_meanwhile_stays(engine, user, author):
    author.gate.clear()
    chat = ask(user)
    until(lambda: author.asked, "the title was asked for")
    change_chat(user, str(chat.pk), {"title": "Mine"})
    author.gate.set()
    assert settled(engine, chat) == ("Mine", "user")


def test_a_chat_that_was_deleted_meanwhile_gets_none(engine, user, author):
    author.gate.clear()
    chat = ask(user)
    until(lambda: author.asked, "the title was asked for")
    delete_chat(user, str(chat.pk))
    author.gate.set()
    assert settled(engine, chat) == (QUESTION, "first_words")


def test_turned_off_no_model_is_asked(engine, user, author, settings):
    settings.WORKBENCH_TITLES = False
    assert settled(engine, ask(user)) == (QUESTION, "first_words")
    assert not author.asked


def test_the_offline_model_writes_none(engine, user, author):
    assert settled(engine, ask(user, model_id="offline")) == (QUESTION, "first_words")
    assert not author.asked


def test_a_configured_model_titles_every_chat(engine, user, author, settings):
    settings.WORKBENCH_TITLE_MODEL = "poet"
    assert settled(engine, ask(user, model_id="offline")) == ("Salt in the sea", "auto")
    assert author.asked[0].model_id == "poet"


def test_a_handler_that_offers_no_models_sends_its_text_to_none(engine, user, author, register):
    async def body(self):
        yield ContentEvent(content="secret")

    assert settled(engine, ask(user, task=register(handler_class(body)))) == (QUESTION, "first_words")
    assert not author.asked


def test_hidden_content_goes_into_no_title(engine, user, author, register):
    async def body(self):
        yield ContentEvent(content="the hidden clue", emit=False)
        yield ContentEvent(content="Shown.")

    hiding = register(handler_class(body, "hiding", model_ids=classmethod(lambda cls: ["novelist"])))
    settled(engine, ask(user, task=hiding))
    assert "Shown." in author.told
    assert "clue" not in author.told


def test_its_tokens_are_counted_and_not_the_answers(engine, user, register):
    async def body(self):
        yield ContentEvent(content="Said.")
        yield ResponseEndEvent(usage={"input_tokens": 1, "output_tokens": 2})

    counting = register(handler_class(body, "counting", model_ids=classmethod(lambda cls: ["novelist"])))
    before = _metric("workbench_title_tokens_total", kind="input")
    chat = ask(user, task=counting)
    settled(engine, chat)
    assert _metric("workbench_title_tokens_total", kind="input") == before + 20
    assert chat.active_leaf.usage == {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}


def _metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_model_that_fails_is_counted_by_why(engine, user, author):
    before = _metric("workbench_titles_total", outcome="unavailable")
    author.title = ModelUnavailable("Not now.")
    settled(engine, ask(user))
    assert _metric("workbench_titles_total", outcome="unavailable") == before + 1


def test_a_stop_waits_for_no_title(engine, user, author):
    author.gate.clear()
    chat = ask(user)
    until(lambda: author.asked, "the title was asked for")
    engine.stop()
    assert (chat.title, chat.title_source) == (QUESTION, "first_words")
    assert not author.gate.is_set()


def test_more_than_may_wait_keep_their_first_words(engine, user, author, monkeypatch):
    monkeypatch.setattr(titles, "MOST_WAITING", 1)
    author.gate.clear()
    first = ask(user, chat_id="first")
    until(lambda: author.asked, "the title was asked for")
    second = ask(user, chat_id="second")
    all_offered(engine)
    author.gate.set()
    assert settled(engine, first)[1] == "auto"
    assert settled(engine, second)[1] == "first_words"


async def test_all_sockets_of_the_owner_hear_of_it_and_no_others(engine, author):
    owner, other = await asyncio.to_thread(make_user), await asyncio.to_thread(make_user, "grace")
    keys = await asyncio.to_thread(lambda: (login(owner), login(other)))
    async with Client(keys[0]) as asking, Client(keys[0]) as second_tab, Client(keys[1]) as stranger:
        await asking.ask(QUESTION, task="chat", model_id="novelist")
        for tab in (asking, second_tab):
            while (frame := await tab.receive_until("chat", change="updated"))["chat"]["title_source"] != "auto":
                pass
            assert frame["chat"]["title"] == "Salt in the sea"
        await stranger.send(type="ping")
        await stranger.receive_until("pong")
        assert [frame["type"] for frame in stranger.frames] == ["hello", "pong"]
