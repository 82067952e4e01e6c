"""Searching one's own chats, through the door and the database's index."""

from typing import Any

import pytest

from chats import indexing, search
from chats.engine import Engine
from chats.models import Chat, Message, SearchEntry
from tests.chats.api.makers import END, JSONClient, logged_in, make_request, make_response, start_of, text
from tests.chats.scripted import until
from workbench.models import User

pytestmark = pytest.mark.django_db


def index() -> None:
    """What a running server does bit by bit."""
    for chat in Chat.objects.order_by("id"):
        search.rebuild_chat(chat)
    while indexing.index_waiting():
        pass


def find(client: JSONClient, query: str, **more: Any) -> list[dict[str, Any]]:
    from urllib.parse import urlencode

    results: list[dict[str, Any]] = client.get_json(f"/search/?{urlencode({'q': query, **more})}")["results"]
    return results


def ids(hits: list[dict[str, Any]]) -> list[str]:
    return [hit["chat"]["id"] for hit in hits]


def marked(shown: dict[str, Any]) -> list[str]:
    return [shown["text"][start:end] for start, end in shown["ranges"]]


def test_a_chat_is_found_by_what_was_answered_with_the_stretch_round_it(
    client_of_owner: JSONClient, response: Message
) -> None:
    index()
    [hit] = find(client_of_owner, "nile")
    assert hit["chat"] == client_of_owner.get_json(f"/chats/{response.chat_id}/")
    assert (hit["message_id"], hit["kind"]) == (str(response.pk), "response")
    assert (hit["snippet"]["text"], marked(hit["snippet"])) == ("The Nile.", ["Nile"])
    assert (hit["title"]["text"], hit["title"]["ranges"]) == ("Rivers", [])


def test_a_chat_is_found_by_its_question_and_by_its_title(client_of_owner: JSONClient, chat: Chat) -> None:
    request = make_request(chat, "Which is the longest?")
    index()
    assert find(client_of_owner, "longest")[0]["message_id"] == str(request.pk)
    [by_title] = find(client_of_owner, "river")
    assert (marked(by_title["title"]), by_title["message_id"], by_title["snippet"]) == (["River"], None, None)


@pytest.mark.parametrize("query", ["中国", "爱中", "国", "我爱中国"])
def test_scripts_without_spaces_are_found_anywhere_in_a_run(
    client_of_owner: JSONClient, chat: Chat, query: str
) -> None:
    make_request(chat, "我爱中国。")
    index()
    assert marked(find(client_of_owner, query)[0]["snippet"]) == [query]


@pytest.mark.parametrize(
    "query",
    ['"', "nile AND", "nile*", "(nile", "nile OR", "NEAR(nile)", "nile'); --", "nile & ! |", "tokens:nile", "^nile"],
)
def test_the_databases_query_language_means_nothing(client_of_owner: JSONClient, response: Message, query: str) -> None:
    index()
    assert client_of_owner.ask("GET", f"/search/?q={query}").status_code == 200


def test_another_user_finds_nothing_also_under_the_same_key(
    client_of_owner: JSONClient, stranger: User, response: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "key_of", lambda owner_id: "0000")
    index()
    assert ids(find(client_of_owner, "nile")) == [str(response.chat_id)]
    assert find(logged_in(stranger), "nile") == []
    assert find(logged_in(stranger), "rivers") == []


def test_a_deleted_chat_is_not_found(client_of_owner: JSONClient, response: Message) -> None:
    index()
    Chat.objects.update(status=Chat.State.DELETED)
    assert find(client_of_owner, "nile") == find(client_of_owner, "rivers") == []


def test_what_was_hidden_is_not_found(client_of_owner: JSONClient, chat: Chat) -> None:
    hidden = ("content", {"content": "secret"}, False)
    make_response(chat, [start_of(), hidden, text("open"), END])
    index()
    assert ids(find(client_of_owner, "open")) == [str(chat.pk)]
    assert find(client_of_owner, "secret") == []


def test_an_entry_that_goes_takes_its_words_out_of_the_index(client_of_owner: JSONClient, response: Message) -> None:
    index()
    SearchEntry.objects.filter(message=response).delete()
    assert find(client_of_owner, "nile") == []


def test_what_was_erased_before_it_was_indexed_leaves_nothing(client_of_owner: JSONClient, chat: Chat) -> None:
    request = make_request(chat, "gone")
    search.rebuild_chat(chat)
    Message.objects.filter(pk=request.pk)._raw_delete("default")
    while indexing.index_waiting():
        pass
    assert find(client_of_owner, "gone") == []
    assert not SearchEntry.objects.filter(message=request.pk).exists()


def test_a_long_message_is_found_to_its_end(client_of_owner: JSONClient, chat: Chat) -> None:
    make_request(chat, "word " * 4000 + "last")
    index()
    [hit] = find(client_of_owner, "last")
    assert marked(hit["snippet"]) == ["last"]
    assert SearchEntry.objects.filter(message__isnull=False).count() == 3


def test_titles_come_first_then_messages_the_newest_first_each_chat_once_on_all_pages(
    client_of_owner: JSONClient, owner: User
) -> None:
    titled = Chat.objects.create(owner=owner, title="The Nile")
    said = [Chat.objects.create(owner=owner, title=str(n)) for n in range(7)]
    for chat in [*said, *said, titled]:
        make_request(chat, "Nile?")
    for n in range(40):
        make_request(said[0], f"Nile {n}")
    index()
    found, address = [], "/search/?q=nile&limit=3"
    while address:
        page = client_of_owner.get_json(address)
        found += ids(page["results"])
        address = page["next"]
    assert found == [str(chat.pk) for chat in [titled, *reversed(said)]]


@pytest.mark.parametrize(("query", "field"), [("", "q"), ("q=%20", "q"), (f"q={'x' * 201}", "q"),
                                              ("q=a&limit=0", "limit"),
                                              ("q=a&cursor=WyJzZWFyY2giLCJuIiwieCIsIjEiXQ", "cursor")])  # fmt: skip
def test_a_wrong_parameter_is_named(client_of_owner: JSONClient, query: str, field: str) -> None:
    response = client_of_owner.ask("GET", f"/search/?{query}")
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_a_page_takes_few_queries_however_much_there_is(
    client_of_owner: JSONClient, owner: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make_request(Chat.objects.create(owner=owner, title="Nile"), "Nile?")
        make_request(Chat.objects.create(owner=owner), "Nile?")
    index()
    with django_assert_max_num_queries(9):  # session, user, titles, messages, chats known, chats, messages, running
        assert len(find(client_of_owner, "nile", limit=50)) == 50


def test_an_entry_that_cant_be_indexed_keeps_nobody_elses_from_being_found(
    client_of_owner: JSONClient, owner: User, response: Message, caplog: pytest.LogCaptureFixture
) -> None:
    broken = make_request(Chat.objects.create(owner=owner), "broken")
    Message.objects.filter(pk=broken.pk).update(parts=[{"content": "a part of no kind"}])
    index()
    assert ids(find(client_of_owner, "nile")) == [str(response.chat_id)]
    assert "can't be indexed" in caplog.text


def test_a_running_server_finds_what_was_said_and_the_new_title(client_of_owner: JSONClient, engine: Engine) -> None:
    body = {"chat_id": "rivers", "task": "demo", "content": "text"}
    made = client_of_owner.ask("POST", "/generate/invoke", body).json()
    said = next(part["content"] for part in made["parts"] if part["kind"] == "text").split()[0]
    until(lambda: ids(find(client_of_owner, said)) == [made["chat_id"]])
    client_of_owner.ask("PATCH", "/chats/rivers/", {"title": "Zambezi"})
    until(lambda: ids(find(client_of_owner, "zambezi")) == [made["chat_id"]])
    assert not SearchEntry.objects.filter(chat=made["chat_id"], message=None, tokens=None).exists()
