"""News between processes, over a real Redis: two relays, each with a hub of its own."""

import asyncio
import os
from uuid import uuid4

import pytest
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from chats import relay as relay_module
from chats.hub import Hub
from chats.protocol import Batch, WireEvent
from chats.relay import Outage, Relay
from tests.chats.scripted import until

needs_redis = pytest.mark.redis


class Ear:
    def __init__(self, response_id, user_id):
        self.response_id, self.user_id = response_id, user_id
        self.heard = asyncio.Queue()

    def offer(self, batch):
        self.heard.put_nowait(batch)

    def notice(self, frame):
        self.heard.put_nowait(frame)


@pytest.fixture
def pair():
    layers = [RedisPubSubChannelLayer(hosts=[os.environ["WORKBENCH_TEST_REDIS_URL"]], prefix="t") for _ in "ab"]
    cancelled = []
    relays = [Relay(layer, Hub(), cancelled.append) for layer in layers]
    for relay in relays:
        relay.start()
    yield relays, cancelled
    for relay in relays:
        relay.stop()


async def heard_after(send, queue):
    """What arrives; sent again until it does, since a subscription may still be on its way."""
    for _ in range(50):
        send()
        try:
            return await asyncio.wait_for(queue.get(), 0.2)
        except TimeoutError:
            continue
    raise AssertionError("nothing arrived")


@needs_redis
async def test_a_batch_reaches_the_followers_in_another_process(pair):
    (here, there), _ = pair
    response_id = str(uuid4())
    ear = Ear(response_id, uuid4())
    there._hub.port().listen(ear)
    batch = Batch(response_id, 3, 5, [WireEvent("content", 5, '{"content":"é"}')], 1700, "completed")
    received = await heard_after(lambda: here.batches([batch]), ear.heard)
    assert received.frame == batch.frame
    assert received.status == "completed"


def test_what_waits_for_the_broker_is_bounded_in_number_and_size(monkeypatch):
    monkeypatch.setattr(relay_module, "MOST_WAITING", 3)
    monkeypatch.setattr(relay_module, "MOST_CHARACTERS", 100)
    relay = Relay(InMemoryChannelLayer(), Hub(), print)  # not started: nothing is sent

    def waiting():
        return [message["frame"] for _, message in relay._outgoing]

    for number in range(5):
        relay.notice(uuid4(), str(number))
    assert waiting() == ["2", "3", "4"]
    relay.notice(uuid4(), "x" * 99)
    assert waiting() == ["4", "x" * 99]
    relay.notice(uuid4(), "y" * 1000)
    assert waiting() == ["y" * 1000]
    assert relay.dropped == 6
    assert relay._next()["frame"] == "y" * 1000
    assert relay._waiting == 0


@needs_redis
async def test_a_hint_reaches_the_users_sockets_in_another_process(pair):
    (here, there), _ = pair
    ear = Ear(str(uuid4()), uuid4())
    there._hub.port().add_sink(ear)
    assert await heard_after(lambda: here.notice(ear.user_id, "frame"), ear.heard) == "frame"


@needs_redis
async def test_a_cancel_reaches_the_other_process_and_not_its_sender(pair):
    (here, _), cancelled = pair
    for _ in range(50):
        here.cancel("some-response")
        await asyncio.sleep(0.1)
        if cancelled:
            break
    assert set(cancelled) == {"some-response"}


def told_of(caplog):
    return [(record.getMessage(), record.exc_info is not None) for record in caplog.records]


def test_a_broker_that_is_away_is_told_with_its_trace_once_and_then_now_and_again(caplog, monkeypatch):
    outage = Outage("send")
    for _ in range(5):
        outage.goes_on(ConnectionError("refused"))
    [(first, has_trace)] = told_of(caplog)
    assert has_trace
    assert "can't send" in first
    monkeypatch.setattr(relay_module, "REMINDED", 0.0)
    outage.goes_on(ConnectionError("refused"))
    outage.ends()
    outage.ends()
    [_, reminder, over] = told_of(caplog)
    assert reminder == ("The channel layer still can't send (6 tries): ConnectionError('refused')", False)
    assert over == ("The channel layer can send again, after 6 tries.", False)
    outage.goes_on(ConnectionError("refused"))
    assert told_of(caplog)[-1] == (first, True)


class BrokenLayer(InMemoryChannelLayer):
    async def group_send(self, group, message):
        raise ConnectionError("refused")

    group_add = group_send


def test_a_relay_without_its_broker_counts_failures_and_logs_two_traces_at_most(caplog, monkeypatch):
    monkeypatch.setattr(relay_module, "PAUSE", 0.001)
    relay = Relay(BrokenLayer(), Hub(), print)
    relay.start()
    relay.notice(uuid4(), "frame")
    until(lambda: relay.failures > 5)
    relay.stop()
    assert sum(has_trace for _, has_trace in told_of(caplog)) <= 2  # one can't be sent, nothing can be received
