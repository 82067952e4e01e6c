"""An answer that the database can't take, among others."""

from tests.faults.people import until
from tests.faults.recital import Order


async def test_an_error_whose_text_no_database_takes_ends_its_own_answer_only(calm):
    site, server = calm
    async with site.person(0, server) as asker:
        other = await asker.ask(Order(events=200, per_second=50), "reciter-blocking")
        poisoned = await asker.ask("go", "poison")
        await until(poisoned.ended.wait, 10)
        await until(other.ended.wait, 20)
        site.check(poisoned)
        site.check(other)
        assert site.database.response(poisoned.response_id).outcome == ("error", "handler_error")
