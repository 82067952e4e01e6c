"""A chat is deleted while answers are written in it."""

import asyncio
import urllib.request

import pytest

from tests.faults.people import Refused, until
from tests.faults.recital import Order
from tests.faults.test_killed import LONG, TASKS


def delete(server, token, chat_id):
    request = urllib.request.Request(
        f"{server.address}/api/v1/chats/{chat_id}/", method="DELETE", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.status


async def test_its_answers_end_as_cancelled_and_whole_and_other_chats_go_on(calm):
    site, server = calm
    async with site.person(0, server) as asker:
        first = await asker.ask(Order(seed=1, events=LONG, per_second=500), TASKS[0])
        chat = {"chat_id": first.chat_id, "parent_id": None, "branch": True}
        second = await asker.ask(Order(seed=2, events=LONG, per_second=300), TASKS[1], **chat)
        other = await asker.ask(Order(seed=3, events=150, per_second=50), TASKS[0])
        await until(lambda: min(first.cursor, second.cursor, other.cursor) >= 20)
        assert await asyncio.to_thread(delete, server, site.people[0]["token"], first.chat_id) == 204
        await until(lambda: first.ended.is_set() and second.ended.is_set() and other.ended.is_set())
        for answer in (first, second, other):
            site.check(answer)
        assert site.database.response(first.response_id).outcome == ("cancelled", None)
        assert site.database.response(second.response_id).outcome == ("cancelled", None)
        assert site.database.response(other.response_id).outcome == ("completed", None)
        with pytest.raises(Refused, match="not_found"):
            await asker.ask(Order(), TASKS[0], chat_id=first.chat_id)
        await asker.watch(second.response_id)
        await until(lambda: [error["code"] for error in asker.errors[1:]] == ["not_found"])
