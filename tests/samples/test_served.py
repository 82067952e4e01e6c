"""Samples as strangers run them: named in the environment of a real `serve`, asked over its port."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.processes import ROOT, ServerProcess
from tests.samples.conftest import PAGES
from tests.standins.aws_auth import ACCESS_KEY, SECRET_KEY
from tests.standins.bedrock import BedrockStandIn
from tests.standins.opensearch import OpenSearchStandIn
from tests.workbench.conftest import bare_environment

MODEL = "global.anthropic.claude-sonnet-5"
SAMPLES = ["asking.PlainQuestion", "asking.ImpatientQuestion", "retrieving.PageReader", "hurrying.LongWinded"]
PATIENCE = 30


class Site:
    """A server process with the samples, and one user's token."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.manage("migrate", "--verbosity=0")
        self.manage("createsuperuser", "--noinput", "--username=ada", "--email=ada@example.org")
        self.token = self.manage("create_token", "ada").split()[-1]
        self.server = ServerProcess("manage.py", "serve", "--port", "0", environment=environment)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def request(self, path: str, body: Any = None) -> urllib.request.Request:
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return urllib.request.Request(f"{self.server.address}/api/v1{path}", sent, headers)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.request(path), timeout=PATIENCE) as response:
            return json.load(response)

    def stream(self, **body: Any) -> list[dict[str, Any]]:
        """The events of a generate/stream, read line by line."""
        with urllib.request.urlopen(self.request("/generate/stream", body), timeout=PATIENCE) as response:
            assert response.status == 200
            return [json.loads(line[6:]) for line in response if line.startswith(b"data: ")]

    def socket(self) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self.token}"}
        return connect(f"{self.server.socket_address}/ws/chat/", additional_headers=headers, max_size=None)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    bedrock, opensearch = BedrockStandIn(), OpenSearchStandIn()
    bedrock.start()
    opensearch.start()
    variables = {
        "DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('samples')}/site.sqlite3",
        "SECRET_KEY": "for-this-test-only-" * 4,
        "DJANGO_SUPERUSER_PASSWORD": "a",
        "WORKBENCH_EXTRA_HANDLERS": ",".join(f"tests.samples.{sample}" for sample in SAMPLES),
        "AWS_REGION": bedrock.region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
        "OPENSEARCH_URL": opensearch.url,
    }
    opensearch.fill(PAGES)
    site = Site(bare_environment(**variables))
    yield site
    site.server.kill()
    opensearch.stop()
    bedrock.stop()


def test_an_answer_streams_over_http_and_ends_once_and_last(site: Site) -> None:
    events = site.stream(
        chat_id="test-chat",
        task="plain_question",
        model_id=MODEL,
        message={"parts": [{"content": "say=High_at_nine."}]},
    )
    assert [event["type"] for event in events] == ["response_start", "status", "content", "response_end"]
    assert [event["sequence"] for event in events] == [0, None, 1, 2]
    assert events[-1]["status"] == "completed"
    listed = site.get(f"/responses/{events[0]['response_id']}/events/")["results"]
    assert [event["type"] for event in listed] == ["response_start", "content", "response_end"]


def test_pages_are_found_by_words_and_meaning(site: Site) -> None:
    events = site.stream(task="page_reader", model_id=MODEL, content="moon sea say=The_moon.")
    assert [event["content"] for event in events if event["type"] == "content"] == ["The moon."]
    assert next(event["title"] for event in events if event["type"] == "document") == "The moon"


def test_a_blocked_sample_is_stopped_over_the_socket_and_replayed_alike(site: Site) -> None:
    with site.socket() as socket:
        start = {"task": "impatient_question", "model_id": MODEL, "parts": [{"content": "hang=5"}]}
        socket.send(json.dumps({"type": "start", "request_id": "blocked", **start}))
        response_id = _until(socket, "started")["response_id"]
        live = _until(socket, "events")["events"]
        socket.send(json.dumps({"type": "cancel", "response_id": response_id}))
        while live[-1]["type"] != "response_end":
            live += _until(socket, "events")["events"]
    stored = [event for event in live if event["sequence"] is not None]
    assert [event["sequence"] for event in stored] == list(range(len(stored)))
    assert stored[-1]["status"] == "cancelled"
    with site.socket() as socket:
        socket.send(json.dumps({"type": "subscribe", "response_id": response_id, "after": -1}))
        assert _until(socket, "events")["events"] == stored


def test_with_both_services_all_samples_are_available(site: Site) -> None:
    available = {entry["name"]: entry["available"] for entry in site.get("/handlers/")["results"]}
    assert all(available[name] for name in ["plain_question", "impatient_question", "page_reader", "long_winded"])


def _until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while (frame := json.loads(socket.recv(PATIENCE)))["type"] != kind:
        assert frame["type"] != "error", frame
    return frame  # type: ignore[no-any-return]
