"""Feedback on an answer: given, changed, taken back, and whose it may be."""

from typing import Any

import pytest

from chats.engine import Engine
from chats.models import Chat, Feedback, Message
from tests.chats.api.makers import JSONClient, make_request

pytestmark = pytest.mark.usefixtures("engine")


def rate(client: JSONClient, message: Message, body: Any) -> Any:
    return client.ask("PUT", f"/messages/{message.pk}/feedback/", body)


def shown_on(client: JSONClient, message: Message) -> Any:
    return client.get_json(f"/messages/{message.pk}/")["feedback"]


def test_feedback_is_shown_with_the_message_everywhere(client_of_owner: JSONClient, response: Message) -> None:
    assert shown_on(client_of_owner, response) is None
    given = rate(client_of_owner, response, {"rating": "down", "comment": " The Amazon. "}).json()["feedback"]
    assert (given["rating"], given["comment"]) == ("down", "The Amazon.")
    assert shown_on(client_of_owner, response) == given
    assert client_of_owner.get_json(f"/chats/{response.chat_id}/messages/")["results"][-1]["feedback"] == given


def test_another_thumb_replaces_the_first(client_of_owner: JSONClient, response: Message) -> None:
    rate(client_of_owner, response, {"rating": "down", "comment": "No."})
    rate(client_of_owner, response, {"rating": "up"})
    stored = Feedback.objects.get()
    assert (stored.rating, stored.comment) == ("up", "")


def test_null_takes_it_back_as_often_as_one_likes(client_of_owner: JSONClient, response: Message) -> None:
    rate(client_of_owner, response, {"rating": "up"})
    for _ in range(2):
        assert rate(client_of_owner, response, {"rating": None}).json()["feedback"] is None
    assert not Feedback.objects.exists()


def test_a_question_gets_no_feedback(client_of_owner: JSONClient, chat: Chat) -> None:
    answer = rate(client_of_owner, make_request(chat), {"rating": "up"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not Feedback.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "rating"), ({"rating": "good"}, "rating"), ({"rating": "up", "comment": "x" * 4001}, "comment"),
     ({"rating": "up", "stars": 5}, "stars")],
)  # fmt: skip
def test_a_wrong_field_is_named(client_of_owner: JSONClient, response: Message, body: Any, field: str) -> None:
    answer = rate(client_of_owner, response, body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_many_messages_take_one_query_for_their_feedback(
    client_of_owner: JSONClient, response: Message, engine: Engine, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(5):  # session, user, chat, messages, feedback
        client_of_owner.get_json(f"/chats/{response.chat_id}/messages/")
