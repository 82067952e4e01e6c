"""A site's database as an outsider reads it: none of the product's storing code between the check and the rows.

Owns what must be true of a stored response whatever was thrown at its server. SQLite's file is here, PostgreSQL's
cluster in postgres.py.
"""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chats.transcript import Transcript
from tests.faults.recital import Order, score_of_log, score_of_recital

__all__ = ["Database", "SqliteFile", "StoredEvent", "StoredResponse"]


@dataclass(frozen=True)
class StoredEvent:
    """A row of the log."""

    sequence: int
    type: str
    emit: bool
    payload: str

    @property
    def fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.payload)
        return fields

    @property
    def on_the_wire(self) -> str:
        """The event's JSON, to the byte, as protocol §4 has it in a frame."""
        rest = "}" if self.payload == "{}" else f",{self.payload[1:]}"
        return f'{{"type":"{self.type}","sequence":{self.sequence}{rest}'


@dataclass(frozen=True)
class StoredResponse:
    """All that is stored of one response."""

    events: list[StoredEvent]
    run_status: str
    run_error_type: str | None
    message_status: str
    parts: list[dict[str, Any]]

    @property
    def end(self) -> dict[str, Any]:
        assert self.events[-1].type == "response_end", f"the log ends with {self.events[-1].type}"
        return self.events[-1].fields

    @property
    def outcome(self) -> tuple[str, str | None]:
        return self.run_status, self.run_error_type

    def check(self, order: Order | None = None) -> None:
        """Fails unless the log is whole: numbered without gap, one start, one end, folded and ended as it says;
        and, where the order is known, holds what was said up to where it ends, each event once and in order."""
        assert [event.sequence for event in self.events] == list(range(len(self.events)))
        kinds = [event.type for event in self.events]
        assert (kinds[0], kinds.count("response_start")) == ("response_start", 1)
        assert (kinds[-1], kinds.count("response_end")) == ("response_end", 1)
        assert self.end["status"] == self.run_status == self.message_status
        assert self.end["error_type"] == self.run_error_type
        folded = Transcript.of((event.type, event.fields, event.sequence, event.emit) for event in self.events)
        assert self.parts == folded.visible.parts
        if order is not None:
            self._check_against(order)

    def _check_against(self, order: Order) -> None:
        said = score_of_recital(order)
        stored = score_of_log((event.type, event.fields, event.emit) for event in self.events)
        assert said.startswith(stored), "what is stored isn't how the recital begins"
        assert self.run_status != "completed" or stored == said, "it ended as completed and isn't whole"


class Database(ABC):
    """One site's database. Statements have `?` for their values."""

    url: str

    @abstractmethod
    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a statement gives; what it changes is committed."""

    @abstractmethod
    def key(self, response_id: str) -> str:
        """An id as it is stored."""

    def response(self, response_id: str) -> StoredResponse:
        key = self.key(response_id)
        events = self.rows(
            "SELECT sequence, type, emit, payload FROM chats_event WHERE response_id = ? ORDER BY sequence", key
        )
        ((run_status, error_type, message_status, parts),) = self.rows(
            "SELECT run.status, run.error_type, message.status, message.parts FROM chats_run run"
            " JOIN chats_message message ON message.id = run.response_id WHERE run.response_id = ?",
            key,
        )
        stored = [StoredEvent(sequence, kind, bool(emit), payload) for sequence, kind, emit, payload in events]
        return StoredResponse(stored, run_status, error_type, message_status, json.loads(parts))

    def unfinished(self) -> int:
        """How many runs haven't ended."""
        ((count,),) = self.rows("SELECT count(*) FROM chats_run WHERE status IN ('queued', 'running')")
        return int(count)

    def worker_of(self, response_id: str) -> str:
        """The id, as it is stored, of the worker that has this response's run."""
        ((worker,),) = self.rows("SELECT worker_id FROM chats_run WHERE response_id = ?", self.key(response_id))
        return str(worker)

    def worker_ended(self, worker: str) -> bool:
        ((ended,),) = self.rows("SELECT ended_at IS NOT NULL FROM chats_worker WHERE id = ?", worker)
        return bool(ended)


class SqliteFile(Database):
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def key(self, response_id: str) -> str:
        return response_id.replace("-", "")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else can write in this block, as while somebody copies or vacuums the file."""
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            finally:
                connection.execute("ROLLBACK")

    def is_locked(self) -> bool:
        """Whether somebody holds the write lock right now, and goes on doing so for a while."""
        with closing(sqlite3.connect(self.path, timeout=0.5, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False
