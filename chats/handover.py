"""What a handler is given: the messages of its branch as plain values, and who asks for what.

Owns the way from stored rows to `handlers.messages` and to the keywords of `handle` (protocol §1).
Synchronous: runs in a thread that may use the database and may be blocked by a handler's constructor.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from chats import reading
from chats.engine import get_engine
from chats.models import Message, Run
from chats.protocol import DoorError
from chats.runner import ActiveRun
from chats.uploads import keep_bytes, read_bytes
from handlers import messages
from handlers.base import BaseTaskHandler, call_handle, takes
from handlers.errors import AttachmentError
from handlers.registry import UsableHandler, registry

__all__ = ["hand_over"]

logger = logging.getLogger(__name__)

ATTACHMENTS = ("image", "file")


def hand_over(stored: Run, found: UsableHandler, run: ActiveRun) -> Callable[[], AsyncGenerator[Any, None]]:
    """Builds the run's handler as its start found it, and gives what begins its generator. Raises what the registry
    raises.

    `stored` is the run's row with its request and user: whoever launches it has just written or read them.
    """
    handler = registry.build_found(found)
    run.cooperative = registry.get(stored.task).cooperative
    handler.file_keeper = partial(_keep, stored.user_id, stored.pk)
    keywords = _keywords(stored, handler)
    return lambda: call_handle(handler, **keywords)


def _keywords(run: Run, handler: BaseTaskHandler) -> dict[str, Any]:
    request = run.request_message
    keywords = {
        "chat_id": str(run.chat_id),
        "user_message": as_plain(request, run.user_id),
        "model_id": run.model_id,
        "response_message_id": str(run.pk),
        "context": run.inputs.get("context"),
        "persona": run.inputs.get("persona"),
        "user_id": str(run.user_id),
        "options": registry.parse_options(run.task, run.inputs.get("options")),
    }
    # What costs a query is asked for only where it's taken.
    if takes(handler, "message_history"):
        keywords["message_history"] = [as_plain(each, run.user_id) for each in reading.branch(request)[:-1]]
    if takes(handler, "user_groups"):
        keywords["user_groups"] = list(run.user.groups.order_by("name").values_list("name", flat=True))
    return keywords


def as_plain(message: Message, owner_id: UUID) -> messages.Message:
    """A stored message as handlers see it, its hidden parts marked. Files are read when a handler asks for them."""
    whole = message.unredacted or {"parts": message.parts, "metadata": message.metadata}
    return messages.Message(
        id=str(message.pk),
        kind="request" if message.kind == Message.Kind.REQUEST else "response",
        parts=[messages.parse_part(part, _reader_of(part, owner_id)) for part in whole["parts"]],
        status=message.status,
        task=message.task,
        model_id=message.model_id,
        metadata=whole["metadata"],
    )


def _reader_of(part: Mapping[str, Any], owner_id: UUID) -> messages.Reader | None:
    return partial(_read, owner_id, str(part["file_id"])) if part["kind"] in ATTACHMENTS else None


async def _keep(owner_id: UUID, response_id: UUID, content: bytes, name: str) -> str:
    """BaseTaskHandler.save_file's, from any loop."""
    try:
        return str(await get_engine().files.run(keep_bytes, owner_id, name, content, response_id))
    except DoorError as refusal:
        raise AttachmentError(refusal.message, detail=refusal.code) from refusal


async def _read(owner_id: UUID, file_id: str) -> bytes:
    """From any loop: the storage is asked in a thread. Raises AttachmentError."""
    try:
        return await get_engine().files.run(read_bytes, owner_id, file_id)
    except DoorError as refusal:
        raise AttachmentError("The attachment isn't there any more.", detail=refusal.message) from refusal
    except Exception as error:
        logger.warning("File %s can't be read.", file_id, exc_info=error)
        raise AttachmentError(detail=f"{type(error).__name__}: {error}") from error
