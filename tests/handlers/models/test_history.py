"""From messages to turns that model APIs accept."""

from hypothesis import given
from hypothesis import strategies as st

from handlers.messages import Message, MessagePart, ReasoningPart
from handlers.models.history import context_text, parse_context_text, to_model_messages
from handlers.testing import conversation


def _ask(text: str) -> Message:
    return Message(parts=[MessagePart(content=text)])


def test_turns_alternate_as_the_messages_do() -> None:
    assert to_model_messages(conversation("a", "b"), _ask("c")) == [
        {"role": "user", "content": [{"text": "a"}]},
        {"role": "assistant", "content": [{"text": "b"}]},
        {"role": "user", "content": [{"text": "c"}]},
    ]


def test_a_response_without_text_leaves_no_turn() -> None:
    assert to_model_messages(conversation("a", ""), _ask("b")) == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]}
    ]


def test_hidden_text_and_reasoning_are_not_told() -> None:
    response = Message(
        kind="response",
        parts=[ReasoningPart(content="hm"), MessagePart(content="secret", hidden=True), MessagePart(content="shown")],
    )
    assert to_model_messages([_ask("a"), response], _ask("b"))[1]["content"] == [{"text": "shown"}]


def test_context_comes_before_the_question() -> None:
    context = [{"type": "note", "title": 'My "notes"', "content": "Buy milk."}, {"type": "empty", "content": " "}]
    assert to_model_messages([], _ask("What?"), context)[0]["content"] == [
        {"text": "<context title=\"My 'notes'\">\nBuy milk.\n</context>"},
        {"text": "What?"},
    ]


@given(st.text().filter(str.strip), st.text())
def test_a_context_block_can_be_read_back(content: str, title: str) -> None:
    parsed = parse_context_text(context_text({"title": title, "content": content}))
    assert parsed is not None
    assert parsed[1] == content.strip()


@given(st.lists(st.tuples(st.sampled_from(["request", "response"]), st.sampled_from(["", " ", "text"]))))
def test_whatever_the_history_turns_alternate_and_have_text(history: list[tuple[str, str]]) -> None:
    messages = [Message(kind=kind, parts=[MessagePart(content=text)]) for kind, text in history]  # type: ignore[arg-type]
    turns = to_model_messages(messages, _ask("the question"))
    assert [turn["role"] for turn in turns] == [("user", "assistant")[number % 2] for number in range(len(turns))]
    assert turns[-1]["role"] == "user"
    assert turns[-1]["content"][-1] == {"text": "the question"}
    assert all(block["text"].strip() for turn in turns for block in turn["content"])
