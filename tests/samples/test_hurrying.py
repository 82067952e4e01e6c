"""Concurrency as it completes, and a long answer in numbered pieces."""

from typing import Any

import pytest

from tests.samples.audience import Audience
from tests.samples.conftest import TideServer
from tests.samples.hurrying import AllAtOnce, LongWinded


@pytest.fixture
def all_at_once(register: Any, tides: TideServer) -> str:
    name: str = register(AllAtOnce)
    return name


async def test_all_results_come_in_whatever_order(audience: Audience, all_at_once: str) -> None:
    answer = await audience.ask(all_at_once, "Brest Cork Dover Kiel")
    assert sorted(answer.text.splitlines()) == ["Brest: 2.5 m", "Cork: 2.0 m", "Dover: 2.5 m", "Kiel: 2.0 m"]
    assert answer.outcome == ("completed", None)


async def test_one_that_fails_ends_it_and_what_came_before_stays(
    audience: Audience, all_at_once: str, tides: TideServer
) -> None:
    tides.broken.add("Cork")
    answer = await audience.ask(all_at_once, "Brest Cork")
    assert answer.outcome == ("error", "unavailable")
    assert answer.text in {"", "Brest: 2.5 m\n"}


async def test_stopped_it_leaves_none_of_its_requests_behind(
    audience: Audience, all_at_once: str, tides: TideServer
) -> None:
    tides.silent |= {"Cork", "Kiel"}
    answer = await audience.ask(all_at_once, "Cork Kiel", cancel_when=lambda: len(tides.asked) == 2)
    assert answer.outcome == ("cancelled", None)
    assert sorted(tides.left) == ["Cork", "Kiel"]


async def test_a_long_answer_arrives_whole_whatever_its_pieces_are_numbered(audience: Audience, register: Any) -> None:
    answer = await audience.ask(register(LongWinded), "Ä" * 200)
    assert answer.text == "\n".join(f"{number}. {'Ä' * 200}" for number in range(LongWinded.times))
    assert answer.outcome == ("completed", None)


async def test_a_long_answer_can_be_stopped_and_what_was_said_stays(
    audience: Audience, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LongWinded, "times", 200_000)
    monkeypatch.setattr(LongWinded, "size", 50)
    answer = await audience.ask(register(LongWinded), "x" * 50, cancel_when=lambda: True)
    assert answer.outcome == ("cancelled", None)
    whole = "\n".join(f"{number}. {'x' * 50}" for number in range(LongWinded.times))
    assert whole.startswith(answer.text)
    assert answer.text != whole
