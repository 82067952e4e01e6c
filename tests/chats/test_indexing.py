"""What waits for the search index gets into it, in small jobs, whatever is wrong with some of it."""

from typing import Any

import pytest
from django.db import connection

from chats import indexing, search
from chats.models import Chat, Message, SearchEntry
from chats.searchtext import parse_query
from tests.chats.api.makers import END, make_request, make_response, start_of, text
from workbench.models import User

pytestmark = pytest.mark.django_db

LONG = 60.0  # seconds: as much as there is


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def chat(owner: User) -> Chat:
    return Chat.objects.create(owner=owner, title="Rivers")


def index() -> None:
    while indexing.index_waiting(LONG):
        pass


def answer(chat: Chat, content: str) -> Message:
    """A response that has ended, as the writer leaves it."""
    response = make_response(chat, [start_of(), text(content), END])
    search.queue_responses([Message._meta.pk.get_db_prep_value(response.pk, connection)])
    return response


def places(owner: User, words: str) -> list[tuple[Any, Any]]:
    hits = search.find_chats(owner, parse_query(words), search.Place(), 10).hits
    return [(hit.chat.pk, hit.message and hit.message.pk) for hit in hits]


def test_an_answers_end_brings_its_question_and_the_title(owner: User, chat: Chat) -> None:
    response = answer(chat, "The Nile.")
    index()
    assert places(owner, "nile") == [(chat.pk, response.pk)]
    assert places(owner, "what") == [(chat.pk, response.parent_id)]
    assert places(owner, "rivers") == [(chat.pk, None)]


def test_a_title_that_a_start_gave_instead_of_none_is_found(owner: User, chat: Chat) -> None:
    Chat.objects.update(title="")
    search.queue_title(chat.pk)
    index()
    chat.title = "Lakes"
    chat.save()
    answer(chat, "Baikal.")
    index()
    assert places(owner, "lakes") == [(chat.pk, None)]


def test_a_changed_title_is_found_and_the_old_one_no_more(owner: User, chat: Chat) -> None:
    answer(chat, "The Nile.")
    index()
    Chat.objects.update(title="Streams")
    search.queue_title(chat.pk)
    index()
    assert (places(owner, "rivers"), places(owner, "streams")) == ([], [(chat.pk, None)])


def test_the_rest_of_a_long_message_waits_for_another_job(
    owner: User, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = answer(chat, "word " * 4000 + "last")
    with monkeypatch.context() as patch:
        late = iter([False, False, True, True, True])  # at the job's beginning, after one piece, after two
        patch.setattr(indexing._Batch, "is_late", lambda batch: next(late))
        assert indexing.index_waiting()
    assert SearchEntry.objects.filter(message=response, tokens=None).values_list("start", flat=True)[0] > 0
    assert places(owner, "last") == []
    index()
    assert places(owner, "last") == [(chat.pk, response.pk)]


def test_long_messages_that_wait_are_not_read_together(owner: User, chat: Chat) -> None:
    for _ in range(3):
        answer(chat, "word " * 4000)
    assert len(indexing._read_waiting()) == 1


def test_many_that_wait_take_few_statements(owner: User, django_assert_max_num_queries: Any) -> None:
    chats = Chat.objects.bulk_create([Chat(owner=owner, title="Nile") for _ in range(indexing.MOST_READ)])
    for chat in chats:
        search.queue_title(chat.pk)
    with django_assert_max_num_queries(6):  # with PostgreSQL: lock, read, savepoint, write, release; nothing more
        assert not indexing.index_waiting(LONG)
    assert len(places(owner, "nile")) == 10


def test_what_the_database_refuses_is_left_out_alone(
    owner: User, chat: Chat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def tokens_of(words: str) -> list[str]:
        return ["\ud800"] if "broken" in words else words.lower().split()

    monkeypatch.setattr(search, "tokens_of", tokens_of)
    response = answer(chat, "here " * 2000 + "broken " + "there " * 3000)
    for content in ("broken", "fine"):
        make_request(chat, content)
    search.rebuild_chat(chat)
    index()
    assert "can't be indexed" in caplog.text
    assert not SearchEntry.objects.filter(tokens=None).exists()
    assert (len(places(owner, "fine")), len(places(owner, "rivers"))) == (1, 1)
    assert places(owner, "here") == places(owner, "there") == [(chat.pk, response.pk)]
