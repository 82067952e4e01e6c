"""Stopping a run: kind handlers, stubborn ones, and what becomes of their neighbours."""

import asyncio
import contextlib
import sys

import pytest

from chats.models import Event
from chats.runs import cancel_run
from handlers.events import (
    ContentEvent,
    ResponseEndEvent,
    StatusEvent,
)
from tests.chats.scripted import HELLO, handler_class, run_to_end, start, until, wait_for_end

SECRET = "password=hunter2"
BOTH_KINDS = pytest.mark.parametrize("cooperative", [False, True], ids=["own-loop", "cooperative"])


def seen(response_id, kind="content"):
    return Event.objects.filter(response=response_id, type=kind).exists()


def stopped(register, user, body, **attributes):
    """Cancels a run of `body` once it has said something, and gives what it ended as."""
    register(handler_class(body, **attributes))
    response_id = start(user)
    until(lambda: seen(response_id))
    assert cancel_run(user, response_id) == "running"
    return wait_for_end(response_id)


@BOTH_KINDS
def test_a_cancel_reaches_a_handler_where_it_waits(register, user, cooperative):
    reached = []

    async def body(self):
        try:
            yield HELLO
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            reached.append("cancelled")
            raise
        finally:
            reached.append("cleaned up")

    finished = stopped(register, user, body, cooperative=cooperative)
    assert finished.outcome == ("cancelled", None)
    assert finished.text == "hello"
    assert reached == ["cancelled", "cleaned up"]


def test_last_words_on_a_cancel_are_kept(register, user):
    async def body(self):
        try:
            yield HELLO
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            yield ContentEvent(content=", and goodbye")

    finished = stopped(register, user, body)
    assert finished.outcome == ("cancelled", None)
    assert finished.text == "hello, and goodbye"


def test_a_cancelled_run_that_says_it_completed_was_cancelled(register, user):
    async def body(self):
        try:
            yield HELLO
            await asyncio.sleep(60)
        finally:
            yield ResponseEndEvent(status="completed")

    assert stopped(register, user, body).outcome == ("cancelled", None)


def test_a_handler_that_fails_over_a_cancel_was_cancelled_and_the_audit_knows(register, user):
    async def body(self):
        try:
            yield HELLO
            await asyncio.sleep(60)
        finally:
            raise RuntimeError(SECRET)

    finished = stopped(register, user, body)
    assert finished.outcome == ("cancelled", None)
    assert finished.message.errors == []
    assert finished.notes == ["failed_while_stopping"]


@BOTH_KINDS
@pytest.mark.parametrize("words", ["hello", ""], ids=["words", "nothing"])
def test_a_handler_that_yields_without_a_pause_can_be_cancelled(register, user, cooperative, words):
    async def body(self):
        yield HELLO
        while True:
            yield ContentEvent(content=words)

    assert stopped(register, user, body, cooperative=cooperative).outcome == ("cancelled", None)


def test_a_cooperative_handler_that_yields_without_a_pause_leaves_its_neighbours_their_turns(register, user):
    async def body(self):
        yield HELLO
        while True:
            yield ContentEvent(content="")

    async def neighbour(self):
        yield HELLO
        await asyncio.sleep(0)
        yield HELLO

    register(handler_class(body, cooperative=True))
    register(handler_class(neighbour, "neighbour", cooperative=True))
    response_id = start(user)
    until(lambda: seen(response_id))
    assert run_to_end(user, "neighbour").outcome == ("completed", None)
    cancel_run(user, response_id)
    assert wait_for_end(response_id).outcome == ("cancelled", None)


async def swallows_and_waits(self):
    yield HELLO
    while not self.gate.is_set():
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue


async def swallows_and_goes_on(self):
    yield HELLO
    while not self.gate.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
        yield StatusEvent(message="still here")


async def blocks(self):
    yield HELLO
    self.gate.wait(20)
    yield ContentEvent(content=" too late")


async def cleans_up_for_ever(self):
    try:
        yield HELLO
        await asyncio.sleep(60)
    finally:
        while not self.gate.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue


STUBBORN = pytest.mark.parametrize(
    "body", [swallows_and_waits, swallows_and_goes_on, blocks, cleans_up_for_ever], ids=lambda body: body.__name__
)


@STUBBORN
def test_a_handler_that_doesnt_stop_is_ended_without_its_help(register, user, gate, body):
    register(handler_class(body, gate=gate))
    response_id = start(user)
    until(lambda: seen(response_id))
    others = run_to_end(user, "demo", "text")
    cancel_run(user, response_id)
    finished = wait_for_end(response_id)
    assert others.outcome == ("completed", None)
    assert finished.outcome == ("cancelled", None)
    assert finished.text == "hello"


def test_what_a_handler_still_yields_after_its_end_was_written_is_dropped(register, user, gate, caplog):
    finished = stopped(register, user, blocks, gate=gate)
    gate.set()
    until(lambda: "dropped" in caplog.text)
    assert Event.objects.filter(response=finished.run.pk).count() == len(finished.log)


def test_a_cooperative_handler_that_doesnt_stop_leaves_its_neighbours_their_loop(register, user, gate):
    async def patient(self):
        yield HELLO
        await asyncio.sleep(0.05)
        yield HELLO

    register(handler_class(swallows_and_goes_on, gate=gate, cooperative=True))
    register(handler_class(patient, "patient", cooperative=True))
    response_id = start(user)
    until(lambda: seen(response_id))
    cancel_run(user, response_id)
    assert run_to_end(user, "patient").outcome == ("completed", None)
    assert wait_for_end(response_id).outcome == ("cancelled", None)


def test_a_cancel_before_the_first_event_ends_it_with_nothing_said(register, user):
    async def body(self):
        await asyncio.sleep(60)
        yield HELLO

    register(handler_class(body))
    response_id = start(user)
    cancel_run(user, response_id)
    finished = wait_for_end(response_id)
    assert finished.outcome == ("cancelled", None)
    assert finished.types == ["response_start", "response_end"]


def test_tasks_that_a_handler_forgot_are_cancelled_after_it(register, user):
    forgotten = []

    async def body(self):
        async def linger():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                forgotten.append("cancelled")
                raise

        self.task = asyncio.create_task(linger())
        await asyncio.sleep(0)
        yield HELLO

    register(handler_class(body))
    assert run_to_end(user).outcome == ("completed", None)
    until(lambda: forgotten == ["cancelled"])


def test_a_task_that_exits_takes_none_of_its_loops_neighbours_along(register, user, gate):
    async def leave():
        sys.exit(SECRET)

    async def exits_in_a_task(self):
        yield HELLO
        await asyncio.create_task(leave())

    async def neighbour(self):
        yield HELLO
        while not gate.is_set():
            await asyncio.sleep(0.005)
        yield ContentEvent(content=" again")

    register(handler_class(neighbour, "neighbour", cooperative=True))
    register(handler_class(exits_in_a_task, cooperative=True))
    beside = start(user, "neighbour")
    until(lambda: seen(beside))
    assert run_to_end(user).outcome == ("error", "handler_error")
    gate.set()
    assert wait_for_end(beside).text == "hello again"


def test_a_run_that_was_given_up_here_is_not_said_to_have_failed(register, user, engine, caplog):
    async def body(self):
        yield HELLO
        await asyncio.sleep(60)

    caplog.set_level("INFO", "chats.runner")
    register(handler_class(body))
    response_id = start(user)
    until(lambda: seen(response_id))
    engine._forget(response_id)  # as when its lease was lost
    until(lambda: "that is ended elsewhere" in caplog.text)
    assert "nobody cancelled it" not in caplog.text
