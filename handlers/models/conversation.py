"""From a chat's messages to the turns of a model request, with everything that is in them.

    messages = await to_conversation(message_history, user_message, context, model=describe_model(model_id))

Owns how attachments, tool calls and reasoning are told to a model. The rules that turns must keep are
handlers.models.repair's; handlers.models.history is this for text alone.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any

from handlers.errors import AttachmentError
from handlers.messages import FilePart, ImagePart, Message, MessagePart, ReasoningPart, ToolCallPart, ToolReturnPart
from handlers.models.history import context_text
from handlers.models.repair import repaired
from handlers.models.seam import ContentBlock, ModelDescription, ModelMessage

IMAGE_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENT_FORMATS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
LARGEST_IMAGE = 3_750_000  # bytes
LARGEST_DOCUMENT = 4_500_000


async def to_conversation(
    history: Iterable[Message],
    request: Message,
    context: Iterable[Mapping[str, Any]] | None = None,
    *,
    model: ModelDescription,
    tools: bool = False,
) -> list[ModelMessage]:
    """The turns up to and with `request`. Each context item is a text block of its own before the question.

    `tools`: the request will offer some, so that earlier calls and results can be told. Hidden parts aren't told. An
    attachment that the model doesn't accept, that is too large or can't be read is told as a note in its place.
    Reasoning is given back to the model that it came from, and to no other.
    """
    turns: list[ModelMessage] = []
    for message in history:
        if message.kind == "response":
            turns.extend(response_turns(message, model.id))
        else:
            turns.append({"role": "user", "content": await _request_blocks(message, model)})
    given: list[ContentBlock] = [{"text": text} for text in map(context_text, context or []) if text]
    turns.append({"role": "user", "content": [*given, *await _request_blocks(request, model)]})
    return repaired(turns, tools=tools)


# --- what the user sent


async def _request_blocks(message: Message, model: ModelDescription) -> list[ContentBlock]:
    blocks: list[ContentBlock] = []
    for part in message.parts:
        if part.hidden:
            continue
        if isinstance(part, ImagePart):
            blocks.append(await _image(part, model))
        elif isinstance(part, FilePart):
            blocks.append(await _file(part, model))
        elif part.kind == "text" and part.content.strip():
            blocks.append({"text": part.content})
    return blocks


async def _image(part: ImagePart, model: ModelDescription) -> ContentBlock:
    name = part.alt or "an image"
    image_format = IMAGE_FORMATS.get(part.mime_type)
    if image_format is None or "image" not in model.accepts:
        return _note(name, "which this model can't see")
    content = await _read(part, LARGEST_IMAGE)
    if isinstance(content, str):
        return _note(name, content)
    return {"image": {"format": image_format, "source": {"bytes": content}}}


async def _file(part: FilePart, model: ModelDescription) -> ContentBlock:
    name = part.name or "a file"
    if part.mime_type in IMAGE_FORMATS:
        as_image = ImagePart(file_id=part.file_id, mime_type=part.mime_type, alt=part.name, reader=part.reader)
        return await _image(as_image, model)
    document_format = DOCUMENT_FORMATS.get(part.mime_type, "txt" if part.mime_type.startswith("text/") else "")
    as_document = "document" in model.accepts and document_format
    if not as_document and not part.mime_type.startswith("text/"):
        return _note(name, "which this model can't read")
    content = await _read(part, LARGEST_DOCUMENT)
    if isinstance(content, str):
        return _note(name, content)
    if as_document:
        return {"document": {"format": document_format, "name": _bare(name), "source": {"bytes": content}}}
    text = context_text({"title": name, "content": content.decode("utf-8", "replace")})
    return {"text": text} if text else _note(name, "which is empty")


async def _read(part: MessagePart, largest: int) -> bytes | str:
    """The attachment's bytes, or why they can't be given."""
    if isinstance(part, FilePart) and part.size > largest:
        return "which is too large for this model"
    try:
        content = await part.read()
    except AttachmentError:
        return "which can't be read any more"
    if not content:
        return "which is empty"
    return content if len(content) <= largest else "which is too large for this model"


def _note(name: str, why: str) -> ContentBlock:
    return {"text": f"(The user attached “{name}”, {why}.)"}


def _bare(name: str) -> str:
    return re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name) or name


# --- what was answered


def response_turns(message: Message, model_id: str) -> list[ModelMessage]:
    """A response as the turns that it went through: the model's, and those that gave it its tools' results."""
    turns: list[ModelMessage] = []
    for part in message.parts:
        if part.hidden:
            continue
        if isinstance(part, ToolReturnPart):
            _add(turns, "user", _result_block(part))
        elif isinstance(part, ToolCallPart):
            call = {"toolUseId": part.tool_id, "name": part.tool_name, "input": part.tool_args}
            _add(turns, "assistant", {"toolUse": call})
        elif isinstance(part, ReasoningPart):
            if message.model_id == model_id and (reasoning := _reasoning_block(part)):
                _add(turns, "assistant", reasoning)
        elif part.kind == "text" and part.content.strip():
            _add(turns, "assistant", {"text": part.content})
    return turns


def _add(turns: list[ModelMessage], role: Any, block: ContentBlock) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].append(block)
    else:
        turns.append({"role": role, "content": [block]})


def _result_block(part: ToolReturnPart) -> ContentBlock:
    result = part.result
    if isinstance(result, str):
        content: ContentBlock = {"text": result}
    else:
        content = {"json": result if isinstance(result, dict) else {"result": result}}
    return {"toolResult": {"toolUseId": part.tool_id, "content": [content]}}


def _reasoning_block(part: ReasoningPart) -> ContentBlock | None:
    """Signed or sealed reasoning; a model refuses any other."""
    if part.redacted is not None:
        try:
            return {"reasoningContent": {"redactedContent": base64.b64decode(part.redacted, validate=True)}}
        except binascii.Error:
            return None
    if part.signature and part.content:
        return {"reasoningContent": {"reasoningText": {"text": part.content, "signature": part.signature}}}
    return None
