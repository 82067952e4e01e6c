"""The wire to PostgreSQL: cuts at COMMIT, and only there."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.faults.wire import COMMIT, Wire

INSERT = b'Q\x00\x00\x00\x20INSERT INTO "chats_event" ...\x00'
LONG = 200_000  # bytes: several pieces on the way
FENCED = b"Q" + (LONG - 1).to_bytes(4) + b"WITH lease AS ".ljust(LONG - 6) + b"\x00"


@asynccontextmanager
async def echo_behind_a_wire():
    """A server that says what it hears, with a list of it, and a wire to it."""
    heard = []

    async def answer(reader, writer):
        while chunk := await reader.read(1000):
            heard.append(chunk)
            writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with Wire(server.sockets[0].getsockname()[1]) as wire:
        yield wire, heard
    server.close()


async def insert(wire):
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(INSERT)
    assert await reader.readexactly(len(INSERT)) == INSERT
    return reader, writer


async def is_cut_off(reader):
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(("cut", "arrives"), [("before", False), ("after", True), ("late", True)])
async def test_a_commit_is_cut_off(cut, arrives):
    async with echo_behind_a_wire() as (wire, heard):
        reader, writer = await insert(wire)
        cutting = asyncio.create_task(wire.cut_next(cut))
        await asyncio.sleep(0)
        writer.write(COMMIT)
        assert await is_cut_off(reader)
        await cutting
        async with asyncio.timeout(5):
            while arrives and heard[-1] != COMMIT:
                await asyncio.sleep(0.01)
        assert (heard[-1] == COMMIT) is arrives
        writer.close()


@pytest.mark.parametrize(("cut", "arrives"), [("before", False), ("after", True), ("late", True)])
async def test_a_statement_that_commits_by_itself_is_cut_off_at_its_end(cut, arrives):
    async with echo_behind_a_wire() as (wire, heard):
        _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        cutting = asyncio.create_task(wire.cut_next(cut))
        await asyncio.sleep(0)
        writer.write(FENCED)
        await cutting
        async with asyncio.timeout(5):
            while arrives and b"".join(heard) != FENCED:
                await asyncio.sleep(0.01)
        assert (b"".join(heard) == FENCED) is arrives
        writer.transport.abort()


async def test_a_commit_of_something_else_passes():
    async with echo_behind_a_wire() as (wire, _):
        cutting = asyncio.create_task(wire.cut_next("before"))
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        writer.write(COMMIT)
        assert await reader.readexactly(len(COMMIT)) == COMMIT
        assert not cutting.done()
        cutting.cancel()
        writer.close()


async def test_a_commit_is_held_and_let_go():
    async with echo_behind_a_wire() as (wire, heard):
        reader, writer = await insert(wire)
        holding = asyncio.create_task(wire.hold_next())
        await asyncio.sleep(0)
        writer.write(COMMIT)
        await holding
        assert heard == [INSERT]
        wire.let_go()
        assert await reader.readexactly(len(COMMIT)) == COMMIT
        writer.close()
