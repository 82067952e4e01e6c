"""Counts and durations for Prometheus, under the names that handlers give them.

    from handlers.clients import metrics_client
    metrics_client.increment("lookups", tags={"handler": "librarian"})

Owns what is recorded of every run too, without its handler's doing: `handler.success`, `handler.error` and
`handler.duration`.
"""

import logging
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

logger = logging.getLogger(__name__)

MODEL_CALLS = Counter("workbench_model_calls", "Requests to model providers, by outcome.", ["provider", "outcome"])
MODEL_TOKENS = Counter("workbench_model_tokens", "Tokens that model providers counted.", ["provider", "kind"])

MOST_LABELS = 200  # sets of labels of one metric; what comes beyond is counted as OTHER
OTHER = "other"

SUCCESS, ERROR, CANCELLED, DURATION = "handler.success", "handler.error", "handler.cancelled", "handler.duration"

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_noted: ContextVar[set[str] | None] = ContextVar("metrics_noted", default=None)


class MetricsClient:
    """`increment` and `histogram` with tags. It never raises: a metric must not cost anyone an answer.

    A tag should have few values. Of a metric that has MOST_LABELS sets of them (an id in a tag, say), further ones
    are counted as "other": each would stay in memory for good.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._metrics: dict[str, tuple[Any, tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self._label_sets: dict[str, set[tuple[str, ...]]] = {}

    def increment(self, name: str, value: float = 1, tags: Mapping[str, Any] | None = None) -> None:
        """Add to a counter: `handler.success` is exported as `handler_success_total`."""
        self._record(Counter, "inc", name, value, tags or {})

    def histogram(self, name: str, value: float, tags: Mapping[str, Any] | None = None) -> None:
        """Note one value of a distribution, durations in seconds."""
        self._record(Histogram, "observe", name, value, tags or {})

    def record_run(
        self, handler: str, status: str, seconds: float, error_type: str | None = None, own: Collection[str] = ()
    ) -> None:
        """What is recorded of every run at its end. `own`: what its handler recorded itself (`noted`), which isn't
        counted twice."""
        tags = {"handler": handler}
        if status == "error":
            outcome, of_outcome = ERROR, {**tags, "error_type": error_type or "handler_error"}
        else:
            outcome, of_outcome = (SUCCESS if status == "completed" else CANCELLED), tags
        if outcome not in own:
            self.increment(outcome, tags=of_outcome)
        if DURATION not in own:
            self.histogram(DURATION, seconds, tags=tags)

    def _record(self, kind: type[Any], method: str, name: str, value: float, tags: Mapping[str, Any]) -> None:
        if (noted := _noted.get()) is not None:
            noted.add(name)
        labels = {_NOT_IN_NAMES.sub("_", key): str(tag) for key, tag in tags.items()}
        try:
            metric, known = self._metric(kind, _NOT_IN_NAMES.sub("_", name), tuple(labels))
            # Prometheus fixes a metric's labels when it is made: one that is missing is empty.
            values = self._bounded(name, tuple(labels.get(label, "") for label in known))
            child = metric.labels(*values) if known else metric
            getattr(child, method)(value)
        except (ValueError, TypeError, AttributeError):
            logger.exception("Metric %s can't be recorded", name)

    def _bounded(self, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        known = self._label_sets.setdefault(name, set())
        if values in known:
            return values
        with self._lock:
            if len(known) < MOST_LABELS:
                known.add(values)
                return values
        logger.debug("Metric %s has too many sets of tags.", name)
        return (OTHER,) * len(values)

    def _metric(self, kind: type[Any], name: str, labels: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        with self._lock:
            if name not in self._metrics:
                self._metrics[name] = (
                    kind(name, f"{name}, recorded by a handler", labels, registry=self._registry),
                    labels,
                )
            return self._metrics[name]


@contextmanager
def noted() -> Iterator[set[str]]:
    """The names of what is recorded in this context while it lasts."""
    names: set[str] = set()
    token = _noted.set(names)
    try:
        yield names
    finally:
        _noted.reset(token)


metrics_client = MetricsClient()
