"""The writer's jobs are done a few at a time."""

import pytest

from chats.jobs import A_ROUND, Jobs

pytestmark = pytest.mark.django_db


def test_a_round_does_a_few_in_their_order() -> None:
    jobs, done = Jobs(), list[int]()
    for number in range(A_ROUND + 1):
        jobs.put(done.append, (number,))
    assert jobs.do_round()
    assert done == list(range(A_ROUND))
    assert not jobs.do_round()
    assert done == list(range(A_ROUND + 1))


def test_what_a_job_puts_waits_for_the_next_round() -> None:
    jobs, done = Jobs(), list[str]()
    jobs.put(done.append, ("first",)).add_done_callback(lambda first: jobs.put(done.append, ("second",)))
    assert jobs.do_round()
    assert done == ["first"]
    assert not jobs.do_round()
    assert done == ["first", "second"]


def test_nothing_to_do_is_no_round() -> None:
    assert not Jobs().do_round()
