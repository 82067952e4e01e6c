"""Pages by key: complete, without doubles, both ways, and cheap."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from uuid_utils.compat import uuid7

from chats.api.chats import ChatsDoor
from chats.api.pagination import Cursor
from chats.models import Chat
from tests.chats.api.makers import JSONClient, make_request, make_response, start_of, text
from workbench.models import User


def make_chats(owner: User, number: int, *, same_time: bool = False) -> list[str]:
    """Their ids, the last changed first."""
    chats = []
    for minute in range(number):
        at = datetime(2026, 1, 1, 12, 0 if same_time else minute, tzinfo=UTC)
        chats.append(Chat.objects.create(owner=owner, created_at=at, updated_at=at, last_message_at=at))
    return [str(chat.pk) for chat in reversed(chats)]


def pages_from(client: JSONClient, path: str) -> list[list[str]]:
    """The ids of every page, following the links."""
    pages = []
    following: str | None = path
    while following:
        page = client.get_json(following)
        pages.append([item["id"] for item in page["results"]])
        following = page["next"]
    return pages


def flat(pages: list[list[str]]) -> list[str]:
    return [item for page in pages for item in page]


@pytest.mark.parametrize("same_time", [False, True])
def test_the_pages_together_are_the_list_once(owner: User, client_of_owner: JSONClient, same_time: bool) -> None:
    ids = make_chats(owner, 7, same_time=same_time)
    pages = pages_from(client_of_owner, "/chats/?limit=3")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert flat(pages) == ids


@pytest.mark.parametrize("ordering", ChatsDoor.orderings)
def test_previous_leads_back_over_the_same_pages(owner: User, client_of_owner: JSONClient, ordering: str) -> None:
    make_chats(owner, 7)
    first = client_of_owner.get_json(f"/chats/?limit=3&ordering={ordering}")
    second = client_of_owner.get_json(first["next"])
    third = client_of_owner.get_json(second["next"])
    assert client_of_owner.get_json(third["previous"])["results"] == second["results"]
    back = client_of_owner.get_json(client_of_owner.get_json(third["previous"])["previous"])
    assert back["results"] == first["results"]
    assert (first["previous"], third["next"], back["previous"]) == (None, None, None)


def test_a_chat_that_is_made_meanwhile_shifts_nothing(owner: User, client_of_owner: JSONClient) -> None:
    ids = make_chats(owner, 4)
    first = client_of_owner.get_json("/chats/?limit=2")
    Chat.objects.create(owner=owner)
    second = client_of_owner.get_json(first["next"])
    assert [item["id"] for item in second["results"]] == ids[2:]


def test_filters_stay_in_the_links(owner: User, client_of_owner: JSONClient) -> None:
    make_chats(owner, 4)
    assert "status=active" in client_of_owner.get_json("/chats/?limit=2&status=active")["next"]


@pytest.mark.parametrize(("asked", "given"), [("1", 1), ("100", 100), ("101", 100), ("9" * 400, 100)])
def test_a_limit_is_at_most_a_hundred(owner: User, client_of_owner: JSONClient, asked: str, given: int) -> None:
    Chat.objects.bulk_create([Chat(owner=owner) for _ in range(105)])
    assert len(client_of_owner.get_json(f"/chats/?limit={asked}")["results"]) == given


@pytest.mark.parametrize("limit", ["0", "-1", "ten", "1.5", "", "²"])
def test_what_is_no_limit_is_refused(client_of_owner: JSONClient, limit: str) -> None:
    response = client_of_owner.ask("GET", f"/chats/?limit={limit}")
    assert (response.status_code, list(response.json()["fields"])) == (400, ["limit"])


def cursor_in(url: str) -> str:
    return parse_qs(urlsplit(url).query)["cursor"][0]


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "bnVsbA", "WyItdXBkYXRlZF9hdCIsIm4iLCJ4IiwieSJd"])
def test_a_made_up_cursor_is_refused(client_of_owner: JSONClient, cursor: str) -> None:
    response = client_of_owner.ask("GET", f"/chats/?cursor={cursor}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_made_up_cursor_at_the_end_of_time_is_refused(client_of_owner: JSONClient, at: str) -> None:
    cursor = Cursor("-updated_at", (at, str(uuid7()))).encode()
    response = client_of_owner.ask("GET", f"/chats/?cursor={cursor}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_a_cursor_of_another_ordering_is_refused(owner: User, client_of_owner: JSONClient) -> None:
    make_chats(owner, 3)
    cursor = cursor_in(client_of_owner.get_json("/chats/?limit=1")["next"])
    assert client_of_owner.ask("GET", f"/chats/?ordering=created_at&cursor={cursor}").status_code == 400


def queries_of(client: JSONClient, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        client.get_json(path)
    return [query["sql"] for query in queries if "chats_" in query["sql"]]


def test_a_page_of_chats_takes_two_queries_however_many_there_are(owner: User, client_of_owner: JSONClient) -> None:
    for _ in range(5):
        make_response(Chat.objects.create(owner=owner), [start_of(), text("a")])
    assert len(queries_of(client_of_owner, "/chats/")) == 2


def test_a_page_of_messages_takes_four_queries_however_many_there_are(chat: Chat, client_of_owner: JSONClient) -> None:
    for _ in range(5):
        make_response(chat, [start_of(), text("a")])
    assert len(queries_of(client_of_owner, f"/chats/{chat.pk}/messages/")) == 4


def test_a_page_of_a_branch_takes_six_queries_however_long_it_is(chat: Chat, client_of_owner: JSONClient) -> None:
    leaf = None
    for _ in range(5):
        leaf = make_request(chat, parent=leaf)
    leaf = make_response(chat, [start_of(), text("a")], parent=leaf)
    assert len(queries_of(client_of_owner, f"/chats/{chat.pk}/messages/?leaf={leaf.pk}")) == 6


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return " ".join(str(row) for row in cursor.fetchall())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plan")
@pytest.mark.parametrize("ordering", ChatsDoor.orderings)
def test_every_page_of_chats_is_found_by_an_index_and_not_sorted(
    owner: User, client_of_owner: JSONClient, ordering: str
) -> None:
    make_chats(owner, 3)
    first = f"/chats/?limit=1&ordering={ordering}"
    for path in (first, client_of_owner.get_json(first)["next"]):
        plan = plan_of(queries_of(client_of_owner, path)[0])
        assert "USING INDEX chat_by_owner" in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plan")
def test_the_pinned_chats_of_the_list_are_found_by_an_index_of_their_own_and_not_sorted(
    client_of_owner: JSONClient,
) -> None:
    plan = plan_of(queries_of(client_of_owner, "/chats/?status=active&pinned=true&ordering=-last_message_at")[0])
    assert "USING INDEX chat_pinned_by_owner" in plan
    assert "TEMP B-TREE" not in plan


def test_a_branch_is_paged_both_ways(chat: Chat, client_of_owner: JSONClient) -> None:
    messages: list[Any] = []
    for _ in range(5):
        messages.append(make_request(chat, parent=messages[-1] if messages else None))
    make_request(chat)
    path = f"/chats/{chat.pk}/messages/?limit=2&leaf={messages[-1].pk}"
    pages = pages_from(client_of_owner, path)
    assert pages == [[str(message.pk) for message in messages[i : i + 2]] for i in (0, 2, 4)]
    second = client_of_owner.get_json(client_of_owner.get_json(path)["next"])
    assert [item["id"] for item in client_of_owner.get_json(second["previous"])["results"]] == pages[0]
