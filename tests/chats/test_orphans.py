"""Who is dead, and how what they left is ended."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from chats import orphans
from chats.models import Chat, Event, Message, Run, Worker
from tests.chats.api.makers import END, make_response, start_of, text
from tests.chats.live import make_user

LONG_AGO = orphans.LEASE + timedelta(seconds=5)


@pytest.fixture
def chat(db):
    return Chat.objects.create(owner=make_user())


def make_worker(*, silent_for=timedelta(0), **fields):
    """A worker of another process, of this machine unless a `boot_id` is given."""
    own = Worker.objects.get(pk=orphans.register_worker())
    orphans.end_worker(own.pk)
    defaults = {"host": own.host, "pid": os.getppid(), "boot_id": own.boot_id}
    return Worker.objects.create(beat_at=timezone.now() - silent_for, **(defaults | fields))


def pid_of_an_ended_process():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def orphan(chat, events=(), **fields):
    response = make_response(chat, events)
    ended = make_worker(ended_at=timezone.now())
    Run.objects.filter(pk=response.pk).update(worker=ended, **fields)
    return str(response.pk)


def log_of(response_id):
    return list(Event.objects.filter(response=response_id).order_by("sequence").values_list("sequence", "type"))


# Leases


def test_a_lease_is_renewed_until_somebody_ends_it(db):
    worker_id = orphans.register_worker()
    assert orphans.beat(worker_id)
    orphans.end_worker(worker_id)
    assert not orphans.beat(worker_id)


def test_a_lease_that_ran_out_is_ended(db):
    dead = make_worker(silent_for=LONG_AGO)
    assert orphans.reap_workers() == [dead.pk]
    dead.refresh_from_db()
    assert dead.ended_at is not None


def test_it_isnt_when_whoever_looks_could_not_reach_the_database_either(db):
    make_worker(silent_for=LONG_AGO)
    assert orphans.reap_workers(expired=False) == []


def test_a_living_process_of_this_machine_is_left_alone(db):
    make_worker()
    assert orphans.reap_workers() == []


@pytest.mark.parametrize("expired", [True, False])
def test_an_ended_process_of_this_machine_is_known_at_once(db, expired):
    dead = make_worker(pid=pid_of_an_ended_process())
    assert orphans.reap_workers(expired=expired) == [dead.pk]


def test_a_process_that_has_ended_unnoticed_by_its_parent_is_an_ended_one(db):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays there as a zombie
    dead = make_worker(pid=ended.pid)
    assert orphans.reap_workers(expired=False) == [dead.pk]
    ended.wait()


def test_the_same_number_in_another_boot_or_container_means_another_process(db):
    make_worker(pid=pid_of_an_ended_process(), boot_id="another")
    assert orphans.reap_workers() == []


def test_a_worker_with_this_processs_number_that_isnt_its_own_is_an_earlier_one(db):
    dead = make_worker(pid=os.getpid())
    assert orphans.reap_workers() == [dead.pk]


def test_a_process_never_reaps_itself(db):
    own = orphans.register_worker()
    Worker.objects.filter(pk=own).update(beat_at=timezone.now() - LONG_AGO)
    assert orphans.reap_workers() == []
    orphans.end_worker(own)


# What they left


def test_only_unfinished_runs_of_ended_workers_are_orphans(chat):
    left = orphan(chat, [start_of()])
    orphan(chat, [start_of(), END])
    alive = make_response(chat, [start_of()])
    Run.objects.filter(pk=alive.pk).update(worker=make_worker())
    assert orphans.orphans() == [left]


def test_the_runs_of_a_worker_say_whether_they_are_to_stop(chat):
    going, asked, finished = (make_response(chat, events) for events in ([], [], [start_of(), END]))
    worker = make_worker()
    Run.objects.filter(pk__in=[going.pk, asked.pk, finished.pk]).update(worker=worker)
    Run.objects.filter(pk=asked.pk).update(cancel_requested_at=timezone.now())
    assert orphans.runs_of(worker.pk) == {str(going.pk): False, str(asked.pk): True}


def test_the_runs_of_a_deactivated_user_are_to_stop(chat):
    response = make_response(chat)
    worker = make_worker()
    Run.objects.filter(pk=response.pk).update(worker=worker)
    chat.owner.is_active = False
    chat.owner.save()
    assert orphans.runs_of(worker.pk) == {str(response.pk): True}


def test_what_was_read_of_a_log_before_is_not_read_again(chat):
    response_id = orphan(chat, [start_of(), text("so ")])
    told = orphans.read_log(response_id)
    Event.objects.create(response_id=response_id, sequence=2, type="content", payload='{"content":"far"}')
    Event.objects.filter(response_id=response_id, sequence=1).update(payload="not looked at")
    _, batch = orphans.finish_orphan(response_id, told=told)
    assert Message.objects.get(pk=response_id).parts == [{"kind": "text", "content": "so far"}]
    assert (batch.after, batch.through) == (2, 4)


def test_an_end_that_failed_once_is_folded_once(chat):
    response_id = orphan(chat, [start_of(), text("so far")])
    told = orphans.read_log(response_id)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        orphans.finish_orphan(response_id, told=told)
        raise ZeroDivisionError
    orphans.finish_orphan(response_id, told=told)
    assert len(Message.objects.get(pk=response_id).errors) == 1


def test_an_orphan_ends_as_worker_lost_after_what_it_had_said(chat):
    response_id = orphan(chat, [start_of(), text("so "), text("far")])
    facts, batch = orphans.finish_orphan(response_id)
    assert log_of(response_id)[2:] == [(2, "content"), (3, "error"), (4, "response_end")]
    message, run = Message.objects.get(pk=response_id), Run.objects.get(pk=response_id)
    assert (message.status, run.status, run.error_type) == ("error", "error", "worker_lost")
    assert message.parts == [{"kind": "text", "content": "so far"}]
    assert message.errors[0]["message"] == orphans.WORKER_LOST.message
    assert (batch.after, batch.through, batch.status) == (2, 4, "error")
    assert (facts.response_id, facts.user_id) == (response_id, chat.owner_id)
    assert [note["note"] for note in run.notes] == ["ended_for_its_worker"]


def test_its_end_moves_the_time_of_the_last_message(chat):
    response_id = orphan(chat, [start_of()])
    Chat.objects.update(last_message_at=chat.created_at)
    with transaction.atomic():
        orphans.finish_orphan(response_id)
    run = Run.objects.get(pk=response_id)
    assert Chat.objects.get().last_message_at == run.finished_at > chat.created_at


def test_what_was_hidden_stays_hidden(chat):
    response_id = orphan(chat, [start_of(), ("content", {"content": "secret"}, False), text("open")])
    orphans.finish_orphan(response_id)
    message = Message.objects.get(pk=response_id)
    assert message.parts == [{"kind": "text", "content": "open"}]
    assert message.unredacted["parts"][0] == {"kind": "text", "content": "secret", "hidden": True}


def test_an_orphan_that_never_began_is_given_its_start_first(chat):
    response_id = orphan(chat)
    _, batch = orphans.finish_orphan(response_id)
    assert [kind for _, kind in log_of(response_id)] == ["response_start", "error", "response_end"]
    assert (batch.after, batch.through) == (-1, 2)
    assert f'"message_id":"{Run.objects.get(pk=response_id).request_message_id}"' in batch.events[0].payload


def test_an_orphan_that_was_asked_to_stop_ends_as_cancelled_and_without_an_error(chat):
    response_id = orphan(chat, [start_of()], cancel_requested_at=timezone.now())
    orphans.finish_orphan(response_id)
    assert [kind for _, kind in log_of(response_id)] == ["response_start", "response_end"]
    assert Run.objects.get(pk=response_id).status == "cancelled"


def test_an_orphan_is_ended_once(chat):
    response_id = orphan(chat, [start_of()])
    assert orphans.finish_orphan(response_id) is not None
    before = log_of(response_id)
    assert orphans.finish_orphan(response_id) is None
    assert log_of(response_id) == before
