"""The few pages of an OpenSearch server that searching takes, at wire level, for the unmodified opensearch-py.

Documents go in by `_bulk`; `match`, `multi_match`, `match_all`, `knn` and `bool` of those are found. What a real server
refuses with 400 or 404 (an unknown index, query or field) is refused. `behaviour` has them fail or wait.
"""

import asyncio
import json
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk

from tests.standins.server import ServerThread


class Refused(Exception):
    """Answered as OpenSearch answers: a type, a reason, and the status."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.body = {"error": {"type": kind, "reason": reason, "root_cause": [{"type": kind, "reason": reason}]}}
        self.body["status"] = status


@dataclass
class Search:
    """A search as it came. `closed`: the client went away before it had its answer."""

    index: str
    body: dict[str, Any]
    closed: bool = False


@dataclass
class Behaviour:
    """`faults`: statuses of the next answers, None for a good one. `held`: searches wait until it is False again."""

    faults: deque[int | None] = field(default_factory=deque)
    held: bool = False


class OpenSearchStandIn(ServerThread):
    """A server in a thread of its own. `searches` are those that came, in their order."""

    def __init__(self, *, port: int = 0) -> None:
        self.behaviour = Behaviour()
        self.searches: list[Search] = []
        self._indices: dict[str, dict[str, dict[str, Any]]] = {}
        super().__init__(self._application(), name="opensearch-stand-in", port=port)

    def fill(self, documents: dict[str, dict[str, Any]], index: str = "pages") -> None:
        """Put documents in by their ids, as the SDK does."""
        with OpenSearch(self.url) as client:
            bulk(client, ({"_index": index, "_id": identity, "_source": each} for identity, each in documents.items()))

    def _application(self) -> web.Application:
        application = web.Application()
        application.router.add_get("/", self._greet)
        application.router.add_post("/_bulk", self._bulk)
        application.router.add_post("/{index}/_bulk", self._bulk)
        application.router.add_route("*", "/{index}/_search", self._search)
        return application

    async def _greet(self, _: web.Request) -> web.Response:
        return web.json_response({"version": {"distribution": "opensearch", "number": "3.0.0"}})

    async def _bulk(self, request: web.Request) -> web.Response:
        lines = [json.loads(line) for line in (await request.text()).splitlines() if line]
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            ((verb, target),) = action.items()
            if verb != "index":
                return web.json_response({"error": f"{verb} isn't known here", "status": 400}, status=400)
            index = target.get("_index") or request.match_info["index"]
            self._indices.setdefault(index, {})[target["_id"]] = document
        return web.json_response({"errors": False, "items": [{"index": {"status": 201}} for _ in lines[::2]]})

    async def _search(self, request: web.Request) -> web.Response:
        search = Search(request.match_info["index"], json.loads(await request.text() or "{}"))
        self.searches.append(search)
        try:
            await self._wait_while_held()
            status = self.behaviour.faults.popleft() if self.behaviour.faults else None
            if status is not None:
                raise Refused(status, "es_rejected_execution_exception", "rejected execution, the queue is full")
            return web.json_response(self._found(search))
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)
        except BaseException:
            search.closed = True
            raise

    async def _wait_while_held(self) -> None:
        while self.behaviour.held:
            await asyncio.sleep(0.005)

    def _found(self, search: Search) -> dict[str, Any]:
        if search.index not in self._indices:
            raise Refused(404, "index_not_found_exception", f"no such index [{search.index}]")
        scored = [
            (score_of(search.body.get("query", {"match_all": {}}), document), identity, document)
            for identity, document in self._indices[search.index].items()
        ]
        hits = sorted((hit for hit in scored if hit[0] > 0), key=lambda hit: -hit[0])
        shown = [
            {"_index": search.index, "_id": identity, "_score": score, "_source": document}
            for score, identity, document in hits[: search.body.get("size", 10)]
        ]
        return {"took": 1, "timed_out": False, "hits": {"total": {"value": len(hits), "relation": "eq"}, "hits": shown}}


def score_of(query: dict[str, Any], document: dict[str, Any]) -> float:
    """How well a document fits; 0 when it doesn't. Raises Refused for a query that isn't known."""
    if len(query) != 1:
        raise Refused(400, "parsing_exception", "[query] malformed query, expected one clause")
    ((kind, clause),) = query.items()
    match kind:
        case "match_all":
            return 1.0
        case "match":
            ((name, wanted),) = clause.items()
            return _shared(wanted["query"] if isinstance(wanted, dict) else wanted, document.get(name, ""))
        case "multi_match":
            return max(_shared(clause["query"], document.get(name.partition("^")[0], "")) for name in clause["fields"])
        case "knn":
            ((name, wanted),) = clause.items()
            return _nearness(wanted["vector"], document.get(name))
        case "bool":
            return sum(score_of(inner, document) for inner in clause.get("should", []) + clause.get("must", []))
    raise Refused(400, "parsing_exception", f"unknown query [{kind}]")


def _shared(wanted: str, text: str) -> float:
    words = text.lower().split()
    return sum(words.count(word) for word in wanted.lower().split()) / (1 + len(words) ** 0.5)


def _nearness(wanted: list[float], vector: list[float] | None) -> float:
    if vector is None:
        return 0.0
    if len(wanted) != len(vector):
        raise Refused(
            400, "illegal_argument_exception", f"Query vector has {len(wanted)} dimensions, not {len(vector)}"
        )
    length = math.sqrt(sum(value * value for value in wanted) * sum(value * value for value in vector)) or 1.0
    return (1 + sum(one * other for one, other in zip(wanted, vector, strict=True)) / length) / 2
