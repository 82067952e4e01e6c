"""The driver's own judgement: it must see each kind of harm that could be done."""

import json

import pytest

from handlers.encoding import encode_event
from tests.faults.answers import Answer, HeardAnswer
from tests.faults.log import StoredEvent, StoredResponse
from tests.faults.plans import FAULTS, KINDS, QUICK, Plan, short_seeds
from tests.faults.recital import Order, recital
from tests.faults.throwing import THROWS

ORDER = Order(seed=3, events=60)


def whole_log():
    """The log of ORDER, as it must be."""
    said = [encode_event(event) for event in recital(ORDER)]
    kept = [(each.type, each.emit, each.fields) for each in said if each.persist]
    end = {"status": "completed", "usage": {}, "error_type": None}
    rows = [("response_start", True, {}), *kept, ("response_end", True, end)]
    events = [
        StoredEvent(number, kind, emit, json.dumps(fields, ensure_ascii=False, separators=(",", ":")))
        for number, (kind, emit, fields) in enumerate(rows)
    ]
    return StoredResponse(events, "completed", None, "completed", [])


def frames_of(stored, size=7):
    """The frames that a client gets of it."""
    for start in range(0, len(stored.events), size):
        some = stored.events[start : start + size]
        yield start - 1, some[-1].sequence, [event for event in some if event.emit]


def as_text(after, through, events):
    wire = ",".join(event.on_the_wire for event in events)
    return f'{{"type":"events","after":{after},"through":{through},"events":[{wire}]}}'


def taken(frames):
    answer = Answer("one", ORDER)
    for frame in frames:
        text = as_text(*frame)
        answer.take(json.loads(text), text)
    return answer


def kinds_of(answer, stored):
    return {breach.kind for breach in answer.faults(stored)}


def test_a_client_that_holds_the_log_is_right():
    stored = whole_log()
    assert kinds_of(taken(frames_of(stored)), stored) == set()


def test_a_frame_that_never_came_is_lost():
    stored = whole_log()
    frames = list(frames_of(stored))
    assert "lost" in kinds_of(taken([*frames[:3], *frames[4:]]), stored)


def test_an_end_that_never_came_is_lost():
    stored = whole_log()
    assert kinds_of(taken(list(frames_of(stored))[:-1]), stored) == {"lost"}


def test_a_frame_that_came_twice_is_doubled():
    stored = whole_log()
    frames = list(frames_of(stored))
    assert "doubled" in kinds_of(taken([*frames[:3], *frames[2:]]), stored)


def test_events_that_came_the_wrong_way_round_are_reordered():
    stored = whole_log()
    after, through, events = next(frames_of(stored))
    frames = [(after, through, [events[1], events[0], *events[2:]]), *list(frames_of(stored))[1:]]
    assert "reordered" in kinds_of(taken(frames), stored)


def test_a_byte_that_differs_is_altered():
    stored = whole_log()
    frames = list(frames_of(stored))
    answer = taken(frames)
    number = max(answer.held)
    answer.held[number] = answer.held[number].replace('"usage":{}', '"usage": {}')
    assert kinds_of(answer, stored) == {"altered"}


SPOKEN = StoredResponse(
    [
        StoredEvent(0, "response_start", True, "{}"),
        *(StoredEvent(at, "content", True, f'{{"content":"{text}"}}') for at, text in enumerate("abc", 1)),
        StoredEvent(4, "response_end", True, '{"status":"completed"}'),
    ],
    "completed",
    None,
    "completed",
    [],
)
TWO_AS_ONE = '{"type":"content","sequence":3,"first_sequence":2,"content":"%s"}'


@pytest.mark.parametrize(("text", "kinds"), [("bc", set()), ("bx", {"altered"}), ("b", {"altered"})])
def test_a_merged_event_must_be_the_sum_of_those_that_it_stands_for(text, kinds):
    answer = Answer("one", ORDER)
    for sequence in (0, 1):
        answer.take_event(json.loads(SPOKEN.events[sequence].on_the_wire), SPOKEN.events[sequence].on_the_wire)
    answer.take_event(json.loads(TWO_AS_ONE % text), TWO_AS_ONE % text)
    answer.take_event(json.loads(SPOKEN.events[4].on_the_wire), SPOKEN.events[4].on_the_wire)
    assert kinds_of(answer, SPOKEN) == kinds


def test_a_merged_event_that_overlaps_what_came_is_doubled():
    answer = Answer("one", ORDER)
    for event in SPOKEN.events[:3]:
        answer.take_event(json.loads(event.on_the_wire), event.on_the_wire)
    answer.take_event(json.loads(TWO_AS_ONE % "bc"), TWO_AS_ONE % "bc")
    assert "doubled" in kinds_of(answer, SPOKEN)


def test_a_reader_of_server_sent_events_is_held_to_the_same():
    stored = whole_log()
    shown = [event for event in stored.events if event.emit]
    whole, short = HeardAnswer("one", ORDER), HeardAnswer("one", ORDER)
    for event in shown:
        whole.take_block(str(event.sequence), whole.as_sent(event))
        if event is not shown[4]:
            short.take_block(str(event.sequence), short.as_sent(event))
    assert kinds_of(whole, stored) == set()
    assert kinds_of(short, stored) == {"lost"}


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_log_with_a_row_less_isnt_sound(at):
    stored = whole_log()
    del stored.events[at]
    with pytest.raises(AssertionError):
        stored.check(ORDER)


def test_a_log_that_doesnt_say_what_was_ordered_isnt_sound():
    with pytest.raises(AssertionError, match="isn't how the recital begins"):
        whole_log()._check_against(Order(seed=4, events=60))


def test_every_kind_comes_in_turn_and_can_be_thrown():
    thrown = {fault.kind for seed in range(len(KINDS)) for fault in Plan.of(seed).faults}
    assert thrown == set(KINDS) == set(THROWS)


def test_a_seed_plans_the_same_again():
    assert Plan.of(7) == Plan.of(7)
    assert len(Plan.of(7).faults) == FAULTS
    assert Plan.of(7).person("walker 0").random() == Plan.of(7).person("walker 0").random()


def test_the_short_form_throws_every_quick_fault_and_no_other():
    assert {fault.kind for seed in short_seeds() for fault in Plan.of(seed).faults} == set(QUICK)
