"""Attachments on their way to the server: waited for, failed, tried again, stopped."""

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.site import until
from tests.browser.test_attachments import NOTES, chips, pick, requests_of
from tests.browser.test_chat import finished
from tests.browser.test_composer import say

pytestmark = pytest.mark.browser


class Slow:
    """Uploads that wait to be let go on, one after the other, or to be refused."""

    def __init__(self, page: Page) -> None:
        self.held: list[Route] = []
        page.route("**/api/v1/files/", self._hold)
        self.page = page

    def _hold(self, route: Route) -> None:
        self.held.append(route)

    def next(self) -> Route:
        """The oldest one that waits."""
        until(self.page, lambda: self.held)
        return self.held.pop(0)


def test_a_message_waits_for_its_uploads_and_says_so(person, reader):
    page = person.signed_in(reader)
    slow = Slow(page)
    pick(page, NOTES, uploaded=False)
    say(page, "Hello")
    expect(page.locator("#why-not")).to_have_text("You can send when the upload is complete.")
    expect(page.locator("#announcer")).to_have_text("You can send when the upload is complete.")
    send = page.get_by_role("button", name="Send", exact=True)
    expect(send).to_be_disabled()
    expect(send).to_have_attribute("aria-describedby", "why-not")
    expect(page.get_by_role("progressbar", name="Upload of notes.txt")).to_be_visible()
    slow.next().continue_()
    expect(send).to_be_enabled()
    send.click()
    finished(page)
    assert [part["kind"] for part in requests_of(page)[0]] == ["text", "file"]


def test_a_failed_upload_says_why_and_can_be_tried_again(person, reader):
    person.expect_losses()
    person.tolerated += ("status of 415", "ERR_FAILED")
    page = person.signed_in(reader)
    slow = Slow(page)
    pick(page, NOTES, uploaded=False)
    body = json.dumps({"code": "unsupported_type", "message": "This isn't a text at all."})
    slow.next().fulfill(status=415, content_type="application/json", body=body)
    expect(chips(page)).to_contain_text("This isn't a text at all.")
    expect(page.locator("#announcer")).to_have_text("notes.txt: This isn't a text at all.")
    page.get_by_role("button", name="Try again: notes.txt").click()
    slow.next().abort()
    expect(chips(page)).to_contain_text("The upload broke off.")
    page.get_by_role("button", name="Try again: notes.txt").click()
    slow.next().continue_()
    expect(chips(page)).to_have_attribute("data-state", "ready")
    expect(page.locator("#why-not")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "content_type"), [(502, "text/html"), (500, "application/json"), (201, "application/json")]
)
def test_an_upload_that_ends_in_no_answer_of_ours_can_be_tried_again(person, reader, status, content_type):
    person.tolerated = (f"status of {status}",)
    page = person.signed_in(reader)
    slow = Slow(page)
    pick(page, NOTES, uploaded=False)
    slow.next().fulfill(status=status, content_type=content_type, body="<h1>Bad gateway</h1>")
    expect(chips(page)).to_contain_text("The upload broke off.")
    page.get_by_role("button", name="Try again: notes.txt").click()
    slow.next().continue_()
    expect(chips(page)).to_have_attribute("data-state", "ready")


def test_an_upload_that_is_removed_is_stopped(person, reader):
    page = person.signed_in(reader)
    slow = Slow(page)
    pick(page, NOTES, uploaded=False)
    expect(chips(page)).to_have_attribute("data-state", "sending")
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Remove notes.txt").click()
    expect(chips(page)).to_have_count(0)
    slow.held.clear()
    say(page, "Hello")
    finished(page)
    assert [part["kind"] for part in requests_of(page)[0]] == ["text"]


def test_an_upload_goes_on_while_another_chat_is_open(person, reader):
    page = person.signed_in(reader)
    say(page, "text one")
    finished(page)
    slow = Slow(page)
    pick(page, NOTES, uploaded=False)
    upload = slow.next()
    page.get_by_role("link", name="New chat").click()
    expect(chips(page)).to_have_count(0)
    upload.continue_()
    expect(page.locator("#announcer")).to_have_text("Attached: notes.txt")
    page.locator("#chat-list a").click()
    expect(chips(page)).to_have_attribute("data-state", "ready")
