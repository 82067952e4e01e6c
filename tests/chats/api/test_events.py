"""A response's stored events as a list."""

from datetime import datetime
from typing import Any

import pytest

from chats.models import Chat, Event, Message
from tests.chats.api.makers import END, JSONClient, make_response, start_of, text


@pytest.fixture
def long(chat: Chat) -> Message:
    return make_response(
        chat, [start_of(), *[text(str(n)) for n in range(5)], ("content", {"content": "x"}, False), END]
    )


def page(client: JSONClient, response: Message, query: str = "") -> Any:
    return client.get_json(f"/responses/{response.pk}/events/{query}")


def numbers(page: Any) -> list[int]:
    return [event["sequence"] for event in page["results"]]


def test_an_event_has_its_response_its_place_its_time_and_its_fields(
    client_of_owner: JSONClient, long: Message
) -> None:
    event = page(client_of_owner, long)["results"][1]
    assert list(event) == ["type", "response_id", "sequence", "timestamp", "content"]
    assert (event["type"], event["response_id"], event["sequence"]) == ("content", str(long.pk), 1)
    assert datetime.fromisoformat(event["timestamp"]) == Event.objects.get(sequence=1).timestamp
    assert event["timestamp"].endswith("Z")


def test_a_timestamp_of_the_events_own_wins(client_of_owner: JSONClient, chat: Chat) -> None:
    response = make_response(chat, [start_of(), ("reading", {"timestamp": 5}), END])
    assert page(client_of_owner, response)["results"][1]["timestamp"] == 5


def test_hidden_events_are_left_out(client_of_owner: JSONClient, long: Message) -> None:
    assert numbers(page(client_of_owner, long)) == [0, 1, 2, 3, 4, 5, 7]


def test_an_errors_details_stay_here(client_of_owner: JSONClient, chat: Chat) -> None:
    response = make_response(chat, [start_of(), ("error", {"error_type": "x", "message": "Oh"}), END])
    Event.objects.filter(sequence=1).update(details="the trace")
    answer = client_of_owner.ask("GET", f"/responses/{response.pk}/events/")
    assert b"Oh" in answer.content
    assert b"trace" not in answer.content


def test_pages_follow_by_their_cursors_and_lead_back(client_of_owner: JSONClient, long: Message) -> None:
    first = page(client_of_owner, long, "?limit=3")
    second = client_of_owner.get_json(first["next"])
    third = client_of_owner.get_json(second["next"])
    assert [numbers(each) for each in (first, second, third)] == [[0, 1, 2], [3, 4, 5], [7]]
    assert (first["previous"], third["next"]) == (None, None)
    assert numbers(client_of_owner.get_json(third["previous"])) == [3, 4, 5]
    assert numbers(client_of_owner.get_json(second["previous"])) == [0, 1, 2]


def test_a_cursor_skips_what_was_seen(client_of_owner: JSONClient, long: Message) -> None:
    assert numbers(page(client_of_owner, long, "?after=4")) == [5, 7]
    assert numbers(page(client_of_owner, long, "?after=7")) == []


@pytest.mark.parametrize("query", ["?type=response_start,response_end", "?type=response_start&type=response_end"])
def test_types_can_be_asked_for(client_of_owner: JSONClient, long: Message, query: str) -> None:
    assert numbers(page(client_of_owner, long, query)) == [0, 7]


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        *(f"after={text}" for text in ("x", "-2", "1.5", "1_0", "%201", "%2B1", "%D9%A1", "9223372036854775808")),
    ],
)
def test_a_wrong_cursor_is_named(client_of_owner: JSONClient, long: Message, query: str) -> None:
    response = client_of_owner.ask("GET", f"/responses/{long.pk}/events/?{query}")
    assert (response.status_code, list(response.json()["fields"])) == (400, [query.split("=", 1)[0]])


def test_a_page_of_events_takes_two_queries(
    client_of_owner: JSONClient, long: Message, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4):  # two are the session's
        page(client_of_owner, long)


def test_a_requests_id_is_no_responses(client_of_owner: JSONClient, long: Message) -> None:
    assert client_of_owner.ask("GET", f"/responses/{long.parent_id}/events/").status_code == 404
