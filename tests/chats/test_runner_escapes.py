"""What escapes a handler, or its constructor: each ends its own response, in words of ours, and nobody else's."""

import asyncio
import logging
import sys

import pytest

from chats import runner
from chats.logcontext import RunContextFilter
from chats.recorder import LONGEST_MESSAGE
from chats.runs import cancel_run
from handlers.errors import HandlerError, ModelThrottled
from handlers.events import ContentEvent, ResponseEndEvent
from tests.chats.scripted import HELLO, handler_class, run_to_end, start, wait_for_end

SECRET = "password=hunter2"
BOTH_KINDS = pytest.mark.parametrize("cooperative", [False, True], ids=["own-loop", "cooperative"])


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


def test_a_trace_is_cut_where_it_would_fill_the_audit(finish, monkeypatch):
    monkeypatch.setattr(runner, "TRACE_CHARACTERS", 50)
    assert len(finish(raises).log[-2].details) == 50


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
