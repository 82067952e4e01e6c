"""Whatever a history has become, what is sent of it is taken. The judge is the stand-in's own rules."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.models.repair import EMPTY_RESULT, MOST_IMAGES, SEE_DOCUMENT, UNANSWERED, repaired, unique
from tests.standins.bedrock_rules import KNOWN_SIGNATURES, check_conversation, check_request

KNOWN_SIGNATURES.add("signed")
TOOL = {"toolSpec": {"name": "add", "inputSchema": {"json": {"type": "object"}}}}


def _use(call: str, name: str = "add", **arguments: Any) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": call, "name": name, "input": arguments}}


def _result(call: str, text: str = "2") -> dict[str, Any]:
    return {"toolResult": {"toolUseId": call, "content": [{"text": text}]}}


def _user(*blocks: Any) -> Any:
    return {"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in blocks]}


def _model(*blocks: Any) -> Any:
    return {**_user(*blocks), "role": "assistant"}


def _document(name: str) -> dict[str, Any]:
    return {"document": {"format": "txt", "name": name, "source": {"text": "Hello"}}}


_texts = st.sampled_from(["", "  \n", "Hello", "Hello \n", "三"])
_ids = st.sampled_from(["", "a", "b", "a b/c", "x" * 70])
_blocks = st.one_of(
    _texts.map(lambda text: {"text": text}),
    st.builds(
        lambda call, name, arguments: {"toolUse": {"toolUseId": call, "name": name, "input": arguments}},
        _ids,
        st.sampled_from(["add", "", "docs.search/ü", "n" * 80]),
        st.sampled_from([{}, {"a": 1}, None, [1], "text"]),
    ),
    st.builds(
        lambda call, content, status: {"toolResult": {"toolUseId": call, "content": content, **status}},
        _ids,
        st.lists(
            st.one_of(_texts.map(lambda text: {"text": text}), st.sampled_from([{"json": {}}, {"json": [1]}])),
            max_size=2,
        ),
        st.sampled_from([{}, {"status": "error"}, {"status": "success"}]),
    ),
    st.builds(
        lambda text, signed: {"reasoningContent": {"reasoningText": {"text": text, **signed}}},
        _texts,
        st.sampled_from([{}, {"signature": "signed"}, {"signature": ""}]),
    ),
    st.just({"reasoningContent": {"redactedContent": b"sealed"}}),
    st.just({"image": {"format": "png", "source": {"bytes": b"png"}}}),
    st.sampled_from(["Report (1)", "q3_final.v2", "", "Report  1"]).map(_document),
)
_messages = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.lists(_blocks, max_size=4)}),
    max_size=8,
)


@given(_messages, st.booleans())
def test_anything_becomes_a_conversation_that_is_taken(messages: list[Any], tools: bool) -> None:
    before = copy.deepcopy(messages)
    turns = repaired(messages, tools=tools)
    assert messages == before
    if turns:
        body = {
            "modelId": "anthropic.claude",
            "messages": turns,
            **({"toolConfig": {"tools": [TOOL]}} if tools else {}),
        }
        check_request("ConverseStream", body)
        check_conversation(body)


@given(_messages, st.booleans())
def test_what_is_repaired_needs_no_repair(messages: list[Any], tools: bool) -> None:
    once = repaired(messages, tools=tools)
    assert repaired(once, tools=tools) == once


@given(_messages)
def test_no_visible_text_of_a_user_is_lost(messages: list[Any]) -> None:
    def texts(turns: list[Any]) -> list[str]:
        return [
            block["text"]
            for turn in turns
            if turn["role"] == "user"
            for block in turn["content"]
            if block.get("text", "").strip() and not block["text"].startswith("(")
        ]

    assert texts(repaired(messages, tools=True)) == texts(messages)


def test_a_sound_conversation_stays_as_it_is() -> None:
    turns = [_user("Add."), _model("I'll add.", _use("a"), _use("b")), _user(_result("a"), _result("b")), _model("3")]
    assert repaired(turns, tools=True) == turns


def test_a_call_without_its_result_gets_one_that_says_so() -> None:
    turns = repaired([_user("Add."), _model(_use("a"), _use("b")), _user(_result("b"), "And now?")], tools=True)
    interrupted = {"toolResult": {"toolUseId": "a", "content": [{"text": UNANSWERED}], "status": "error"}}
    assert turns[2] == _user(interrupted, _result("b"), "And now?")


def test_results_come_first_and_in_the_order_of_their_calls() -> None:
    turns = repaired(
        [_user("Add."), _model(_use("a"), _use("b")), _user("Note", _result("b"), _result("a"))], tools=True
    )
    assert turns[2] == _user(_result("a"), _result("b"), "Note")


def test_an_id_that_was_used_before_is_renamed_with_its_result() -> None:
    once = [_user("Add."), _model(_use("search-123")), _user(_result("search-123", "one")), _model("One.")]
    turns = repaired([*once, *once], tools=True)
    assert turns[5] == _model(_use("search-123-2"))
    assert turns[6] == _user(_result("search-123-2", "one"))


def test_without_tools_calls_and_results_are_left_out() -> None:
    turns = repaired(
        [_user("Add."), _model("Wait.", _use("a")), _user(_result("a")), _model("2"), _user("Why?")], tools=False
    )
    assert turns == [_user("Add."), _model("Wait.", "2"), _user("Why?")]


def test_an_empty_result_says_so() -> None:
    turns = repaired([_user("Add."), _model(_use("a")), _user(_result("a", " "))], tools=True)
    assert turns[2] == _user(_result("a", EMPTY_RESULT))


def test_documents_have_names_of_their_own_and_a_text_beside_them() -> None:
    (turn,) = repaired([_user(_document("q3_final.v2"), _document("q3 final v2"))], tools=False)
    assert [block["document"]["name"] for block in turn["content"][:2]] == ["q3 final v2", "q3 final v2-2"]
    assert turn["content"][2] == {"text": SEE_DOCUMENT}


def test_of_too_many_documents_the_last_are_shown() -> None:
    (turn,) = repaired([_user(*(_document(f"part {number}") for number in range(7)))], tools=False)
    shown = [block["document"]["name"] for block in turn["content"] if "document" in block]
    assert shown == [f"part {number}" for number in range(2, 7)]
    assert turn["content"][0] == {"text": "(the document “part 0” isn't shown any more)"}


@given(st.text(min_size=1), st.sets(st.text(max_size=8)), st.integers(5, 64))
def test_a_unique_name_is_new_and_short_enough(wanted: str, taken: set[str], longest: int) -> None:
    before = set(taken)
    name = unique(wanted, taken, longest)
    assert name not in before
    assert len(name) <= longest
    assert taken == before | {name}


def test_only_the_last_images_are_shown() -> None:
    image = {"image": {"format": "png", "source": {"bytes": b"png"}}}
    (turn,) = repaired([{"role": "user", "content": [image] * (MOST_IMAGES + 1)}], tools=False)
    assert "any more" in turn["content"][0]["text"]
    assert turn["content"][1:] == [image] * MOST_IMAGES
