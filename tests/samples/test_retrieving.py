"""Retrieval through the socket: both services there, one away, failing midway, and stopped."""

from collections import deque
from typing import Any

import pytest

from tests.samples.audience import Audience
from tests.samples.retrieving import NOTHING_FOUND, PageReader
from tests.standins.bedrock import BedrockStandIn
from tests.standins.opensearch import OpenSearchStandIn

MODEL = "global.anthropic.claude-sonnet-5"
ASKED = "moon sea"


@pytest.fixture
def task(register: Any) -> str:
    name: str = register(PageReader)
    return name


async def test_pages_are_found_named_told_to_the_model_and_cited(
    audience: Audience, opensearch: OpenSearchStandIn, bedrock: BedrockStandIn, task: str
) -> None:
    answer = await audience.ask(task, f"{ASKED} say=The_moon.", model_id=MODEL)
    assert answer.text == "The moon."
    assert answer.outcome == ("completed", None)
    documents = answer.fields("document")
    assert documents[0]["document_id"] == "moon"
    assert [each["reference_number"] for each in answer.fields("citation")] == [1, 2, 3][: len(documents)]
    assert {"multi_match", "knn"} == {kind for search in opensearch.searches for kind in search.body["query"]}
    assert "pulls the sea" in str(bedrock.log[-1].body)


async def test_without_bedrock_it_searches_by_words_and_shows_what_it_found(
    audience: Audience, opensearch: OpenSearchStandIn, task: str
) -> None:
    answer = await audience.ask(task, ASKED)
    assert answer.text == "I found these pages: The moon, Salt"
    assert answer.outcome == ("completed", None)
    assert [kind for search in opensearch.searches for kind in search.body["query"]] == ["multi_match"]


async def test_without_opensearch_it_is_unavailable(audience: Audience, bedrock: BedrockStandIn, task: str) -> None:
    assert (await audience.refused(task))["code"] == "handler_unavailable"


async def test_what_the_pages_lack_is_said_without_asking_the_model(
    audience: Audience, opensearch: OpenSearchStandIn, task: str
) -> None:
    assert (await audience.ask(task, "whales")).text == NOTHING_FOUND


async def test_a_failing_search_is_an_error_without_its_text(
    audience: Audience, opensearch: OpenSearchStandIn, task: str
) -> None:
    opensearch.behaviour.faults = deque([500])
    answer = await audience.ask(task, ASKED)
    assert answer.outcome == ("error", "handler_error")
    assert "rejected" not in answer.error
    assert "rejected execution" in answer.log[-2].details
    assert (await audience.ask(task, ASKED)).outcome == ("completed", None)


async def test_when_the_model_fails_after_the_search_its_documents_stay(
    audience: Audience, opensearch: OpenSearchStandIn, bedrock: BedrockStandIn, task: str
) -> None:
    answer = await audience.ask(task, f"{ASKED} refuse=denied", model_id=MODEL)
    assert answer.outcome == ("error", "handler_error")
    assert {part["kind"] for part in answer.message.parts} == {"document"}
    assert "access" not in answer.error


async def test_stopped_while_it_searches_it_leaves_the_server(
    audience: Audience, opensearch: OpenSearchStandIn, task: str
) -> None:
    opensearch.behaviour.held = True
    stopped = await audience.ask(task, ASKED, cancel_when=lambda: opensearch.searches)
    opensearch.behaviour.held = False
    assert stopped.outcome == ("cancelled", None)
    assert opensearch.searches[0].closed
    assert (await audience.ask(task, ASKED)).outcome == ("completed", None)
