"""The writer: what is committed before it is shown, and what happens when the database won't."""

import asyncio
import threading
import time

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from chats import journal as journal_module
from chats import orphans
from chats.journal import JournalStopped
from chats.models import Chat, Event, Message, Run, Worker
from chats.rows import AlreadyEnded
from chats.runlog import Pending
from tests.chats.live import make_user
from tests.chats.writing import PATIENCE, Writer, elsewhere, end, say, stored

INSERT = f'INSERT INTO "{Event._meta.db_table}"'


@pytest.fixture
def chat(transactional_db):
    return Chat.objects.create(owner=make_user())


@pytest.fixture
def writer(transactional_db):
    with Writer() as writer:
        yield writer


def text_of(log):
    return [payload for _, kind, payload in stored(log) if kind == "content"]


def shown(writer, log):
    """The sequences that were published of a response."""
    batches = [batch for batch in writer.published if batch.response_id == log.response_id]
    return [event.sequence for batch in batches for event in batch.events]


def pending(kind, fields, **flags):
    return Pending(kind, fields, flags.get("emit", True), flags.get("persist", True), time.time())


def test_a_number_is_committed_before_it_is_shown(writer, chat):
    log = writer.new_log(chat)
    found = []
    writer.hub.relay = lambda batches: found.append((batches[0].through, stored(log)[-1][0]))
    say(log, "hello")
    writer.settle()
    assert found == [(1, 1)]


def test_deltas_that_wait_together_become_one_event(writer, chat):
    log = writer.new_log(chat)
    go_on = writer.held()
    for word in ("one ", "two ", "three"):
        say(log, word)
    go_on.set()
    writer.settle()
    assert stored(log)[1:] == [(1, "content", '{"content":"one two three"}')]


def test_what_isnt_kept_is_shown_in_its_place_without_a_number(writer, chat):
    log = writer.new_log(chat)
    go_on = writer.held()
    say(log, "a")
    log.append(pending("status", {"message": "soon"}, persist=False))
    say(log, "b")
    go_on.set()
    writer.settle()
    assert shown(writer, log) == [1, None, 2]
    assert len(stored(log)) == 3


def test_what_is_hidden_is_kept_and_not_shown(writer, chat):
    log = writer.new_log(chat)
    log.append(pending("status", {"message": "secret"}, emit=False))
    say(log, "a")
    writer.settle()
    assert shown(writer, log) == [2]
    assert [sequence for sequence, _, _ in stored(log)] == [0, 1, 2]


def test_the_end_is_written_with_the_fold(writer, chat):
    log = writer.new_log(chat)
    say(log, "all")
    end(log)
    writer.settle()
    message = Message.objects.get(pk=log.response_id)
    assert (message.status, message.sequence, message.parts) == (
        "completed",
        2,
        [{"kind": "text", "content": "all"}],
    )
    assert writer.ended == [log.response_id]


def test_a_cancel_that_was_asked_for_before_the_end_was_committed_is_how_it_ends(writer, chat):
    log = writer.new_log(chat)
    Run.objects.filter(pk=log.response_id).update(cancel_requested_at=timezone.now())
    end(log)
    writer.settle()
    assert Run.objects.get(pk=log.response_id).status == "cancelled"
    assert '"status":"cancelled"' in stored(log)[-1][2]
    assert '"status":"cancelled"' in writer.published[-1].frame
    assert writer.published[-1].status == "cancelled"


# The database is away


@pytest.mark.parametrize("times", [1, 3])
def test_a_batch_that_fails_for_now_is_written_later_and_once(writer, chat, times):
    log = writer.new_log(chat)
    writer.faults.fail(INSERT, times)
    say(log, "late")
    writer.settle()
    assert text_of(log) == ['{"content":"late"}']
    assert shown(writer, log) == [1]
    assert writer.refused == {}


@pytest.mark.parametrize("done", [True, False], ids=["it had taken effect", "it hadn't"])
def test_a_commit_whose_outcome_is_unknown_is_looked_up_before_it_is_sent_again(writer, chat, done):
    logs = [writer.new_log(chat) for _ in range(2)]
    go_on = writer.held()
    writer.faults.cut_commit(done=done)
    for log in logs:
        say(log, "once")
        end(log)
    go_on.set()
    writer.settle()
    for log in logs:
        assert [sequence for sequence, _, _ in stored(log)] == [0, 1, 2]
        assert shown(writer, log) == [1, 2]
        assert Run.objects.get(pk=log.response_id).status == "completed"
    assert sorted(writer.ended) == sorted(log.response_id for log in logs)
    assert writer.refused == {}


@pytest.mark.parametrize("done", [True, False], ids=["it had taken effect", "it hadn't"])
def test_what_stands_at_its_numbers_after_the_lease_was_ended_isnt_taken_for_its_own(writer, chat, done):
    log = writer.new_log(chat)

    def reap():
        Worker.objects.filter(pk=writer.journal.worker_id).update(ended_at=timezone.now())
        orphans.finish_orphan(log.response_id)

    writer.faults.cut_commit(done=done, meanwhile=lambda: elsewhere(reap))
    say(log, "never shown")
    assert writer.lost.wait(PATIENCE)
    writer.settle()
    assert shown(writer, log) == []
    assert [kind for _, kind, _ in stored(log)] == ["response_start", *["content"] * done, "error", "response_end"]


def test_who_waits_for_room_goes_on_when_the_writer_has_taken_what_was_there(writer, chat):
    log = writer.new_log(chat)
    go_on = writer.held()
    while not log.full:
        say(log, "x" * 10_000)

    async def wait_for_room():
        waiting = asyncio.create_task(log.wait_for_room())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        go_on.set()
        await asyncio.wait_for(waiting, PATIENCE)

    asyncio.run(wait_for_room())


def test_a_writer_that_stops_while_the_database_is_away_gives_up(writer, chat, monkeypatch):
    monkeypatch.setattr(journal_module, "LAST_TRIES", 0.2)
    log = writer.new_log(chat)
    writer.faults.fail(INSERT, times=1000)
    say(log, "unwritten")
    writer.journal.stop()
    assert text_of(log) == []
    assert writer.published == []


# One run's fault


TWICE = pending("status", {"message": "whose number is taken"})
POISON = pending("status", {"message": "half a character: \ud800"})
UNFOLDABLE = pending("document", {})


@pytest.mark.parametrize(
    ("harm", "error"),
    [(TWICE, IntegrityError), (POISON, UnicodeEncodeError), (UNFOLDABLE, KeyError)],
    ids=["its number is taken", "the driver won't have it", "it has no fold"],
)
def test_only_the_culprit_of_a_batch_is_refused(writer, chat, harm, error):
    logs = [writer.new_log(chat) for _ in range(3)]
    culprit = logs[1]
    culprit.next_sequence -= harm is TWICE
    go_on = writer.held()
    culprit.append(harm)
    for log in logs:
        say(log, "fine")
    go_on.set()
    writer.settle()
    assert {key: type(value) for key, value in writer.refused.items()} == {culprit.response_id: error}
    assert [text_of(log) for log in logs] == [['{"content":"fine"}'], [], ['{"content":"fine"}']]
    assert [shown(writer, log) for log in logs] == [[1], [], [1]]


def test_a_run_that_somebody_else_has_ended_is_refused_and_the_others_end(writer, chat):
    log, other = (writer.new_log(chat) for _ in range(2))
    elsewhere(orphans.finish_orphan, log.response_id)
    before = stored(log)
    go_on = writer.held()
    log.next_sequence = len(before)
    for each in (log, other):
        end(each)
    go_on.set()
    writer.settle()
    assert [type(error) for error in writer.refused.values()] == [AlreadyEnded]
    assert stored(log) == before
    assert writer.ended == [other.response_id]


# The lease


def test_nothing_is_written_under_a_lease_that_was_ended(writer, chat):
    log = writer.new_log(chat)
    Worker.objects.filter(pk=writer.journal.worker_id).update(ended_at=timezone.now())
    say(log, "too late")
    assert writer.lost.wait(PATIENCE)
    writer.settle()
    assert text_of(log) == []
    assert writer.published == []


def test_with_a_new_lease_it_writes_again(writer, chat):
    Worker.objects.filter(pk=writer.journal.worker_id).update(ended_at=timezone.now())
    writer.journal.worker_id = writer.write(orphans.register_worker).result(PATIENCE)
    log = writer.new_log(chat)
    say(log, "anew")
    writer.settle()
    assert text_of(log) == ['{"content":"anew"}']
    assert not writer.lost.is_set()


# Jobs


def test_what_a_job_raises_its_caller_gets_and_nothing_of_it_is_kept(writer, chat):
    def half_done():
        Chat.objects.filter(pk=chat.pk).update(title="half")
        raise ZeroDivisionError

    writing = writer.write(half_done)
    with pytest.raises(ZeroDivisionError):
        writing.result(PATIENCE)
    chat.refresh_from_db()
    assert chat.title == ""


def test_a_job_that_wants_to_end_the_thread_ends_only_itself(writer):
    def leave():
        raise SystemExit("with the whole process")

    with pytest.raises(SystemExit):
        writer.journal.write(leave).result(PATIENCE)
    assert writer.journal.write(lambda: "still here").result(PATIENCE) == "still here"


def test_a_job_that_meets_a_broken_connection_fails_and_the_next_one_has_a_new_one(writer, chat):
    writer.faults.fail("UPDATE")
    job = Chat.objects.filter(pk=chat.pk).update
    losing = writer.write(lambda: job(title="lost"))
    with pytest.raises(OperationalError):
        losing.result(PATIENCE)
    assert writer.write(lambda: job(title="kept")).result(PATIENCE) == 1


def test_a_stop_writes_what_waits_and_takes_nothing_more(writer, chat):
    log = writer.new_log(chat)
    go_on = writer.held()
    say(log, "last words")
    late = writer.write(lambda: "done")
    threading.Timer(0.05, go_on.set).start()
    writer.journal.stop()
    assert late.result(0) == "done"
    assert text_of(log) == ['{"content":"last words"}']
    with pytest.raises(JournalStopped):
        writer.write(lambda: None)


def test_a_writer_that_doesnt_come_on_is_named_with_the_place_where_it_is(writer, monkeypatch, caplog):
    monkeypatch.setattr(journal_module, "STALLED_AFTER", 0.0)
    entered, go_on = threading.Event(), threading.Event()

    def stuck_in_here():
        entered.set()
        go_on.wait(PATIENCE)

    doing = writer.journal.write(stuck_in_here)
    entered.wait(PATIENCE)
    writer.journal.report_stall()
    writer.journal.report_stall()
    go_on.set()
    doing.result(PATIENCE)
    assert [record.getMessage().count("stuck_in_here") > 0 for record in caplog.records] == [True]


def test_a_job_whose_wake_up_was_lost_is_done_all_the_same(writer, monkeypatch):
    writer.settle()
    monkeypatch.setattr(writer.journal._wake, "set", lambda: None)
    assert writer.journal.write(lambda: "done").result(PATIENCE) == "done"


def test_the_last_job_of_a_stop_comes_after_all_that_waits(writer, chat):
    log = writer.new_log(chat)
    go_on, found = writer.held(), []
    say(log, "the last words")
    stopping = threading.Thread(target=writer.journal.stop, args=[lambda: found.append(text_of(log))])
    stopping.start()
    go_on.set()
    stopping.join(PATIENCE)
    assert found == [['{"content":"the last words"}']]
