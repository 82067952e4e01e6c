"""A server that is paused until its lease has run out, and then goes on as if nothing had been. On PostgreSQL and for
twice the lease it is one of the driver's faults."""

import asyncio

from tests.faults.people import until
from tests.faults.recital import Order
from tests.faults.test_killed import LONG, TASKS


async def pause_between_commits(site, server):
    """Paused with the file's lock in its hand it would stop all others, too; that's SQLite's, and not what's meant."""
    server.pause()
    while site.database.is_locked():
        server.go_on()
        await asyncio.sleep(0.05)
        server.pause()


async def test_it_finds_its_runs_ended_writes_nothing_more_and_begins_anew(site):
    paused, other = await asyncio.gather(site.serve(), site.serve())
    async with site.person(0, paused) as asker, site.person(0, other) as watcher:
        orders = [Order(seed=seed, events=LONG) for seed in range(len(TASKS))]
        answers = [await asker.ask(order, task) for order, task in zip(orders, TASKS, strict=True)]
        watched = [await watcher.watch(answer.response_id, answer.order) for answer in answers]
        await until(lambda: all(answer.cursor >= 20 for answer in [*answers, *watched]))
        worker = site.database.worker_of(answers[0].response_id)
        await pause_between_commits(site, paused)
        await until(lambda: all(answer.ended.is_set() for answer in watched))
        ended = [site.database.response(answer.response_id) for answer in answers]
        paused.go_on()
        await until(lambda: all(answer.ended.is_set() for answer in answers))
        for answer, at_the_end in zip([*answers, *watched], ended * 2, strict=True):
            site.check(answer)
            assert site.database.response(answer.response_id) == at_the_end
            assert at_the_end.outcome == ("error", "worker_lost")
        again = await asker.ask(Order(events=50, per_second=0), TASKS[0])
        await until(again.ended.wait)
        site.check(again)
        assert site.database.response(again.response_id).outcome == ("completed", None)
        assert site.database.worker_ended(worker)
        assert site.database.worker_of(again.response_id) != worker
        assert "lease was ended by another" in paused.output
