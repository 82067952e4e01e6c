"""Answers that are cut off, or were given less than the whole chat: what is said of it, and how one goes on."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accounts import ADMIN
from tests.browser.site import ask, ready
from tests.browser.test_chat import answer_of, finished, stored

pytestmark = pytest.mark.browser


def limit_answers(page: Page, tokens: int) -> None:
    page.get_by_label("Answered by").select_option("chat")
    page.get_by_role("button", name="Options", exact=True).click()
    page.get_by_label("Longest answer").fill(str(tokens))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog")).to_have_count(0)


def go_on(page: Page) -> None:
    cut = answer_of(page).get_attribute("data-message")
    answer_of(page).get_by_role("button", name="Continue").click()
    expect(answer_of(page)).not_to_have_attribute("data-message", cut)


def test_an_answer_that_reached_its_limit_is_gone_on_with_until_it_is_whole(person, reader):
    page = person.signed_in(reader)
    limit_answers(page, 2)
    ask(page, "echo one two three four five", task="chat")
    assert finished(page) == "one two"
    expect(answer_of(page)).to_contain_text("The answer reached its length limit.")
    for rest in ("three four", "five"):
        go_on(page)
        assert finished(page) == rest
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)
    page.reload()
    ready(page)
    expect(page.locator(".message.continuation")).to_have_text(["YouContinued", "YouContinued"])
    expect(page.locator(".message.response .text")).to_have_text(["one two", "three four", "five"])
    assert [bool(message["metadata"].get("continues")) for message in stored(page)] == [
        False,
        False,
        *[True, False] * 2,
    ]


def test_a_stopped_answer_is_gone_on_with_and_what_was_said_stays_once(person, reader):
    page = person.signed_in(reader)
    ask(page, "slow 30")
    expect(answer_of(page)).to_contain_text("2/")
    page.keyboard.press("Escape")
    said = finished(page, "cancelled")
    answer_of(page).get_by_role("button", name="Continue").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#scroller")).to_be_focused()
    expect(page.locator(".message")).to_have_count(4)
    finished(page)
    expect(page.locator(".message.response").first.locator(".parts")).to_have_text(said)
    expect(page.locator(".message.continuation").get_by_role("button")).to_have_count(0)


def test_an_answer_that_failed_can_be_tried_again_or_gone_on_with(person, reader):
    page = person.signed_in(reader)
    ask(page, "error")
    finished(page, "error")
    expect(answer_of(page).locator(".problem").get_by_role("button")).to_have_text(["Try again", "Continue"])
    go_on(page)
    finished(page)
    expect(page.locator(".problem").get_by_role("button")).to_have_count(0)


def test_staff_see_the_way_from_an_error_to_its_run_and_readers_dont(people, reader):
    for user, links in ((reader, 0), (ADMIN, 1)):
        page = people().signed_in(user)
        ask(page, "error")
        finished(page, "error")
        expect(answer_of(page).locator(".problem").first).to_be_visible()
        expect(answer_of(page).locator(".trace a")).to_have_count(links)
    page.locator(".trace a").click()
    expect(page.locator("#content")).to_contain_text("Correlation id")
