"""Counting: the same tests for one process's memory and for Redis."""

import os
import socket
import time
from uuid import uuid4

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from chats import limitstores
from chats.limitstores import MemoryStore, RedisStore, wait_for_room

LONG = 10_000.0  # seconds: no window ends during a test


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def store(request, monkeypatch):
    if request.param == "memory":
        return MemoryStore()
    monkeypatch.setattr(limitstores, "PREFIX", f"tests:{uuid4()}:")
    return RedisStore(os.environ["WORKBENCH_TEST_REDIS_URL"])


def test_so_many_are_counted_and_then_none(store):
    assert [store.take("key", 3, LONG) for _ in range(3)] == [None] * 3
    wait = store.take("key", 3, LONG)
    assert 0 < wait <= 2 * LONG
    assert store.take("another", 3, LONG) is None


def test_what_was_given_back_can_be_taken_again(store):
    for _ in range(2):
        store.take("key", 2, LONG)
    store.give_back("key")
    assert store.take("key", 2, LONG) is None
    assert store.take("key", 2, LONG) is not None


def test_nothing_is_given_back_that_wasnt_counted(store):
    store.give_back("key")
    assert store.take("key", 1, LONG) is None
    assert store.take("key", 1, LONG) is not None


def test_what_was_cleared_is_forgotten(store):
    store.take("key", 1, LONG)
    store.clear("key")
    assert store.take("key", 1, LONG) is None


def test_after_the_wait_that_was_said_there_is_room(store):
    while (wait := store.take("key", 3, 0.2)) is None:
        pass
    time.sleep(wait + 0.005)
    assert store.take("key", 3, 0.2) is None


def test_a_sum_is_begun_once_and_added_to(store):
    assert store.total("key") is None
    store.add("key", 5)  # unknown: whoever asks next sums it up
    assert store.total("key") is None
    store.begin_total("key", 10, LONG)
    store.begin_total("key", 99, LONG)
    store.add("key", 5)
    assert store.total("key") == 15


def test_a_sum_can_be_asked_for_in_the_same_breath(store):
    assert store.take_and_total("key", 1, LONG, "sum") == (None, None)
    store.begin_total("sum", 10, LONG)
    wait, total = store.take_and_total("key", 1, LONG, "sum")
    assert wait > 0
    assert total == 10


@pytest.mark.redis
def test_the_places_of_processes_that_are_alive_count(monkeypatch):
    monkeypatch.setattr(limitstores, "PREFIX", f"tests:{uuid4()}:")
    store = RedisStore(os.environ["WORKBENCH_TEST_REDIS_URL"])
    store.stay_alive("a", LONG)
    store.stay_alive("b", LONG)
    assert store.note_places("a", {"ada": 2}) == [0]
    assert store.note_places("b", {"ada": 3, "grace": 1}) == [2, 0]
    store.note_places("never-alive", {"ada": 50})
    assert store.note_places("a", {"ada": 2}) == [3]
    store.note_places("b", {"ada": 0})
    assert store.note_places("a", {"ada": 2}) == [0]


def test_a_redis_that_is_away_says_so():
    with pytest.raises(redis.RedisError):
        RedisStore("redis://127.0.0.1:1/0").take("key", 1, LONG)


def test_one_that_hangs_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(limitstores, "PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(redis.RedisError):
            RedisStore(f"redis://127.0.0.1:{port}/0").take("key", 1, LONG)


def test_keys_in_memory_are_dropped_when_their_windows_are_over(monkeypatch):
    monkeypatch.setattr(limitstores, "PRUNE_ABOVE", 10)
    store = MemoryStore()
    for number in range(11):
        store.take(str(number), 1, 0.001)
    time.sleep(0.005)
    store.take("last", 1, LONG)
    assert set(store._windows) == {"last"}


@given(current=st.integers(0, 50), before=st.integers(0, 50), passed=st.floats(0, 0.999), limit=st.integers(1, 50))
def test_the_wait_is_as_long_as_it_takes_and_no_longer(current, before, passed, limit):
    def fits(after):
        at = passed + after
        if at < 1:
            return before * (1 - at) + current + 1 <= limit + 1e-6
        return current * (2 - at) + 1 <= limit + 1e-6

    if before * (1 - passed) + current + 1 <= limit or current > limit:
        return
    wait = wait_for_room(current, before, passed, limit, 1.0)
    assert fits(wait)
    assert not fits(wait - 0.001) or wait < 0.001
