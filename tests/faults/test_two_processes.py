"""Two live servers on one database, without Redis: what one does is found out by the other from the log."""

import asyncio

from tests.faults.people import until
from tests.faults.recital import Order
from tests.faults.test_killed import LONG


async def test_who_watches_on_the_other_process_gets_all_of_it_and_its_end(site):
    first, second = await asyncio.gather(site.serve(), site.serve())
    async with site.person(0, first) as asker, site.person(0, second) as watcher:
        asked = await asker.ask(Order(seed=7, events=200, per_second=50), "reciter-blocking")
        watched = await watcher.watch(asked.response_id, asked.order)
        await until(lambda: watched.cursor >= 20)
        assert not asked.ended.is_set()
        await until(lambda: asked.ended.is_set() and watched.ended.is_set())
        site.check(asked)
        site.check(watched)
        stopped = await asker.ask(Order(events=LONG), "reciter-cooperative")
        await watcher.cancel(stopped.response_id)
        await until(stopped.ended.wait)
        assert site.database.response(stopped.response_id).outcome == ("cancelled", None)


async def test_the_dead_ones_runs_are_ended_by_its_lease_and_the_living_ones_go_on(site):
    """The dead process is made one of another machine: only its lease can tell that it has gone."""
    doomed, living = await asyncio.gather(site.serve(), site.serve())
    async with site.person(0, doomed) as orphaned, site.person(1, living) as other, site.person(0, living) as watcher:
        lost = await orphaned.ask(Order(seed=1, events=LONG), "reciter-cooperative")
        kept = await other.ask(Order(seed=2, events=LONG, per_second=30), "reciter-blocking")
        watched = await watcher.watch(lost.response_id, lost.order)
        await until(lambda: min(lost.cursor, kept.cursor) >= 20)
        doomed.kill()
        worker = site.database.worker_of(lost.response_id)
        site.database.rows("UPDATE chats_worker SET boot_id = 'another machine' WHERE id = ?", worker)
        await until(watched.ended.wait)
        site.check(watched)
        lost.check(site.database.response(lost.response_id), whole=False)
        assert site.database.response(lost.response_id).outcome == ("error", "worker_lost")
        await asyncio.to_thread(doomed.start_again)
        await until(lost.ended.wait)
        site.check(lost)
        cursor = kept.cursor
        await until(lambda: kept.cursor > cursor + 60)  # two seconds, in which the new one has looked for the dead
        assert not kept.ended.is_set()
        assert not site.database.worker_ended(site.database.worker_of(kept.response_id))
        await other.cancel(kept.response_id)
        await until(kept.ended.wait)
        site.check(kept)
