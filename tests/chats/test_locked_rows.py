"""A row that somebody keeps locked: it may hold up whoever needs it, and nobody else. (SQLite has no row locks.)"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from chats import jobs, orphans, rows
from chats import journal as journal_module
from chats.models import Chat, Message, Run, Worker
from chats.ownconnection import TimeOuts
from chats.protocol import DoorError
from chats.rows import Finished, cancels_among, confirm_lease, finish_responses
from chats.runlog import End
from tests.chats.live import make_user
from tests.chats.scripted import until
from tests.chats.writing import PATIENCE, Writer, elsewhere, end, say, stored

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks no rows")


@pytest.fixture
def chat(transactional_db):
    return Chat.objects.create(owner=make_user())


@pytest.fixture
def writer(transactional_db):
    with Writer() as writer:
        yield writer


@contextmanager
def locked(rows):
    """Somebody else holds these rows."""
    held, let_go = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                assert list(rows.select_for_update())
                held.set()
                assert let_go.wait(PATIENCE)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as executor:
        holding = executor.submit(hold)
        assert held.wait(PATIENCE)
        try:
            yield
        finally:
            let_go.set()
            holding.result(PATIENCE)


def ended(log):
    return Run.objects.filter(pk=log.response_id, status="completed").exists()


# Commits


def test_an_answer_whose_row_is_locked_waits_alone_and_loses_nothing(writer, chat):
    stuck, other = writer.new_log(chat), writer.new_log(chat)
    with locked(Run.objects.filter(pk=stuck.response_id)):
        for log in (stuck, other):
            say(log, "first")
            end(log)
        until(lambda: ended(other), "the other answer ended")
        assert not ended(stuck)
        assert [batch.response_id for batch in writer.published] == [other.response_id]
    until(lambda: ended(stuck), "the answer whose row was locked ended too")
    assert [number for number, _, _ in stored(stuck)] == [0, 1, 2]
    writer.settle()
    assert sorted(writer.ended) == sorted([stuck.response_id, other.response_id])
    assert writer.refused == {}


def test_what_a_held_answer_says_meanwhile_comes_after_what_is_held(writer, chat):
    log = writer.new_log(chat)
    with locked(Message.objects.filter(pk=log.response_id)):  # its foreign key can't be checked
        say(log, "one")
        until(lambda: log.response_id in writer.journal._held, "it is held")
        say(log, "two")
        writer.settle()
        assert stored(log)[1:] == []
    until(lambda: len(stored(log)) == 3, "both are stored")
    assert [payload for _, _, payload in stored(log)[1:]] == ['{"content":"one"}', '{"content":"two"}']


def test_a_locked_chat_doesnt_hold_up_the_end_of_an_answer_in_it(writer, chat):
    log = writer.new_log(chat)
    with locked(Chat.objects.filter(pk=chat.pk)):
        end(log)
        until(lambda: ended(log), "it ended")
        assert log.response_id not in writer.journal._held


def test_a_writer_that_stops_gives_up_what_stays_locked_and_writes_nothing_after_it(writer, chat, monkeypatch):
    monkeypatch.setattr(journal_module, "LAST_TRIES", 0.2)
    log = writer.new_log(chat)
    with locked(Run.objects.filter(pk=log.response_id)):
        end(log)
        writer.journal.stop()
    assert [kind for _, kind, _ in stored(log)] == ["response_start"]
    assert log.closed


# Jobs


def rename(chat):
    Chat.objects.filter(pk=chat.pk).update(title="new")


def test_a_job_that_meets_a_lock_is_put_off_while_others_go_ahead(writer, chat):
    with locked(Chat.objects.filter(pk=chat.pk)):
        waiting = writer.write(rename, chat)
        assert writer.write(lambda: "done").result(PATIENCE) == "done"
        assert not waiting.done()
    waiting.result(PATIENCE)
    chat.refresh_from_db()
    assert chat.title == "new"


def test_whoever_asked_for_it_is_told_to_come_back_when_the_lock_stays(writer, chat, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.1)
    with locked(Chat.objects.filter(pk=chat.pk)), pytest.raises(DoorError) as refused:
        writer.write(rename, chat).result(PATIENCE)
    assert (refused.value.code, refused.value.retry_after) == ("unavailable", 1)
    assert "Try again" in refused.value.message


def test_a_deletion_and_an_end_of_an_answer_in_the_same_chat_dont_wait_for_each_other(writer, chat):
    """The one locks the chat and then its runs, the other has locked its run."""
    log = writer.new_log(chat)
    has_the_chat = threading.Event()

    def delete():
        Chat.objects.select_for_update().get(pk=chat.pk)
        has_the_chat.set()
        Run.objects.filter(chat=chat).update(cancel_requested_at=timezone.now())

    with ThreadPoolExecutor(1) as executor:

        def finish():
            cancels_among([log.response_id])
            deleting = executor.submit(elsewhere, delete)
            assert has_the_chat.wait(PATIENCE)
            finish_responses([Finished(log.response_id, 1, log.transcript, End("completed"))])
            return deleting

        writer.write(finish).result(PATIENCE).result(PATIENCE)
    run = Run.objects.get(pk=log.response_id)
    assert (run.status, run.cancel_requested_at is not None) == ("completed", True)


# The lease


def test_the_lease_is_renewed_while_the_writer_is_busy(engine, monkeypatch):
    monkeypatch.setattr("chats.control.BEAT", 0.05)
    go_on = threading.Event()
    busy = engine.write(go_on.wait, PATIENCE)
    try:
        before = Worker.objects.get(pk=engine.journal.worker_id).beat_at
        until(lambda: Worker.objects.get(pk=engine.journal.worker_id).beat_at > before, "the beat went on")
    finally:
        go_on.set()
    busy.result(PATIENCE)


def test_the_lease_can_be_renewed_in_the_middle_of_a_commit(writer):
    def renew_meanwhile():
        confirm_lease(writer.journal.worker_id)
        elsewhere(orphans.beat, writer.journal.worker_id)

    writer.write(renew_meanwhile).result(PATIENCE)


def test_it_cant_be_ended_in_the_middle_of_a_commit_and_nobody_waits_to_end_it(writer):
    worker = Worker.objects.filter(pk=writer.journal.worker_id)
    worker.update(beat_at=timezone.now() - 2 * orphans.LEASE)
    orphans._own.discard(writer.journal.worker_id)
    reaped = []

    def reap_meanwhile():
        confirm_lease(writer.journal.worker_id)
        elsewhere(lambda: reaped.extend(orphans.reap_workers()))

    writer.write(reap_meanwhile).result(PATIENCE)
    assert reaped == []
    assert orphans.reap_workers() == [writer.journal.worker_id]


def test_a_process_that_is_paused_in_a_transaction_loses_its_locks(transactional_db, monkeypatch):
    monkeypatch.setattr(journal_module, "TIME_OUTS", TimeOuts(lock=0.25, statement=10, idle=0.1))
    with Writer() as writer:

        def is_paused():
            confirm_lease(writer.journal.worker_id)
            until(lambda: reapable(writer.journal.worker_id), "the row is free")
            Worker.objects.count()

        with pytest.raises(DatabaseError):
            writer.write(is_paused).result(PATIENCE)
        assert writer.write(lambda: "on it goes").result(PATIENCE) == "on it goes"


def test_what_it_was_about_to_store_then_is_stored_once_it_goes_on(transactional_db, monkeypatch):
    monkeypatch.setattr(journal_module, "TIME_OUTS", TimeOuts(lock=0.25, statement=10, idle=0.1))
    insert, paused = rows.insert_events, []
    with Writer() as writer:
        log = writer.new_log(Chat.objects.create(owner=make_user()))

        def is_paused_once(events, *fence):
            if not paused:
                paused.append(True)
                until(lambda: reapable(writer.journal.worker_id), "the row is free")
            insert(events, *fence)

        monkeypatch.setattr(rows, "insert_events", is_paused_once)
        say(log, "after the pause")
        until(lambda: len(stored(log)) == 2, "it is stored")
        writer.settle()
        assert writer.refused == {}
        assert [batch.through for batch in writer.published] == [1]


def reapable(worker_id):
    free = []
    elsewhere(lambda: free.extend(Worker.objects.filter(pk=worker_id).select_for_update(skip_locked=True)))
    time.sleep(0.02)
    return free


def test_jobs_that_wait_for_a_lock_leave_the_others_their_turns(writer, chat):
    def touch():
        Chat.objects.filter(pk=chat.pk).update(updated_at=timezone.now())

    with locked(Chat.objects.filter(pk=chat.pk)):
        stuck = [writer.journal.write(touch) for _ in range(2)]
        until(lambda: len(writer.journal._jobs._put_off) == 2, "both are put off")
        assert writer.journal.write(lambda: "done").result(PATIENCE) == "done"
        assert not any(job.done() for job in stuck)
    for job in stuck:
        job.result(PATIENCE)
