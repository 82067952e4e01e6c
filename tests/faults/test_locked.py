"""Another process holds the database's lock: nothing can be written for longer than a statement waits."""

import asyncio
import subprocess
import sys

from tests.faults.people import Refused, until
from tests.faults.recital import Order
from tests.faults.site import environment_for
from tests.faults.test_killed import TASKS
from tests.processes import PATIENCE, ROOT

LOCKED_FOR = 22.0  # seconds: over SQLite's 20, after which statements fail, and over two leases


async def ask_or_be_refused(person, order):
    """Either is right; anything else than a clear refusal fails."""
    try:
        return await person.ask(order, TASKS[0])
    except Refused as refused:
        if refused.frame["code"] != "unavailable" or "try again" not in refused.frame["message"]:
            raise
        return None


async def test_answers_wait_and_go_on_whole_and_no_process_takes_another_for_dead(site):
    first, second = await asyncio.gather(site.serve(), site.serve())
    async with site.person(0, first) as one, site.person(1, second) as two:
        orders = [Order(seed=seed, events=250, per_second=50) for seed in range(4)]
        answers = [
            await person.ask(order, TASKS[number % 2])
            for number, (person, order) in enumerate(zip((one, two, one, two), orders, strict=True))
        ]
        await until(lambda: all(answer.cursor >= 20 for answer in answers))
        with site.database.locked():
            await asyncio.sleep(1)
            cursors = [answer.cursor for answer in answers]
            asking = [asyncio.create_task(ask_or_be_refused(person, Order(events=30))) for person in (one, two)]
            await asyncio.sleep(LOCKED_FOR - 1)
            assert [answer.cursor for answer in answers] == cursors
        during = [answer for answer in await asyncio.gather(*asking) if answer is not None]
        await until(lambda: all(answer.ended.is_set() for answer in [*answers, *during]))
        for answer in [*answers, *during]:
            site.check(answer)
            assert site.database.response(answer.response_id).outcome == ("completed", None)
        assert (one.closings, two.closings) == ([], [])
        after = await one.ask(Order(events=30, per_second=0), TASKS[0])
        await until(after.ended.wait)
        site.check(after)


def test_a_server_that_cannot_write_says_so_and_ends(site):
    refusal = "CREATE TRIGGER full BEFORE INSERT ON chats_worker BEGIN SELECT RAISE(FAIL, 'the disk is full'); END"
    site.database.rows(refusal)
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment_for(site.database),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert "can't be written to (DATABASE_URL): the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
