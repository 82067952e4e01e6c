"""What handlers yield, however odd: it is stored, ends its own response once and clearly, and nobody else's."""

import pytest

from chats import recorder
from chats.recorder import AnswerTooLarge
from handlers.base import BaseTaskHandler
from handlers.events import (
    BaseEvent,
    CitationEvent,
    ContentEvent,
    ErrorEvent,
    MetadataEvent,
    ResponseEndEvent,
    StatusEvent,
    ToolCallEvent,
)
from tests.chats.scripted import HELLO, run_to_end

BOTH_KINDS = pytest.mark.parametrize("cooperative", [False, True], ids=["own-loop", "cooperative"])


def test_a_handler_that_returns_without_yielding_gave_an_empty_answer(finish):
    async def body(self):
        return
        yield

    finished = finish(body)
    assert finished.outcome == ("error", "empty_response")
    assert finished.types == ["response_start", "error", "response_end"]


def test_nothing_visible_is_an_empty_answer_and_what_was_hidden_is_kept_for_staff(finish):
    async def body(self):
        yield ContentEvent(content="hidden", emit=False)

    finished = finish(body)
    assert finished.outcome == ("error", "empty_response")
    assert finished.message.parts == []
    assert finished.message.unredacted["parts"] == [{"kind": "text", "content": "hidden", "hidden": True}]


def test_a_hundred_thousand_events_are_stored_without_a_loss(finish):
    async def body(self):
        for number in range(100_000):
            yield ContentEvent(content=f"{number % 10}")

    finished = finish(body, cooperative=True)
    assert finished.outcome == ("completed", None)
    assert finished.text == "0123456789" * 10_000


def test_events_that_dont_merge_are_numbered_one_by_one(finish):
    async def body(self):
        for number in range(3_000):
            yield StatusEvent(message=str(number))
        yield HELLO

    finished = finish(body)
    assert finished.outcome == ("completed", None)
    assert [fields["message"] for fields in finished.fields("status")] == [str(n) for n in range(3_000)]


@BOTH_KINDS
def test_an_answer_without_end_ends_before_it_is_too_large_to_be_stored(finish, monkeypatch, cooperative):
    monkeypatch.setattr(recorder, "MOST_KEPT", 10_000)

    async def body(self):
        while True:
            yield ContentEvent(content="x" * 1000)

    finished = finish(body, cooperative=cooperative)
    assert finished.outcome == ("error", "too_large")
    assert finished.text == "x" * 9_000
    assert finished.error == AnswerTooLarge.default_message


def test_numbers_and_ends_of_the_handlers_own_are_passed_over(finish):
    async def body(self):
        yield ContentEvent(content="a", response_id="mine", sequence=5)
        yield ContentEvent(content="b", response_id="mine", sequence=5)
        yield ResponseEndEvent(response_id="mine", sequence=998)
        yield ResponseEndEvent(response_id="mine", sequence=999, status="error")
        yield ContentEvent(content="late")

    finished = finish(body)
    assert finished.outcome == ("completed", None)
    assert finished.text == "ab"
    assert finished.notes == ["events_after_end_dropped"]


def test_a_value_that_cant_be_stored_costs_its_event_alone(finish):
    class Reading(BaseEvent):
        value: object

    async def body(self):
        yield ContentEvent(content="before ")
        yield Reading(value=float("nan"))
        yield ContentEvent(content="after")

    finished = finish(body)
    assert finished.outcome == ("completed", None)
    assert finished.text == "before after"
    assert finished.error == "A part of the answer could not be shown (“value”)."


def test_what_handlers_may_say_is_stored_however_dirty(finish):
    async def body(self):
        yield ContentEvent(content="\0\ud800")
        yield MetadataEvent(metadata={"\0": b"\0"})
        yield ToolCallEvent(tool_name="\ud800", tool_args={"\0": "\0"})
        yield CitationEvent(document_id="\0", text="\udfff")
        yield ErrorEvent(error_type="\0", message="\ud800", details="\0\ud800")
        yield ResponseEndEvent(status="\0\ud800", error_type="\ud800", usage={"\0": "\ud800"})

    finished = finish(body)
    assert finished.outcome == ("error", "\ufffd")
    assert finished.text == "\ufffd\ufffd"
    assert finished.fields("tool_call")[0]["tool_args"] == {"\ufffd": "\ufffd"}


def test_an_error_that_more_follows_stays_on_record_of_a_completed_answer(finish):
    async def body(self):
        yield ErrorEvent(error_type="lost", message="The first try failed.")
        yield HELLO

    finished = finish(body)
    assert finished.outcome == ("completed", None)
    assert finished.error == "The first try failed."


def test_an_error_as_last_word_is_how_the_answer_ended(finish):
    async def body(self):
        yield HELLO
        yield ErrorEvent(error_type="lost", message="It got lost.")
        yield ResponseEndEvent()

    assert finish(body).outcome == ("error", "lost")


# What handlers are given


def test_each_run_has_a_handler_of_its_own(register, user):
    class Counter(BaseTaskHandler):
        name = "counter"
        description = "Counts on itself."
        count = 0

        async def handle(self):
            self.count += 1
            yield ContentEvent(content=str(self.count))

    register(Counter)
    assert [run_to_end(user, "counter").text for _ in range(3)] == ["1", "1", "1"]
