"""Counts what is asked of model providers: calls by outcome, and tokens. For /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import wraps
from typing import Any, TypeVar

from handlers.clients.metrics import MODEL_CALLS, MODEL_TOKENS
from handlers.errors import ModelThrottled, ModelUnavailable
from handlers.models.seam import ModelEvent, ModelProvider, ModelRequest

__all__ = ["counted"]

Provider = TypeVar("Provider", bound=ModelProvider)
Stream = Callable[[Provider, ModelRequest], AsyncGenerator[ModelEvent, None]]

KINDS = {
    "inputTokens": "input",
    "outputTokens": "output",
    "cacheReadInputTokens": "cache_read",
    "cacheWriteInputTokens": "cache_write",
}


def counted(stream: Stream[Provider]) -> Stream[Provider]:
    """A provider's `stream` that counts each of its calls at its end."""

    @wraps(stream)
    async def counting(provider: Provider, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        outcome = "cancelled"
        usage: Mapping[str, Any] = {}
        try:
            async with aclosing(stream(provider, request)) as events:
                async for event in events:
                    if "metadata" in event:
                        usage = event["metadata"].get("usage", {})
                        outcome = "completed"
                    yield event
            outcome = "completed"
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except BaseException as error:
            outcome = _outcome_of(error)
            raise
        finally:
            MODEL_CALLS.labels(provider.name, outcome).inc()
            for name, kind in KINDS.items():
                MODEL_TOKENS.labels(provider.name, kind).inc(usage.get(name, 0))

    return counting


def _outcome_of(error: BaseException) -> str:
    if isinstance(error, ModelThrottled):
        return "throttled"
    return "unavailable" if isinstance(error, ModelUnavailable) else "error"
