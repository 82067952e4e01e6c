"""Starts that are stored and launched by nobody, so that what a start means is tested without an engine."""

from typing import Any

import pytest
from django.db import transaction

from chats.models import Chat, Event, Message, Run, Status
from chats.protocol import DoorError, StartBody
from chats.starts import Started, find_repeated, plan_start, store_start

__all__ = ["begin", "counts", "end", "finished", "refusal"]


def begin(user: Any, text: str | None = "hello", **fields: Any) -> Started:
    """A start that is stored and launched by nobody: its response stays unfinished until `end`."""
    parts = {} if text is None else {"parts": [{"content": text}]}
    plan = plan_start(user, StartBody.model_validate({"task": "demo", **parts, **fields}))
    if isinstance(plan, Started):
        return plan
    with transaction.atomic():
        return find_repeated(plan) or store_start(plan, None).started


def end(started: Started, status: str = Status.COMPLETED) -> Started:
    Run.objects.filter(pk=started.response_id).update(status=status)
    Message.objects.filter(pk=started.response_id).update(status=status)
    return started


def finished(user: Any, text: str | None = "hello", **fields: Any) -> Started:
    return end(begin(user, text, **fields))


def refusal(user: Any, text: str | None = "hello", **fields: Any) -> DoorError:
    """What such a start is refused with; shows that nothing was stored."""
    before = counts()
    with pytest.raises(DoorError) as caught:
        begin(user, text, **fields)
    assert counts() == before
    return caught.value


def counts() -> list[int]:
    return [model.objects.count() for model in (Chat, Message, Run, Event)]
