"""The server alone, with a small application: what it adds to daphne, seen by real clients."""

import asyncio
import http.client
import signal
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_sync

from tests.processes import ServerProcess

MEBI = 1 << 20


@pytest.fixture(scope="module")
def server():
    process = ServerProcess("-m", "tests.workbench.server_app", "0")
    yield process
    process.kill()


@pytest.fixture
def own_server():
    """A server for one test alone, which stops it. Runs have half a second to finish."""
    processes = []

    def start(*words: str, grace: float = 0.5) -> ServerProcess:
        processes.append(ServerProcess("-m", "tests.workbench.server_app", str(grace), *words))
        return processes[0]

    yield start
    for process in processes:
        process.kill()


@pytest.mark.parametrize("code", [1000, 1011, 1012, 1013, 4401, 4408])
def test_every_close_code_reaches_the_client(server, code):
    with connect_sync(f"{server.socket_address}/close?{code}") as client, pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=10)
    assert closed.value.rcvd.code == code


def test_the_application_sees_a_message_of_up_to_four_mebibytes(server):
    with connect_sync(f"{server.socket_address}/measure") as client:
        client.send("x" * (4 * MEBI))
        assert client.recv(timeout=10) == str(4 * MEBI)


def test_a_message_over_four_mebibytes_closes_with_1009_and_others_go_on(server):
    with connect_sync(f"{server.socket_address}/measure") as other:
        with connect_sync(f"{server.socket_address}/measure") as client, pytest.raises(ConnectionClosed) as closed:
            client.send("x" * (4 * MEBI + 1))
            client.recv(timeout=10)
        assert closed.value.rcvd.code == 1009
        other.send("x")
        assert other.recv(timeout=10) == "1"


def test_a_client_that_sends_faster_than_the_application_takes_is_held_back_and_loses_nothing(server):
    with connect_sync(f"{server.socket_address}/slow") as client:
        for _ in range(64):
            client.send("x" * MEBI)
        waiting = int(client.recv(timeout=30))
    assert 0 < waiting < 16


def test_compression_is_not_agreed_to(server):
    with connect_sync(f"{server.socket_address}/measure", compression="deflate") as client:
        assert client.response.headers.get("Sec-WebSocket-Extensions") is None


def test_a_client_that_does_not_read_is_seen_and_still_gets_its_close_code(server):
    with connect_sync(f"{server.socket_address}/flood", max_queue=1, max_size=MEBI) as client:
        sent = int(server.wait_for("paused after").split()[2])
        received = []
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                received.append(client.recv(timeout=10))
    assert closed.value.rcvd.code == 4408
    assert received[-1] == "last"
    assert sum(map(len, received[:-1])) == sent
    assert sent < 40 * MEBI  # bounded by the kernel's buffers, not by the machine's memory


async def test_a_client_that_reads_slowly_gets_everything(server):
    total = 0
    async with connect(f"{server.socket_address}/paced", max_queue=1) as client:
        async for message in client:
            total += len(message)
            await asyncio.sleep(0.005)
    assert total == 40 * 250_000


def test_abort_drops_the_connection(server):
    with connect_sync(f"{server.socket_address}/abort") as client, pytest.raises(ConnectionClosed) as closed:
        client.send("now")
        client.recv(timeout=10)
    assert closed.value.rcvd is None


def test_a_streamed_response_sees_its_client_fall_behind(server):
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET /download HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        sent = int(server.wait_for("paused after").split()[2])
        client.settimeout(10)
        body = b"".join(iter(lambda: client.recv(MEBI), b""))
    assert body.count(b"x") >= sent
    assert body.endswith(b"last\r\n0\r\n\r\n")


def test_requests_follow_one_another_on_one_connection(server):
    client = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=10)
    for _ in range(3):
        client.request("GET", "/hello")
        assert client.getresponse().read() == b"hello"


def test_an_application_that_fails_ends_its_response_and_its_socket(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.address}/fail", timeout=30)
    assert refused.value.code == 500
    with connect_sync(f"{server.socket_address}/fail") as client, pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=30)
    assert closed.value.rcvd.code == 1011
    assert "it was bound to fail" in server.wait_for("RuntimeError: it")


def test_all_of_many_connections_are_looked_at_though_a_few_a_turn(server):
    with ExitStack() as clients:
        held = [clients.enter_context(connect_sync(f"{server.socket_address}/measure")) for _ in range(120)]
        failing = clients.enter_context(connect_sync(f"{server.socket_address}/fail"))
        with pytest.raises(ConnectionClosed):
            failing.recv(timeout=30)
        held[-1].send("x")
        assert held[-1].recv(timeout=30) == "1"


def test_sigterm_drains_runs_then_closes_sockets_for_a_restart(own_server):
    server = own_server()
    with connect_sync(f"{server.socket_address}/measure") as client:
        server.signal(signal.SIGTERM)
        server.wait_for("draining 0.5")
        client.send("still here")
        assert client.recv(timeout=10) == "10"
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
    assert closed.value.rcvd.code == 1012
    assert server.exit_code() == 0
    server.wait_for("engine stopped")


def test_sigterm_lets_a_streamed_response_end(own_server):
    server = own_server()
    client = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=10)
    client.request("GET", "/stream")
    response = client.getresponse()
    assert response.read1(6) == b"begun "
    server.signal(signal.SIGTERM)
    assert response.read() == b"ended"
    assert server.exit_code() == 0


def test_a_stopping_server_takes_no_new_connection(own_server):
    server = own_server(grace=5)
    server.signal(signal.SIGTERM)
    server.wait_for("draining")
    with pytest.raises(ConnectionRefusedError):
        connect_sync(f"{server.socket_address}/measure").close()


def test_a_second_signal_hurries_the_stop(own_server):
    server = own_server(grace=3600)
    server.signal(signal.SIGINT)
    server.wait_for("draining 3600")
    server.signal(signal.SIGINT)
    server.wait_for("engine stopped")
    assert server.exit_code() == 0


def test_a_client_that_never_answers_the_close_does_not_hold_the_stop(own_server):
    server = own_server(grace=0)
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as silent:
        silent.sendall(
            b"GET /measure HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert silent.recv(12) == b"HTTP/1.1 101"
        server.signal(signal.SIGTERM)
        assert server.exit_code() == 0


def test_a_drain_that_fails_is_logged_and_the_server_stops_all_the_same(own_server):
    server = own_server("broken")
    with connect_sync(f"{server.socket_address}/measure") as client:
        server.signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
    assert closed.value.rcvd.code == 1012
    server.wait_for("OSError: the disk is gone")
    server.wait_for("engine stopped")
    assert server.exit_code() == 1
