"""Following one response: from the log, then live, each event once and in order.

What a starter is given before it listens is in test_openings.py.
"""

import asyncio
import gc
from uuid import uuid4

import pytest
from django.db import connection

from chats import following
from chats.following import Follower, Following, positions_of, read_page, resync
from chats.hub import Hub
from chats.models import Chat, Event, Run
from chats.pools import QueryPool
from chats.protocol import Batch, WireEvent
from handlers.encoding import canonical_json
from tests.chats.api.makers import END, make_response, start_of, text
from tests.chats.live import make_user
from tests.chats.writing import Faults

PATIENCE = 10.0


@pytest.fixture
def chat(transactional_db):
    return Chat.objects.create(owner=make_user())


@pytest.fixture
def pool():
    pool = QueryPool(1, "test-queries")
    yield pool
    pool.stop()


class Reader:
    """An outlet that keeps what it gets; `lagging` and `has_room` are the test's to set."""

    def __init__(self):
        self.batches = []
        self.turn = asyncio.Lock()
        self.lagging = False
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.done = asyncio.Event()

    def put(self, batch):
        self.batches.append(batch)

    async def room(self):
        await self.has_room.wait()

    def ended(self, follower):
        self.done.set()

    @property
    def sequences(self):
        return [event.sequence for batch in self.batches for event in batch.events]


class Stage:
    """A response whose log grows by `say`, as the journal would have it: stored first, then published."""

    def __init__(self, response, pool):
        self.response_id = str(response.pk)
        self.pool = pool
        self.hub = Hub()
        self.length = Event.objects.filter(response=response).count()
        self.hub.publish([Batch(self.response_id, -1, self.length - 1, [], 0)])

    async def store(self, count=1, kind="content", fields=None, status=None):
        """`count` more events, stored and not yet told of: their batch."""
        after, payload = self.length - 1, canonical_json(fields or {"content": "x"})
        numbers = range(self.length, self.length + count)
        rows = [Event(response_id=self.response_id, sequence=n, type=kind, payload=payload) for n in numbers]
        await Event.objects.abulk_create(rows)
        if status:
            await Run.objects.filter(pk=self.response_id).aupdate(status=status)
        self.length += count
        return Batch(
            self.response_id, after, self.length - 1, [WireEvent(kind, n, payload) for n in numbers], 0, status
        )

    async def say(self, count=1, **fields):
        self.hub.publish([await self.store(count, **fields)])
        await self.settled()

    async def end(self):
        await self.say(kind="response_end", fields=END[1], status="completed")

    async def settled(self):
        """The loop has taken what was published."""
        taken = asyncio.Event()
        self.hub.port().post(taken.set)
        await asyncio.wait_for(taken.wait(), PATIENCE)

    def follow(self, after=-1, **fields):
        reader = Reader()
        follower = Follower(self.response_id, after, reader, self.hub, self.pool, **fields)
        follower.begin()
        return follower, reader


@pytest.fixture
def stage(chat, pool):
    return Stage(make_response(chat, [start_of(), text("a"), text("b")]), pool)


async def ended(reader):
    await asyncio.wait_for(reader.done.wait(), PATIENCE)


async def caught_up(follower):
    """Nothing is being read any more."""
    async with asyncio.timeout(PATIENCE):
        while follower._catching_up is not None:
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("after", range(-1, 5))
async def test_from_any_cursor_it_goes_on_without_gap_or_double(stage, after):
    await stage.say(2)
    follower, reader = stage.follow(after)
    await stage.say(3)
    await caught_up(follower)
    await stage.say()
    await stage.end()
    await ended(reader)
    assert reader.sequences == list(range(after + 1, 10))
    assert reader.batches[-1].status == "completed"


async def test_at_the_cursor_of_a_local_run_nothing_is_read(stage):
    follower, reader = stage.follow(after=2)
    assert follower._catching_up is None
    await stage.say()
    assert reader.sequences == [3]


async def test_what_it_has_already_is_skipped(stage):
    follower, reader = stage.follow(after=2)
    batch = await stage.store(4)
    follower.offer(batch)
    follower.offer(batch)
    follower.offer(Batch(stage.response_id, 4, 6, batch.events[2:], 0))
    assert reader.sequences == [3, 4, 5, 6]


async def test_of_a_batch_that_overlaps_the_rest_is_passed_on(stage):
    follower, reader = stage.follow(after=2)
    batch = await stage.store(4)
    follower.offer(Batch(stage.response_id, 2, 4, batch.events[:2], 0))
    follower.offer(batch)
    assert reader.sequences == [3, 4, 5, 6]
    assert [(each.after, each.through) for each in reader.batches] == [(2, 4), (4, 6)]


async def test_a_gap_is_read_from_the_log(stage):
    follower, reader = stage.follow(after=2)
    await stage.store(3)  # whose hint is lost
    await stage.say()
    await caught_up(follower)
    assert reader.sequences == [3, 4, 5, 6]


async def test_unstored_events_are_shown_in_their_place(stage):
    follower, reader = stage.follow(after=2)
    follower.offer(Batch(stage.response_id, 2, 2, [WireEvent("status", None, "{}")], 0))
    await stage.say()
    assert reader.sequences == [None, 3]


@pytest.mark.parametrize(("name", "bound"), [("MAX_BACKLOG", 3), ("BACKLOG_CHARACTERS", 50)])
async def test_more_than_it_keeps_while_reading_is_read_too(stage, monkeypatch, name, bound):
    monkeypatch.setattr(following, name, bound)
    follower, reader = stage.follow()
    reader.has_room.clear()
    for _ in range(8):
        await stage.say()
    assert len(follower._backlog) < 8
    reader.has_room.set()
    await stage.end()
    await ended(reader)
    assert reader.sequences == list(range(12))


async def test_it_keeps_no_more_than_its_bounds(stage):
    follower, reader = stage.follow()
    reader.has_room.clear()
    for _ in range(6):
        await stage.say(fields={"content": "x" * 300_000})
    assert sum(batch.size for batch in follower._backlog) <= following.BACKLOG_CHARACTERS
    reader.has_room.set()
    await stage.end()
    await ended(reader)
    assert reader.sequences == list(range(10))


async def test_a_reader_that_lags_gets_the_rest_from_the_log_when_it_has_room(stage):
    follower, reader = stage.follow(after=2)
    reader.lagging = True
    reader.has_room.clear()
    for _ in range(5):
        await stage.say()
    assert reader.batches == []
    reader.lagging = False
    reader.has_room.set()
    await caught_up(follower)
    assert reader.sequences == [3, 4, 5, 6, 7]


async def test_a_cursor_that_isnt_of_this_log_begins_anew(stage):
    follower, reader = stage.follow(after=99)
    await caught_up(follower)
    assert reader.batches[0].reset
    assert (reader.batches[0].after, follower.cursor) == (-1, 2)
    assert reader.sequences == [0, 1, 2]
    assert '"reset":true' in reader.batches[0].frame


async def test_whoever_has_all_of_a_finished_response_is_told_that_it_ended(stage):
    await stage.end()
    _, reader = stage.follow(after=3)
    await ended(reader)
    assert [(batch.after, batch.through, batch.status) for batch in reader.batches] == [(3, 3, "completed")]


async def test_after_the_end_it_has_left_the_hub(stage):
    _, reader = stage.follow(after=2)
    await stage.end()
    await ended(reader)
    assert stage.hub.port().listeners == {}


async def test_one_that_is_stopped_gets_nothing_more(stage):
    follower, reader = stage.follow()
    follower.stop()
    await stage.say()
    await caught_up(follower)
    assert reader.batches == []
    assert stage.hub.port().listeners == {}


async def test_a_log_that_cant_be_read_now_is_read_later(stage, monkeypatch):
    monkeypatch.setattr(following, "FAULT_PAUSE", 0.01)
    faults = Faults()
    await stage.pool.run(faults.install)
    faults.fail("SELECT", times=2)
    follower, reader = stage.follow()
    await caught_up(follower)
    assert reader.sequences == [0, 1, 2]


# Runs of other processes


async def test_a_response_that_runs_elsewhere_is_looked_after_by_resync(stage):
    stage.hub.drop_position(stage.response_id)
    follower, reader = stage.follow()
    await caught_up(follower)
    await stage.store(2)  # committed by the other process
    await resync(stage.hub.port(), stage.hub, stage.pool)
    await caught_up(follower)
    await stage.store(kind="response_end", fields=END[1], status="completed")
    await resync(stage.hub.port(), stage.hub, stage.pool)
    await ended(reader)
    assert reader.sequences == [0, 1, 2, 3, 4, 5]


async def test_resync_asks_nothing_of_what_runs_here(stage):
    stage.follow(after=2)
    asked = []
    await stage.pool.run(
        lambda: connection.execute_wrappers.append(lambda run, *call: asked.append(call) or run(*call))
    )
    await resync(stage.hub.port(), stage.hub, stage.pool)
    assert asked == []


async def test_a_nudge_that_is_no_news_reads_nothing(stage):
    follower, _ = stage.follow(after=2)
    follower.nudge(2, ended=False)
    assert follower._catching_up is None


def test_the_positions_of_all_that_is_watched_take_one_query(chat, django_assert_num_queries):
    running, finished = make_response(chat, [start_of(), text("a")]), make_response(chat, [start_of(), END])
    ids = [str(response.pk) for response in (running, finished, make_response(chat))]
    with django_assert_num_queries(1):
        positions = positions_of([*ids, str(uuid4())])
    assert positions == dict(zip(ids, [(1, False), (1, True), (-1, False)], strict=True))


# Pages of the log


def test_a_page_ends_when_it_is_large_enough_and_tells_that_there_is_more(chat):
    response = make_response(chat, [start_of(), *[text("x" * 120_000)] * 4, text("x" * 50_000), END])
    first = read_page(str(response.pk), -1)
    assert (first.more, first.batch.through, first.batch.status) == (True, 2, None)
    second = read_page(str(response.pk), 2)
    assert (second.more, second.batch.through, second.batch.status) == (True, 4, None)
    assert read_page(str(response.pk), 4).batch.status == "completed"


def test_one_event_larger_than_a_page_is_a_page(chat):
    response = make_response(chat, [start_of(), text("x" * 600_000), END])
    assert read_page(str(response.pk), 0).batch.through == 1


def test_a_page_has_a_bounded_number_of_events(chat, monkeypatch):
    monkeypatch.setattr(following, "PAGE_ROWS", 2)
    response = make_response(chat, [start_of(), text("a"), text("b"), END])
    page = read_page(str(response.pk), -1)
    assert (page.more, page.batch.through) == (True, 1)


def test_hidden_events_move_the_cursor_and_arent_shown(chat):
    response = make_response(chat, [start_of(), ("content", {"content": "secret"}, False)])
    batch = read_page(str(response.pk), 0).batch
    assert (batch.after, batch.through, batch.events) == (0, 1, [])


def test_an_end_that_came_after_the_status_was_read_is_an_end(chat):
    response = make_response(chat, [start_of(), END])
    Run.objects.filter(pk=response.pk).update(status="running")  # as it was found before the end was committed
    assert read_page(str(response.pk), -1).batch.status == "completed"


def test_merged_deltas_are_one_event_that_says_what_it_stands_for(chat):
    response = make_response(chat, [start_of(), text("a"), text("b"), text("c"), END])
    merged = read_page(str(response.pk), 0, merge=True).batch.events[0]
    assert (merged.first_sequence, merged.sequence, merged.payload) == (1, 3, '{"content":"abc"}')


# For one reader


async def test_a_single_reader_gets_batch_after_batch_to_the_end(stage):
    batches = Following(stage.response_id, -1, stage.hub, stage.pool)
    await stage.say()
    await stage.end()
    assert [event.sequence async for batch in batches for event in batch.events] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("leave", ["close", "forget"])
async def test_a_reader_that_leaves_gives_its_place_in_the_hub_up(stage, leave):
    batches = Following(stage.response_id, 2, stage.hub, stage.pool)
    assert stage.response_id in stage.hub.port().listeners
    if leave == "close":
        await batches.aclose()
    del batches
    gc.collect()
    await stage.settled()
    assert stage.hub.port().listeners == {}
