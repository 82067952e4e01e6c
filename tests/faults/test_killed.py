"""SIGKILL of a server in the middle of answers, and its start on the same machine."""

import asyncio

from tests.faults.people import until
from tests.faults.recital import Order

TASKS = ("reciter-cooperative", "reciter-blocking")
LONG = 20_000  # events: never said to the end


async def test_what_anybody_saw_is_stored_and_its_end_is_told_when_the_server_is_back(site):
    server = await site.serve()
    async with site.person(0, server) as asker, site.person(1, server) as other, site.person(0, server) as second_tab:
        people = (asker, other, asker, other)
        orders = [Order(seed=seed, events=LONG, per_second=60) for seed in range(len(people))]
        answers = [
            await person.ask(order, TASKS[number % 2])
            for number, (person, order) in enumerate(zip(people, orders, strict=True))
        ]
        answers.append(await second_tab.watch(answers[0].response_id, orders[0]))
        await until(lambda: all(answer.cursor >= 40 for answer in answers))
        server.kill()
        await until(lambda: all(person.closings for person in (asker, other, second_tab)))
        for answer in answers:
            answer.check(site.database.response(answer.response_id), whole=False)
        cursors = [answer.cursor for answer in answers]
        # On the same machine its process number tells that it's dead, whatever its lease says.
        site.database.rows("UPDATE chats_worker SET beat_at = '2999-01-01'")
        await asyncio.to_thread(server.start_again)
        await until(lambda: all(answer.ended.is_set() for answer in answers))
        for answer, cursor in zip(answers, cursors, strict=True):
            site.check(answer)
            assert answer.cursor > cursor
            assert site.database.response(answer.response_id).outcome == ("error", "worker_lost")
        after = [await asker.ask(Order(events=60, per_second=0), task) for task in TASKS]
        await until(lambda: all(answer.ended.is_set() for answer in after))
        for answer in after:
            site.check(answer)
            assert site.database.response(answer.response_id).outcome == ("completed", None)
