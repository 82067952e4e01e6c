"""What lies between a start that is committed and its handler's first step, when the database goes away just then."""

from django.db import OperationalError

from chats import engine as engine_module
from chats import runs
from tests.chats.scripted import run_to_end

hand_over = runs.hand_over


def failing(monkeypatch, times):
    calls = []

    def hand_over_later(stored, found, run):
        calls.append(run.response_id)
        if len(calls) <= times:
            raise OperationalError("terminating connection due to administrator command")
        return hand_over(stored, found, run)

    monkeypatch.setattr(runs, "hand_over", hand_over_later)
    monkeypatch.setattr(engine_module, "DATABASE_PAUSE", 0.01)
    return calls


def test_the_run_begins_when_the_database_is_back(user, monkeypatch):
    calls = failing(monkeypatch, times=2)
    assert run_to_end(user, "demo", "text").outcome == ("completed", None)
    assert len(calls) == 3


def test_it_ends_when_the_database_stays_away(user, monkeypatch):
    failing(monkeypatch, times=10**6)
    monkeypatch.setattr(engine_module, "DATABASE_PATIENCE", 0.05)
    assert run_to_end(user, "demo", "text").outcome == ("error", "handler_error")
