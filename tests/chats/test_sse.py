"""Server-sent events: the encoding of batches, and a stream's life."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats import sse
from chats.protocol import Batch, WireEvent
from handlers.encoding import canonical_json
from tests.chats.transports import FullTransport


def content(sequence: int | None, text: str = "Hi") -> WireEvent:
    return WireEvent("content", sequence, canonical_json({"content": text}))


def batch(after: int, through: int, *events: WireEvent) -> Batch:
    return Batch("r1", after, through, list(events), 0)


def read_blocks(text: str) -> list[dict[str, str]]:
    """The blocks as a client parses them: field → value."""
    blocks = [block for block in text.split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


@pytest.fixture
async def dismissed() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def test_an_event_has_its_number_its_name_and_its_object() -> None:
    assert sse.encode_batch(batch(3, 4, content(4))) == (
        'id: 4\nevent: content\ndata: {"response_id":"r1","type":"content","sequence":4,"content":"Hi"}\n\n'
    )


def test_an_error_is_called_run_error_and_says_error_in_its_object() -> None:
    [block] = read_blocks(sse.encode_batch(batch(0, 1, WireEvent("error", 1, '{"message":"Oh"}'))))
    assert block["event"] == "run_error"
    assert json.loads(block["data"])["type"] == "error"


def test_an_event_outside_the_log_leaves_the_readers_cursor_alone() -> None:
    [block] = read_blocks(sse.encode_batch(batch(4, 4, WireEvent("status", None, '{"message":"…"}'))))
    assert "id" not in block
    assert json.loads(block["data"])["sequence"] is None


def test_hidden_events_at_the_end_are_passed_by_an_id_alone() -> None:
    assert read_blocks(sse.encode_batch(batch(3, 7, content(5))))[-1] == {"id": "7"}


def test_hidden_events_before_a_shown_one_need_no_block() -> None:
    assert [block["id"] for block in read_blocks(sse.encode_batch(batch(3, 7, content(7))))] == ["7"]


def test_types_that_were_not_asked_for_are_passed_like_hidden_ones() -> None:
    blocks = read_blocks(sse.encode_batch(batch(0, 2, content(1), WireEvent("document", 2, "{}")), ["citation"]))
    assert blocks == [{"id": "2"}]


@given(st.lists(st.text(), max_size=5))
def test_no_text_breaks_out_of_its_block(texts: list[str]) -> None:
    events = [content(number, text) for number, text in enumerate(texts)]
    encoded = sse.encode_batch(batch(-1, len(texts) - 1, *events))
    lines = [line for line in encoded.replace("\r", "\n").split("\n") if line.startswith("data: ")]
    assert [json.loads(line[6:])["content"] for line in lines] == texts


class Source:
    """Batches given by the test; notes how it was read and left."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Batch | None] = asyncio.Queue()
        self.reads = 0
        self.is_read = asyncio.Event()
        self.cancelled = self.closed = False

    async def batches(self) -> AsyncGenerator[Batch, None]:
        try:
            while True:
                self.reads += 1
                self.is_read.set()
                given = await self.queue.get()
                if given is None:
                    return
                yield given
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        finally:
            self.closed = True


@pytest.fixture
def source() -> Source:
    return Source()


async def test_a_stream_opens_at_once_and_ends_with_its_batches(
    source: Source, dismissed: asyncio.Future[None]
) -> None:
    source.queue.put_nowait(batch(-1, 0, content(0)))
    source.queue.put_nowait(None)
    texts = [text async for text in sse.stream(source.batches(), dismissed)]
    assert texts[0] == ":\n\n"
    assert [block["id"] for block in read_blocks("".join(texts[1:]))] == ["0"]


async def test_heartbeats_leave_the_pending_read_alone(
    source: Source, dismissed: asyncio.Future[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT", 0.01)
    async with aclosing(sse.stream(source.batches(), dismissed)) as stream:
        opening = await anext(stream)
        beats = [await anext(stream) for _ in range(3)]
        assert (source.reads, source.cancelled) == (1, False)
        assert all(text.startswith(":") for text in (opening, *beats))
        source.queue.put_nowait(batch(-1, 0, content(0)))
        while (text := await anext(stream)).startswith(":"):
            pass
        assert read_blocks(text)[0]["id"] == "0"


async def test_who_leaves_while_it_waits_leaves_nothing_behind(source: Source, dismissed: asyncio.Future[None]) -> None:
    stream = sse.stream(source.batches(), dismissed)
    await anext(stream)
    reading = asyncio.ensure_future(anext(stream))
    await source.is_read.wait()
    reading.cancel()
    await asyncio.wait({reading})
    assert source.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_closed_stream_closes_its_source(source: Source, dismissed: asyncio.Future[None]) -> None:
    source.queue.put_nowait(batch(-1, 0, content(0)))
    stream = sse.stream(source.batches(), dismissed)
    await anext(stream)
    await anext(stream)
    await stream.aclose()
    assert source.closed


async def test_a_dismissed_reader_is_left_while_events_flow(source: Source, dismissed: asyncio.Future[None]) -> None:
    source.queue.put_nowait(batch(-1, 0, content(0)))
    source.queue.put_nowait(batch(0, 1, content(1)))
    stream = sse.stream(source.batches(), dismissed)
    texts = [await anext(stream), await anext(stream)]
    dismissed.set_result(None)
    texts += [text async for text in stream]
    assert [block["id"] for block in read_blocks("".join(texts[1:]))] == ["0"]
    assert source.closed


async def test_a_dismissed_reader_is_left_while_nothing_comes(source: Source, dismissed: asyncio.Future[None]) -> None:
    stream = sse.stream(source.batches(), dismissed)
    await anext(stream)
    rest = asyncio.ensure_future(anext(stream, "over"))
    await source.is_read.wait()
    dismissed.set_result(None)
    assert await rest == "over"
    assert source.closed


async def test_who_takes_nothing_is_dropped(
    source: Source, dismissed: asyncio.Future[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "PATIENCE", 0.01)
    flow = FullTransport()
    source.queue.put_nowait(batch(-1, 0, content(0)))
    assert [text async for text in sse.stream(source.batches(), dismissed, flow=flow)] == [":\n\n"]
    assert flow.is_aborted
    assert source.closed


async def test_what_fails_in_the_source_ends_the_stream_loudly(dismissed: asyncio.Future[None]) -> None:
    async def broken() -> AsyncGenerator[Batch, None]:
        yield batch(-1, 0, content(0))
        raise ValueError("broken")

    stream = sse.stream(broken(), dismissed)
    with pytest.raises(ValueError, match="broken"):
        [text async for text in stream]
