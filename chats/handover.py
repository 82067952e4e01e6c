"""What a handler is given: the messages of its branch as plain values, and who asks for what.

Owns the way from stored rows to `handlers.messages` and to the keywords of `handle` (protocol §1).
Synchronous: runs in a thread that may use the database and may be blocked by a handler's constructor.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from chats import reading
from chats.models import Message, Run
from chats.runner import ActiveRun
from handlers import messages
from handlers.base import BaseTaskHandler, call_handle, takes
from handlers.registry import registry

__all__ = ["hand_over"]


def hand_over(stored: Run, run: ActiveRun) -> Callable[[], AsyncGenerator[Any, None]]:
    """Builds the run's handler and gives what begins its generator. Raises what the registry raises.

    `stored` is the run's row with its request and user: whoever launches it has just written or read them.
    """
    handler = registry.build(stored.task)
    run.cooperative = registry.get(stored.task).cooperative
    keywords = _keywords(stored, handler)
    return lambda: call_handle(handler, **keywords)


def _keywords(run: Run, handler: BaseTaskHandler) -> dict[str, Any]:
    request = run.request_message
    keywords = {
        "chat_id": str(run.chat_id),
        "user_message": as_plain(request),
        "model_id": run.model_id,
        "response_message_id": str(run.pk),
        "context": run.inputs.get("context"),
        "persona": run.inputs.get("persona"),
        "user_id": str(run.user_id),
        "options": registry.parse_options(run.task, run.inputs.get("options")),
    }
    # What costs a query is asked for only where it's taken.
    if takes(handler, "message_history"):
        keywords["message_history"] = [as_plain(each) for each in reading.branch(request)[:-1]]
    if takes(handler, "user_groups"):
        keywords["user_groups"] = list(run.user.groups.order_by("name").values_list("name", flat=True))
    return keywords


def as_plain(message: Message) -> messages.Message:
    """A stored message as handlers see it, its hidden parts marked."""
    whole = message.unredacted or {"parts": message.parts, "metadata": message.metadata}
    return messages.Message(
        id=str(message.pk),
        kind="request" if message.kind == Message.Kind.REQUEST else "response",
        parts=[messages.parse_part(part) for part in whole["parts"]],
        status=message.status,
        task=message.task,
        model_id=message.model_id,
        metadata=whole["metadata"],
    )
