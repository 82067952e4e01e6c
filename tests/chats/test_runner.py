"""Handlers that do what handlers shouldn't: each ends its own response, once and clearly, and nobody else's."""

import asyncio
import logging
import sys

import pytest

from chats import recorder, runner
from chats.logcontext import RunContextFilter
from chats.recorder import LONGEST_MESSAGE, AnswerTooLarge
from chats.runs import cancel_run
from handlers.base import BaseTaskHandler
from handlers.errors import HandlerError, ModelThrottled
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
from tests.chats.live import make_user
from tests.chats.scripted import HELLO, handler_class, run_to_end, start, wait_for_end

SECRET = "password=hunter2"
BOTH_KINDS = pytest.mark.parametrize("cooperative", [False, True], ids=["own-loop", "cooperative"])


@pytest.fixture
def user(engine):
    return make_user()


@pytest.fixture
def finish(register, user):
    """`finish(body)` runs a handler made of `body` to its end, and shows that the next answer is like any other."""

    def run(body, **attributes):
        register(handler_class(body, **attributes))
        finished = run_to_end(user)
        assert run_to_end(user, "demo", "text").outcome == ("completed", None)
        return finished

    return run


# What escapes


async def raises(self):
    yield HELLO
    raise RuntimeError(SECRET)


async def raises_at_once(self):
    raise RuntimeError(SECRET)
    yield


async def exits(self):
    yield HELLO
    sys.exit(SECRET)


async def is_interrupted(self):
    yield HELLO
    raise KeyboardInterrupt(SECRET)


async def cancels_itself(self):
    yield HELLO
    raise asyncio.CancelledError(SECRET)


async def closes_itself(self):
    yield HELLO
    raise GeneratorExit(SECRET)


async def stops_iterating(self):
    yield HELLO
    raise StopAsyncIteration(SECRET)


async def raises_what_cant_be_stored(self):
    yield HELLO
    raise RuntimeError(f"{SECRET}\0\ud800")


async def raises_several(self):
    yield HELLO
    raise BaseExceptionGroup(SECRET, [ValueError(SECRET), asyncio.CancelledError()])


async def raises_what_cant_be_printed(self):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError(SECRET)

    yield HELLO
    raise Mute


async def exits_in_a_task(self):
    async def leave():
        sys.exit(SECRET)

    yield HELLO
    await asyncio.create_task(leave())


async def yields_nonsense(self):
    yield HELLO
    yield {"type": "content", "content": SECRET}


async def ends_in_finally(self):
    try:
        yield HELLO
        raise RuntimeError(SECRET)
    finally:
        yield ResponseEndEvent(response_id="r1", sequence=999, status="completed")


async def yields_when_it_is_closed(self):
    try:
        yield HELLO
        yield None
    except GeneratorExit:
        yield ContentEvent(content=SECRET)


ESCAPES = [
    raises,
    raises_at_once,
    exits,
    is_interrupted,
    cancels_itself,
    closes_itself,
    stops_iterating,
    raises_what_cant_be_stored,
    raises_several,
    raises_what_cant_be_printed,
    exits_in_a_task,
    yields_nonsense,
    ends_in_finally,
    yields_when_it_is_closed,
]


@BOTH_KINDS
@pytest.mark.parametrize("body", ESCAPES, ids=lambda body: body.__name__)
def test_what_escapes_a_handler_is_an_error_in_words_of_ours(finish, body, cooperative):
    finished = finish(body, cooperative=cooperative)
    assert finished.outcome == ("error", "handler_error")
    assert finished.text == ("" if body is raises_at_once else "hello")
    assert finished.run.correlation_id in finished.error
    assert SECRET not in str([*(event.payload for event in finished.log), finished.message.parts, finished.error])


def test_log_and_audit_carry_the_number_that_the_user_was_given(finish, caplog):
    caplog.handler.addFilter(RunContextFilter())
    finished = finish(raises)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.correlation_id == finished.run.correlation_id
    assert (record.response_id, record.task) == (str(finished.run.pk), "scripted")
    assert SECRET in finished.log[-2].details


def test_a_handlers_own_words_are_shown_as_they_stand(finish):
    async def body(self):
        yield HELLO
        raise HandlerError("The mailbox is full.", error_type="mailbox_full", detail=SECRET)

    finished = finish(body)
    assert finished.outcome == ("error", "mailbox_full")
    assert finished.error == "The mailbox is full."
    assert SECRET in finished.log[-2].details


def test_a_models_error_has_its_type(finish):
    async def body(self):
        yield HELLO
        raise ModelThrottled

    assert finish(body).outcome == ("error", "throttled")


@pytest.mark.parametrize("words", [17, "\0\ud800", SECRET * 100_000, ["a"]], ids=["int", "dirty", "long", "list"])
def test_words_of_any_shape_end_a_run(finish, words):
    async def body(self):
        yield HELLO
        raise HandlerError(words)

    finished = finish(body)
    assert finished.outcome == ("error", "handler_error")
    assert finished.error == str(words).replace("\0", "\ufffd").replace("\ud800", "\ufffd")[:LONGEST_MESSAGE]


def test_an_error_type_is_no_longer_than_its_column(finish):
    async def body(self):
        yield HELLO
        raise HandlerError("No.", error_type="x" * 500)

    assert len(finish(body).outcome[1]) == 100


# What is yielded


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


# Constructors


def failing_constructor(failure, calls):
    """Works when the handler is checked, then not."""

    def init(self):
        calls.append(1)
        if len(calls) > 1:
            raise failure

    return init


@pytest.mark.parametrize("failure", [ValueError(SECRET), SystemExit(SECRET), asyncio.CancelledError(SECRET)], ids=repr)
def test_a_constructor_that_raises_ends_the_run_as_unavailable(finish, failure):
    finished = finish(raises, __init__=failing_constructor(failure, []))
    assert finished.outcome == ("error", "unavailable")
    assert "isn't available" in finished.error
    assert SECRET not in finished.error


def test_constructors_that_hang_hold_up_nobody_elses_answer(register, user, gate, settings):
    settings.WORKBENCH_MAX_RUNS_PER_USER = 50
    calls = []

    def init(self):
        calls.append(1)
        if len(calls) > 1:
            gate.wait(20)

    async def body(self):
        yield HELLO

    register(handler_class(body, __init__=init))
    held = [start(user) for _ in range(12)]
    assert run_to_end(user, "demo", "text").outcome == ("completed", None)
    for response_id in held:
        cancel_run(user, response_id)
    assert {wait_for_end(response_id).outcome for response_id in held} == {("cancelled", None)}


def test_a_handle_that_gives_no_generator_is_the_handlers_fault(finish):
    def lost(function):
        async def wrapper(self):
            return function(self)

        wrapper.__wrapped__ = function
        return wrapper

    finished = finish(lost(raises))
    assert finished.outcome == ("error", "handler_error")


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


def test_a_trace_is_cut_where_it_would_fill_the_audit(finish, monkeypatch):
    monkeypatch.setattr(runner, "TRACE_CHARACTERS", 50)
    assert len(finish(raises).log[-2].details) == 50
