"""The vocabulary in which a door's operations are described; what is said with it stands in `operations`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

__all__ = ["JSON", "Answer", "Operation", "Parameter"]

JSON = "application/json"
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Of the query, or a header that the door looks at."""

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    location: Literal["query", "header"] = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes with one status: JSON of a `shape`, of a page of them (`listed`), or `content` by media type."""

    description: str
    shape: type[Any] | None = None
    listed: bool = False
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()  # names of document.HEADERS


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one door.

    `refusals` are the statuses beyond those that follow from the door itself: 401 and 403 everywhere, 404 where
    something is named, 400 where something is sent, 413 with a body, 500 and 503.
    """

    tag: str
    summary: str
    answers: Mapping[int, Answer]
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    takes_file: bool = False
    example: Mapping[str, Any] | None = None  # of the body
    refusals: tuple[int, ...] = ()

    def shapes(self) -> list[type[Any]]:
        """What its answers are made of."""
        return [answer.shape for answer in self.answers.values() if answer.shape is not None]
