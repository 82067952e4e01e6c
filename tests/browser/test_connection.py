"""What a reader keeps when the server dies, the network goes or the login ends."""

import json

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.site import PATIENCE, Site, ask, ready, sign_in, until
from tests.browser.test_chat import LONG, answer_of, drawn, equipped, finished, steps_of, stop, stored

pytestmark = pytest.mark.browser


def logged(page: Page) -> str:
    """The text of the last answer as the server has it."""
    response = answer_of(page).get_attribute("data-message")
    address = page.url.split("/chats/")[0] + f"/api/v1/responses/{response}/events/?limit=100"
    return "".join(event.get("content", "") for event in page.request.get(address).json()["results"])


def test_a_killed_server_costs_the_rest_of_the_answer_and_nothing_that_was_said(person, reader, site):
    person.expect_losses()
    page = equipped(person.signed_in(reader))
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("4/240")
    site.kill()
    expect(page.locator("#banner")).to_contain_text("The connection is lost.")
    seen = answer_of(page).locator(".parts").inner_text().strip()
    site.start()
    ready(page)
    expect(answer_of(page)).to_have_attribute("data-status", "error", timeout=2 * PATIENCE)
    expect(page.locator("#banner")).to_be_hidden()
    said = drawn(page, "error")
    assert said.startswith(seen)
    expect(answer_of(page).locator(".problem")).to_contain_text("The server was interrupted")
    page.reload()
    ready(page)
    assert drawn(page, "error") == said


def test_an_answer_goes_on_after_an_error_by_trying_again(person, reader, site):
    person.expect_losses()
    page = equipped(person.signed_in(reader))
    ask(page, "slow 6")
    expect(answer_of(page)).to_contain_text("1/24")
    site.kill()
    site.start()
    expect(answer_of(page)).to_have_attribute("data-status", "error", timeout=2 * PATIENCE)
    page.get_by_role("button", name="Try again").click()
    assert "and that was all." in finished(page)


def test_a_restart_is_survived_and_what_was_sent_meanwhile_is_sent_once(person, reader, site):
    person.expect_losses()
    page = equipped(person.signed_in(reader))
    ask(page, "text one")
    finished(page)
    site.stop()
    expect(page.locator("html")).not_to_have_attribute("data-conn", "open")
    ask(page, "text two")
    expect(page.get_by_text("Sending…")).to_be_visible()
    site.start()
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    assert [message["kind"] for message in stored(page)] == ["request", "response"] * 2


def test_a_message_on_its_way_survives_a_reload(person, reader, site):
    person.expect_losses()
    page = equipped(person.signed_in(reader))
    ask(page, "text one")
    finished(page)
    address = page.url
    site.stop()
    ask(page, "text two")
    expect(page.get_by_text("Sending…")).to_be_visible()
    site.start()
    page.goto(address)
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    assert len(stored(page)) == 4


def test_a_stop_that_was_pressed_without_a_connection_holds(person, reader, site):
    person.expect_losses()
    page = person.signed_in(reader)
    site.stop()
    ask(page, "slow")
    page.get_by_role("button", name="Stop").click()
    site.start()
    finished(page, "cancelled")


def test_a_network_that_was_away_is_caught_up_with(person, reader):
    person.expect_losses()
    page = equipped(person.signed_in(reader))
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("2/240")
    person.context.set_offline(True)
    missed = f" {steps_of(page)[-1] + 4}/240"
    until(page, lambda: missed in logged(page))
    person.context.set_offline(False)
    expect(answer_of(page)).to_contain_text(missed)
    stop(page)
    finished(page, "cancelled")
    assert steps_of(page) == [*range(1, len(steps_of(page)) + 1)]


def test_signing_out_elsewhere_is_told_and_the_draft_is_kept(person, reader, site):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    page.get_by_label("Message", exact=True).fill("half a thought")
    other = person.tab(site.address)
    other.get_by_role("button", name="Sign out").click()
    expect(page.locator("#banner")).to_contain_text("You’re signed out.")
    page.get_by_role("link", name="Sign in again").click()
    sign_in(page, page.url, reader)
    ready(page)
    expect(page.get_by_label("Message", exact=True)).to_have_value("half a thought")
    assert "/chats/" in page.url


def test_one_tab_too_many_says_so_and_goes_on_when_another_is_closed(people, reader, tmp_path):
    narrow = Site(tmp_path, WORKBENCH_MAX_SOCKETS_PER_USER="1")
    person = people(narrow)
    first = person.signed_in(reader)
    second = person.context.new_page()
    second.goto(narrow.address)
    expect(second.locator("#banner")).to_contain_text("Too many tabs are open.")
    first.close()
    second.get_by_role("button", name="Try now").click()
    ready(second)
    expect(second.locator("#banner")).to_be_hidden()
    narrow.kill()


def test_an_answer_that_cant_be_followed_now_is_asked_for_again(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
    refused: list[str] = []

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def sent(frame: str | bytes) -> None:
            asked = json.loads(frame)
            if asked["type"] == "subscribe" and not refused:
                refused.append(asked["response_id"])
                error = {"type": "error", "code": "rate_limited", "message": "Too many.", "retry_after": 1}
                socket.send(json.dumps(error | {"response_id": asked["response_id"]}))
            else:
                server.send(frame)

        socket.on_message(sent)

    page.route_web_socket("**/*", between)
    page.reload()
    ready(page)
    page.keyboard.press("Escape")
    finished(page, "cancelled")
    assert refused == [answer_of(page).get_attribute("data-message")]
    expect(page.locator("#banner")).to_be_hidden()
