"""A client that asks for much and reads nothing."""

import asyncio
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.faults.handlers import FLOOD_EVENTS, FLOOD_TEXT
from tests.faults.people import until
from tests.faults.recital import Order

MOST_MEMORY = 60 << 20  # bytes; what is said is over 200 MB


async def start_and_read_nothing(site, server):
    """A socket whose answer floods it: it takes one message, then leaves everything in the network's buffers."""
    token = site.people[0]["token"]
    socket = await connect(
        server.socket_address,
        additional_headers={"Authorization": f"Bearer {token}"},
        max_queue=1,
        max_size=None,
        compression=None,
        ping_interval=None,
    )
    await socket.recv()
    await socket.send(
        json.dumps({"type": "start", "request_id": "flood", "task": "flood", "parts": [{"content": "!"}]})
    )
    return socket


async def watch_memory(server, most):
    while True:
        most[0] = max(most[0], server.resident_bytes())
        await asyncio.sleep(0.1)


async def read_to_the_close(socket):
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        return socket.close_code


async def test_it_is_closed_while_others_stream_and_the_servers_memory_stays_bounded(site):
    server = await site.serve()
    async with site.person(1, server) as other:
        before = server.resident_bytes()
        most = [before]
        watching = asyncio.create_task(watch_memory(server, most))
        socket = await start_and_read_nothing(site, server)
        answer = await other.ask(Order(events=400, per_second=40), "reciter-cooperative")
        await asyncio.sleep(12)  # longer than the server lets a full transport be
        assert await asyncio.wait_for(read_to_the_close(socket), 30) == 4408
        await until(answer.ended.wait)
        await site.all_ended(40)
        watching.cancel()
        site.check(answer)
        assert other.closings == []
    assert most[0] - before < MOST_MEMORY
    ((flood,),) = site.database.rows("SELECT response_id FROM chats_run WHERE task = 'flood'")
    stored = site.database.response(flood)
    stored.check()
    said = [event.fields["message"] for event in stored.events if event.type == "status"]
    assert len(said) == FLOOD_EVENTS
    assert set(said) == {FLOOD_TEXT}
    assert stored.outcome == ("completed", None)
