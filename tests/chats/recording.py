"""What a handler's events come to in its response's log, without a loop or a database."""

from __future__ import annotations

from typing import Any

from chats.recorder import Recorder
from chats.runlog import RunLog
from handlers.events import BaseEvent, ContentEvent, ErrorEvent

__all__ = ["FAILED", "HELLO", "Reading", "Record"]

HELLO = ContentEvent(content="hello")
FAILED = ErrorEvent(error_type="lost", message="It got lost.")


class Reading(BaseEvent):
    """An author's own kind of event."""

    value: object = None


class Record:
    """What a handler that yielded `events` and returned has in the log."""

    def __init__(self, *events: Any) -> None:
        log = RunLog("response", lambda log: None)
        recorder = Recorder(log)
        for event in events:
            recorder.take(event)
        recorder.finish()
        self.log = [(event.type, event.settled(), event) for event in log.take()]
        self.end: Any = log.end

    def fields(self, kind: str) -> list[dict[str, Any]]:
        return [fields for each, fields, _ in self.log if each == kind]

    @property
    def outcome(self) -> tuple[str, str | None]:
        return self.end.status, self.end.error_type

    @property
    def notes(self) -> list[str]:
        return [note["note"] for note in self.end.notes]
