"""Threads for blocking work, and their database connections."""

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import psycopg_pool
import pytest
from django.db import connection, connections

from chats import ownconnection
from chats.pools import GrowingPool, QueryPool
from chats.statements import Statement, execute
from workbench.models import User

PATIENCE = 10.0
word = contextvars.ContextVar("word")


@pytest.fixture(params=[lambda: QueryPool(2, "test"), lambda: GrowingPool("test")], ids=["bounded", "growing"])
def pool(request):
    pool = request.param()
    yield pool
    pool.stop()


@pytest.fixture
def growing():
    pool = GrowingPool("growing")
    yield pool
    pool.stop()


async def test_a_call_gives_its_result_or_raises_what_it_raised(pool):
    assert await pool.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(divmod, 7, 0)
    assert await pool.run(int, "3") == 3


async def test_a_call_has_its_callers_context(pool):
    word.set("here")
    assert await pool.run(word.get) == "here"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("pool" in connection.settings_dict["OPTIONS"], reason="connections are lent from a pool")
async def test_a_thread_keeps_its_connection_between_calls():
    pool = QueryPool(1, "test")

    def used():
        User.objects.count()
        return connection.connection

    assert await pool.run(used) is await pool.run(used)
    pool.stop()


@pytest.mark.django_db(transaction=True)
def test_a_stop_closes_the_connections():
    pool = QueryPool(1, "test")

    def used():
        User.objects.count()
        return connections["default"]

    wrapper = pool.submit(used).result(PATIENCE)
    pool.stop()
    assert wrapper.connection is None


def test_a_bounded_pool_runs_no_more_than_its_size_at_once():
    pool, go_on = QueryPool(2, "test"), threading.Event()
    begun = threading.Semaphore(0)

    def hold():
        begun.release()
        go_on.wait(PATIENCE)

    held = [pool.submit(hold) for _ in range(2)]
    for _ in held:
        assert begun.acquire(timeout=PATIENCE)
    third = pool.submit(hold)
    assert not begun.acquire(timeout=0.1)
    go_on.set()
    third.result(PATIENCE)
    pool.stop()


def test_in_a_growing_pool_calls_that_hang_hold_up_nobody_else(growing):
    go_on = threading.Event()
    hanging = [growing.submit(go_on.wait, PATIENCE) for _ in range(20)]
    assert growing.submit(int, "3").result(PATIENCE) == 3
    go_on.set()
    assert all(each.result(PATIENCE) for each in hanging)


def test_a_growing_pool_makes_no_thread_while_one_is_idle(growing):
    used = set()
    for _ in range(50):
        used.add(growing.submit(threading.get_ident).result(PATIENCE))
    assert len(used) <= GrowingPool.MOST_IDLE


@pytest.mark.parametrize("make", [lambda: QueryPool(2, "test"), lambda: GrowingPool("test")])
def test_a_stop_leaves_a_thread_behind_that_is_held(make, monkeypatch):
    monkeypatch.setattr("chats.pools.STOP_PATIENCE", 0.1)
    pool, begun, go_on = make(), threading.Event(), threading.Event()

    def hold():
        begun.set()
        go_on.wait(PATIENCE)

    pool.submit(hold)
    assert begun.wait(PATIENCE)
    pool.stop()
    assert not go_on.is_set()
    go_on.set()


def test_a_growing_pool_that_has_stopped_takes_nothing(growing):
    growing.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        growing.submit(int)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("pool" not in connection.settings_dict["OPTIONS"], reason="only PostgreSQL's are lent from a pool")
def test_a_pool_that_lost_everything_in_an_outage_is_replaced_at_once():
    connection.close()
    worn = connection.pool
    worn.open()
    good_port = worn.kwargs["port"]
    worn.kwargs["port"] = 1  # nobody listens there: the database is away
    try:
        with psycopg.connect(**{**worn.kwargs, "port": good_port}) as outside:
            outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(psycopg_pool.PoolTimeout):
            worn.getconn(timeout=2)
        ownconnection.renew_pool()
        assert connection.pool is not worn
        assert User.objects.count() == 0
    finally:
        worn.kwargs["port"] = good_port


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("pool" not in connection.settings_dict["OPTIONS"], reason="only PostgreSQL's are lent from a pool")
def test_a_pool_that_is_well_stays():
    assert User.objects.count() == 0
    pool = connection.pool
    pool.pop_stats()  # of outages before
    ownconnection.renew_pool()
    assert connection.pool is pool


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("pool" not in connection.settings_dict["OPTIONS"], reason="only PostgreSQL's are lent from a pool")
def test_the_writers_own_connection_takes_several_statements_in_a_message_whatever_is_set(monkeypatch):
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "server_side_binding", True)

    def ask():
        ownconnection.take_own_connection(ownconnection.TimeOuts(lock=1, statement=5, idle=5))
        try:
            return execute(Statement("SELECT %s", [[1], [2]]))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as writer:
        assert writer.submit(ask).result() == [2]
