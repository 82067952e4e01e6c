"""What the page says about its connection, and how it finds out."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.site import ask, ready, sign_in
from tests.browser.test_chat import answer_of, finished

pytestmark = pytest.mark.browser
LISTEN = """() => {
    const banner = document.getElementById("banner");
    window.told = [];
    new MutationObserver(() => window.told.push(banner.textContent)).observe(banner, {childList: true});
}"""


def test_a_lost_connection_is_counted_down_and_its_return_is_told(person, reader, site):
    person.expect_losses()
    page = person.signed_in(reader)
    banner = page.locator("#banner")
    page.evaluate(LISTEN)  # what is told for a moment only
    site.kill()
    expect(banner).to_contain_text("The connection is lost.")
    expect(banner.locator(".count")).to_contain_text("Trying again in ")
    expect(banner.locator(".count")).to_have_attribute("aria-hidden", "true")
    expect(banner.get_by_role("button", name="Try now")).to_be_visible()
    site.start()
    ready(page)
    expect(banner).to_be_hidden()
    assert "Connected again." in page.evaluate("window.told")


def test_a_socket_that_died_without_a_word_is_noticed_and_replaced(person, reader, site):
    silent = False

    def relay(client):
        server = client.connect_to_server()
        client.on_message(lambda message: None if silent else server.send(message))
        server.on_message(lambda message: None if silent else client.send(message))

    page = person.signed_in(reader)
    page.route_web_socket("**/ws/chat/", relay)
    page.clock.install()
    page.goto(site.address)
    ready(page)
    silent = True
    page.clock.fast_forward(25_000)  # nothing heard: the page asks
    page.clock.fast_forward(12_000)  # nor now
    expect(page.locator("html")).not_to_have_attribute("data-conn", "open")
    silent = False
    page.clock.fast_forward(20_000)
    ready(page)


def test_a_server_that_failed_is_called_so_and_asked_again(person, reader):
    person.tolerated = ("status of 503",)
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    body = json.dumps({"code": "unavailable", "message": "The database can't be reached. Try again shortly."})
    page.route(
        "**/api/v1/chats/**", lambda route: route.fulfill(status=503, content_type="application/json", body=body)
    )
    page.get_by_role("button", name="Archived").click()
    banner = page.locator("#banner")
    expect(banner).to_contain_text("The database can't be reached.")
    page.unroute_all()
    with page.expect_response(lambda answer: "status=archived" in answer.url and answer.ok):
        banner.get_by_role("button", name="Try again").click()
    ready(page)
    expect(banner).to_be_hidden()


def test_being_offline_is_called_so(person, reader, site):
    person.expect_losses()
    page = person.signed_in(reader)
    person.context.set_offline(True)
    site.kill()
    expect(page.locator("#banner")).to_contain_text("You’re offline.")
    site.start()
    person.context.set_offline(False)
    ready(page)


def test_signing_in_again_in_another_tab_is_enough(person, reader, site):
    person.tolerated = ("401", "403")
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    other = person.tab(site.address)
    other.get_by_role("button", name="Sign out").click()
    expect(page.locator("#banner")).to_contain_text("You’re signed out.")
    page.get_by_label("Message", exact=True).fill("text written while signed out")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sending…")).to_be_visible()
    sign_in(other, site.address, reader)
    ready(other)
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")  # headless windows have no focus of their own
    ready(page)
    expect(answer_of(page)).to_contain_text("You wrote: written while signed out")
