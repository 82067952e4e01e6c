"""What is read for whom, and what it looks like."""

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from chats import reading
from chats.models import Chat, Message
from chats.protocol import DoorError
from tests.chats.api.makers import END, make_request, make_response, start_of, text
from workbench.models import User

UNKNOWN = "0190a000-0000-7000-8000-000000000000"


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def chat(owner: User) -> Chat:
    return Chat.objects.create(owner=owner)


def hidden(content: str) -> tuple[str, dict[str, str], bool]:
    return "content", {"content": content}, False


def test_a_chat_is_found_by_its_id_in_any_case(owner: User, chat: Chat) -> None:
    assert reading.get_chat(owner, str(chat.pk).upper()) == chat


def test_a_chat_is_found_by_the_owners_name_for_it_and_nobody_elses(owner: User) -> None:
    other = User.objects.create_user("other")
    mine, _ = Chat.objects.create(owner=owner, name="notes"), Chat.objects.create(owner=other, name="notes")
    assert reading.get_chat(owner, "notes") == mine


@pytest.mark.parametrize("name", ["", "nope", "a\0b", "\ud800", str(UUID(int=5)), "0" * 36, UNKNOWN])
def test_what_isnt_there_is_not_found(owner: User, name: str) -> None:
    for get in (reading.get_chat, reading.get_message, reading.get_response):
        with pytest.raises(DoorError, match="no such") as caught:
            get(owner, name)
        assert caught.value.code == "not_found"


def test_a_request_is_no_response(owner: User, chat: Chat) -> None:
    with pytest.raises(DoorError):
        reading.get_response(owner, str(make_request(chat).pk))


def test_a_branch_runs_from_the_root_to_the_leaf_and_leaves_out_the_others(chat: Chat) -> None:
    root = make_request(chat)
    answer, sibling = (make_response(chat, [start_of(), END], parent=root) for _ in range(2))
    leaf = make_request(chat, parent=answer)
    assert reading.branch(leaf) == [root, answer, leaf]
    assert reading.branch_ids(leaf) == [root.pk, answer.pk, leaf.pk]
    assert reading.branch(sibling) == [root, sibling]


def test_a_branch_takes_one_query_however_long_it_is(chat: Chat, django_assert_num_queries) -> None:
    leaf = None
    for _ in range(30):
        leaf = make_request(chat, parent=leaf)
    assert leaf is not None
    with django_assert_num_queries(1):
        assert [message.kind for message in reading.branch(leaf)] == ["request"] * 30


def test_a_branchs_messages_are_read_as_they_were_written(chat: Chat) -> None:
    response = make_response(chat, [start_of(), text("Nile"), END])
    assert reading.branch(response)[-1].parts == [{"kind": "text", "content": "Nile"}]


def test_a_finished_response_is_shown_as_it_was_stored(chat: Chat) -> None:
    response = make_response(chat, [start_of(), text("The "), text("Nile"), END])
    shown = reading.represent_message(response)
    assert shown["parts"] == [{"kind": "text", "content": "The Nile"}]
    assert (shown["status"], shown["sequence"], shown["usage"]) == ("completed", 3, {"total_tokens": 3})


def test_an_unfinished_response_is_folded_from_its_log_so_far(chat: Chat) -> None:
    response = make_response(chat, [start_of(), text("The "), text("Ni")])
    shown = reading.represent_message(response)
    assert shown["parts"] == [{"kind": "text", "content": "The Ni"}]
    assert (shown["status"], shown["sequence"], shown["finished_at"]) == ("running", 2, None)


def test_a_response_with_nothing_in_its_log_has_no_sequence_yet(chat: Chat) -> None:
    shown = reading.represent_message(make_response(chat))
    assert (shown["parts"], shown["sequence"]) == ([], None)


def test_what_a_handler_hid_isnt_shown_but_counted(chat: Chat) -> None:
    events = [start_of(), text("a"), hidden("secret")]
    running = reading.represent_message(make_response(chat, events))
    ended = reading.represent_message(make_response(chat, [*events, END]))
    assert "secret" not in json.dumps([running, ended])
    assert (running["sequence"], ended["sequence"]) == (2, 3)


def test_a_response_that_ends_while_it_is_read_is_shown_as_it_ended(chat: Chat) -> None:
    make_response(chat, [start_of(), text("Nile"), END])
    stale = Message.objects.get(kind="response")
    stale.status, stale.parts, stale.sequence, stale.finished_at = "running", [], None, None
    shown = reading.represent_message(stale)
    assert (shown["status"], shown["sequence"]) == ("completed", 2)
    assert shown["finished_at"] is not None


def test_messages_are_shown_with_one_query_for_all_that_run(chat: Chat, django_assert_num_queries) -> None:
    messages = [make_response(chat, [start_of(), text("a")]) for _ in range(3)]
    request = make_request(chat)
    with django_assert_num_queries(2):  # their logs, and feedback
        reading.represent_messages([*messages, request])


def test_finished_messages_are_shown_with_one_query_for_their_feedback(chat: Chat, django_assert_num_queries) -> None:
    messages = [make_response(chat, [start_of(), END]) for _ in range(3)]
    with django_assert_num_queries(1):
        reading.represent_messages(messages)


def test_a_chat_names_what_runs_in_it(chat: Chat) -> None:
    make_response(chat, [start_of(), END])
    running = [make_response(chat, [start_of()]) for _ in range(2)]
    assert reading.represent_chats([chat])[0]["running"] == [str(response.pk) for response in running]


def test_events_that_the_owner_may_see_have_the_others_left_out(chat: Chat) -> None:
    response = make_response(chat, [start_of(), hidden("x"), text("a"), END])
    assert [event.sequence for event in reading.events_of(response)] == [0, 2, 3]
    assert [event.sequence for event in reading.events_of(response, 0, ["content"])] == [2]


@pytest.mark.parametrize(("after", "expected"), [(0, -1), (2, -1), (3, 0), (5, 2)])
def test_the_page_before_a_cursor_begins_its_limit_earlier(chat: Chat, after: int, expected: int) -> None:
    response = make_response(chat, [start_of(), *[text("a")] * 8, END])
    assert reading.cursor_before(response, after, 3) == expected


def test_times_are_utc_to_the_microsecond() -> None:
    east = timezone(timedelta(hours=2))
    assert reading.iso_time(datetime(2026, 1, 31, 14, tzinfo=east)) == "2026-01-31T12:00:00.000000Z"
    assert reading.iso_time(datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)) == "2026-01-31T12:00:00.000005Z"
