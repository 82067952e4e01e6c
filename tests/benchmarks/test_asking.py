"""The client of the scenarios with models, against a server that says what the product says."""

import asyncio
import json
import os
from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.benchmarks.asking import askers, log_of, wait_for_log
from tests.benchmarks.frames import BrokenPromiseError
from tests.benchmarks.servers import Server
from tests.standins.openai import LoggedRequest, OpenAIStandIn
from tests.standins.server import ServerThread

END = {"type": "response_end", "sequence": 3, "status": "completed"}


async def answer(request: web.Request) -> web.WebSocketResponse:
    """Two words and an end to each start, or a refusal; an end to each cancel."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    await socket.send_json({"type": "hello"})
    async for message in socket:
        frame = json.loads(message.data)
        if frame["type"] == "cancel":
            await socket.send_json({"type": "events", "events": [{**END, "status": "cancelled"}]})
        elif frame["parts"][0]["content"] == "refuse":
            await socket.send_json({"type": "error", "code": "rate_limited"})
        else:
            await socket.send_json({"type": "chat"})
            await socket.send_json({"type": "started", "request_id": frame["request_id"], "response_id": "r"})
            words = [{"type": "content", "sequence": number, "content": "a "} for number in (1, 2)]
            await socket.send_json({"type": "events", "events": words})
            if frame["parts"][0]["content"] != "hang":
                await socket.send_json({"type": "events", "events": [END]})
    return socket


@pytest.fixture
def server() -> Iterator[Server]:
    application = web.Application()
    application.router.add_get("/ws/chat/", answer)
    running = ServerThread(application, name="product")
    running.start()
    yield Server("product", running.port, os.getpid())
    running.stop()


async def test_an_answer_is_read_to_its_end(server: Server) -> None:
    async with askers(server, ["a", "b"]) as asking:
        ends = await asyncio.gather(*(asker.ask("Hi") for asker in asking))
        assert [end["status"] for end in ends] == ["completed"] * 2
        assert [asker.words for asker in asking] == [2, 2]


async def test_a_cancel_is_sent_when_words_have_come(server: Server) -> None:
    async with askers(server, ["a"]) as (asker,):
        await asker.start("hang")
        await asker.begun()
        assert await asker.cancel() > 0
        assert (await asker.end())["status"] == "cancelled"


async def test_a_refusal_breaks_the_promise(server: Server) -> None:
    async with askers(server, ["a"]) as (asker,):
        with pytest.raises(BrokenPromiseError, match="rate_limited"):
            await asker.ask("refuse")


async def test_the_stand_ins_log_is_waited_for() -> None:
    standin = OpenAIStandIn()
    standin.start()
    try:
        server = Server("openai", standin.port, os.getpid())
        assert await asyncio.to_thread(log_of, server) == []
        standin.log.append(LoggedRequest(body={}, headers={}, began_at=0.0, said=7))
        assert (await wait_for_log(server, 0, lambda request: request["said"] == 7))["body"] == {}
    finally:
        standin.stop()
