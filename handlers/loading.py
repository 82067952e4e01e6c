"""Where handlers come from: settings, the environment, and installed packages' entry points.

Owns finding and importing them. Whatever goes wrong becomes a LoadProblem, which handlers.checks shows: one broken
package must not keep the site from running.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from typing import Any, Literal

from django.conf import settings
from django.utils.module_loading import import_string

ENTRY_POINT_GROUP = "workbench.handlers"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadProblem:
    """A handler that was named and isn't there. `kind`: it can't be imported, is no handler, or has a taken name."""

    source: str
    path: str
    kind: Literal["import", "type", "name"]
    error: str


def named_handlers() -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Every handler that is named somewhere: where, as what, and how to import it."""
    for source in ("WORKBENCH_HANDLERS", "WORKBENCH_EXTRA_HANDLERS"):
        for path in getattr(settings, source):
            yield source, path, partial(import_string, path)
    for point in entry_points(group=ENTRY_POINT_GROUP):
        yield f"entry point {point.name}", point.value.replace(":", "."), point.load


def load_handlers(register: Callable[[Any, str], object]) -> list[LoadProblem]:
    """Import each named handler and `register` it."""
    problems: list[LoadProblem] = []
    for source, path, load in named_handlers():
        try:
            handler = load()
        except Exception as error:  # importing runs any code, and any of it may fail
            logger.warning("Handler %s, named by %s, can't be imported", path, source, exc_info=error)
            problems.append(LoadProblem(source, path, "import", f"{type(error).__name__}: {error}"))
            continue
        try:
            register(handler, source)
        except (TypeError, ValueError) as error:
            kind: Literal["type", "name"] = "type" if isinstance(error, TypeError) else "name"
            problems.append(LoadProblem(source, path, kind, str(error)))
    return problems
