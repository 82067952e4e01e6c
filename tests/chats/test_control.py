"""What keeps a run within its bounds, whatever its handler does with its thread."""

import asyncio
import threading

import pytest
from django.utils import timezone

from chats import control
from chats.engine import get_engine
from chats.models import Event, Run
from chats.runs import cancel_run
from handlers.events import ContentEvent, ResponseEndEvent, StatusEvent
from tests.chats.live import make_user
from tests.chats.scripted import HELLO, handler_class, run_to_end, start, until, wait_for_end

KIND = pytest.mark.parametrize("cooperative", [False, True], ids=["own-loop", "cooperative"])


@pytest.fixture
def limit(settings, transactional_db):
    """`limit(RUN_TIMEOUT=0.5)` starts the engine with these limits and gives a user."""

    def with_limits(**limits):
        for name, value in limits.items():
            setattr(settings, f"WORKBENCH_{name}", value)
        get_engine().start()
        return make_user()

    yield with_limits
    get_engine().stop()


def said(response_id):
    return Event.objects.filter(response=response_id, type="content").exists()


async def never_begins(self):
    await asyncio.sleep(60)
    yield HELLO


async def begins_and_waits(self):
    yield HELLO
    await asyncio.sleep(60)


async def never_ends(self):
    while True:
        yield HELLO
        await asyncio.sleep(0.01)


async def never_pauses(self):
    while True:
        yield HELLO


async def blocks(self):
    yield HELLO
    self.gate.wait(20)


async def blocks_at_once(self):
    self.gate.wait(20)
    yield HELLO


# Time-outs


@KIND
@pytest.mark.parametrize("body", [never_ends, never_pauses], ids=lambda body: body.__name__)
def test_an_answer_that_takes_too_long_is_stopped_and_what_was_said_is_kept(limit, register, body, cooperative):
    user = limit(RUN_TIMEOUT=0.4)
    register(handler_class(body, cooperative=cooperative))
    finished = run_to_end(user)
    assert finished.outcome == ("error", "timeout")
    assert finished.error == "The answer took longer than 0.4 seconds and was stopped."
    assert finished.text.startswith("hello")


@KIND
def test_an_answer_that_doesnt_begin_is_stopped(limit, register, cooperative):
    user = limit(FIRST_EVENT_TIMEOUT=0.3)
    register(handler_class(never_begins, cooperative=cooperative))
    finished = run_to_end(user)
    assert finished.outcome == ("error", "first_event_timeout")
    assert finished.error == "No answer began within 0.3 seconds, so it was stopped."
    assert finished.types == ["response_start", "error", "response_end"]


@KIND
def test_an_answer_that_falls_silent_is_stopped(limit, register, cooperative):
    user = limit(IDLE_TIMEOUT=0.3)
    register(handler_class(begins_and_waits, cooperative=cooperative))
    finished = run_to_end(user)
    assert finished.outcome == ("error", "idle_timeout")
    assert finished.error == "Nothing came for 0.3 seconds, so the answer was stopped."
    assert finished.text == "hello"


@pytest.mark.parametrize(
    ("body", "ended"), [(blocks, "idle_timeout"), (blocks_at_once, "first_event_timeout")], ids=["later", "at once"]
)
def test_a_handler_that_blocks_its_thread_is_ended_on_time_and_the_others_run_on(limit, register, gate, body, ended):
    user = limit(IDLE_TIMEOUT=0.3, FIRST_EVENT_TIMEOUT=0.3)
    register(handler_class(body, gate=gate))
    response_id = start(user)
    assert run_to_end(user, "demo", "text").outcome == ("completed", None)
    assert wait_for_end(response_id).outcome == ("error", ended)


def test_a_constructor_that_blocks_is_ended_on_time(limit, register, gate):
    user = limit(FIRST_EVENT_TIMEOUT=0.3)
    built = []

    def init(self):
        built.append(1)
        if len(built) > 1:
            gate.wait(20)

    register(handler_class(never_begins, __init__=init))
    assert run_to_end(user).outcome == ("error", "first_event_timeout")


def test_a_timed_out_handler_may_say_a_last_word_before_the_error(limit, register):
    async def body(self):
        try:
            yield HELLO
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            yield ContentEvent(content=" and goodbye")

    user = limit(IDLE_TIMEOUT=0.3)
    register(handler_class(body))
    finished = run_to_end(user)
    assert finished.outcome == ("error", "idle_timeout")
    assert finished.types == ["response_start", "content", "content", "error", "response_end"]


def test_a_writer_that_is_slow_isnt_the_handlers_silence(limit, register, gate):
    began = threading.Event()

    async def body(self):
        began.wait(20)
        for number in range(2_000):
            yield StatusEvent(message=str(number))
        yield HELLO

    user = limit(IDLE_TIMEOUT=0.3)
    register(handler_class(body))
    response_id = start(user)
    busy = get_engine().write(gate.wait, 0.9)
    began.set()
    busy.result()
    assert wait_for_end(response_id).outcome == ("completed", None)


def test_a_run_that_cant_be_checked_costs_the_others_nothing(limit, register, monkeypatch):
    user = limit(IDLE_TIMEOUT=0.3)
    register(handler_class(begins_and_waits))
    faulty, overdue = start(user), control.Control._overdue

    def fails_for_one(self, run, now):
        if run.response_id == faulty:
            raise OverflowError
        return overdue(self, run, now)

    monkeypatch.setattr(control.Control, "_overdue", fails_for_one)
    assert run_to_end(user).outcome == ("error", "idle_timeout")


# After the handler's own end


@KIND
@pytest.mark.parametrize("endless", [True, False], ids=["yielding", "waiting"])
def test_a_handler_that_goes_on_after_its_end_has_ended_all_the_same(
    limit, register, monkeypatch, cooperative, endless
):
    async def body(self):
        yield HELLO
        yield ResponseEndEvent(usage={"input_tokens": 3})
        while endless:
            yield ContentEvent(content="too late")
        await asyncio.sleep(60)

    monkeypatch.setattr(control, "END_PATIENCE", 0.2)
    user = limit()
    register(handler_class(body, cooperative=cooperative))
    finished = run_to_end(user)
    assert finished.outcome == ("completed", None)
    assert finished.text == "hello"
    assert finished.message.usage == {"input_tokens": 3, "total_tokens": 3}
    assert "still_running_after_its_end" in finished.notes


def test_a_cancel_while_an_end_is_held_back_counts(limit, register):
    async def body(self):
        yield HELLO
        yield ResponseEndEvent()
        await asyncio.sleep(60)

    user = limit()
    register(handler_class(body))
    response_id = start(user)
    until(lambda: said(response_id))
    cancel_run(user, response_id)
    assert wait_for_end(response_id).outcome == ("cancelled", None)


# The shared loop


async def tells_its_thread(self):
    yield ContentEvent(content=threading.current_thread().name)


def test_a_cooperative_handler_that_blocks_is_named_and_gets_a_thread_of_its_own_next_time(
    limit, register, gate, caplog
):
    async def breaks_its_word(self):
        yield ContentEvent(content=threading.current_thread().name)
        gate.wait(20)

    user = limit()
    register(handler_class(breaks_its_word, cooperative=True))
    response_id = start(user)
    until(lambda: "says that it is cooperative" in caplog.text)
    gate.set()
    first, second = wait_for_end(response_id), run_to_end(user)
    (note,) = first.run.notes
    assert note["note"] == "blocked_the_shared_loop"
    assert "breaks_its_word" in note["where"]
    assert first.text == "handlers-shared"
    assert second.text != "handlers-shared"


def test_who_comes_after_a_blocked_shared_loop_gets_another(limit, register, gate, caplog):
    user = limit()
    register(handler_class(blocks, "blocker", cooperative=True, gate=gate))
    register(handler_class(tells_its_thread, cooperative=True))
    response_id = start(user, "blocker")
    until(lambda: "says that it is cooperative" in caplog.text)
    assert run_to_end(user).text == "handlers-shared"
    assert not gate.is_set()
    gate.set()
    assert wait_for_end(response_id).outcome == ("completed", None)


def test_a_cancel_of_a_blocked_cooperative_handler_takes_effect(limit, register, gate):
    user = limit()
    register(handler_class(blocks, cooperative=True, gate=gate))
    response_id = start(user)
    until(lambda: said(response_id))
    cancel_run(user, response_id)
    assert wait_for_end(response_id).outcome == ("cancelled", None)


def test_threads_that_are_left_behind_are_counted(limit, register, gate):
    user = limit()
    register(handler_class(blocks, gate=gate))
    response_id = start(user)
    until(lambda: said(response_id))
    cancel_run(user, response_id)
    wait_for_end(response_id)
    until(lambda: get_engine().loops.abandoned == 1)


# The beat


@pytest.fixture
def quick_beat(monkeypatch):
    monkeypatch.setattr(control, "BEAT", 0.1)


def test_a_cancel_that_nobody_signalled_is_heard_of(quick_beat, limit, register):
    user = limit()
    register(handler_class(begins_and_waits))
    response_id = start(user)
    Run.objects.filter(pk=response_id).update(cancel_requested_at=timezone.now())
    assert wait_for_end(response_id).outcome == ("cancelled", None)


def test_a_users_runs_end_with_his_account(quick_beat, limit, register):
    user = limit()
    register(handler_class(begins_and_waits))
    response_id = start(user)
    user.is_active = False
    user.save()
    assert wait_for_end(response_id).outcome == ("cancelled", None)
