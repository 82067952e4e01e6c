"""SIGTERM while people watch over websockets. What HTTP's streams see of it is in tests/workbench/test_stop.py."""

import asyncio

import pytest

from tests.faults.people import Refused, until
from tests.faults.recital import Order
from tests.faults.test_killed import LONG


async def test_short_answers_finish_the_rest_end_as_shutdown_and_clients_come_back(site):
    server = await site.serve(WORKBENCH_SHUTDOWN_GRACE="3")
    async with site.person(0, server) as one, site.person(1, server) as two:
        brief = await one.ask(Order(seed=1, events=80), "reciter-blocking")
        long = await two.ask(Order(seed=2, events=LONG), "reciter-cooperative")
        blocked = await one.ask(Order(seed=3, events=LONG, per_second=0.01), "reciter-blocking")
        await until(lambda: min(brief.cursor, long.cursor, blocked.cursor) >= 1)
        stopping = asyncio.create_task(asyncio.to_thread(server.terminate))
        await asyncio.to_thread(server.running.wait_for, "Stopping")
        with pytest.raises(Refused, match="unavailable"):
            await one.ask(Order(), "reciter-cooperative")
        assert await stopping == 0
        assert one.closings[:1] == two.closings[:1] == [1012]
        assert site.database.response(brief.response_id).outcome == ("completed", None)
        for answer in (long, blocked):
            assert site.database.response(answer.response_id).outcome == ("error", "shutdown")
        for answer in (brief, long, blocked):
            assert answer.ended.is_set()
            site.check(answer)
        assert site.database.rows("SELECT count(*) FROM chats_worker WHERE ended_at IS NULL") == [(0,)]
        assert "Traceback" not in server.output
        await asyncio.to_thread(server.start_again)
        again = await one.ask(Order(events=20, per_second=0), "reciter-cooperative")
        await until(again.ended.wait)
        site.check(again)
