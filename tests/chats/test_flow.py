"""Readers that stop reading a download: waited for, then dropped, and what is read for them is closed."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from chats import flow as flow_module
from chats.flow import paced
from tests.chats.transports import FullTransport


class Source:
    """Three pieces, and whether they are still being read."""

    is_closed = False

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in (b"a", b"b", b"c"):
                yield piece
        finally:
            self.is_closed = True


async def test_who_takes_nothing_of_a_download_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_module, "DOWNLOAD_PATIENCE", 0.01)
    source, flow = Source(), FullTransport()
    assert [piece async for piece in paced(source.pieces(), flow)] == []
    assert flow.is_aborted
    assert source.is_closed


async def test_who_reads_slowly_gets_it_all() -> None:
    source, flow = Source(), FullTransport()
    reading = paced(source.pieces(), flow)
    first = asyncio.ensure_future(anext(reading))
    await asyncio.sleep(0)
    flow.open.set()
    assert [await first, *[piece async for piece in reading]] == [b"a", b"b", b"c"]
    assert not flow.is_aborted


async def test_a_server_that_tells_nothing_is_trusted_to_wait_by_itself() -> None:
    assert [piece async for piece in paced(Source().pieces(), None)] == [b"a", b"b", b"c"]


async def test_a_reader_who_leaves_ends_what_is_read_for_him() -> None:
    source, flow = Source(), FullTransport()
    flow.open.set()
    reading = paced(source.pieces(), flow)
    assert await anext(reading) == b"a"
    await reading.aclose()
    assert source.is_closed
