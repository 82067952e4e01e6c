"""Registration by hand: what has its clients is there, what lacks one is named in the log."""

import logging
from typing import Any

import pytest

from handlers.base import BaseTaskHandler
from handlers.clients import clients
from handlers.registry import TaskHandlerRegistry
from tests.samples.audience import Audience
from tests.samples.conftest import TideServer
from tests.samples.hurrying import AllAtOnce
from tests.samples.observing import Measured
from tests.samples.registering import register_samples
from tests.samples.stepping import TidePilot
from tests.samples.surviving import EachInTurn, SecondBest
from tests.standins.bedrock import BedrockStandIn
from tests.standins.opensearch import OpenSearchStandIn


@pytest.fixture
def registry(settings: Any, db: None) -> TaskHandlerRegistry:
    settings.WORKBENCH_HANDLERS = []
    return TaskHandlerRegistry(clients)


def test_with_all_clients_all_are_registered(
    registry: TaskHandlerRegistry, bedrock: BedrockStandIn, opensearch: OpenSearchStandIn
) -> None:
    assert register_samples(registry, clients).names() == ["plain_question", "page_reader"]
    assert registry.build("page_reader") is not registry.build("page_reader")


def test_what_lacks_a_client_is_left_out_and_logged(
    registry: TaskHandlerRegistry, bedrock: BedrockStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert register_samples(registry, clients).names() == ["plain_question"]
    assert "PageReader isn't registered" in caplog.text


@pytest.mark.parametrize("sample", [AllAtOnce, EachInTurn, Measured, SecondBest, TidePilot])
async def test_injected_by_the_registry_what_lacks_its_client_is_refused_until_it_is_there(
    audience: Audience, tides: TideServer, register: Any, settings: Any, sample: type[BaseTaskHandler]
) -> None:
    name, url = register(sample), settings.TIDE_TABLES_URL
    settings.TIDE_TABLES_URL = ""
    assert (await audience.refused(name))["code"] == "handler_unavailable"
    settings.TIDE_TABLES_URL = url
    assert (await audience.ask(name, "Brest")).outcome == ("completed", None)
