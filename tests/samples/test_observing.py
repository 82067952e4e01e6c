"""Log lines that say who, metrics that count once, options from all three places."""

import logging
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from prometheus_client import REGISTRY

from chats.logcontext import RunContextFilter
from handlers.models import HandlerConfig
from tests.chats.api.streams import until
from tests.samples.audience import Audience
from tests.samples.conftest import TideServer
from tests.samples.observing import Measured


@pytest.fixture
def task(register: Any, tides: TideServer) -> str:
    name: str = register(Measured)
    return name


def _counted(metric: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(metric, {"handler": "measured", **labels}) or 0.0


async def _after(condition: Any) -> None:
    """What is counted of a run is counted after its end was seen."""
    await until(condition)


async def test_a_run_that_counts_itself_is_counted_once(audience: Audience, task: str) -> None:
    before, timed = _counted("handler_success_total"), _counted("handler_duration_count")
    await audience.ask(task, "Brest")
    await audience.ask(task, "Cork")
    await _after(lambda: _counted("handler_success_total") >= before + 2)
    assert _counted("handler_success_total") == before + 2
    assert _counted("handler_duration_count") == timed + 2


async def test_an_error_that_it_counts_and_lets_pass_is_counted_once(
    audience: Audience, task: str, tides: TideServer
) -> None:
    before = _counted("handler_error_total", error_type="ClientUnavailable")
    tides.broken.add("Brest")
    assert (await audience.ask(task, "Brest")).outcome == ("error", "unavailable")
    assert _counted("handler_error_total", error_type="ClientUnavailable") == before + 1
    assert _counted("handler_error_total", error_type="unavailable") == 0


async def test_its_log_lines_say_whose_run_they_are_of(
    audience: Audience, task: str, person: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(RunContextFilter())
    with caplog.at_level(logging.INFO, logger="tests.samples.observing"):
        answer = await audience.ask(task, "Brest")
    (line,) = [record for record in caplog.records if record.name == "tests.samples.observing"]
    assert line.getMessage() == f"Asked by {person.pk}"
    assert (line.response_id, line.task) == (str(answer.run.pk), "measured")  # type: ignore[attr-defined]
    assert line.correlation_id == answer.run.correlation_id  # type: ignore[attr-defined]


async def test_options_come_from_class_environment_admin_and_user(audience: Audience, task: str, settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {task: {"unit": "metres", "most_places": "5"}}
    await sync_to_async(HandlerConfig.objects.create)(name=task, options={"most_places": 1})
    answer = await audience.ask(task, "Brest Cork", options={"digits": 3})
    assert answer.text == "Brest: 2.500 metres\n"


async def test_options_that_do_not_fit_make_it_unavailable(audience: Audience, task: str, settings: Any) -> None:
    settings.WORKBENCH_HANDLER_OPTIONS = {task: {"most_places": "none"}}
    assert (await audience.refused(task))["code"] == "handler_unavailable"


async def test_stopped_it_is_timed_and_no_success(audience: Audience, task: str, tides: TideServer) -> None:
    before, timed = _counted("handler_success_total"), _counted("handler_duration_count")
    tides.silent.add("Brest")
    answer = await audience.ask(task, "Brest", cancel_when=lambda: tides.asked)
    assert answer.outcome == ("cancelled", None)
    await _after(lambda: _counted("handler_duration_count") == timed + 1)
    assert _counted("handler_success_total") == before
