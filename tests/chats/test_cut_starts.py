"""A start whose COMMIT was cut off: it is launched if it is stored, stored if it isn't, and never twice."""

import pytest

from chats import runs
from chats.models import Run
from chats.protocol import StartBody
from chats.starts import plan_start
from tests.chats.live import make_user
from tests.chats.scripted import run_to_end, wait_for_end
from tests.chats.writing import PATIENCE, Faults


@pytest.fixture
def user(engine):
    return make_user()


@pytest.mark.parametrize("done", [True, False], ids=["and took effect", "and didn't"])
def test_its_answer_is_written_all_the_same_and_once(engine, user, done):
    faults = Faults()
    engine.write(faults.install).result(PATIENCE)
    faults.cut_commit(done=done)
    assert run_to_end(user, "demo", "text").outcome == ("completed", None)
    assert Run.objects.count() == 1


def test_a_beat_that_finds_it_before_it_is_launched_leaves_it_alone(engine, user):
    faults = Faults()
    engine.write(faults.install).result(PATIENCE)

    def beat_and_reap():
        for run in Run.objects.all():
            engine.lease.end_response(str(run.pk))  # as a beat does with what it takes for a stray

    faults.cut_commit(done=True, meanwhile=beat_and_reap)
    assert run_to_end(user, "demo", "text").outcome == ("completed", None)
    assert Run.objects.count() == 1


def test_a_start_whose_caller_has_left_is_launched_and_is_no_longer_starting(engine, user):
    body = StartBody(request_id="left", task="demo", parts=[{"kind": "text", "content": "text"}])
    with runs._Attempt(plan_start(user, body)) as attempt:
        pass
    started = engine.write(attempt.store).result(PATIENCE)
    assert wait_for_end(started.response_id).outcome == ("completed", None)
    assert engine.starting == set()
