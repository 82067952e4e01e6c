"""What is begun in one process can be watched, stopped and gone on with in any other: no sticky sessions."""

import pytest

from tests.multi_process.conftest import FOREVER


def counted_to(number):
    return "".join(f"{each} " for each in range(number))


async def test_an_answer_is_watched_live_where_it_doesnt_run(sites):
    here, there = sites
    async with here.socket() as starter, there.socket() as watcher:
        response_id = (await starter.start("60"))["response_id"]
        await watcher.send("subscribe", response_id=response_id, after=-1)
        await watcher.until_event("response_end")
        await starter.until_event("response_end")
    assert watcher.text(response_id) == starter.text(response_id) == counted_to(60)
    assert watcher.numbers(response_id) == list(range(len(watcher.numbers(response_id))))


async def test_who_was_cut_off_goes_on_in_another_process_where_he_was(sites):
    here, there = sites
    async with here.socket() as first:
        response_id = (await first.start("60"))["response_id"]
        await first.until_event("content")
    async with there.socket() as second:
        await second.send("subscribe", response_id=response_id, after=first.through[response_id])
        await second.until_event("response_end")
    assert first.text(response_id) + second.text(response_id) == counted_to(60)
    numbers = first.numbers(response_id) + second.numbers(response_id)
    assert numbers == list(range(len(numbers)))


async def test_a_cancel_in_another_process_takes_effect(sites):
    here, there = sites
    async with here.socket() as starter, there.socket() as other:
        response_id = (await starter.start(FOREVER))["response_id"]
        await starter.until_event("content")
        await other.send("cancel", response_id=response_id)
        assert (await other.until_kind("cancelled"))["response_id"] == response_id
        await starter.until_event("response_end")
    assert starter.events[response_id][-1]["status"] == "cancelled"
    _, _, message = await there.ask("GET", f"/api/v1/messages/{response_id}/")
    assert (message["status"], message["parts"][0]["content"]) == ("cancelled", starter.text(response_id))


async def test_a_cancel_by_http_too(sites):
    here, there = sites
    async with here.socket() as starter:
        response_id = (await starter.start(FOREVER))["response_id"]
        status, _, _ = await there.ask("POST", f"/api/v1/responses/{response_id}/cancel/")
        assert status == 202
        await starter.until_event("response_end")
    assert starter.events[response_id][-1]["status"] == "cancelled"


async def test_a_chat_goes_on_in_another_process_and_ones_own_tabs_hear_of_it(sites):
    here, there = sites
    async with here.socket() as starter, there.socket() as tab:
        await tab.until_kind("hello")
        started = await starter.start("1")
        chat = await tab.until_kind("chat")
        assert (chat["change"], chat["chat"]["id"]) == ("created", started["chat_id"])
        await starter.until_event("response_end")
        again = await tab.start("2", chat_id=started["chat_id"])
        await tab.until_event("response_end")
    _, _, messages = await here.ask("GET", f"/api/v1/chats/{started['chat_id']}/messages/")
    assert [message["id"] for message in messages["results"]][-1] == again["response_id"]
    assert len(messages["results"]) == 4


async def test_the_same_request_sent_to_both_is_one_answer(sites):
    here, there = sites
    async with here.socket() as one, there.socket() as other:
        first = await one.start("1", request_id="the-same")
        second = await other.start("1", request_id="the-same")
    assert second["response_id"] == first["response_id"]
    assert (first["attached"], second["attached"]) == (False, True)


async def test_a_ticket_of_one_process_opens_a_socket_of_another_once(sites):
    here, there = sites
    _, _, issued = await here.ask("POST", "/api/v1/socket-ticket/")
    async with there.socket(f"?ticket={issued['ticket']}", anonymous=True) as socket:
        assert (await socket.until_kind("hello"))["protocol"] == 1
    async with here.socket(f"?ticket={issued['ticket']}", anonymous=True) as again:
        assert await again.closing_code() == 4401


@pytest.mark.parametrize("number", [0, 1])
async def test_each_process_is_ready_and_tells_its_own_numbers(sites, number):
    assert (await sites[number].ask("GET", "/readyz"))[::2] == (200, {"ready": True, "failing": {}})
