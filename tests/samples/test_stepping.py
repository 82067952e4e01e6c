"""The workflow with a service and an event of the project's own."""

from typing import Any

import pytest

from tests.samples.audience import Audience
from tests.samples.conftest import TideServer
from tests.samples.stepping import TidePilot


@pytest.fixture
def task(register: Any, tides: TideServer) -> str:
    name: str = register(TidePilot)
    return name


async def test_each_step_is_shown_and_the_return_finds_its_call(audience: Audience, task: str) -> None:
    answer = await audience.ask(task, "How is it in Brest?")
    assert answer.types == [
        "response_start",
        *["status", "status", "tool_call", "tool_return", "status"],
        *["spring_tide", "content", "response_end"],
    ]
    assert answer.text == "In Brest the sea is highest at 09:20."
    assert answer.fields("tool_call")[0]["tool_id"] == answer.fields("tool_return")[0]["tool_id"]


async def test_its_own_event_is_a_part_with_its_type_and_fields(audience: Audience, task: str) -> None:
    answer = await audience.ask(task, "Brest")
    (part,) = [part for part in answer.message.parts if part["kind"] == "custom"]
    assert part["type"] == "spring_tide"
    assert part["fields"] == {"place": "Brest", "metres": 2.5, "heights": {"03:10": 0.5, "09:20": 2.5, "21:45": 0.25}}


async def test_without_its_service_it_is_unavailable_with_the_projects_reason(
    audience: Audience, task: str, settings: Any
) -> None:
    settings.TIDE_TABLES_URL = ""
    assert (await audience.refused(task))["code"] == "handler_unavailable"
    listed = (await audience.http.ask("GET", "/handlers/")).json()["results"]
    assert "TIDE_TABLES_URL isn't set." in next(entry["reason"] for entry in listed if entry["name"] == task)


async def test_a_service_that_fails_ends_it_with_the_open_call_in_the_record(
    audience: Audience, task: str, tides: TideServer
) -> None:
    tides.broken.add("Brest")
    answer = await audience.ask(task, "Brest")
    assert answer.outcome == ("error", "unavailable")
    assert answer.types[-3:] == ["tool_call", "error", "response_end"]
    assert "10.0.0.7" not in answer.error


async def test_stopped_in_its_second_step_it_hangs_up(audience: Audience, task: str, tides: TideServer) -> None:
    tides.silent.add("Brest")
    answer = await audience.ask(task, "Brest", cancel_when=lambda: tides.asked)
    assert answer.outcome == ("cancelled", None)
    assert answer.types[-2:] == ["tool_call", "response_end"]
    assert tides.left == ["Brest"]
