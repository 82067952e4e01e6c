"""A journal on its own: real thread, database and hub, and a connection that fails where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self
from uuid import UUID

from django.db import OperationalError, connection, transaction

from chats import orphans
from chats.hub import Hub
from chats.journal import Journal
from chats.models import Chat, Event, Message, Run
from chats.protocol import Batch
from chats.runlog import End, RunLog
from tests.chats.api.makers import make_response, start_of

__all__ = ["PATIENCE", "Faults", "Writer", "elsewhere", "end", "say", "stored"]

PATIENCE = 20.0  # seconds until a test gives up


class Faults:
    """Makes one thread's connection fail: install it there. It's Django's own hook, so all else is real."""

    def __init__(self) -> None:
        self._statement = ""
        self._writing_events = False
        self._before: list[Callable[[], Any]] = []
        self._cut: list[tuple[bool, Callable[[], Any]]] = []

    def install(self) -> None:
        connection.execute_wrappers.append(self._execute)
        commit = connection.commit
        setattr(connection, "commit", lambda: self._commit(commit))  # noqa: B010 - a method, to the type checker

    def fail(self, statement: str, times: int = 1, meanwhile: Callable[[], Any] = lambda: None) -> None:
        """The next `times` statements that contain `statement` fail; `meanwhile` is called before each."""
        self._statement = statement
        self._before += [meanwhile] * times

    def cut_commit(self, *, done: bool, meanwhile: Callable[[], Any] = lambda: None) -> None:
        """The next commit of events fails, with (`done`) or without having taken effect."""
        self._cut.append((done, meanwhile))

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._before and self._statement in sql:
            self._before.pop(0)()
            raise OperationalError("the connection broke")
        if sql.startswith("WITH lease") and self._cut:  # is a transaction of its own
            return self._cut_off(lambda: execute(sql, params, many, context), lambda: None)
        if f'INSERT INTO "{Event._meta.db_table}"' in sql:
            self._writing_events = True
        return execute(sql, params, many, context)

    def _commit(self, commit: Callable[[], None]) -> None:
        writing_events, self._writing_events = self._writing_events, False
        if self._cut and writing_events:
            self._cut_off(commit, connection.rollback)
        else:
            commit()

    def _cut_off(self, commit: Callable[[], Any], rollback: Callable[[], Any]) -> None:
        done, meanwhile = self._cut.pop(0)
        (commit if done else rollback)()
        meanwhile()
        raise OperationalError("the connection broke during COMMIT")


class Writer:
    """`with Writer() as writer:` has a running journal with a lease."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.published: list[Batch] = []
        self.hub.relay = self.published.extend  # called in the writer's thread, after what local listeners get
        self.ended: list[str] = []
        self.refused: dict[str, BaseException] = {}
        self.lost = threading.Event()
        self.faults = Faults()
        self.journal = Journal(self.hub, on_end=self._end, on_fault=self._refuse, on_lost=self.lost.set)

    def _end(self, response_id: str, batch: Batch) -> None:
        self.ended.append(response_id)

    def _refuse(self, log: RunLog, error: BaseException) -> None:
        self.refused[log.response_id] = error

    def __enter__(self) -> Self:
        self.journal.start()
        self.journal.worker_id = self.write(orphans.register_worker).result(PATIENCE)
        self.write(self.faults.install).result(PATIENCE)
        return self

    def __exit__(self, *error: object) -> None:
        self.journal.stop()

    def write(self, job: Callable[..., Any], *args: Any) -> Future[Any]:
        return self.journal.write(job, *args)

    def log_of(self, response: Message) -> RunLog:
        """A run's log, whose response_start is stored."""
        Run.objects.filter(pk=response.pk).update(worker=self.journal.worker_id)
        return RunLog(str(response.pk), self.journal.mark, next_sequence=1)

    def new_log(self, chat: Chat) -> RunLog:
        return self.log_of(make_response(chat, [start_of()]))

    def held(self) -> threading.Event:
        """Holds the writer until the event is set: what is said meanwhile waits for one commit."""
        reached, go_on = threading.Event(), threading.Event()

        def wait() -> None:
            reached.set()
            assert go_on.wait(PATIENCE)

        self.write(wait)
        assert reached.wait(PATIENCE)
        return go_on

    def settle(self) -> None:
        """Returns when all that was said before is dealt with: in the log, refused or lost."""
        for _ in range(2):  # a job comes before the commit of its round
            self.write(lambda: None).result(PATIENCE)


def elsewhere(job: Callable[..., Any], *args: Any) -> None:
    """Runs `job` in a transaction of another connection, as another process does."""

    def run() -> None:
        try:
            with transaction.atomic():
                job(*args)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as executor:
        executor.submit(run).result(PATIENCE)


def say(log: RunLog, text: str) -> None:
    assert log.append_text("content", text, emit=True, persist=True)


def end(log: RunLog, status: str = "completed") -> None:
    assert log.close(End(status))


def stored(log: RunLog) -> list[tuple[int, str, str]]:
    events = Event.objects.filter(response_id=UUID(log.response_id)).order_by("sequence")
    return list(events.values_list("sequence", "type", "payload"))
