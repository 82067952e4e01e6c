"""Whether a start goes ahead: the same again, handlers, options, personas, limits."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pydantic import BaseModel

from chats.fields import new_id
from chats.models import Chat, Persona, Run, Worker
from chats.pools import GrowingPool
from chats.protocol import DoorError, StartBody
from chats.runs import start_run
from handlers.config_store import HandlerConfig
from handlers.events import ContentEvent
from tests.chats.live import make_user
from tests.chats.scripted import handler_class, run_to_end, says_hello, start, until, wait_for_end
from tests.chats.starting import begin, counts, end, refusal


@pytest.fixture
def user(db):
    return make_user()


@pytest.fixture
def other(db):
    return make_user("grace")


def at_once(times, call, *args):
    """The results of as many calls in threads of their own."""
    pool = GrowingPool("callers")
    calls = [pool.submit(call, *args) for _ in range(times)]
    results = [each.result(20) for each in calls]
    pool.stop()
    return results


# The same again


def test_the_same_request_attaches_to_its_response(user):
    first = begin(user, request_id="r1")
    again = begin(user, request_id="r1")
    assert again.attached
    assert (again.response_id, again.chat_id, again.message_id) == (
        first.response_id,
        first.chat_id,
        first.message_id,
    )
    assert counts() == [1, 2, 1, 1]


def test_the_same_request_attaches_also_when_it_has_ended_or_the_user_has_no_room(user, settings):
    first = begin(user, request_id="r1")
    settings.WORKBENCH_MAX_RUNS_PER_USER = 1
    assert begin(user, request_id="r1").attached
    end(first)
    assert begin(user, request_id="r1").attached


@pytest.mark.parametrize(
    "change", [{"text": "Other"}, {"branch": True}, {"parent_id": None}, {"model_id": "m"}, {"options": {}}]
)
def test_the_same_key_with_another_body_is_a_conflict(user, change):
    end(begin(user, request_id="r1"))
    error = refusal(user, request_id="r1", **change)
    assert (error.code, list(error.fields)) == ("conflict", ["request_id"])


def test_two_users_may_use_the_same_key(user, other):
    assert begin(user, request_id="r1").response_id != begin(other, request_id="r1").response_id


def test_starts_without_a_key_are_two(user):
    assert begin(user).response_id != begin(user).response_id


@pytest.mark.django_db(transaction=True)
def test_the_same_request_many_times_at_once_is_one_run(engine):
    user = make_user()
    body = StartBody.model_validate({"request_id": "r1", "task": "demo", "parts": [{"content": "text"}]})
    all_started = at_once(24, start_run, user, body)
    assert len({started.response_id for started in all_started}) == 1
    assert [started.attached for started in all_started].count(False) == 1
    wait_for_end(all_started[0].response_id)


@pytest.mark.django_db(transaction=True)
def test_of_many_starts_in_one_place_one_goes_ahead(engine, register, gate):
    async def body(self):
        yield ContentEvent(content="hello")
        gate.wait(20)

    register(handler_class(body))
    user = make_user()
    chat_id = start_run(
        user, StartBody.model_validate({"chat_id": "notes", "task": "scripted", "parts": [{"content": "a"}]})
    ).chat_id
    again = StartBody.model_validate({"chat_id": "notes", "parent_id": None, "parts": [{"content": "b"}]})

    def attempt():
        try:
            return start_run(user, again).chat_id
        except DoorError as error:
            return error.code

    assert set(at_once(8, attempt)) == {"busy"}
    gate.set()
    until(lambda: not Run.objects.unfinished().exists())
    assert Chat.objects.get().pk == Chat.objects.get(pk=chat_id).pk


# Handlers, options, personas


@pytest.mark.parametrize("task", ["nope", "\0", "Demo", "handlers.builtin.demo.DemoHandler"])
def test_an_unknown_handler_is_told_the_known_ones(user, task):
    error = refusal(user, task=task)
    assert error.code == "not_found"
    assert "demo" in error.fields["task"][0]


def test_anothers_groups_handler_is_as_unknown_as_any(user):
    HandlerConfig.objects.create(name="demo").groups.add(Group.objects.create(name="staff"))
    error = refusal(user)
    assert error.code == "not_found"
    assert "demo" not in error.fields["task"][0]


def test_a_handler_that_is_off_is_unavailable_with_the_reason(user):
    HandlerConfig.objects.create(name="demo", enabled=False)
    error = refusal(user)
    assert (error.code, error.http_status) == ("handler_unavailable", 503)
    assert "turned it off" in error.message


def test_a_handler_whose_client_is_missing_is_unavailable(user, register):
    def init(self, unheard_of_client):
        self.client = unheard_of_client

    register(handler_class(says_hello, __init__=init))
    error = refusal(user, task="scripted")
    assert error.code == "handler_unavailable"
    assert "unheard_of_client" in error.message


@pytest.mark.parametrize("failure", [RuntimeError("hunter2"), SystemExit("hunter2")], ids=repr)
def test_a_handler_whose_constructor_fails_is_unavailable_without_the_failures_text(user, register, failure):
    def init(self):
        raise failure

    register(handler_class(says_hello, __init__=init))
    error = refusal(user, task="scripted")
    assert error.code == "handler_unavailable"
    assert "hunter2" not in error.message


class Length(BaseModel):
    words: int = 100


def test_options_that_a_handler_refuses_are_named(user, register):
    register(handler_class(says_hello, UserOptions=Length))
    error = refusal(user, task="scripted", options={"words": "many", "speed": 5})
    assert error.code == "invalid"
    assert list(error.fields) == ["options.speed"]
    assert list(refusal(user, task="scripted", options={"words": "many"}).fields) == ["options.words"]


def test_a_handler_without_options_takes_none(user):
    assert list(refusal(user, options={"temperature": 1}).fields) == ["options.temperature"]


@pytest.fixture
def persona(db):
    return Persona.objects.create(name="Pirate", prompt="Talk like a pirate.")


def test_a_personas_text_goes_to_the_handler(user, persona):
    started = begin(user, persona_id=str(persona.pk))
    assert Run.objects.get(pk=started.response_id).inputs["persona"] == "Talk like a pirate."


@pytest.mark.parametrize("hidden", ["disabled", "of another group", "unknown", "no id"])
def test_a_persona_that_one_cant_see_is_not_found(user, persona, hidden):
    persona_id = {"unknown": str(new_id()), "no id": "Pirate"}.get(hidden, str(persona.pk))
    Persona.objects.update(enabled=hidden != "disabled")
    if hidden == "of another group":
        persona.groups.add(Group.objects.create(name="crew"))
    error = refusal(user, persona_id=persona_id)
    assert (error.code, list(error.fields)) == ("not_found", ["persona_id"])


# Limits


def test_a_user_has_so_many_runs_and_others_have_theirs(user, other, settings):
    settings.WORKBENCH_MAX_RUNS_PER_USER = 2
    first, _ = begin(user), begin(user)
    error = refusal(user)
    assert (error.code, error.http_status, error.retry_after) == ("rate_limited", 429, 5)
    assert begin(other)
    end(first)
    assert begin(user)


@pytest.mark.django_db(transaction=True)
def test_a_process_has_so_many_runs(engine, register, gate, settings):
    async def body(self):
        yield ContentEvent(content="hello")
        gate.wait(20)

    settings.WORKBENCH_MAX_RUNS = 1
    register(handler_class(body))
    running = start(make_user())
    with pytest.raises(DoorError) as caught:
        start(make_user("grace"))
    assert caught.value.code == "rate_limited"
    gate.set()
    wait_for_end(running)
    until(lambda: not engine.runs)
    assert run_to_end(make_user("alan")).outcome == ("completed", None)


@pytest.mark.django_db(transaction=True)
def test_starts_under_a_lost_lease_are_refused_and_one_new_lease_is_taken(engine, monkeypatch):
    user = make_user()
    monkeypatch.setattr(engine.control, "_beat", lambda: None)  # which would find it out before them
    engine.write(Worker.objects.count).result(20)
    held, let_go = threading.Event(), threading.Event()
    engine.write(lambda: held.set() or let_go.wait(20))
    held.wait(20)
    ended = engine.write(lambda: Worker.objects.update(ended_at=timezone.now()))
    codes: list[str] = []
    attempts = [threading.Thread(target=refused, args=(user, codes)) for _ in range(3)]
    for attempt in attempts:
        attempt.start()
    until(lambda: len(engine.journal._jobs) == 4)
    let_go.set()
    for attempt in attempts:
        attempt.join(20)
    assert ended.result(20) == 1
    assert codes == ["unavailable"] * 3
    until(lambda: Worker.objects.filter(ended_at=None).exists())
    assert wait_for_end(start(user, "demo", "text")).run.status == "completed"
    assert Worker.objects.count() == 2


def refused(user, codes):
    try:
        start(user, "demo", "text")
    except DoorError as error:
        codes.append(error.code)
