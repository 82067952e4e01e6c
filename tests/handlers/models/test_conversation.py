"""From a chat's messages, with all that is in them, to turns."""

from typing import Any

import pytest

from handlers.errors import AttachmentError
from handlers.messages import (
    FilePart,
    ImagePart,
    Message,
    MessagePart,
    ReasoningPart,
    ToolCallPart,
    ToolReturnPart,
)
from handlers.models import ModelDescription
from handlers.models.attachments import LARGEST_DOCUMENT, Untold
from handlers.models.conversation import response_turns, to_conversation
from handlers.testing import attachment, conversation

SEES = ModelDescription(id="sees", label="Sees", provider="test", accepts=["text", "image", "document"])
READS = ModelDescription(id="reads", label="Reads", provider="test")


async def _asked(*parts: MessagePart, model: ModelDescription = SEES) -> list[Any]:
    (turn,) = await to_conversation([], Message(parts=list(parts)), model=model)
    return turn["content"]


def _response(*parts: MessagePart, model_id: str = "sees") -> Message:
    return Message(kind="response", model_id=model_id, parts=list(parts))


async def test_text_context_and_answers_are_told_in_their_order() -> None:
    context = [{"type": "note", "title": "Notes", "content": "Buy milk."}]
    turns = await to_conversation(
        conversation("a", "b"), Message(parts=[MessagePart(content="c")]), context, model=READS
    )
    assert turns == [
        {"role": "user", "content": [{"text": "a"}]},
        {"role": "assistant", "content": [{"text": "b"}]},
        {"role": "user", "content": [{"text": '<context title="Notes">\nBuy milk.\n</context>'}, {"text": "c"}]},
    ]


async def test_attachments_are_given_to_a_model_that_takes_them() -> None:
    image = ImagePart(file_id="1", mime_type="image/png", reader=attachment("a", b"png").reader)
    blocks = await _asked(image, attachment("q3.pdf", b"%PDF", "application/pdf"), MessagePart(content="What?"))
    assert blocks == [
        {"image": {"format": "png", "source": {"bytes": b"png"}}},
        {"document": {"format": "pdf", "name": "q3", "source": {"bytes": b"%PDF"}}},
        {"text": "What?"},
    ]


async def test_an_image_that_came_as_a_file_is_an_image_with_its_name() -> None:
    named, image = await _asked(attachment("photo.jpg", b"jpeg", "image/jpeg"))
    assert named == {"text": "Image “photo.jpg”:"}
    assert image == {"image": {"format": "jpeg", "source": {"bytes": b"jpeg"}}}


async def test_a_text_of_any_type_is_given_as_text() -> None:
    for mime_type in ("application/json", "image/svg+xml"):
        (block,) = await _asked(attachment("a", b"[1]", mime_type), model=READS)
        assert "[1]" in block["text"]


async def test_documents_beyond_the_fifth_are_told_as_text_or_as_a_note() -> None:
    pdfs = [attachment(f"{number}.pdf", b"%PDF", "application/pdf") for number in range(6)]
    blocks = await _asked(*pdfs, attachment("a.txt", b"Hello", "text/plain"))
    assert ["document" in block for block in blocks] == [True] * 5 + [False] * 2
    assert "one too many" in blocks[5]["text"]
    assert "Hello" in blocks[6]["text"]


async def test_a_text_that_is_too_long_is_cut_and_its_user_is_told() -> None:
    request = Message(parts=[attachment("a.txt", b"abcdefg" * 1000, "text/plain")])
    untold: list[Untold] = []
    (turn,) = await to_conversation([], request, model=SEES, untold=untold, room=2)
    assert turn["content"][0] == {"text": '<context title="a.txt">\nabcdefg\n</context>'}
    assert "goes on" in turn["content"][1]["text"]
    assert [each.words for each in untold] == ["The model was given only the beginning of “a.txt”: it can't read more."]


async def test_without_room_nothing_is_given() -> None:
    parts = [attachment("a.txt", b"words", "text/plain"), attachment("a.png", b"png", "image/png")]
    untold: list[Untold] = []
    await to_conversation([], Message(parts=[*parts]), model=SEES, untold=untold, room=0)
    assert [each.reason.clause for each in untold] == ["is too large for this model"] * 2


async def test_what_cannot_be_given_of_the_question_is_known_for_its_user() -> None:
    old = Message(parts=[attachment("old.zip", b"PK", "application/zip")])
    request = Message(parts=[attachment("a.pdf", b"%PDF", "application/pdf"), MessagePart(content="What?")])
    untold: list[Untold] = []
    await to_conversation([old], request, model=READS, untold=untold)
    assert [each.words for each in untold] == ["The model wasn't given “a.pdf”: it can't read files of this type."]


async def test_a_model_that_takes_no_documents_is_given_a_texts_text() -> None:
    (block,) = await _asked(attachment("a.txt", b"Hello", "text/plain"), model=READS)
    assert block == {"text": '<context title="a.txt">\nHello\n</context>'}


async def _gone() -> bytes:
    raise AttachmentError


@pytest.mark.parametrize(
    ("part", "model", "why"),
    [
        (attachment("a.pdf", b"%PDF", "application/pdf"), READS, "can't read"),
        (ImagePart(mime_type="image/png", alt="a chart"), READS, "can't see"),
        (ImagePart(mime_type="image/tiff", alt="a chart"), SEES, "can't see"),
        (attachment("a.zip", b"PK", "application/zip"), SEES, "can't read"),
        (attachment("a.txt", b"", "text/plain"), SEES, "empty"),
        (attachment("a.txt", b" ", "text/plain"), READS, "empty"),
        (attachment("a.pdf", b"x" * (LARGEST_DOCUMENT + 1), "application/pdf"), SEES, "too large"),
        (FilePart(name="a.txt", mime_type="text/plain", reader=_gone), SEES, "any more"),
        (FilePart(name="a.txt", mime_type="text/plain"), SEES, "any more"),
    ],
)
async def test_what_cannot_be_given_is_told(part: MessagePart, model: ModelDescription, why: str) -> None:
    (block,) = await _asked(part, model=model)
    assert why in block["text"]
    assert block["text"].startswith("(The user attached “a")


def test_tools_and_reasoning_go_back_as_they_came() -> None:
    response = _response(
        ReasoningPart(content="I'll add.", signature="signed"),
        ReasoningPart(redacted="c2VhbGVk"),
        MessagePart(content="Wait."),
        ToolCallPart(tool_id="1", tool_name="add", tool_args={"a": 1}),
        ToolReturnPart(tool_id="1", tool_name="add", result={"sum": 2}),
        MessagePart(content="2"),
    )
    assert response_turns(response, "sees") == [
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "I'll add.", "signature": "signed"}}},
                {"reasoningContent": {"redactedContent": b"sealed"}},
                {"text": "Wait."},
                {"toolUse": {"toolUseId": "1", "name": "add", "input": {"a": 1}}},
            ],
        },
        {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [{"json": {"sum": 2}}]}}]},
        {"role": "assistant", "content": [{"text": "2"}]},
    ]


@pytest.mark.parametrize(
    "part",
    [
        ReasoningPart(content="unsigned"),
        ReasoningPart(content="", signature="signed"),
        ReasoningPart(redacted="not base64!"),
        ReasoningPart(content="I'll add.", signature="signed", hidden=True),
    ],
)
def test_reasoning_that_would_be_refused_is_left_out(part: ReasoningPart) -> None:
    assert response_turns(_response(part), "sees") == []


def test_another_models_reasoning_is_left_out() -> None:
    assert response_turns(_response(ReasoningPart(content="hm", signature="signed"), model_id="other"), "sees") == []


async def test_hidden_parts_are_not_told() -> None:
    response = _response(MessagePart(content="secret", hidden=True), MessagePart(content="shown"))
    request = Message(parts=[MessagePart(content="b"), MessagePart(content="note", hidden=True)])
    question = Message(parts=[MessagePart(content="a")])
    turns = await to_conversation([question, response], request, model=SEES)
    assert [turn["content"] for turn in turns] == [[{"text": "a"}], [{"text": "shown"}], [{"text": "b"}]]


async def test_earlier_calls_are_told_to_a_model_that_is_offered_tools() -> None:
    half = _response(ToolCallPart(tool_id="1", tool_name="add", tool_args={"a": 1}))  # it was stopped here
    history, request = [*conversation("Add."), half], Message(parts=[MessagePart(content="Why?")])
    without = await to_conversation(history, request, model=SEES)
    assert [turn["role"] for turn in without] == ["user"]
    told = await to_conversation(history, request, model=SEES, tools=True)
    assert [[next(iter(block)) for block in turn["content"]] for turn in told] == [
        ["text"],
        ["toolUse"],
        ["toolResult", "text"],
    ]
