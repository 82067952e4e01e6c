"""`manage.py serve`, run as people run it."""

import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.processes import PATIENCE, ROOT


def run_serve(environment, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", "serve", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def get(address):
    with urllib.request.urlopen(address, timeout=10) as response:
        return response.status, response.read()


def workers(environment):
    """(id, whether its lease was given back) of each process that ever ran answers on this site."""
    with sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///")) as database:
        return database.execute("SELECT id, ended_at IS NOT NULL FROM chats_worker").fetchall()


def test_it_serves_and_stops_on_sigterm_with_its_lease_given_back(serve, site):
    server = serve()
    assert get(f"{server.address}/healthz") == (200, b"ok\n")
    assert get(f"{server.address}/readyz")[0] == 200
    assert [ended for _, ended in workers(site)] == [0]
    server.signal(signal.SIGTERM)
    assert server.exit_code() == 0
    server.wait_for("Stopped.")
    assert [ended for _, ended in workers(site)] == [1]
    assert "Traceback" not in server.output


def test_ctrl_c_is_a_stop_like_any_other(serve):
    server = serve()
    server.signal(signal.SIGINT)
    assert server.exit_code() == 0
    assert "Traceback" not in server.output


def test_static_files_are_served_without_collecting_them_first(serve):
    server = serve()
    status, body = get(f"{server.address}/static/admin/css/base.css")
    assert status == 200
    assert b"{" in body


def test_an_unknown_socket_address_is_refused_without_a_trace(serve):
    server = serve()
    with pytest.raises(InvalidStatus) as refused:
        connect(f"{server.socket_address}/ws/nothing/")
    assert refused.value.response.status_code == 403
    server.signal(signal.SIGTERM)
    server.exit_code()
    assert "Traceback" not in server.output


def test_a_port_in_use_is_said_plainly(site):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run_serve(site, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "the port is in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert workers(site) == []


@pytest.mark.parametrize("arguments", [["--host", "no.such.host.invalid"], ["--port", "70000"]])
def test_an_address_that_cannot_be_is_said_plainly(site, arguments):
    done = run_serve(site, *arguments)
    assert done.returncode == 1
    assert "Can't listen at" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_not_up_to_date_is_refused(site, tmp_path):
    done = run_serve(site | {"DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}, "--port", "0")
    assert done.returncode == 1
    assert "Run: manage.py migrate" in done.stderr


def test_a_database_that_is_away_is_said_plainly(site):
    done = run_serve(site | {"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "--port", "0")
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
