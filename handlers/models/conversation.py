"""From a chat's messages to the turns of a model request, with everything that is in them.

    messages = await to_conversation(message_history, user_message, context, model=describe_model(model_id))

Owns how tool calls and reasoning are told to a model. Attachments are handlers.models.attachments', the rules that
turns must keep handlers.models.repair's; handlers.models.history is this for text alone.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from handlers.messages import Message, ReasoningPart, ToolCallPart, ToolReturnPart
from handlers.models.attachments import AttachmentTeller, Untold
from handlers.models.continuing import GO_ON, is_continuation
from handlers.models.history import context_text
from handlers.models.repair import repaired
from handlers.models.seam import ContentBlock, ModelDescription, ModelMessage


async def to_conversation(
    history: Iterable[Message],
    request: Message,
    context: Iterable[Mapping[str, Any]] | None = None,
    *,
    model: ModelDescription,
    tools: bool = False,
    untold: list[Untold] | None = None,
    room: int | None = None,
) -> list[ModelMessage]:
    """The turns up to and with `request`. Each context item is a text block of its own before the question.

    `tools`: the request will offer some, so that earlier calls and results can be told. Hidden parts aren't told. An
    attachment that the model doesn't accept, that is too large or can't be read is told as a note in its place; those
    of `request` are added to `untold`, so that its user can be told too. `room`: the tokens that attached texts of one
    message may have; they are cut there.
    Reasoning is given back to the model that it came from, and to no other.
    """
    turns: list[ModelMessage] = []
    for message in history:
        if message.kind == "response":
            turns.extend(response_turns(message, model.id))
        else:
            turns.append({"role": "user", "content": await _request_blocks(message, AttachmentTeller(model, room))})
    given: list[ContentBlock] = [{"text": text} for text in map(context_text, context or []) if text]
    teller = AttachmentTeller(model, room)
    turns.append({"role": "user", "content": [*given, *await _request_blocks(request, teller)]})
    if untold is not None:
        untold += teller.untold
    return repaired(turns, tools=tools)


# --- what the user sent


async def _request_blocks(message: Message, teller: AttachmentTeller) -> list[ContentBlock]:
    if is_continuation(message):
        return [{"text": GO_ON}]
    blocks: list[ContentBlock] = []
    for part in message.parts:
        if part.hidden:
            continue
        if part.kind == "text" and part.content.strip():
            blocks.append({"text": part.content})
        blocks += await teller.blocks(part)
    return blocks


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
