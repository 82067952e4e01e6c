"""Falling back, and doing what can be done: what is caught, what is left, and the end in `finally`."""

from typing import Any

import pytest

from tests.samples.audience import Audience
from tests.samples.conftest import TideServer
from tests.samples.surviving import AWAY, EachInTurn, SecondBest
from tests.standins.bedrock import BedrockStandIn

MODEL = "global.anthropic.claude-sonnet-5"


@pytest.fixture
def second_best(register: Any, tides: TideServer) -> str:
    name: str = register(SecondBest)
    return name


@pytest.fixture
def each_in_turn(register: Any, tides: TideServer) -> str:
    name: str = register(EachInTurn)
    return name


async def test_the_first_way_where_it_works(audience: Audience, second_best: str) -> None:
    answer = await audience.ask(second_best, "Brest")
    assert (answer.text, answer.outcome) == ("High at 21:45.", ("completed", None))


async def test_the_second_way_where_the_first_fails(
    audience: Audience, second_best: str, tides: TideServer, bedrock: BedrockStandIn
) -> None:
    tides.broken.add("say=About_nine.")
    answer = await audience.ask(second_best, "say=About_nine.", model_id=MODEL)
    assert (answer.text, answer.outcome) == ("About nine.", ("completed", None))


@pytest.mark.parametrize("model", ["missing", "failing"])
async def test_an_apology_where_both_fail(
    audience: Audience, second_best: str, tides: TideServer, model: str, request: pytest.FixtureRequest
) -> None:
    if model == "failing":
        request.getfixturevalue("bedrock")
    tides.broken.add("refuse=denied")
    answer = await audience.ask(second_best, "refuse=denied", model_id=MODEL)
    assert (answer.text, answer.outcome) == (AWAY, ("completed", None))


async def test_an_unforeseen_error_ends_as_the_author_says(
    audience: Audience, second_best: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("10.0.0.7")

    monkeypatch.setattr("tests.samples.stepping.TideTables.heights", broken)
    answer = await audience.ask(second_best, "Brest")
    assert answer.outcome == ("error", "KeyError")
    assert answer.error == AWAY


async def test_an_end_in_finally_is_no_completion_of_what_was_stopped(
    audience: Audience, second_best: str, tides: TideServer
) -> None:
    tides.silent.add("Brest")
    answer = await audience.ask(second_best, "Brest", cancel_when=lambda: tides.asked)
    assert answer.outcome == ("cancelled", None)
    assert tides.left == ["Brest"]


async def test_of_a_list_what_works_is_told_and_what_fails_is_named(
    audience: Audience, each_in_turn: str, tides: TideServer
) -> None:
    tides.broken.add("Cork")
    answer = await audience.ask(each_in_turn, "Brest Cork Dover")
    assert answer.text == "2 places found.\n- Brest: 2.5 m\n- Dover: 2.5 m\n1 places failed:\n- Cork\n"
    assert answer.outcome == ("completed", None)


async def test_a_list_of_which_nothing_works_is_an_error_of_the_authors(
    audience: Audience, each_in_turn: str, tides: TideServer
) -> None:
    tides.broken |= {"Brest", "Cork"}
    answer = await audience.ask(each_in_turn, "Brest Cork")
    assert answer.outcome == ("error", "handler_error")
    assert answer.text == "2 places failed:\n- Brest\n- Cork\n"


async def test_a_list_stopped_in_its_middle_is_cancelled_though_errors_are_caught(
    audience: Audience, each_in_turn: str, tides: TideServer
) -> None:
    tides.silent.add("Cork")
    answer = await audience.ask(each_in_turn, "Brest Cork Dover", cancel_when=lambda: "Cork" in tides.asked)
    assert answer.outcome == ("cancelled", None)
    assert tides.asked == ["Brest", "Cork"]
