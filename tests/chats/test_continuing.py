"""Going on with an answer that was cut off: what a start with `continuation` is, and what is refused."""

import pytest

from chats.models import Chat, Message
from chats.protocol import DoorError, StartBody, parse_body
from chats.reading import represent_message
from tests.chats.live import make_user
from tests.chats.starting import begin, finished, refusal


@pytest.fixture
def user(db):
    return make_user()


def go_on(user, after, **fields):
    return begin(user, None, chat_id=after.chat_id, continuation=True, **fields)


def request_of(started) -> dict:
    return represent_message(Message.objects.get(pk=started.message_id))


@pytest.mark.parametrize("status", ["cancelled", "error", "completed"])
def test_a_continuation_is_a_request_after_the_answer_that_says_so(user, status):
    cut = finished(user)
    Message.objects.filter(pk=cut.response_id).update(status=status)
    request = request_of(go_on(user, cut))
    assert request["parent_id"] == cut.response_id
    assert request["metadata"] == {"continues": cut.response_id}
    assert [part["content"] for part in request["parts"]] == ["Continue."]


def test_it_may_name_another_answer_than_the_last(user):
    cut = finished(user, "first")
    finished(user, "second", chat_id=cut.chat_id)
    assert request_of(go_on(user, cut, parent_id=cut.response_id))["parent_id"] == cut.response_id


def test_an_answer_that_is_being_written_cant_be_gone_on_with(user):
    running = begin(user)
    assert refusal(user, None, chat_id=running.chat_id, continuation=True).code == "busy"


def test_only_an_answer_can_be_gone_on_with(user):
    empty = Chat.objects.create(owner=user)
    assert list(refusal(user, None, chat_id=str(empty.pk), continuation=True).fields) == ["continuation"]
    cut = finished(user)
    error = refusal(user, None, chat_id=cut.chat_id, parent_id=cut.message_id, continuation=True)
    assert (error.code, list(error.fields)) == ("invalid", ["continuation"])


def test_a_continuation_has_no_words_of_its_own():
    with pytest.raises(DoorError) as caught:
        parse_body(StartBody, {"continuation": True, "parts": [{"content": "more"}]})
    assert list(caught.value.fields) == ["continuation"]
