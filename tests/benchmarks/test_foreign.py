"""Others' protocols, as they are read: whole or refused."""

import json

import pytest

from tests.benchmarks.foreign import read_chainlit, read_sse
from tests.benchmarks.frames import BrokenPromiseError, Stream
from tests.benchmarks.load import Load, delta_text

LOAD = Load(deltas=3, stamped=True)
DELTAS = [delta_text(number, 1_000_000 * number) for number in range(3)]


def stream(*texts: str) -> Stream:
    return Stream(LOAD, "r", 0, [(10_000_000 * at, text) for at, text in enumerate(texts, 1)])


def sse(*deltas: str) -> list[str]:
    events = [json.dumps({"type": "events", "events": [{"type": "content", "content": delta}]}) for delta in deltas]
    return [f"data: {event}\n\n" for event in (*events, "[DONE]")]


def chainlit(*deltas: str) -> list[str]:
    first = ["stream_start", {"id": "m", "output": deltas[0]}]
    rest = [["stream_token", {"id": "m", "token": delta}] for delta in deltas[1:]]
    return ['42["task_start",{}]', *("42" + json.dumps(event, separators=(",", ":")) for event in [first, *rest])]


def test_an_event_stream_gives_each_deltas_delay() -> None:
    assert read_sse(stream(*sse(*DELTAS))).delays_ms == [10, 19, 28]


def test_an_event_that_came_in_two_pieces_arrived_with_the_second() -> None:
    text = "".join(sse(*DELTAS))
    assert read_sse(stream(text[:20], text[20:])).arrivals_ns == [20_000_000] * 3


def test_chainlits_first_token_comes_with_its_message() -> None:
    assert read_chainlit(stream(*chainlit(*DELTAS))).delays_ms == [20, 29, 38]


@pytest.mark.parametrize(("read", "texts"), [(read_sse, sse(*DELTAS)), (read_chainlit, chainlit(*DELTAS))])
def test_a_lost_or_doubled_delta_is_refused(read, texts) -> None:
    for damaged in (texts[:1] + texts[2:], [*texts[:2], *texts[1:]], texts[:-1]):
        with pytest.raises(BrokenPromiseError):
            read(stream(*damaged))
