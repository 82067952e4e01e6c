"""Where a start goes: what it writes, its chat and parent, and when a place is busy."""

from datetime import UTC, datetime

import pytest

from chats.fields import new_id
from chats.models import Chat, Event, Message, Run, Status
from chats.starts import first_words
from tests.chats.live import make_user
from tests.chats.scripted import handler_class, says_hello
from tests.chats.starting import begin, end, finished, refusal

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def user(db):
    return make_user()


@pytest.fixture
def other(db):
    return make_user("grace")


def parent_of(started):
    """Of its request."""
    return Message.objects.get(pk=started.message_id).parent_id


def leaf_of(started):
    return str(Chat.objects.get(pk=started.chat_id).active_leaf_id)


# What is written


def test_a_start_makes_chat_request_response_run_and_event_0(user):
    started = begin(user, "What is it?", request_id="r1", model_id="m1")
    request, response = Message.objects.order_by("pk")
    assert request.parts == [{"kind": "text", "content": "What is it?"}]
    assert request.finished_at == request.created_at
    assert (response.parent, response.status, response.model_id) == (request, "running", "m1")
    assert Event.objects.get().payload == (
        f'{{"request_id":"r1","chat_id":"{started.chat_id}","message_id":"{request.pk}",'
        f'"parent_id":null,"task":"demo","model_id":"m1"}}'
    )
    assert leaf_of(started) == started.response_id


def test_a_question_and_its_next_version_move_the_time_of_the_last_message(user):
    started = finished(user)
    for fields in ({}, {"parent_id": None}, {"text": None, "parent_id": started.message_id}):
        Chat.objects.update(last_message_at=LONG_AGO)
        finished(user, chat_id=started.chat_id, **fields)
        assert Chat.objects.get().last_message_at > LONG_AGO


def test_context_and_options_are_kept_for_the_audit(user):
    started = begin(user, context=[{"content": "c", "title": "t"}], options={})
    inputs = Run.objects.get(pk=started.response_id).inputs
    assert inputs["context"] == [{"type": "text", "title": "t", "content": "c"}]
    assert (inputs["options"], inputs["persona"]) == ({}, None)


# The parent


def test_without_a_parent_the_active_leaf_is_answered(user):
    first = finished(user)
    second = begin(user, chat_id=first.chat_id)
    assert str(parent_of(second)) == first.response_id


def test_a_null_parent_is_a_new_root(user):
    first = finished(user)
    second = begin(user, chat_id=first.chat_id, parent_id=None)
    assert parent_of(second) is None
    assert leaf_of(second) == second.response_id


def test_a_responses_id_is_answered_also_when_it_isnt_the_leaf(user):
    first = finished(user)
    second = finished(user, chat_id=first.chat_id)
    third = begin(user, chat_id=first.chat_id, parent_id=first.response_id)
    assert parent_of(third) == parent_of(second)
    assert leaf_of(third) == third.response_id


def test_a_requests_id_without_parts_is_answered_once_more(user):
    first = finished(user)
    again = begin(user, None, chat_id=first.chat_id, parent_id=first.message_id)
    assert again.message_id == first.message_id
    assert again.response_id != first.response_id
    assert Message.objects.filter(kind="request").count() == 1


def test_a_question_is_edited_by_giving_its_own_parent(user):
    first = finished(user)
    second = finished(user, "Where?", chat_id=first.chat_id)
    edited = begin(user, "Where to?", chat_id=first.chat_id, parent_id=first.response_id)
    assert edited.message_id != second.message_id
    assert parent_of(edited) == parent_of(second)


def test_a_request_as_parent_of_new_parts_is_told_how_to_edit(user):
    first = finished(user)
    error = refusal(user, chat_id=first.chat_id, parent_id=first.message_id)
    assert error.code == "invalid"
    assert "edit" in error.fields["parent_id"][0]


def test_without_parts_there_is_nothing_to_answer(user):
    first = finished(user)
    for parent in ({}, {"parent_id": None}, {"parent_id": first.response_id}):
        error = refusal(user, None, chat_id=first.chat_id, **parent)
        assert (error.code, list(error.fields)) == ("invalid", ["parts"])


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.ERROR])
def test_a_response_that_failed_can_be_answered_too(user, status):
    first = end(begin(user), status)
    assert begin(user, chat_id=first.chat_id).chat_id == first.chat_id


@pytest.mark.parametrize("parent", ["nonsense", "\0", "\ud800", "0" * 36, "0190a000-0000-7000-8000-000000000000"])
def test_a_parent_that_isnt_there_is_not_found(user, parent):
    first = finished(user)
    error = refusal(user, chat_id=first.chat_id, parent_id=parent)
    assert (error.code, list(error.fields)) == ("not_found", ["parent_id"])


def test_a_parent_in_another_chat_of_ones_own_is_not_found(user):
    first, second = finished(user), finished(user)
    assert refusal(user, chat_id=second.chat_id, parent_id=first.response_id).code == "not_found"
    assert refusal(user, parent_id=first.response_id).code == "not_found"


# Busy


def test_an_unfinished_response_cant_be_answered_yet(user):
    first = begin(user)
    error = refusal(user, chat_id=first.chat_id)
    assert (error.code, error.http_status, error.retry_after) == ("busy", 409, 1)


def test_an_unfinished_response_cant_be_answered_in_a_branch_either(user):
    first = begin(user)
    assert refusal(user, chat_id=first.chat_id, branch=True).code == "busy"


@pytest.mark.parametrize("parent", ["root", "response"])
def test_under_one_parent_one_answer_is_written_at_a_time(user, parent):
    first = finished(user)
    where = {"chat_id": first.chat_id, "parent_id": first.response_id if parent == "response" else None}
    begin(user, **where)
    assert refusal(user, **where).code == "busy"


def test_a_branch_may_grow_beside_a_running_answer(user):
    first = finished(user)
    where = {"chat_id": first.chat_id, "parent_id": first.response_id}
    running, branch = begin(user, **where), begin(user, **where, branch=True)
    assert parent_of(running) == parent_of(branch)


def test_a_request_is_answered_once_more_when_its_answer_is_finished_or_in_a_branch(user):
    first = begin(user)
    where = {"chat_id": first.chat_id, "parent_id": first.message_id}
    assert refusal(user, None, **where).code == "busy"
    assert begin(user, None, **where, branch=True).message_id == first.message_id


def test_another_place_of_the_chat_isnt_busy(user):
    first = finished(user)
    second = finished(user, chat_id=first.chat_id)
    begin(user, chat_id=first.chat_id, parent_id=second.response_id)
    assert begin(user, chat_id=first.chat_id, parent_id=first.response_id)


def test_another_chat_isnt_busy(user):
    begin(user)
    assert begin(user)


# The chat


def test_a_name_of_the_clients_own_makes_its_chat_on_first_use(user):
    first = finished(user, chat_id="notes/2026")
    assert Chat.objects.get(pk=first.chat_id).name == "notes/2026"
    assert begin(user, chat_id="notes/2026").chat_id == first.chat_id


def test_two_users_names_are_two_chats(user, other):
    assert begin(user, chat_id="notes").chat_id != begin(other, chat_id="notes").chat_id


def test_a_deleted_chats_name_makes_a_new_one(user):
    first = finished(user, chat_id="notes")
    Chat.objects.update(status="deleted")
    assert begin(user, chat_id="notes").chat_id != first.chat_id


def test_an_archived_chat_can_go_on(user):
    first = finished(user)
    Chat.objects.update(status="archived")
    assert begin(user, chat_id=first.chat_id).chat_id == first.chat_id


def test_an_id_that_isnt_there_is_not_made_up(user):
    assert refusal(user, chat_id=str(new_id())).code == "not_found"


def test_an_id_is_one_in_any_case(user):
    first = finished(user)
    assert begin(user, chat_id=first.chat_id.upper()).chat_id == first.chat_id


def test_a_deleted_chat_is_not_found(user):
    first = finished(user)
    Chat.objects.update(status="deleted")
    assert refusal(user, chat_id=first.chat_id).code == "not_found"


def test_anothers_chat_and_messages_are_not_found(user, other):
    theirs = finished(other)
    mine = finished(user)
    assert refusal(user, chat_id=theirs.chat_id).code == "not_found"
    assert refusal(user, chat_id=mine.chat_id, parent_id=theirs.response_id).code == "not_found"
    assert refusal(user, None, chat_id=mine.chat_id, parent_id=theirs.message_id).code == "not_found"


def test_the_chats_last_handler_and_model_are_the_next_ones(user, register):
    register(handler_class(says_hello, "other"))
    first = end(begin(user, task="other", model_id="m1"))
    second = end(begin(user, chat_id=first.chat_id, task=None))
    run = Run.objects.get(pk=second.response_id)
    assert (run.task, run.model_id) == ("other", "m1")


def test_a_new_chat_has_the_default_handler_and_model(user, settings):
    settings.WORKBENCH_DEFAULT_TASK, settings.WORKBENCH_DEFAULT_MODEL = "demo", "m2"
    run = Run.objects.get(pk=begin(user, task=None).response_id)
    assert (run.task, run.model_id) == ("demo", "m2")


def test_the_title_is_the_first_words_of_the_first_question(user):
    first = finished(user, "  What\n is it? ")
    finished(user, "And why?", chat_id=first.chat_id)
    assert Chat.objects.get().title == "What is it?"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("word " * 30, "word " * 11 + "word…"),
        ("x" * 61, "x" * 60 + "…"),
        ("x" * 60, "x" * 60),
        ("", ""),
    ],
)
def test_a_long_title_is_cut_at_a_word(text, title):
    assert first_words([{"kind": "text", "content": text}]) == title
