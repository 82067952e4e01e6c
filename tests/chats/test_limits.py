"""What a user may have and do, at every door, and when the place where it is counted is away."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY

from chats import limits
from chats.models import Message, Run
from chats.protocol import DoorError
from chats.runs import start_run
from handlers.events import ResponseEndEvent
from tests.chats.api.makers import bearer_of
from tests.chats.live import Client, login, make_user
from tests.chats.scripted import body_of, handler_class, run_to_end, says_hello, start, until, wait_for_end


@pytest.fixture
def user(engine, register, settings):
    settings.WORKBENCH_MAX_TOKENS_PER_DAY = 0  # else a sum is begun, and what a test changes in the log goes unseen
    register(handler_class(says_hello))
    return make_user()


def refused(limit):
    return REGISTRY.get_sample_value("workbench_rate_limited_total", {"limit": limit}) or 0


def refusal(user, **fields):
    with pytest.raises(DoorError) as caught:
        start_run(user, body_of(task="scripted", **fields))
    assert caught.value.code == "rate_limited"
    return caught.value


# Starts a minute


def test_a_user_may_start_so_many_a_minute_and_is_told_when_to_come_back(user, settings):
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = 2
    before = refused("starts")
    for _ in range(2):
        run_to_end(user)
    error = refusal(user)
    assert 1 <= error.retry_after <= 120
    assert "2 questions a minute" in error.message
    assert refused("starts") == before + 1
    run_to_end(make_user("grace"))


def test_a_request_that_is_sent_again_is_counted_once(user, settings):
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = 2
    first = start_run(user, body_of(task="scripted", request_id="r1"))
    for _ in range(5):
        assert start_run(user, body_of(task="scripted", request_id="r1")).response_id == first.response_id
    wait_for_end(first.response_id)
    until(lambda: given_back(user), "what was counted is given back")
    run_to_end(user)
    refusal(user)
    assert start_run(user, body_of(task="scripted", request_id="r1")).attached


def given_back(user):
    """Whether there is room for one more; takes none."""
    try:
        limits.take_start(user.pk)
    except DoorError:
        return False
    limits.give_back_start(user.pk)
    return True


def test_a_start_that_is_refused_for_something_else_isnt_counted(user, settings):
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = 1
    with pytest.raises(DoorError) as caught:
        start_run(user, body_of(task="scripted", parent_id="nowhere"))
    assert caught.value.code == "not_found"
    until(lambda: given_back(user), "what was counted is given back")
    run_to_end(user)


def test_websocket_and_http_are_counted_together(user, settings):
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = 2
    client, key = bearer_of(user, "generate"), login(user)
    body = {"task": "scripted", "content": "Hi"}
    assert client.ask("POST", "/generate/invoke", body).status_code == 200

    async def over_the_socket():
        async with Client(key) as socket:
            await socket.send(type="start", request_id="r1", task="scripted", parts=[{"content": "Hi"}])
            await socket.receive_until("started")
            await socket.send(type="start", request_id="r2", task="scripted", parts=[{"content": "Hi"}])
            return await socket.receive_until("error")

    error = asyncio.run(over_the_socket())
    assert (error["code"], error["request_id"]) == ("rate_limited", "r2")
    assert error["retry_after"] > 0
    response = client.ask("POST", "/generate/invoke", body)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert int(response["Retry-After"]) > 0


# Tokens a day


def used_up(user, tokens, **fields):
    finished = run_to_end(user)
    Message.objects.filter(pk=finished.message.pk).update(usage={"total_tokens": tokens})
    Run.objects.filter(pk=finished.run.pk).update(**fields)


def test_the_tokens_of_a_day_are_the_logs(user, settings):
    used_up(user, 60)
    used_up(user, 50)
    settings.WORKBENCH_MAX_TOKENS_PER_DAY = 110
    error = refusal(user)
    assert "Today's 110 tokens are used up" in error.message
    assert error.retry_after <= 24 * 3600


def test_yesterdays_dont_count(user, settings):
    used_up(user, 60, finished_at=datetime.now(UTC) - timedelta(days=1))
    settings.WORKBENCH_MAX_TOKENS_PER_DAY = 50
    run_to_end(user)


def test_what_an_answer_used_is_added_without_asking_the_log_again(user, settings, register):
    async def uses_tokens(self):
        async for event in says_hello(self):
            yield event
        yield ResponseEndEvent(usage={"inputTokens": 30, "outputTokens": 12})

    register(handler_class(uses_tokens, "costly"))
    settings.WORKBENCH_MAX_TOKENS_PER_DAY = 42
    run_to_end(user, "costly")
    until(lambda: is_used_up(user), "what it used is counted")


def is_used_up(user):
    with CaptureQueriesContext(connection) as queries:
        try:
            limits.take_start(user.pk)
        except DoorError:
            assert len(queries) == 0
            return True
    return False


# Connections


@pytest.fixture
def session(user):
    return login(user)


async def test_sockets_and_streams_share_their_limit(user, session, settings):
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 2
    async with Client(session):
        place = limits.take_place(user.pk)
        async with Client(session, greeted=False) as third:
            assert await third.closing_code() == 4429
        place.release()
        async with Client(session) as third:
            assert third.hello["type"] == "hello"


def test_a_place_that_is_forgotten_is_free(user, settings):
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 1
    place = limits.take_place(user.pk)
    with pytest.raises(DoorError):
        limits.take_place(user.pk)
    del place
    limits.take_place(user.pk)


@pytest.fixture
def processes(settings, monkeypatch):
    """The places of two processes, by a real Redis."""
    settings.REDIS_URL = os.environ["WORKBENCH_TEST_REDIS_URL"]
    monkeypatch.setattr(limits, "_away_until", float("-inf"))
    pair = limits._Places(), limits._Places()
    for places in pair:
        places.refresh()
    return pair


@pytest.mark.redis
def test_places_are_counted_over_processes_and_free_again_with_the_next_beat(processes):
    here, there = processes
    user_id = uuid4()
    first, second = here.take(user_id, 2), there.take(user_id, 2)
    assert first is not None
    assert here.take(user_id, 2) is None
    second.release()
    there.refresh()
    assert here.take(user_id, 2) is not None


@pytest.mark.redis
def test_a_process_that_was_silent_for_too_long_has_its_places_counted_again(processes):
    here, there = processes
    user_id = uuid4()
    place = there.take(user_id, 1)
    limits._asked(lambda store: store.stay_alive(there._holder, 0.001), None)
    until(lambda: here.take(user_id, 1), "its places don't count any more")
    there._refreshed_at = float("-inf")
    there.refresh()
    assert here.take(user_id, 1) is None
    place.release()


# Off


def test_all_of_a_users_limits_can_be_turned_off(user, settings):
    settings.WORKBENCH_RATE_LIMITS = False
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = settings.WORKBENCH_MAX_TOKENS_PER_DAY = 1
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = settings.WORKBENCH_MAX_FAILED_LOGINS = 1
    settings.WORKBENCH_MAX_RUNS_PER_USER = 1
    used_up(user, 60)
    places = [limits.take_place(user.pk) for _ in range(3)]
    assert len(places) == 3
    assert [limits.take_login_try("ada", "127.0.0.1") for _ in range(3)] == [None] * 3
    for response_id in [start(user) for _ in range(3)]:
        wait_for_end(response_id)


def test_nought_is_no_limit(user, settings):
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = settings.WORKBENCH_MAX_TOKENS_PER_DAY = 0
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = settings.WORKBENCH_MAX_RUNS_PER_USER = 0
    run_to_end(user)
    run_to_end(user)
    assert limits.take_place(user.pk)


# Redis is away


@pytest.fixture
def no_redis(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(limits, "_away_until", float("-inf"))


def test_a_redis_that_is_away_refuses_nobody_and_is_noticed(user, settings, no_redis, caplog):
    settings.WORKBENCH_MAX_STARTS_PER_MINUTE = settings.WORKBENCH_MAX_FAILED_LOGINS = 1
    before = REGISTRY.get_sample_value("workbench_limits_skipped_total")
    for _ in range(2):
        run_to_end(user)
    assert [limits.take_login_try("ada", "127.0.0.1") for _ in range(2)] == [None, None]
    assert caplog.text.count("Redis is away") == 1  # it isn't asked again at once
    assert REGISTRY.get_sample_value("workbench_limits_skipped_total") >= before + 4


def test_what_the_database_and_this_process_know_holds_without_redis(user, settings, no_redis):
    used_up(user, 60)
    settings.WORKBENCH_MAX_TOKENS_PER_DAY = 50
    refusal(user)
    settings.WORKBENCH_MAX_SOCKETS_PER_USER = 1
    place = limits.take_place(user.pk)
    with pytest.raises(DoorError):
        limits.take_place(user.pk)
    place.release()


# Failed logins


@pytest.mark.parametrize(
    ("another", "free"),
    [
        (("ADA{}", "2001:db8:1:2::1"), False),
        (("ada{}", "2001:db8:1:2::99"), False),
        (("ada{}", "2001:db8:1:3::1"), True),
        (("grace{}", "2001:db8:1:2::1"), True),
    ],
    ids=["the name in capitals", "the same customer's network", "another network", "another name"],
)
def test_tries_are_counted_by_name_and_network(settings, another, free):
    settings.WORKBENCH_MAX_FAILED_LOGINS = 1
    number = uuid4()
    name, address = another
    assert limits.take_login_try(f"ada{number}", "2001:db8:1:2::1") is None
    assert (limits.take_login_try(name.format(number), address) is None) is free


def test_a_login_forgets_what_failed_before(settings):
    settings.WORKBENCH_MAX_FAILED_LOGINS = 1
    name = str(uuid4())
    for _ in range(2):
        assert limits.take_login_try(name, "127.0.0.1") is None
        limits.forget_failed_logins(name, "127.0.0.1")
