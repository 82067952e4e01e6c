"""The client's end of the websocket protocol: the `start` frame, and received frames read and checked in full.

Frames are kept raw while the clock runs and read here afterwards, so that the load client spends its time on
receiving. Pure; the socket is `client`'s.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.benchmarks.load import DamagedTextError, Load, arrivals_of, stamps_of

END_MARK = '"response_end"'


class BrokenPromiseError(Exception):
    """The server broke the protocol in a way that makes the measurement worthless: a gap, an error, a wrong end."""


@dataclass
class Stream:
    """One stream as it was received: when it was asked for, and each frame's text with its nanosecond of arrival."""

    load: Load
    response_id: str
    asked_ns: int
    frames: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """A stream that was read whole and found sound.

    `rows` is the number of numbered events (from the log's own numbers), `wire_bytes` the size of the response's
    websocket frames with their headers, `arrivals_ns` when each delta was whole, `stamps_ns` when it was yielded
    (zeros if unstamped).
    """

    load: Load
    response_id: str
    asked_ns: int
    rows: int
    wire_bytes: int
    text_bytes: int
    content_frame_bytes: list[int]
    arrivals_ns: list[int]
    stamps_ns: list[int]

    @property
    def delays_ms(self) -> list[float]:
        """From each delta's yield to its arrival."""
        return [(arrived - said) / 1e6 for arrived, said in zip(self.arrivals_ns, self.stamps_ns, strict=True)]


def start_frame(request_id: str, task: str, load: Load) -> str:
    frame = {"type": "start", "request_id": request_id, "task": task, "parts": [{"content": load.as_text()}]}
    return json.dumps(frame)


def read_stream(stream: Stream) -> Answer:
    """Reads every frame of one response; raises if anything was lost, doubled or out of order."""
    frames = [(at, len(text), json.loads(text)) for at, text in stream.frames if stream.response_id in text]
    covering = [frame for frame in frames if _covers(frame[2], stream.response_id)]
    _check_numbers([frame for _, _, frame in covering])
    return answer_of(
        stream,
        [(at, _content_of(frame)) for at, _, frame in covering],
        rows=covering[-1][2]["through"] + 1,
        wire_bytes=sum(frame_size(size) for _, size, _ in covering),
        content_frame_bytes=[size for _, size, frame in covering if _content_of(frame)],
    )


def answer_of(
    stream: Stream,
    chunks: list[tuple[int, str]],
    *,
    rows: int,
    wire_bytes: int,
    content_frame_bytes: list[int] | None = None,
) -> Answer:
    """The answer whose text came in these chunks, each with its nanosecond of arrival; raises unless it's whole."""
    text = "".join(chunk for _, chunk in chunks)
    try:
        stamps_ns = stamps_of(text, stream.load)
    except DamagedTextError as reason:
        raise BrokenPromiseError(f"response {stream.response_id}: {reason}") from reason
    return Answer(
        load=stream.load,
        response_id=stream.response_id,
        asked_ns=stream.asked_ns,
        rows=rows,
        wire_bytes=wire_bytes,
        text_bytes=len(text),
        content_frame_bytes=content_frame_bytes or [],
        arrivals_ns=arrivals_of(chunks, stream.load.delta_length),
        stamps_ns=stamps_ns,
    )


def frame_size(payload: int) -> int:
    """Bytes of a server's websocket frame (RFC 6455 §5.2: no mask, one of three header lengths)."""
    return payload + (2 if payload < 126 else 4 if payload < 65_536 else 10)


def is_end(text: str) -> bool:
    """True for the frame that carries the response's end (the mark alone could be somebody's text)."""
    return END_MARK in text and any(event["type"] == "response_end" for event in json.loads(text).get("events", ()))


def _covers(frame: dict[str, Any], response_id: str) -> bool:
    return bool(frame["type"] == "events" and frame["response_id"] == response_id)


def _content_of(frame: dict[str, Any]) -> str:
    return "".join(event["content"] for event in frame["events"] if event["type"] == "content")


def _check_numbers(frames: list[dict[str, Any]]) -> None:
    """Frames must follow each other without a gap, their numbers likewise, with exactly one end, completed and last."""
    cursor = -1
    for frame in frames:
        numbers = [event["sequence"] for event in frame["events"] if event["sequence"] is not None]
        if frame["after"] != cursor or numbers != list(range(cursor + 1, frame["through"] + 1)):
            raise BrokenPromiseError(
                f"after {cursor} came a frame of {frame['after']}..{frame['through']}, numbers {numbers[:3]}…"
            )
        cursor = frame["through"]
    events = [event for frame in frames for event in frame["events"]]
    ends = [event for event in events if event["type"] == "response_end"]
    if len(ends) != 1 or events[-1] is not ends[0] or ends[0]["status"] != "completed":
        faults = [event for event in events if event["type"] == "error"]
        raise BrokenPromiseError(f"expected one completed end, last; got {ends or 'none'}, errors {faults}")
