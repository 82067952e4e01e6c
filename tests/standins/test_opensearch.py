"""The stand-in for OpenSearch, through the unmodified SDK: it finds, and refuses what the real one refuses."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import NotFoundError, OpenSearch, RequestError, TransportError

from tests.standins.opensearch import OpenSearchStandIn

DOCUMENTS = {
    "a": {"title": "Moon", "text": "the moon pulls the sea", "vector": [1.0, 0.0]},
    "b": {"title": "Salt", "text": "salt from the sea", "vector": [0.0, 1.0]},
}


@pytest.fixture
def server() -> Iterator[OpenSearchStandIn]:
    running = OpenSearchStandIn()
    running.start()
    running.fill(DOCUMENTS)
    yield running
    running.stop()


@pytest.fixture
def client(server: OpenSearchStandIn) -> Iterator[OpenSearch]:
    with OpenSearch(server.url) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"match": {"text": "moon"}}, ["a"]),
        ({"match": {"text": {"query": "salt"}}}, ["b"]),
        ({"multi_match": {"query": "Salt", "fields": ["title^2", "text"]}}, ["b"]),
        ({"bool": {"should": [{"match": {"title": "Moon"}}, {"match": {"text": "moon"}}]}}, ["a"]),
        ({"knn": {"vector": {"vector": [0.1, 1.0], "k": 2}}}, ["b", "a"]),
        ({"match": {"text": "whale"}}, []),
    ],
)
def test_what_fits_is_found_the_best_first(client: OpenSearch, query: dict[str, Any], found: list[str]) -> None:
    hits = client.search(index="pages", body={"query": query})["hits"]
    assert [hit["_id"] for hit in hits["hits"]] == found
    assert hits["total"]["value"] == len(found)


def test_an_unknown_index_is_not_found(client: OpenSearch) -> None:
    with pytest.raises(NotFoundError, match="index_not_found_exception"):
        client.search(index="nothing", body={"query": {"match_all": {}}})


@pytest.mark.parametrize("query", [{"fuzzy": {"text": "moon"}}, {}, {"knn": {"vector": {"vector": [1.0], "k": 1}}}])
def test_what_it_does_not_know_is_refused(client: OpenSearch, query: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        client.search(index="pages", body={"query": query})


def test_it_fails_when_told_to_and_then_no_more(server: OpenSearchStandIn, client: OpenSearch) -> None:
    server.behaviour.faults = deque([500])
    with pytest.raises(TransportError, match="rejected execution"):
        client.search(index="pages", body={})
    assert client.search(index="pages", body={})["hits"]["total"]["value"] == 2
