"""One websocket's outbox: order, bounds, and the reader that doesn't read."""

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import pytest

from chats import connection as connection_module
from chats.admission import Admission
from chats.connection import Connection
from chats.credentials import SessionCredential
from chats.following import Follower
from chats.hub import Hub
from chats.protocol import Batch, ClosingCode, WireEvent

PATIENCE = 10.0


class Socket:
    """The transport: what was sent, and a buffer that may be full."""

    def __init__(self, flow=True):
        self.sent, self.closed = [], asyncio.get_running_loop().create_future()
        self.open = asyncio.Event()
        self.open.set()
        admission = Admission(SimpleNamespace(pk=uuid4()), SessionCredential("a-session"))
        self.connection = Connection(admission, send=self._send, send_close=self._close, flow=self if flow else None)

    async def _send(self, text):
        self.sent.append(text)

    async def _close(self, code):
        self.closed.set_result(code)

    async def closing_code(self):
        return await asyncio.wait_for(asyncio.shield(self.closed), PATIENCE)

    async def has_sent(self, count):
        async with asyncio.timeout(PATIENCE):
            while len(self.sent) < count:
                await asyncio.sleep(0.005)


@pytest.fixture
async def socket():
    socket = Socket()
    yield socket
    await socket.connection.release()


async def a_moment():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_frames_go_out_in_order(socket):
    for frame in "abc":
        socket.connection.frame(frame)
    await socket.has_sent(3)
    assert socket.sent == ["a", "b", "c"]


async def test_nothing_is_sent_while_the_transport_is_full(socket):
    socket.open.clear()
    socket.connection.frame("later")
    await a_moment()
    assert socket.sent == []
    socket.open.set()
    await socket.has_sent(1)


async def test_a_reader_that_takes_nothing_for_long_is_closed_as_too_slow(socket, monkeypatch):
    monkeypatch.setattr(connection_module, "PATIENCE", 0.05)
    socket.open.clear()
    socket.connection.frame("never read")
    assert await socket.closing_code() == ClosingCode.TOO_SLOW
    assert socket.sent == []


async def test_a_reader_for_whom_too_much_piles_up_is_closed_as_too_slow(socket):
    socket.open.clear()
    socket.connection.greet("hello")
    for _ in range(6):
        socket.connection.notice("x" * (1 << 20))
    socket.open.set()
    assert await socket.closing_code() == ClosingCode.TOO_SLOW
    assert sum(map(len, socket.sent)) < connection_module.MAX_CHARACTERS


async def test_a_reader_that_was_shut_out_while_it_paused_is_told_so_when_it_reads_on(socket):
    socket.open.clear()
    socket.connection.frame("never sent")
    await a_moment()
    socket.connection.close(ClosingCode.UNAUTHORIZED)
    socket.open.set()
    assert await socket.closing_code() == ClosingCode.UNAUTHORIZED
    assert socket.sent == []


async def test_a_plain_server_that_says_nothing_of_its_buffer_is_sent_everything():
    socket = Socket(flow=False)
    socket.connection.frame("a")
    await socket.has_sent(1)
    await socket.connection.release()


async def test_it_lags_when_more_waits_than_a_reader_should_miss(socket):
    socket.open.clear()
    assert not socket.connection.lagging
    socket.connection.frame("x" * (connection_module.LAG_CHARACTERS + 1))
    assert socket.connection.lagging
    socket.open.set()
    await socket.has_sent(1)
    assert not socket.connection.lagging


async def test_there_is_room_for_a_page_once_what_waits_has_gone(socket):
    socket.open.clear()
    for _ in range(3):
        socket.connection.frame("x" * connection_module.PAGE_CHARACTERS)
    room = asyncio.create_task(socket.connection.room())
    await a_moment()
    assert not room.done()
    socket.open.set()
    await asyncio.wait_for(room, PATIENCE)


async def test_a_close_drops_what_waits_and_the_first_code_stands(socket):
    socket.open.clear()
    socket.connection.frame("unsent")
    socket.connection.close(ClosingCode.UNAUTHORIZED)
    socket.connection.close(ClosingCode.RESTART)
    socket.open.set()
    socket.connection.frame("too late")
    assert await socket.closing_code() == ClosingCode.UNAUTHORIZED
    assert "too late" not in socket.sent
    assert socket.connection.closing


async def test_what_is_followed_anew_is_followed_once(socket):
    hub, response_id = Hub(), str(uuid4())
    hub.publish([Batch(response_id, -1, 3, [], 0)])
    for _ in range(2):
        socket.connection.follow(Follower(response_id, 3, socket.connection, hub, None))
    assert len(hub.port().listeners[response_id]) == 1
    batch = Batch(response_id, 3, 4, [WireEvent("content", 4, "{}")], 0)
    hub.publish([batch])
    await socket.has_sent(1)
    await a_moment()
    assert socket.sent == [batch.frame]


async def test_a_response_that_ended_isnt_followed_any_more(socket):
    hub, response_id = Hub(), str(uuid4())
    hub.publish([Batch(response_id, -1, 3, [], 0)])
    socket.connection.follow(Follower(response_id, 3, socket.connection, hub, None))
    hub.publish([Batch(response_id, 3, 4, [], 0, "completed")])
    await socket.has_sent(1)
    assert socket.connection.followers == {}


async def test_a_socket_that_has_gone_follows_nothing():
    socket, hub, response_id = Socket(), Hub(), str(uuid4())
    hub.publish([Batch(response_id, -1, 3, [], 0)])
    socket.connection.follow(Follower(response_id, 3, socket.connection, hub, None))
    await socket.connection.release()
    assert hub.port().listeners == {}


async def test_the_greeting_is_the_first_frame_whatever_came_before_it(socket):
    socket.connection.notice("a run began")
    socket.connection.greet("hello")
    await socket.has_sent(2)
    assert socket.sent == ["hello", "a run began"]
