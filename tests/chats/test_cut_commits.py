"""A commit that was begun and whose outcome isn't told, on PostgreSQL: the fault driver's finds, in small."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from chats import journal as journal_module
from chats import rows
from chats.models import Chat
from chats.ownconnection import TimeOuts
from tests.chats.live import make_user
from tests.chats.scripted import until
from tests.chats.writing import PATIENCE, Writer, elsewhere, say, stored

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's COMMIT isn't sent anywhere")


@pytest.fixture
def chat(transactional_db):
    return Chat.objects.create(owner=make_user())


def test_one_that_comes_through_late_is_waited_for_and_nothing_is_stored_twice(chat, monkeypatch):
    insert, written, inserted = rows.insert_events, [], threading.Event()

    def remember(events, *fence):
        written.append(events)
        insert(events, *fence)

    def commit_late():
        try:
            with transaction.atomic():
                rows.confirm_lease(writer.journal.worker_id)
                insert(written[0])
                inserted.set()
                until(somebody_waits_for_a_lock, "the writer looks whether it is stored")
        finally:
            connection.close()

    monkeypatch.setattr(rows, "insert_events", remember)
    with ThreadPoolExecutor(1) as server, Writer() as writer:
        log = writer.new_log(chat)
        writer.faults.cut_commit(done=False, meanwhile=lambda: (server.submit(commit_late), inserted.wait(PATIENCE)))
        say(log, "once")
        until(lambda: len(stored(log)) == 2, "it is stored")
        writer.settle()
        assert writer.refused == {}
        assert [batch.through for batch in writer.published] == [1]


def test_the_server_takes_the_locks_of_a_process_that_is_paused_after_its_events_were_inserted(chat, monkeypatch):
    monkeypatch.setattr(journal_module, "TIME_OUTS", TimeOuts(lock=0.25, statement=10, idle=0.1))
    with Writer() as writer:
        log = writer.new_log(chat)
        backends = []

        def is_paused():
            backends.extend(ask("SELECT pg_backend_pid()"))
            rows.insert_events([(log.response_id, 1, "content", True, timezone.now(), '{"content":"lost"}', None)])
            until(lambda: not alive(backends[0]), "the server has ended the transaction")
            Chat.objects.count()

        with pytest.raises(OperationalError):
            writer.write(is_paused).result(PATIENCE)
        assert len(stored(log)) == 1


def test_a_job_that_was_paused_at_its_commit_is_told_that_the_database_is_away(chat, monkeypatch):
    monkeypatch.setattr(journal_module, "TIME_OUTS", TimeOuts(lock=0.25, statement=10, idle=0.1))
    with Writer() as writer:
        backends = []

        def is_paused():
            backends.extend(ask("SELECT pg_backend_pid()"))
            until(lambda: not alive(backends[0]), "the server has ended the transaction")

        with pytest.raises(OperationalError):
            writer.write(is_paused).result(PATIENCE)
        assert writer.write(lambda: "on it goes").result(PATIENCE) == "on it goes"


def ask(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [value for (value,) in cursor.fetchall()]


def alive(backend):
    found = []
    elsewhere(lambda: found.extend(ask("SELECT pid FROM pg_stat_activity WHERE pid = %s", backend)))
    return found


def somebody_waits_for_a_lock():
    return ask("SELECT pid FROM pg_locks WHERE NOT granted")
