"""From a response's log and what is published meanwhile, each event once, in order."""

import asyncio

import pytest

from chats import hub as hub_module
from chats.following import Follower
from chats.hub import Hub, Opening
from chats.protocol import Batch, WireEvent

RESPONSE = "0198c5d2-7a3b-7c11-8d22-0123456789ab"


class Outlet:
    """Keeps what it is given."""

    lagging = False

    def __init__(self):
        self.batches = []
        self.over = False

    def put(self, batch):
        self.batches.append(batch)

    async def room(self):
        return

    def ended(self, follower):
        self.over = True

    @property
    def seen(self):
        return [(event.type, event.sequence) for batch in self.batches for event in batch.events]


def batch(after, *events, status=None):
    """A batch of events by type; those in brackets aren't stored."""
    through, wire = after, []
    for kind in events:
        stored = not kind.startswith("(")
        through += stored
        wire.append(WireEvent(kind.strip("()"), through if stored else None, "{}"))
    return Batch(RESPONSE, after, through, wire, 0, status)


@pytest.fixture
async def hub():
    hub = Hub()
    hub.port()
    return hub


@pytest.fixture
def outlet():
    return Outlet()


def starter(hub, outlet, opening):
    follower = Follower(RESPONSE, -1, outlet, hub, None)
    follower.begin(opening)
    return follower


async def delivered():
    for _ in range(3):
        await asyncio.sleep(0)


async def test_whoever_started_a_response_misses_nothing_of_what_came_before_he_listened(hub, outlet):
    opening = Opening(batch(-1, "response_start"))
    hub.open(opening)
    hub.publish([batch(0, "(status)")])
    hub.publish([batch(0, "content", "(status)")])
    starter(hub, outlet, opening)
    hub.publish([batch(1, "(status)", "content")])
    await delivered()
    assert outlet.seen == [
        ("response_start", 0),
        ("status", None),
        ("content", 1),
        ("status", None),
        ("status", None),
        ("content", 2),
    ]


async def test_what_is_on_its_way_when_he_begins_to_listen_comes_once(hub, outlet):
    opening = Opening(batch(-1, "response_start"))
    hub.port().listen(Follower(RESPONSE, -1, Outlet(), hub, None))
    hub.open(opening)
    hub.publish([batch(0, "(status)")])
    starter(hub, outlet, opening)
    await delivered()
    hub.publish([batch(0, "content")])
    await delivered()
    assert outlet.seen == [("response_start", 0), ("status", None), ("content", 1)]


async def test_an_answer_that_is_over_before_he_listens_is_seen_whole(hub, outlet):
    opening = Opening(batch(-1, "response_start"))
    hub.open(opening)
    hub.publish([batch(0, "(status)", "content", "response_end", status="completed")])
    follower = starter(hub, outlet, opening)
    assert outlet.seen[-1] == ("response_end", 2)
    assert outlet.over
    assert follower.finished


@pytest.mark.parametrize(("bound", "most"), [("MOST_OPENING", 2), ("MOST_OPENING_CHARACTERS", len("{}"))])
async def test_what_is_kept_for_a_starter_is_bounded(hub, monkeypatch, bound, most):
    monkeypatch.setattr(hub_module, bound, most)
    opening = Opening(batch(-1, "response_start"))
    hub.open(opening)
    for _ in range(5):
        hub.publish([batch(0, "(status)")])
    assert len(opening.batches) == 2
    assert not opening.whole
    assert hub._openings == {}


async def test_nothing_is_kept_of_a_response_that_has_ended(hub):
    opening = Opening(batch(-1, "response_start"))
    hub.open(opening)
    hub.publish([batch(0, "content", "response_end", status="completed")])
    assert opening.whole
    assert hub._openings == {}
