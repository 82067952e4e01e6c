"""The API through the real server: what only real sockets show."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.processes import ServerProcess
from tests.workbench.conftest import FRONT, ApiServer

PATIENCE = 20


class Caller:
    """One connection to the API with a token."""

    def __init__(self, server: ServerProcess, token: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=PATIENCE)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        content = body if body is None or hasattr(body, "__next__") else json.dumps(body)
        self.connection.request(method, f"/api/v1{path}", content, self.headers | headers)
        return self.connection.getresponse()

    def start(self, text: str) -> http.client.HTTPResponse:
        response = self.ask("POST", "/generate/stream", {"task": "demo", "content": text})
        assert response.status == 200
        return response


@pytest.fixture(scope="module")
def call(api_server: ApiServer) -> Any:
    """Makes callers of one server, all with the same user's token."""
    token = api_server.manage("create_token", "ada")
    return lambda: Caller(api_server.server, token)


def events_in(stream: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    for line in stream:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_headers_and_events_arrive_while_the_answer_is_being_made(call: Any) -> None:
    stream = call().start("slow 30")
    events = events_in(stream)
    assert next(events)["type"] == "response_start"
    path = f"/responses/{stream.headers['X-Response-Id']}/cancel/"
    assert call().ask("POST", path).status == 202
    assert list(events)[-1]["status"] == "cancelled"


def test_who_hangs_up_stops_no_run_and_can_come_back(call: Any) -> None:
    stream = call().start("streaming")
    response_id, first = stream.headers["X-Response-Id"], next(events_in(stream))
    stream.close()
    stream = call().ask(
        "GET", f"/responses/{response_id}/events/", Accept="text/event-stream", **{"Last-Event-ID": "0"}
    )
    events = [first, *events_in(stream)]
    assert [event["sequence"] for event in events] == list(range(len(events)))
    assert events[-1]["status"] == "completed"


def test_a_body_sent_in_chunks_is_read(call: Any) -> None:
    pieces = iter([b'{"title":', b' "In pieces"}'])
    response = call().ask("POST", "/chats/", pieces)
    assert (response.status, json.load(response)["title"]) == (201, "In pieces")


def test_a_body_sent_in_chunks_is_bounded(call: Any) -> None:
    pieces = iter([b"x" * 65_536] * 17)
    response = call().ask("POST", "/chats/", pieces)
    assert (response.status, json.load(response)["code"]) == (413, "too_large")


def test_a_client_that_sends_far_too_much_gets_its_answer_when_it_has_sent_it(call: Any) -> None:
    pieces = iter([b"x" * (1 << 20)] * 40)
    response = call().ask("POST", "/chats/", pieces)
    assert (response.status, json.load(response)["code"]) == (413, "too_large")


def test_a_client_that_doesnt_stop_sending_is_cut_off(call: Any) -> None:
    pieces = iter([b"x" * (1 << 20)] * 100)
    with pytest.raises(OSError):  # noqa: PT011 - reset, broken pipe or closed: as the machine has it
        call().ask("POST", "/chats/", pieces)


def test_a_client_that_waits_for_invoke_and_hangs_up_stops_no_run(call: Any) -> None:
    waiting = call()
    body = json.dumps({"task": "demo", "content": "slow 30", "request_id": "r"})
    waiting.connection.request("POST", "/api/v1/generate/invoke", body, waiting.headers)
    deadline = time.monotonic() + PATIENCE
    while not (running := json.load(call().ask("GET", "/chats/?limit=1"))["results"][0]["running"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    waiting.connection.close()
    [response_id] = running
    assert call().ask("POST", f"/responses/{response_id}/cancel/").status == 202


@pytest.mark.parametrize(("origin", "answer"), [(FRONT, FRONT), ("https://else.example", None)])
def test_another_front_end_may_call_if_it_is_named(call: Any, origin: str, answer: str | None) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
    }
    for response in (
        call().ask("OPTIONS", "/generate/stream", None, **asked),
        call().ask("GET", "/models/", None, Origin=origin),
    ):
        assert response.headers["Access-Control-Allow-Origin"] == answer
        assert response.headers["Access-Control-Allow-Credentials"] is None
