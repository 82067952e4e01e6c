"""What a stop of a real server means for answers in progress, seen by a client of one."""

import http.client
import json
import signal
import subprocess
import sys

import pytest

from tests.processes import ROOT

HANDLERS = ",".join(f"tests.workbench.stop_handlers.{name}" for name in ("Brief", "Endless", "Blocked"))


@pytest.fixture
def token(site) -> str:
    """An access token of the demo user of this test's site."""
    for command in (["create_demo_users"], ["create_token", "demo"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=site | {"DEBUG": "on"},
            capture_output=True,
            text=True,
            check=True,
        )
    return done.stdout.strip()


def ask(server, token, task):
    """The event stream of an answer, read up to its first word."""
    client = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    client.request("POST", "/api/v1/generate/stream", json.dumps({"task": task, "content": "Go"}), headers)
    stream = client.getresponse()
    assert stream.status == 200, stream.read()
    while b"begun" not in stream.readline():
        pass
    return stream


def last_event(stream):
    lines = stream.read().decode().splitlines()
    return json.loads(next(line for line in reversed(lines) if line.startswith("data:")).removeprefix("data:"))


def test_a_short_answer_is_let_finish(serve, token):
    server = serve(WORKBENCH_EXTRA_HANDLERS=HANDLERS)
    stream = ask(server, token, "brief")
    server.signal(signal.SIGTERM)
    assert last_event(stream)["status"] == "completed"
    assert server.exit_code() == 0


@pytest.mark.parametrize("task", ["endless", "blocked"])
def test_an_answer_that_does_not_finish_ends_as_shutdown(serve, token, task):
    server = serve(WORKBENCH_EXTRA_HANDLERS=HANDLERS, WORKBENCH_SHUTDOWN_GRACE="0.5")
    stream = ask(server, token, task)
    server.signal(signal.SIGTERM)
    end = last_event(stream)
    assert (end["type"], end["status"], end["error_type"]) == ("response_end", "error", "shutdown")
    assert server.exit_code() == 0


def test_a_second_signal_ends_answers_at_once(serve, token):
    server = serve(WORKBENCH_EXTRA_HANDLERS=HANDLERS, WORKBENCH_SHUTDOWN_GRACE="3600")
    stream = ask(server, token, "endless")
    server.signal(signal.SIGTERM)
    server.wait_for("Stopping")
    server.signal(signal.SIGTERM)
    assert last_event(stream)["error_type"] == "shutdown"
    assert server.exit_code() == 0
