"""What a reader that draws gets of deltas that come faster than one can see."""

import asyncio
import json

import pytest

from chats import gathering
from chats.gathering import Gatherer
from chats.protocol import Batch, WireEvent


def batch(*sequences, kind="content", text="x", status=None):
    events = [WireEvent(kind, sequence, json.dumps({"content": text})) for sequence in sequences]
    return Batch("response", sequences[0] - 1, sequences[-1], events, 1000 + sequences[0], status)


def stretches(batches):
    return [(each.after, each.through) for each in batches]


@pytest.fixture
def long_gap(monkeypatch):
    monkeypatch.setattr(gathering, "GAP", 60.0)


async def test_the_first_after_a_pause_goes_at_once_and_what_comes_on_its_heels_in_one_piece(monkeypatch):
    monkeypatch.setattr(gathering, "GAP", 0.2)
    put = []
    gatherer = Gatherer(put.append)
    for sequence in range(5):
        gatherer.take(batch(sequence))
    assert stretches(put) == [(-1, 0)]
    async with asyncio.timeout(20):
        while len(put) < 2:
            await asyncio.sleep(0.01)
    (event,) = put[1].events
    assert (stretches(put), put[1].timestamp) == ([(-1, 0), (0, 4)], 1001)
    assert (event.first_sequence, event.sequence, json.loads(event.payload)) == (1, 4, {"content": "xxxx"})


@pytest.mark.parametrize(
    "news", [batch(2, kind="tool_call"), batch(2, status="completed"), batch(2, text="x" * gathering.MOST_CHARACTERS)]
)
async def test_what_isnt_a_little_text_goes_at_once_with_the_text_before_it(long_gap, news):
    put = []
    gatherer = Gatherer(put.append)
    for each in (batch(0), batch(1), news):
        gatherer.take(each)
    assert stretches(put) == [(-1, 0), (0, 2)]
    assert put[1].status == news.status


async def test_events_that_arent_stored_stay_as_they_are(long_gap):
    put = []
    gatherer = Gatherer(put.append)
    unstored = Batch("response", 1, 1, [WireEvent("content", None, '{"content":"passing"}')], 1)
    for each in (batch(0), batch(1), unstored, batch(2)):
        gatherer.take(each)
    gatherer.flush()
    assert [event.sequence for event in put[1].events] == [1, None, 2]


async def test_what_is_dropped_is_never_put(long_gap):
    put = []
    gatherer = Gatherer(put.append)
    gatherer.take(batch(0))
    gatherer.take(batch(1))
    gatherer.drop()
    gatherer.flush()
    assert stretches(put) == [(-1, 0)]
