"""Chats through HTTP: listed, made, read, changed, deleted; and who is told."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chats.engine import Engine
from chats.models import Chat, Run
from tests.chats.api.makers import END, JSONClient, make_request, make_response, start_of, text
from workbench.models import User


@pytest.fixture
def told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """What the owner's sockets are sent: (user id, frame)."""
    frames: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(engine.hub, "relay_notice", lambda user_id, frame: frames.append((user_id, json.loads(frame))))
    return frames


# Lists


def ids_of(client: JSONClient, query: str) -> list[str]:
    return [chat["id"] for chat in client.get_json(f"/chats/?{query}")["results"]]


def test_a_chat_is_shown_whole(client_of_owner: JSONClient, chat: Chat, response: Any) -> None:
    [shown] = client_of_owner.get_json("/chats/")["results"]
    assert set(shown) == {
        "id", "name", "title", "title_source", "status", "pinned", "task", "model_id", "active_leaf", "metadata",
        "running", "created_at", "updated_at", "last_message_at",
    }  # fmt: skip
    assert shown == client_of_owner.get_json(f"/chats/{chat.pk}/")
    assert (shown["title"], shown["active_leaf"], shown["running"]) == ("Rivers", str(response.pk), [])


def test_the_list_has_archived_chats_and_no_deleted_ones(owner: User, client_of_owner: JSONClient) -> None:
    ids = {state: str(Chat.objects.create(owner=owner, status=state).pk) for state in Chat.State.values}
    assert ids_of(client_of_owner, "") == [ids["archived"], ids["active"]]
    assert ids_of(client_of_owner, "status=active") == [ids["active"]]
    assert ids_of(client_of_owner, "status=archived,active") == [ids["archived"], ids["active"]]


def test_what_was_changed_since_a_time_can_be_asked_for_with_a_chats_own_time(
    owner: User, client_of_owner: JSONClient
) -> None:
    old, new = Chat.objects.create(owner=owner), Chat.objects.create(owner=owner)
    Chat.objects.filter(pk=old.pk).update(updated_at=new.updated_at - timedelta(microseconds=1))
    since = client_of_owner.get_json(f"/chats/{new.pk}/")["updated_at"]
    assert ids_of(client_of_owner, f"updated_since={since}") == [str(new.pk)]


@pytest.mark.parametrize("since", ["2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00%2B01:00", "2026-01-01T00:00"])
def test_times_with_and_without_an_offset_are_understood(client_of_owner: JSONClient, since: str) -> None:
    assert ids_of(client_of_owner, f"updated_since={since}") == []


@pytest.mark.parametrize("query", ["status=deleted", "status=x", "ordering=title", "pinned=1",
                                   "updated_since=yesterday", "updated_since=2026-02-31T00:00:00Z"])  # fmt: skip
def test_a_wrong_parameter_is_named(client_of_owner: JSONClient, query: str) -> None:
    response = client_of_owner.ask("GET", f"/chats/?{query}")
    assert (response.status_code, list(response.json()["fields"])) == (400, [query.split("=", 1)[0]])


# Making


def test_a_chat_is_made_and_says_where_it_is(client_of_owner: JSONClient, owner: User, told: list[Any]) -> None:
    response = client_of_owner.ask("POST", "/chats/", {"title": " Rivers ", "metadata": {"topic": "geo"}})
    made = response.json()
    assert (response.status_code, made["title"], made["title_source"]) == (201, "Rivers", "user")
    assert client_of_owner.get_json(response["Location"]) == made
    assert told == [(owner.pk, {"type": "chat", "change": "created", "chat": made})]


def test_a_chat_made_with_nothing_waits_for_its_first_words(client_of_owner: JSONClient, engine: Engine) -> None:
    made = client_of_owner.ask("POST", "/chats/", {}).json()
    assert (made["title"], made["title_source"], made["metadata"]) == ("", "first_words", {})


@pytest.mark.parametrize("name", ["notes", "Bericht/März 2026", "a b?c#d", "名前"])
def test_a_chat_is_reached_by_the_clients_own_name(client_of_owner: JSONClient, engine: Engine, name: str) -> None:
    from urllib.parse import quote

    made = client_of_owner.ask("POST", "/chats/", {"name": name}).json()
    assert made["name"] == name
    assert client_of_owner.get_json(f"/chats/{quote(name, safe='')}/") == made
    assert client_of_owner.get_json(f"/chats/{quote(name, safe='')}/messages/")["results"] == []


@pytest.mark.parametrize("name", ["reports/messages", "a/b/export"])
def test_a_name_that_is_another_address_is_refused(client_of_owner: JSONClient, engine: Engine, name: str) -> None:
    for method, path, body, field in (
        ("POST", "/chats/", {"name": name}, "name"),
        ("POST", "/generate/invoke", {"chat_id": name, "content": "text", "task": "demo"}, "chat_id"),
    ):
        response = client_of_owner.ask(method, path, body)
        assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_a_name_may_be_a_word_that_stands_behind_names(client_of_owner: JSONClient, engine: Engine) -> None:
    client_of_owner.ask("POST", "/chats/", {"name": "messages"})
    assert client_of_owner.get_json("/chats/messages/")["name"] == "messages"


def test_a_name_is_taken_once_per_owner(client_of_owner: JSONClient, stranger: User, engine: Engine) -> None:
    Chat.objects.create(owner=stranger, name="notes")
    assert client_of_owner.ask("POST", "/chats/", {"name": "notes"}).status_code == 201
    response = client_of_owner.ask("POST", "/chats/", {"name": "notes"})
    assert (response.status_code, response.json()["code"]) == (409, "conflict")


# Changing


def change(client: JSONClient, chat: Chat, body: dict[str, Any]) -> Any:
    return client.ask("PATCH", f"/chats/{chat.pk}/", body)


@pytest.mark.parametrize("name", ["title", "status", "pinned", "active_leaf", "metadata"])
def test_a_change_moves_the_time_of_the_last_change_and_not_of_the_last_message(
    client_of_owner: JSONClient, chat: Chat, response: Any, engine: Engine, name: str
) -> None:
    before = client_of_owner.get_json(f"/chats/{chat.pk}/")
    values = {"title": "Seas", "status": "archived", "pinned": True, "active_leaf": None, "metadata": {"a": 1}}
    shown = change(client_of_owner, chat, {name: values[name]}).json()
    assert shown["last_message_at"] == before["last_message_at"]
    assert shown["updated_at"] > before["updated_at"]


def test_a_title_of_the_owners_stays_the_owners(client_of_owner: JSONClient, chat: Chat, told: list[Any]) -> None:
    shown = change(client_of_owner, chat, {"title": "Seas"}).json()
    assert (shown["title"], shown["title_source"]) == ("Seas", "user")
    assert [frame["change"] for _, frame in told] == ["updated"]
    assert told[0][1]["chat"] == shown


def test_a_chat_is_archived_and_brought_back(client_of_owner: JSONClient, chat: Chat, engine: Engine) -> None:
    statuses = [change(client_of_owner, chat, {"status": status}).json()["status"] for status in ("archived", "active")]
    assert statuses == ["archived", "active"]


def test_metadata_is_merged_and_null_takes_away(client_of_owner: JSONClient, chat: Chat, engine: Engine) -> None:
    change(client_of_owner, chat, {"metadata": {"a": 1, "b": {"x": 1}}})
    shown = change(client_of_owner, chat, {"metadata": {"a": None, "b": {"y": 2}, "c": "3"}}).json()
    assert shown["metadata"] == {"b": {"y": 2}, "c": "3"}


def test_metadata_doesnt_grow_without_end(client_of_owner: JSONClient, chat: Chat, engine: Engine) -> None:
    assert change(client_of_owner, chat, {"metadata": {"a": "x" * 40_000}}).status_code == 200
    response = change(client_of_owner, chat, {"metadata": {"b": "x" * 40_000}})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["metadata"])
    chat.refresh_from_db()
    assert list(chat.metadata) == ["a"]


def test_the_active_leaf_is_a_message_of_the_chat_or_none(
    client_of_owner: JSONClient, chat: Chat, engine: Engine
) -> None:
    leaf = make_response(chat, [start_of(), END])
    make_response(chat, [start_of(), END])
    assert change(client_of_owner, chat, {"active_leaf": str(leaf.pk)}).json()["active_leaf"] == str(leaf.pk)
    assert change(client_of_owner, chat, {"active_leaf": None}).json()["active_leaf"] is None


def test_a_request_as_active_leaf_stands_for_its_newest_answer(
    client_of_owner: JSONClient, chat: Chat, engine: Engine
) -> None:
    first = make_response(chat, [start_of(), END])
    again = make_response(chat, [start_of(), END], parent=first.parent)
    make_response(chat, [start_of(), END])
    shown = change(client_of_owner, chat, {"active_leaf": str(first.parent_id)}).json()
    assert shown["active_leaf"] == str(again.pk)


def test_a_request_without_an_answer_is_no_active_leaf(client_of_owner: JSONClient, chat: Chat, engine: Engine) -> None:
    response = change(client_of_owner, chat, {"active_leaf": str(make_request(chat).pk)})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["active_leaf"])


def test_the_active_leaf_is_no_message_of_another_chat(
    client_of_owner: JSONClient, chat: Chat, owner: User, engine: Engine
) -> None:
    elsewhere = make_request(Chat.objects.create(owner=owner))
    for wrong in (str(elsewhere.pk), "x"):
        response = change(client_of_owner, chat, {"active_leaf": wrong})
        assert (response.status_code, list(response.json()["fields"])) == (400, ["active_leaf"])


@pytest.mark.parametrize(
    "body", [{"title": ""}, {"title": "  "}, {"title": None}, {"title": "x" * 201}, {"status": "deleted"},
             {"status": None}, {"metadata": None}, {"owner": "x"}, {"active_leaf": 5}, {"pinned": "yes"}]
)  # fmt: skip
def test_a_wrong_change_is_refused_by_field(client_of_owner: JSONClient, chat: Chat, body: dict[str, Any]) -> None:
    response = change(client_of_owner, chat, body)
    assert (response.status_code, list(response.json()["fields"])) == (400, list(body))


def test_a_change_of_nothing_changes_nothing(client_of_owner: JSONClient, chat: Chat, told: list[Any]) -> None:
    before = client_of_owner.get_json(f"/chats/{chat.pk}/")
    assert change(client_of_owner, chat, {}).json() == before
    assert told == []


def test_anothers_chat_is_not_found_before_its_change_is_looked_at(client_of_owner: JSONClient, stranger: User) -> None:
    assert change(client_of_owner, Chat.objects.create(owner=stranger), {"title": 5}).status_code == 404


# Pinning


def test_a_chat_is_pinned_and_the_pinned_ones_are_asked_for(
    client_of_owner: JSONClient, chat: Chat, owner: User, engine: Engine
) -> None:
    other = Chat.objects.create(owner=owner)
    assert change(client_of_owner, chat, {"pinned": True}).json()["pinned"] is True
    assert ids_of(client_of_owner, "pinned=true") == [str(chat.pk)]
    assert ids_of(client_of_owner, "pinned=false") == [str(other.pk)]
    assert change(client_of_owner, chat, {"pinned": False}).json()["pinned"] is False


# Deleting


def test_a_deleted_chat_is_gone_for_its_owner_and_kept(
    client_of_owner: JSONClient, chat: Chat, told: list[Any]
) -> None:
    make_response(chat, [start_of(), text("a"), END])
    assert client_of_owner.ask("DELETE", f"/chats/{chat.pk}/").status_code == 204
    assert client_of_owner.ask("GET", f"/chats/{chat.pk}/").status_code == 404
    assert Chat.objects.get().messages.count() == 2
    assert [frame["change"] for _, frame in told] == ["deleted"]


def test_what_runs_in_a_deleted_chat_is_cancelled(client_of_owner: JSONClient, chat: Chat, engine: Engine) -> None:
    make_response(chat, [start_of()])
    client_of_owner.ask("DELETE", f"/chats/{chat.pk}/")
    assert Run.objects.get().cancel_requested_at is not None


def test_a_deleted_chats_name_is_free_again(client_of_owner: JSONClient, engine: Engine) -> None:
    for status in (201, 201):
        made = client_of_owner.ask("POST", "/chats/", {"name": "notes"})
        assert made.status_code == status
        client_of_owner.ask("DELETE", "/chats/notes/")


def test_nothing_is_written_while_the_server_stops(client_of_owner: JSONClient, chat: Chat) -> None:
    response = change(client_of_owner, chat, {"title": "x"})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response["Retry-After"] == "1"


def test_a_name_with_a_line_feed_is_an_address_too(engine: Engine, client_of_owner: JSONClient) -> None:
    made = client_of_owner.ask("POST", "/chats/", {"name": "a\nb"}).json()
    assert client_of_owner.get_json("/chats/a%0Ab/")["id"] == made["id"]
    assert client_of_owner.get_json("/chats/a%0Ab/messages/")["results"] == []
