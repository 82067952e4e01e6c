"""Plain daphne instead of `manage.py serve`: no graceful stop and no back-pressure, and the same promises."""

import asyncio

from tests.faults.people import until
from tests.faults.recital import Order
from tests.faults.servers import DAPHNE
from tests.faults.test_killed import LONG, TASKS


async def test_answers_stream_and_are_stored_and_end_with_the_server(site):
    server = await site.serve(DAPHNE)
    async with site.person(0, server) as asker, site.person(0, server) as second_tab:
        whole = await asker.ask(Order(seed=1, events=150, per_second=50), TASKS[1])
        cut = await asker.ask(Order(seed=2, events=LONG), TASKS[0])
        watched = await second_tab.watch(whole.response_id, whole.order)
        await until(lambda: whole.ended.is_set() and watched.ended.is_set() and cut.cursor >= 20)
        site.check(whole)
        site.check(watched)
        await asyncio.to_thread(server.terminate)
        assert site.database.response(cut.response_id).outcome == ("error", "shutdown")
        await asyncio.to_thread(server.start_again)
        await until(cut.ended.wait)
        site.check(cut)
