"""Who may say of others that they are dead: whoever has been well for a while."""

import pytest

from chats import lease
from chats.lease import SLOW, STEADY, Steadiness
from chats.orphans import LEASE


class Clock:
    """Both clocks of `time`, moved by hand; `asleep` moves only the one of the wall."""

    def __init__(self):
        self.running, self.asleep = 1000.0, 0.0

    def monotonic(self):
        return self.running

    def time(self):
        return self.running + self.asleep


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(lease, "time", clock)
    return clock


@pytest.fixture
def well(clock):
    steadiness = Steadiness()
    clock.running += STEADY
    steadiness.beaten(took=0.0)
    assert steadiness.lasts()
    return steadiness


def test_a_process_that_has_just_begun_waits_a_little(clock):
    steadiness = Steadiness()
    steadiness.beaten(took=0.0)
    assert not steadiness.lasts()


def test_beats_that_come_late_on_a_busy_machine_are_no_outage(well, clock):
    for _ in range(5):
        clock.running += STEADY + 0.2
        well.beaten(took=0.1)
        assert well.lasts()


@pytest.mark.parametrize("what", ["a beat that failed", "a slow database", "a pause", "a machine that slept"])
def test_after_an_outage_the_others_are_given_time_to_beat_again(well, clock, what):
    match what:
        case "a beat that failed":
            well.lost()
        case "a slow database":
            well.beaten(took=SLOW + 0.1)
        case "a pause":
            clock.running += LEASE.total_seconds() + 1
            well.beaten(took=0.0)
        case "a machine that slept":
            clock.asleep += 3600
            well.beaten(took=0.0)
    assert not well.lasts()
    clock.running += STEADY
    well.beaten(took=0.0)
    assert well.lasts()
