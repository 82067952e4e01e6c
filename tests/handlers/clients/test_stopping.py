"""Ending a request from another thread, over TLS as Bedrock is reached."""

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from handlers.clients.bedrock_runtime import BedrockRuntimeClient
from handlers.clients.stopping import StoppableRequest, Stopped
from tests.standins.bedrock import BedrockStandIn

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"


class TlsInFront:
    """Passes bytes between TLS connections and a server without it. `closed` counts those that a client ended."""

    def __init__(self, port: int, certificate: Path, key: Path) -> None:
        self.closed = 0
        self._target = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target)
        back = asyncio.ensure_future(self._pass(to_reader, writer))
        await self._pass(reader, to_writer)
        self.closed += 1
        to_writer.close()
        back.cancel()
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            return

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def tls(bedrock: BedrockStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsInFront]:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names], check=True, capture_output=True)
    front = TlsInFront(bedrock.port, certificate, key)
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"https://127.0.0.1:{front.port}")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    yield front
    front.stop()


async def _eventually(happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not happened() and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    return happened()


@pytest.mark.parametrize("asked", ["words=10000 pause=0.005", "stall=1", "hang=60"])
async def test_a_stop_over_tls_is_seen_by_the_server_in_every_phase(
    tls: TlsInFront, bedrock: BedrockStandIn, client: BedrockRuntimeClient, asked: str
) -> None:
    call = client.converse({"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": asked}]}]})
    assert await _eventually(lambda: bool(bedrock.log) and (bedrock.log[0].said > 0 or "hang" in asked))
    call.stop()
    assert await _eventually(lambda: bedrock.log[0].closed_at is not None)
    assert await _eventually(call._work.done)
    assert len(bedrock.log) == 1


async def test_one_that_is_stopped_while_it_connects_sends_nothing(
    client: BedrockRuntimeClient, bedrock: BedrockStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that accepts, and never says a word of its TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"https://127.0.0.1:{silent.getsockname()[1]}")
        call = client.converse({"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Hello"}]}]})
        connection, _ = await asyncio.to_thread(silent.accept)
        call.stop()
        connection.close()
        assert await _eventually(call._work.done)
    assert bedrock.log == []


def test_a_stopped_request_uses_no_connection() -> None:
    request = StoppableRequest()
    request.stop()
    with pytest.raises(Stopped):
        request.uses(object())


def test_stopping_what_is_over_does_nothing_to_who_uses_its_connection_now() -> None:
    ours, theirs = socket.socketpair()
    connection = type("Connection", (), {"sock": ours})()
    request = StoppableRequest()
    request.uses(connection)
    request.done()
    request.stop()
    ours.send(b"still open")
    assert theirs.recv(100) == b"still open"
    ours.close()
    theirs.close()
