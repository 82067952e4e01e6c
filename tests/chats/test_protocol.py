"""The wire: what clients may send, and what they are told about the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.protocol import MAX_FRAME_IN, DoorError, parse_client_frame, read_client_frame

ID = "0198c5d2-7a3b-7c11-8d22-0123456789ab"
GOOD = {
    "start": {"request_id": "r1", "parts": [{"content": "hello"}]},
    "subscribe": {"response_id": ID},
    "unsubscribe": {"response_id": ID},
    "cancel": {"response_id": ID},
    "ping": {},
}
WRONG = {
    "start": {
        "request_id": [None, 5, "", "x" * 129, ["r"]],
        "chat_id": [5, "", "x" * 201, [ID]],
        "parent_id": [5, [ID], {}],
        "task": [5, ["chat"], "x" * 201],
        "parts": ["hello", {}, [5], [{}], [{"content": 5}], [{"kind": "image", "content": ""}], [], [{"content": " "}]],
        "model_id": [5, {}, "x" * 201],
        "persona_id": [5, True],
        "context": [{}, ["x"], [{"title": "t"}], [{"content": None}], [{"content": "c", "type": 5}]],
        "options": ["x", [], 5],
        "branch": [None, 1, "true"],
    },
    "subscribe": {
        "response_id": [None, 5, {}, "x" * 65],
        "after": [None, "3", 1.5, True, -2, 2**62, 10**30],
        "merge": [None, 1, "yes"],
    },
    "unsubscribe": {"response_id": [None, 5, []]},
    "cancel": {"response_id": [None, 5, []]},
}
WRONG_FIELDS = [(kind, name, value) for kind, fields in WRONG.items() for name, bad in fields.items() for value in bad]

ANY_TEXT = st.text(st.characters(), max_size=20)  # lone surrogates too
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def parse(text: str):
    return parse_client_frame(read_client_frame(text))


def refusal(text: str) -> DoorError:
    with pytest.raises(DoorError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize("kind", GOOD)
def test_a_frame_that_is_right_is_taken(kind):
    assert type(parse(json.dumps({"type": kind, **GOOD[kind]}))).__name__.lower() == kind


@pytest.mark.parametrize(("kind", "name", "value"), WRONG_FIELDS)
def test_a_wrong_field_is_named(kind, name, value):
    error = refusal(json.dumps({"type": kind, **GOOD[kind], name: value}))
    assert error.code == "invalid"
    assert [field for field in error.fields if field.partition(".")[0] != name] == []
    assert error.fields


@pytest.mark.parametrize(("kind", "name"), [(kind, "response_id") for kind in ("subscribe", "unsubscribe", "cancel")])
def test_a_missing_field_is_named(kind, name):
    assert refusal(json.dumps({"type": kind})).fields == {name: ["Field required"]}


def test_a_start_needs_a_key_of_the_clients():
    assert refusal('{"type": "start", "parts": [{"content": "hello"}]}').fields == {"request_id": ["Field required"]}


@pytest.mark.parametrize("kind", [None, "", "START", "hello", "events", 5, [], {}])
def test_an_unknown_type_is_told_the_known_ones(kind):
    error = refusal(json.dumps({"type": kind}))
    assert error.code == "unknown_type"
    assert "subscribe" in error.message


def test_a_frame_without_a_type_is_of_an_unknown_one():
    assert refusal("{}").code == "unknown_type"


@pytest.mark.parametrize("text", ["", " ", "{", "nonsense", '{"type": "ping",}', '{"type": "ping"} x', "\ud800", "\0"])
def test_what_isnt_json_is_refused(text):
    assert refusal(text).code == "invalid_json"


def test_where_the_json_breaks_is_said():
    assert "line 2, column 1" in refusal('{"type":\n}').message


@pytest.mark.parametrize("text", ["[]", '"ping"', "5", "null", "true"])
def test_json_that_is_no_object_is_refused(text):
    assert refusal(text).message == "The frame must be a JSON object."


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_javascripts_numbers_that_json_lacks_are_refused(constant):
    assert refusal(f'{{"type": "ping", "x": {constant}}}').code == "invalid_json"


def test_nesting_beyond_what_the_parser_takes_is_refused():
    assert refusal('{"type": "ping", "x": ' + "[" * 100_000 + "]" * 100_000 + "}").code == "invalid_json"


def test_options_nested_too_deep_to_store_are_refused():
    options = '{"a":' * 80 + "1" + "}" * 80
    error = refusal(f'{{"type": "start", "request_id": "r", "parts": [{{"content": "x"}}], "options": {options}}}')
    assert "nested" in error.fields["options"][0]


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 4000])
def test_a_number_in_options_that_json_cant_hold_again_is_refused(number):
    frame = f'{{"type": "start", "request_id": "r", "parts": [{{"content": "x"}}], "options": {{"n": {number}}}}}'
    assert list(refusal(frame).fields) == ["options"]


def test_a_number_of_more_digits_than_python_reads_is_refused():
    assert refusal('{"type": "subscribe", "response_id": "x", "after": ' + "9" * 5000 + "}").code == "invalid_json"


def test_a_frame_of_exactly_one_mebibyte_is_taken():
    text = '{"type":"ping"}'
    assert parse(text + " " * (MAX_FRAME_IN - len(text)))


def test_a_frame_of_one_byte_more_is_too_large():
    text = '{"type":"ping"}'
    assert refusal(text + " " * (MAX_FRAME_IN - len(text) + 1)).code == "too_large"


def test_a_frames_size_is_that_of_its_bytes():
    assert refusal(json.dumps({"type": "ping", "x": "é" * (MAX_FRAME_IN // 2)}, ensure_ascii=False)).code == "too_large"


def test_nul_and_lone_surrogates_in_what_a_user_says_are_replaced():
    frame = parse(
        '{"type":"start","request_id":"a\\u0000","chat_id":"\\ud800","parts":[{"content":"x\\ud800\\u0000"}],'
        '"context":[{"title":"\\udfff","content":"c"}],"options":{"k\\u0000":"\\udc00"}}'
    )
    assert frame.request_id == "a\ufffd"
    assert frame.chat_id == "\ufffd"
    assert frame.parts[0].content == "x\ufffd\ufffd"
    assert frame.context[0].title == "\ufffd"
    assert frame.options == {"k\ufffd": "\ufffd"}


def test_a_pair_of_surrogates_is_the_character_that_it_means():
    frame = parse('{"type":"start","request_id":"r","parts":[{"content":"\\ud83d\\ude00"}]}')
    assert frame.parts[0].content == "😀"


def test_fields_that_nobody_knows_are_passed_over():
    assert parse('{"type": "ping", "later": {"version": 2}}')


def test_no_message_repeats_what_was_sent():
    error = refusal(json.dumps({"type": "subscribe", "response_id": ID, "after": "secret-word"}))
    assert "secret-word" not in json.dumps(error.body())


def outcome(text: str):
    try:
        return parse(text)
    except DoorError as error:
        return error


@given(st.text(st.characters()))
def test_any_text_is_a_frame_or_a_refusal(text):
    assert outcome(text)


@given(kind=st.sampled_from(sorted(GOOD)), fields=st.dictionaries(st.sampled_from(sorted(WRONG["start"])), JSON_VALUES))
def test_any_values_of_a_frames_fields_make_a_frame_that_can_be_stored_or_a_refusal_that_can_be_sent(kind, fields):
    result = outcome(json.dumps({"type": kind, **GOOD[kind], **fields}))
    told = result.body() if isinstance(result, DoorError) else result.model_dump()
    assert json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
