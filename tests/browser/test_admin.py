"""The admin in a browser, under its policy: no complaint on the console."""

import pytest
from playwright.sync_api import expect

from tests.browser.accounts import ADMIN
from tests.browser.site import ask
from tests.browser.test_chat import finished

pytestmark = pytest.mark.browser


def test_staff_read_a_transcript_after_saying_why(people, reader, site):
    page = people().signed_in(reader)
    ask(page, "complex")
    finished(page)
    chat = page.url.rstrip("/").rsplit("/", 1)[1]
    staff = people()
    desk = staff.signed_in(ADMIN)
    desk.goto(f"{site.address}/admin/chats/chat/?q={chat}")
    expect(desk.get_by_role("rowheader", name=chat)).to_be_visible()
    expect(desk.get_by_text("complex")).to_have_count(0)
    desk.get_by_role("link", name="Read", exact=True).click()
    expect(desk.get_by_text("Each of these words")).to_have_count(0)
    desk.get_by_label("Why do you read this chat?").fill("A complaint")
    desk.get_by_role("button", name="Read").click()
    expect(desk.get_by_text("Each of these words")).to_be_visible()
    desk.locator(".tool summary").click()
    expect(desk.get_by_text("max_results")).to_be_visible()
    desk.get_by_role("link", name="Event log", exact=True).click()
    expect(desk.get_by_role("row")).not_to_have_count(1)
    expect(desk.get_by_role("cell", name="response_end")).to_be_visible()


def test_a_page_that_is_not_there_says_so_kindly(people, reader, site):
    person = people()
    person.tolerated = ("404",)
    page = person.signed_in(reader)
    assert page.goto(f"{site.address}/chats/01890a5d-ac96-774b-bcce-b302099a8057/").status == 404
    expect(page.get_by_role("heading", name="There’s nothing here")).to_be_visible()
    page.get_by_role("link", name="Your chats").click()
    expect(page.get_by_role("heading", name="New chat")).to_be_visible()
