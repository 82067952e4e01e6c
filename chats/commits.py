"""A change, made in a transaction of the journal's thread while its caller waits. Call it from a thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import TimeoutError as WaitTimeout
from typing import Any, TypeVar

from django.utils.translation import gettext_noop as _

from chats.engine import get_engine
from chats.protocol import DoorError

__all__ = ["commit"]

Result = TypeVar("Result")

PATIENCE = 20.0  # seconds to wait for the writer


def commit(job: Callable[..., Result], *args: Any) -> Result:
    """Runs the job and gives what it gives. Raises DoorError unavailable, and what the job raises."""
    writing = get_engine().write(job, *args)
    try:
        return writing.result(PATIENCE)
    except WaitTimeout as error:
        writing.cancel()
        message = _("The database is busy: the change may or may not have been made. Look, then try again.")
        raise DoorError("unavailable", message, retry_after=5) from error
