import copy
import json
from typing import Any

import pytest

from tests.benchmarks.frames import BrokenPromiseError, Stream, frame_size, is_end, read_stream, start_frame
from tests.benchmarks.load import Load, delta_text

LOAD = Load(deltas=4, stamped=True)


def content(number: int, first: int, last: int) -> dict[str, Any]:
    text = "".join(delta_text(delta, 1_000_000 * delta) for delta in range(first, last + 1))
    return {"type": "content", "sequence": number, "content": text}


def frame(*events: dict[str, Any]) -> dict[str, Any]:
    first, last = events[0]["sequence"], events[-1]["sequence"]
    return {"type": "events", "response_id": "r", "after": first - 1, "through": last, "events": list(events)}


def sound_frames() -> list[dict[str, Any]]:
    end = {"type": "response_end", "sequence": 3, "status": "completed"}
    return [
        frame({"type": "response_start", "sequence": 0}),
        {"type": "run", "response_id": "r", "status": "running"},
        frame(content(1, 0, 0)),
        {"type": "events", "response_id": "another", "after": 7, "through": 7, "events": []},
        frame(content(2, 1, 3), end),
    ]


def received(frames: list[dict[str, Any]]) -> Stream:
    return Stream(LOAD, "r", 0, [(10_000_000 * at, json.dumps(each)) for at, each in enumerate(frames)])


def test_a_sound_stream_gives_rows_and_each_deltas_delay() -> None:
    answer = read_stream(received(sound_frames()))
    assert answer.rows == 4
    assert answer.text_bytes == 4 * LOAD.delta_length
    assert answer.delays_ms == [20, 39, 38, 37]


def test_the_wire_counts_only_this_responses_frames_with_their_headers() -> None:
    frames = sound_frames()
    mine = [len(json.dumps(frames[at])) for at in (0, 2, 4)]
    assert read_stream(received(frames)).wire_bytes == sum(frame_size(size) for size in mine)


@pytest.mark.parametrize(("payload", "size"), [(125, 127), (126, 130), (65_535, 65_539), (65_536, 65_546)])
def test_a_frames_header_grows_with_its_payload(payload: int, size: int) -> None:
    assert frame_size(payload) == size


def drop_a_frame(frames: list[dict[str, Any]]) -> None:
    del frames[2]


def double_a_frame(frames: list[dict[str, Any]]) -> None:
    frames.insert(2, frames[2])


def skip_a_number(frames: list[dict[str, Any]]) -> None:
    frames[2]["through"] = frames[2]["events"][0]["sequence"] = 2
    frames[4]["after"], frames[4]["through"] = 2, 4
    frames[4]["events"][0]["sequence"], frames[4]["events"][1]["sequence"] = 3, 4


def lose_a_delta(frames: list[dict[str, Any]]) -> None:
    frames[4]["events"][0] = content(2, 1, 2)


def end_early(frames: list[dict[str, Any]]) -> None:
    frames[4]["events"].reverse()
    frames[4]["events"][0]["sequence"], frames[4]["events"][1]["sequence"] = 2, 3


def end_as_error(frames: list[dict[str, Any]]) -> None:
    frames[4]["events"][1]["status"] = "error"


def never_end(frames: list[dict[str, Any]]) -> None:
    frames[4] = frame(content(2, 1, 3))


@pytest.mark.parametrize(
    "damage", [drop_a_frame, double_a_frame, skip_a_number, lose_a_delta, end_early, end_as_error, never_end]
)
def test_a_damaged_stream_is_refused(damage: Any) -> None:
    frames = copy.deepcopy(sound_frames())
    damage(frames)
    with pytest.raises(BrokenPromiseError):
        read_stream(received(frames))


def test_only_a_real_end_ends_a_stream() -> None:
    quoted = json.dumps(frame({"type": "content", "sequence": 1, "content": "response_end"}))
    titled = json.dumps({"type": "chat", "chat": {"title": "x", "metadata": {"response_end": 1}}})
    assert [is_end(quoted), is_end(titled), is_end(json.dumps(sound_frames()[4]))] == [False, False, True]


def test_the_start_frame_carries_the_load_as_the_question() -> None:
    start = json.loads(start_frame("key", "task", LOAD))
    assert Load.from_text(start["parts"][0]["content"]) == LOAD
    assert (start["type"], start["request_id"], start["task"]) == ("start", "key", "task")
