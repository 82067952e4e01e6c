"""Counts and durations for Prometheus, under the names that handlers give them."""

import logging
import re
import threading
from collections.abc import Mapping
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

logger = logging.getLogger(__name__)

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


class MetricsClient:
    """`increment` and `histogram` with tags. It never raises: a metric must not cost anyone an answer."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._metrics: dict[str, tuple[Any, tuple[str, ...]]] = {}
        self._lock = threading.Lock()

    def increment(self, name: str, value: float = 1, tags: Mapping[str, Any] | None = None) -> None:
        """Add to a counter: `handler.success` is exported as `handler_success_total`."""
        self._record(Counter, "inc", name, value, tags or {})

    def histogram(self, name: str, value: float, tags: Mapping[str, Any] | None = None) -> None:
        """Note one value of a distribution, durations in seconds."""
        self._record(Histogram, "observe", name, value, tags or {})

    def _record(self, kind: type[Any], method: str, name: str, value: float, tags: Mapping[str, Any]) -> None:
        labels = {_NOT_IN_NAMES.sub("_", key): str(tag) for key, tag in tags.items()}
        try:
            metric, known = self._metric(kind, _NOT_IN_NAMES.sub("_", name), tuple(labels))
            # Prometheus fixes a metric's labels when it is made: one that is missing is empty.
            child = metric.labels(*(labels.get(label, "") for label in known)) if known else metric
            getattr(child, method)(value)
        except (ValueError, TypeError, AttributeError):
            logger.exception("Metric %s can't be recorded", name)

    def _metric(self, kind: type[Any], name: str, labels: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        with self._lock:
            if name not in self._metrics:
                self._metrics[name] = (
                    kind(name, f"{name}, recorded by a handler", labels, registry=self._registry),
                    labels,
                )
            return self._metrics[name]
