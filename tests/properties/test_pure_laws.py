"""The laws of the pure parts, without engine and database: recorder, text, fold, merging, batches, JSON."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chats.merging import merge_events
from chats.protocol import (
    Batch,
    Start,
    Subscribe,
    WireEvent,
    encode_frame,
    parse_client_frame,
    read_client_frame,
)
from chats.recorder import NotAnEvent, Recorder, normalise_usage, split_text
from chats.runlog import MAX_TEXT_BYTES, RunLog
from chats.transcript import Fold, Transcript
from handlers.encoding import EncodingError, canonical_json, clean_text, encode_value
from tests.properties import scripts
from tests.properties.budget import law_settings
from tests.properties.model import Said, coalesce, story_of

yielded_values = st.lists(
    st.one_of(scripts.events(scripts.KINDS), scripts.events(("content", "reasoning")), scripts.ends, scripts.oddities),
    max_size=12,
)

texts = st.text(max_size=4)
deltas = st.one_of(
    st.tuples(st.just("content"), st.fixed_dictionaries({"content": texts})),
    st.tuples(
        st.just("reasoning"),
        st.fixed_dictionaries(
            {"text": texts, "signature": st.none() | texts, "redacted": st.none() | st.none() | texts}
        ),
    ),
    st.tuples(st.just("status"), st.just({"status": "processing", "message": ""})),
    st.tuples(st.just("error"), st.just({"error_type": "e", "message": "m"})),
    st.tuples(st.just("progress"), st.fixed_dictionaries({"percent": st.integers(0, 9)})),
)


def _encodable(value: Any) -> bool:
    """Two keys of a dict may become one when they are cleaned: that is refused."""
    try:
        encode_value(value)
    except EncodingError:
        return False
    return True


encodable = scripts.values.filter(_encodable)
logs = st.lists(st.tuples(deltas, st.sampled_from([True, True, False])), max_size=12)


def fold_of(events: Sequence[WireEvent]) -> tuple[Any, ...]:
    fold = Fold()
    for event in events:
        fold.feed(event.type, json.loads(event.payload), event.sequence)
    return fold.parts, fold.metadata, fold.errors


def wire(log: Sequence[Any]) -> list[WireEvent]:
    """The shown events of a log, with their numbers in it."""
    return [WireEvent(kind, n, canonical_json(fields)) for n, ((kind, fields), emit) in enumerate(log) if emit]


def parse(text: str) -> Any:
    return parse_client_frame(read_client_frame(text))


# Recorder and run log


@law_settings(300)
@given(yielded_values)
def test_what_is_yielded_is_recorded_as_the_contract_says(values: list[Any]) -> None:
    log = RunLog("response", lambda log: None)
    recorder = Recorder(log)
    try:
        for value in values:
            recorder.take(value)
        recorder.finish()
    except NotAnEvent:
        return  # the runner's to report, and a law test's through it
    taken = log.take()
    story = story_of(values, None, "")
    recorded = [Said(each.type, dict(each.settled()), each.emit, each.persist) for each in taken]
    assert coalesce([*story.said, *story.last_words]) == coalesce(recorded[:-1])
    assert recorded[-1] == Said(
        "response_end", {"status": story.status, "usage": story.usage, "error_type": story.error_type}
    )


@law_settings(200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "é", "👩"]), st.integers(0, MAX_TEXT_BYTES // 4), st.booleans()), max_size=9
    )
)
def test_waiting_deltas_become_events_of_64_kib_at_most(pieces: list[tuple[str, int, bool]]) -> None:
    log = RunLog("response", lambda log: None)
    for letter, count, emit in pieces:
        log.append_text("content", letter * count, emit=emit, persist=True)
    taken = [(each.settled()["content"], each.emit) for each in log.take()]
    assert all(len(text.encode()) <= MAX_TEXT_BYTES for text, _ in taken)
    for side in (True, False):
        said = "".join(letter * count for letter, count, emit in pieces if emit is side)
        assert "".join(text for text, emit in taken if emit is side) == said


@law_settings(100)
@given(st.text(alphabet="aé日👩\n", max_size=20), st.integers(1, 9000))
def test_a_long_text_is_split_into_whole_pieces(text: str, times: int) -> None:
    pieces = list(split_text(text * times))
    assert "".join(pieces) == text * times
    assert all(0 < len(piece.encode()) <= MAX_TEXT_BYTES for piece in pieces)


@law_settings(200)
@given(scripts.usages)
def test_usage_is_three_counts_that_every_client_can_read(usage: dict[str, Any]) -> None:
    counts = normalise_usage(usage)
    assert set(counts) <= {"input_tokens", "output_tokens", "total_tokens"}
    assert all(0 <= count <= 2**54 and not isinstance(count, bool) for count in counts.values())
    assert normalise_usage(counts) == counts or counts.get("total_tokens", 0) > 2**53
    assert not counts or "total_tokens" in counts


# The fold


@law_settings(200)
@given(st.data(), logs)
def test_any_chunking_of_the_same_texts_gives_the_same_parts(data: st.DataObject, log: list[Any]) -> None:
    whole, chunked = Transcript(), Transcript()
    for sequence, ((kind, fields), emit) in enumerate(log):
        whole.feed(kind, fields, sequence, emit)
        for piece in _chunks(data, kind, fields):
            chunked.feed(kind, piece, sequence, emit)
    assert chunked.visible.parts == whole.visible.parts
    assert chunked.visible.errors == whole.visible.errors
    assert chunked.unredacted == whole.unredacted


def _chunks(data: st.DataObject, kind: str, fields: dict[str, Any]) -> list[dict[str, Any]]:
    name = {"content": "content", "reasoning": "text"}.get(kind)
    if name is None or fields.get("redacted") is not None:
        return [fields]
    cut = data.draw(st.integers(0, len(fields[name])))
    first, last = {**fields, name: fields[name][:cut]}, {**fields, name: fields[name][cut:]}
    if kind == "reasoning":
        first["signature"] = None  # it closes the block, so it comes with the last
    return [first, last]


@law_settings(200)
@given(logs)
def test_the_owners_fold_is_that_of_the_shown_events_alone(log: list[Any]) -> None:
    transcript = Transcript.of((kind, fields, n, emit) for n, ((kind, fields), emit) in enumerate(log))
    visible = transcript.visible
    assert (visible.parts, visible.metadata, visible.errors) == fold_of(wire(log))
    assert (transcript.unredacted is None) == all(emit for _, emit in log)
    hidden = [fields["content"] for (kind, fields), emit in log if kind == "content" and not emit]
    whole = (transcript.unredacted or {"parts": []})["parts"]
    assert "".join(p["content"] for p in whole if p["kind"] == "text" and p.get("hidden")) == "".join(hidden)


# Merging and batches


@law_settings(200)
@given(logs, st.sampled_from([1, 40, 65536]))
def test_merged_events_fold_the_same_and_span_what_they_stand_for(log: list[Any], limit: int) -> None:
    events = wire(log)
    merged = merge_events(events, limit)
    assert fold_of(merged) == fold_of(events)
    assert merge_events(merged, limit) == merged or limit < 65536
    numbers = [event.sequence or 0 for event in events]
    covered = []
    for each in merged:
        last = each.sequence or 0
        first = last if each.first_sequence is None else each.first_sequence
        covered += [number for number in numbers if first <= number <= last]
    assert covered == numbers


@law_settings(200)
@given(st.lists(st.sampled_from(["shown", "hidden", "unstored"]), max_size=10), st.integers(0, 5), st.data())
def test_what_a_batch_holds_since_a_cursor_is_what_follows_it(
    flags: list[str], first: int, data: st.DataObject
) -> None:
    events, number = [], first
    for n, flag in enumerate(flags):
        payload = canonical_json({"n": n})
        if flag == "unstored":
            events.append(WireEvent("status", None, payload))
            continue
        if flag == "shown":
            events.append(WireEvent("content", number, payload))
        number += 1
    batch = Batch("response", first - 1, number - 1, events, 0, "completed")
    cursor = data.draw(st.integers(first - 1, number - 1))
    since = batch.since(cursor)
    assert (since.after, since.through, since.status) == (cursor, batch.through, "completed")
    known = [event for event in events if event.sequence is not None and event.sequence <= cursor]
    after_known = events[events.index(known[-1]) + 1 :] if known else events
    assert since.events == after_known
    assert batch.events == events


# JSON


@law_settings(300)
@given(encodable)
def test_an_encoded_value_is_what_its_json_says(value: Any) -> None:
    encoded = encode_value(value)
    text = canonical_json(encoded)
    assert json.loads(text) == encoded
    assert canonical_json(json.loads(text)) == text
    assert encode_value(encoded) == encoded


@law_settings(200)
@given(
    st.dictionaries(st.text(max_size=5).filter(str.isidentifier), encodable, max_size=3), st.none() | st.integers(0, 9)
)
def test_a_wire_event_parses_as_what_it_was_made_of(fields: dict[str, Any], sequence: int | None) -> None:
    encoded = {name: value for name, value in encode_value(fields).items() if name not in ("type", "sequence")}
    event = WireEvent("custom", sequence, canonical_json(encoded))
    assert json.loads(event.body) == {"type": "custom", "sequence": sequence, **encoded}
    with_id = {"response_id": "x", **json.loads(event.body)}
    assert json.loads(event.body_for("x")) == with_id | {"response_id": encoded.get("response_id", "x")}
    frame = json.loads(Batch("x", -1, 0, [event, event], 7).frame)
    assert frame["events"] == [json.loads(event.body)] * 2


@law_settings(200)
@given(st.text(max_size=9), st.integers(-1, 2**61), st.booleans())
def test_a_client_frame_is_read_as_it_was_meant(text: str, after: int, merge: bool) -> None:
    subscribe = parse(encode_frame("subscribe", response_id="r", after=after, merge=merge))
    assert subscribe == Subscribe(response_id="r", after=after, merge=merge)
    body = {"type": "start", "request_id": "k", "parts": [{"content": f"x{text}"}]}
    start = parse(json.dumps(body))
    assert isinstance(start, Start)
    assert start.parts is not None
    assert start.parts[0].content == clean_text(f"x{text}")
    again = parse(json.dumps({**body, "request_id": "other"}))
    assert isinstance(again, Start)
    assert again.canonical() == start.canonical()
