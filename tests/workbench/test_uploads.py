"""Files through the real server: what only real sockets and a real event loop show."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from chats.api.formsize import FORM_BYTES
from tests.workbench.conftest import ApiServer
from workbench.bodies import API_BODY_LIMIT, BODY_LIMIT, bounded, kept_bytes

FILES = "/api/v1/files/"
MEBI = 1 << 20
BEFORE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
AFTER = b"\r\n--x--\r\n"


@pytest.fixture(scope="module")
def ask(api_server: ApiServer) -> Any:
    """Asks with a token; a body that is an iterator goes in chunks."""
    token = api_server.manage("create_token", "ada")
    address = urlsplit(api_server.server.address).netloc

    def asking(method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "multipart/form-data; boundary=x"}
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        found = response.status, response.read()
        connection.close()
        return found

    return asking


def test_a_file_comes_back_byte_for_byte(ask: Any) -> None:
    content = b"line of text\n" * 200_000
    status, answer = ask("POST", FILES, BEFORE + content + AFTER)
    assert status == 201, answer
    file_id = answer.decode().split('"file_id":"')[1].split('"')[0]
    assert ask("GET", f"{FILES}{file_id}/") == (200, content)
    assert ask("DELETE", f"{FILES}{file_id}/")[0] == 204
    assert ask("GET", f"{FILES}{file_id}/")[0] == 404


def test_an_address_in_another_spelling_takes_the_whole_file(ask: Any) -> None:
    content = b"line of text\n" * 200_000
    status, answer = ask("POST", "/api/v1/%66iles/", BEFORE + content + AFTER)
    assert (status, f'"size":{len(content)},'.encode() in answer) == (201, True)


def test_a_file_that_is_too_large_gets_its_answer(ask: Any) -> None:
    status, answer = ask("POST", FILES, BEFORE + bytes(21 * MEBI) + AFTER)
    assert (status, b'"too_large"' in answer) == (413, True)


def test_a_body_that_doesnt_say_how_long_it_is_is_refused(ask: Any) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (BEFORE, b"words", AFTER)

    status, answer = ask("POST", FILES, chunks())
    assert (status, b"Content-Length" in answer) == (400, True)


@pytest.mark.parametrize(
    ("path", "announced", "kept"),
    [
        (FILES, 1000, 1000),
        (FILES, 20 * MEBI + FORM_BYTES, 20 * MEBI + FORM_BYTES),
        (FILES, 20 * MEBI + FORM_BYTES + 1, 0),
        (FILES, None, 0),
        ("/api/v1/chats/", 5 * MEBI, API_BODY_LIMIT),
        ("/login/", None, BODY_LIMIT),
    ],
)
def test_of_a_body_no_more_is_kept_than_it_takes_to_answer(path: str, announced: int | None, kept: int) -> None:
    assert kept_bytes(path, announced) == kept


async def test_under_other_servers_the_rest_of_a_body_is_read_and_forgotten() -> None:
    sent = iter([(b"ab", True), (b"c" * API_BODY_LIMIT, True), (b"d", False)])
    received = []

    async def receive() -> dict[str, Any]:
        body, more = next(sent)
        return {"type": "http.request", "body": body, "more_body": more}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            received.append(message["body"])
            more = message["more_body"]

    async def send(message: Any) -> None:
        """Nothing is answered."""

    await bounded(application)({"path": "/api/v1/chats/", "headers": []}, receive, send)
    assert [len(body) for body in received] == [2, API_BODY_LIMIT - 2, 0]
