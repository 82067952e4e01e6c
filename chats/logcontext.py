"""Who a log line is about: correlation id, chat, response, user and handler, set once per run.

The filter puts them on every record made in that run's context, the handler's own lines included.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import Any

__all__ = ["FIELDS", "RunContextFilter", "correlated", "correlation_id", "run_context"]

FIELDS = ("correlation_id", "chat_id", "response_id", "user_id", "task")

_facts: ContextVar[Any] = ContextVar("run_facts", default=None)

_correlation: ContextVar[str | None] = ContextVar("correlation_id", default=None)


@contextmanager
def correlated(correlation_id: str) -> Iterator[None]:
    """Names a request on the log lines of this context that are about no run."""
    token = _correlation.set(correlation_id)
    try:
        yield
    finally:
        _correlation.reset(token)


def correlation_id() -> str | None:
    """The id of the request that this context works for."""
    return _correlation.get()


@contextmanager
def run_context(facts: Any) -> Iterator[None]:
    """Names `facts` (an object with FIELDS as attributes) on the log lines of this context."""
    token = _facts.set(facts)
    try:
        yield
    finally:
        _facts.reset(token)


def context_of(facts: Any) -> Context:
    """A fresh context whose log lines name `facts`."""
    context = Context()
    context.run(_facts.set, facts)
    return context


def response_id_in(context: Context) -> str | None:
    """The response that a context works for."""
    facts = context.get(_facts)
    return None if facts is None else facts.response_id


class RunContextFilter(logging.Filter):
    """Adds FIELDS to each record that is made in a run."""

    def filter(self, record: logging.LogRecord) -> bool:
        facts = _facts.get()
        if facts is not None:
            for name in FIELDS:
                setattr(record, name, str(getattr(facts, name)))
        elif (correlation := _correlation.get()) is not None and not hasattr(record, "correlation_id"):
            record.correlation_id = correlation
        return True
