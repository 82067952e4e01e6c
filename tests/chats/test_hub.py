"""Who hears of what was committed."""

import asyncio
import threading
import time
from uuid import uuid4

import pytest

from chats.hub import Hub
from chats.protocol import Batch

ONE, OTHER = str(uuid4()), str(uuid4())


class Ear:
    """Follows a response, and is a connection of a user."""

    def __init__(self, response_id=ONE, user_id=None):
        self.response_id, self.user_id = response_id, user_id
        self.heard = []

    def offer(self, batch):
        self.heard.append(batch)

    notice = offer


class Deaf(Ear):
    def offer(self, batch):
        raise RuntimeError("a listener's own fault")


def batch_of(response_id=ONE, after=0, through=1, status=None):
    return Batch(response_id, after, through, [], 0, status)


async def settled(hub):
    """Returns when the loop has taken what was posted so far."""
    taken = asyncio.Event()
    hub.port().post(taken.set)
    await asyncio.wait_for(taken.wait(), 10)


async def test_a_batch_reaches_all_who_follow_its_response_by_reference_and_nobody_else():
    hub = Hub()
    first, second, other = Ear(), Ear(), Ear(OTHER)
    for ear in (first, second, other):
        hub.port().listen(ear)
    batch = batch_of()
    await asyncio.to_thread(hub.publish, [batch])
    await settled(hub)
    assert first.heard[0] is second.heard[0] is batch
    assert other.heard == []


async def test_who_has_left_hears_nothing():
    hub, ear = Hub(), Ear()
    hub.port().listen(ear)
    hub.port().leave(ear)
    hub.publish([batch_of()])
    await settled(hub)
    assert ear.heard == []
    assert hub.port().listeners == {}


async def test_batches_and_hints_keep_their_order():
    hub, user_id = Hub(), uuid4()
    ear = Ear(user_id=user_id)
    hub.port().listen(ear)
    hub.port().add_sink(ear)
    batches = [batch_of(after=n, through=n + 1) for n in range(3)]

    def tell():
        for n, batch in enumerate(batches):
            hub.publish([batch])
            hub.notify(user_id, f"hint {n}")

    await asyncio.to_thread(tell)
    await settled(hub)
    assert ear.heard == [batches[0], "hint 0", batches[1], "hint 1", batches[2], "hint 2"]


async def test_a_hint_goes_to_the_connections_of_its_user_only():
    hub = Hub()
    mine, others = Ear(user_id=uuid4()), Ear(user_id=uuid4())
    hub.port().add_sink(mine)
    hub.port().add_sink(others)
    hub.notify(mine.user_id, "for me")
    await settled(hub)
    assert (mine.heard, others.heard) == (["for me"], [])


async def test_one_listeners_fault_costs_the_others_nothing(caplog):
    hub, ear = Hub(), Ear(OTHER)
    hub.port().listen(Deaf())
    hub.port().listen(ear)
    hub.publish([batch_of()])
    hub.publish([batch_of(OTHER)])
    await settled(hub)
    assert len(ear.heard) == 1
    assert "A listener failed" in caplog.text
    await asyncio.to_thread(hub.wait_for_delivery, 10)
    assert not hub.port().behind


async def test_how_far_a_response_is_known_while_it_runs_here():
    hub = Hub()
    assert hub.position(ONE) is None
    hub.publish([batch_of(through=4)])
    assert hub.position(ONE) == 4
    hub.publish([batch_of(after=4, through=5, status="completed")])
    assert hub.position(ONE) is None


async def test_a_response_that_somebody_else_ended_has_no_position_here():
    hub = Hub()
    hub.publish([batch_of(through=4)])
    hub.drop_position(ONE)
    assert hub.position(ONE) is None


async def test_other_processes_are_told_through_the_relay_and_what_they_tell_isnt_told_back():
    hub, relayed, ear = Hub(), [], Ear()
    hub.relay = relayed.extend
    hub.port().listen(ear)
    hub.publish([batch_of()])
    hub.publish_here([batch_of(after=1, through=2)])
    await settled(hub)
    assert [batch.through for batch in relayed] == [1]
    assert [batch.through for batch in ear.heard] == [1, 2]
    assert hub.position(ONE) == 1


def test_each_loop_has_a_port_and_a_closed_ones_is_forgotten():
    hub = Hub()

    async def listen():
        hub.port().listen(Ear())

    asyncio.run(listen())
    (dead,) = hub.ports
    hub.publish([batch_of()])
    assert dead not in hub.ports


async def test_what_a_task_raises_is_logged_and_it_is_let_go(caplog):
    hub = Hub()

    async def fail():
        raise ZeroDivisionError

    hub.port().spawn(fail())
    await settled(hub)
    assert "A task of the hub failed" in caplog.text


@pytest.fixture
def blocked():
    """A hub with a listener on a loop that is blocked until the event is set."""
    hub, listening, go_on = Hub(), threading.Event(), threading.Event()

    async def listen_and_block():
        hub.port().listen(Ear())
        hub.port().post(block)
        await settled(hub)

    def block():
        listening.set()
        go_on.wait()

    thread = threading.Thread(target=asyncio.run, args=(listen_and_block(),))
    thread.start()
    listening.wait(10)
    yield hub, go_on
    go_on.set()
    thread.join()


def test_the_writer_waits_for_a_loop_that_is_behind_but_not_for_ever(blocked):
    hub, _ = blocked
    hub.publish([batch_of()])
    began = time.monotonic()
    hub.wait_for_delivery(0.05)
    assert time.monotonic() - began >= 0.05
    assert any(port.behind for port in hub.ports)


def test_the_writer_goes_on_as_soon_as_the_loop_has_caught_up(blocked):
    hub, go_on = blocked
    hub.publish([batch_of()])
    waiting = threading.Thread(target=hub.wait_for_delivery, args=(60,))
    waiting.start()
    go_on.set()
    waiting.join(10)
    assert not waiting.is_alive()
