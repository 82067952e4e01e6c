"""Cards, sources and the text of an answer in a browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.accounts import ADMIN
from tests.browser.site import ask, ready
from tests.browser.test_chat import answer_of, equipped, finished, mark

pytestmark = [pytest.mark.browser, pytest.mark.npm]


def test_a_number_in_the_text_opens_what_is_cited_and_escape_goes_back(person, reader):
    page = person.signed_in(reader)
    ask(page, "complex")
    finished(page)
    number = answer_of(page).get_by_role("button", name="Source 2: Delivery")
    number.focus()
    page.keyboard.press("Enter")
    source = page.get_by_role("dialog", name="Source 2")
    expect(source).to_contain_text("A client holds a cursor")
    expect(source.get_by_role("link", name="Delivery")).to_have_attribute("rel", "noopener noreferrer")
    expect(source.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(source).to_have_count(0)
    expect(number).to_be_focused()


def test_only_one_source_is_open_at_a_time(person, reader):
    page = person.signed_in(reader)
    ask(page, "complex")
    finished(page)
    for number in ("Source 1:", "Source 2:"):
        answer_of(page).get_by_role("button", name=number).dispatch_event("click")
    expect(page.locator(".source-popover")).to_have_count(1)
    expect(page.get_by_role("dialog", name="Source 2")).to_be_visible()


def test_a_number_that_stands_for_nothing_stays_text(person, reader):
    page = person.signed_in(reader)
    ask(page, "text the list a[1] and [2]")
    finished(page)
    expect(answer_of(page).locator(".prose")).to_contain_text("the list a[1] and [2]")
    expect(answer_of(page).locator(".cite button")).to_have_count(0)


def test_sources_and_tools_are_closed_cards_with_all_that_is_known_inside(person, reader):
    page = person.signed_in(reader)
    ask(page, "complex")
    finished(page)
    tool = answer_of(page).locator(".tool")
    expect(tool.locator("summary")).to_contain_text("event log")
    expect(tool.get_by_text("max_results")).to_be_hidden()
    tool.locator("summary").click()
    expect(tool.get_by_role("group", name="Arguments")).to_contain_text('"max_results": 2')
    expect(tool.get_by_role("group", name="Result")).to_contain_text('"found": 2')
    sources = answer_of(page).locator(".sources")
    sources.locator("summary").click()
    expect(sources.get_by_role("link")).to_have_count(2)
    expect(sources.locator(".citation")).to_have_count(2)


def test_markdown_of_an_answer_is_rendered_live_and_after_a_reload_and_a_questions_is_not(person, reader):
    page = person.signed_in(reader)
    ask(page, "text **strong** and\n\n- one\n- two")
    finished(page)
    for _ in range(2):
        expect(answer_of(page).locator("strong")).to_have_text("strong")
        expect(answer_of(page).locator("li")).to_have_count(2)
        expect(page.locator(".message.request .text")).to_contain_text("**strong**")
        page.reload()
        ready(page)


def test_a_site_can_show_an_event_in_its_own_way(person, reader):
    page = person.signed_in(reader)
    page.evaluate(
        """async () => {
          const { registerEventView } = await import("wb/eventviews");
          const { h } = await import("wb/dom");
          registerEventView("progress_report", ({ step }) => h("p", { class: "mine" }, `Step: ${step}`));
        }"""
    )
    ask(page, "complex")
    finished(page)
    expect(answer_of(page).locator(".custom .mine")).to_have_text("Step: Finished")


def test_an_error_offers_another_try(person, reader):
    page = person.signed_in(reader)
    ask(page, "error raise")
    finished(page, "error")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("group", name="Versions").last).to_contain_text("2 / 2")


def test_without_the_renderer_answers_are_plain_text_and_the_page_works(people, reader):
    person = people()
    person.tolerated = ("shown as plain text", "net::ERR_FAILED")
    person.context.route("**/npm/marked/**", lambda route: route.abort())
    page = person.signed_in(reader)
    mark(page)
    ask(page, "text **strong**")
    assert "**strong**" in finished(page)
    page.reload()
    ready(page)
    assert "**strong**" in finished(page)


def test_nothing_is_loaded_for_code_or_formulas_where_there_are_none(person, reader):
    page = person.signed_in(reader)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, "complex")
    finished(page)
    equipped(page)
    assert any("/npm/marked/" in url for url in asked)
    assert [url for url in asked if "/npm/" in url and "/marked/" not in url] == []


def test_staff_read_a_transcript_as_its_owner_does(people, reader, site):
    page = people().signed_in(reader)
    ask(page, "text **strong** <b onclick=x>\n\n```python\ndef f(): pass\n```")
    finished(page)
    chat = page.url.rstrip("/").rsplit("/", 1)[1]
    desk = people().signed_in(ADMIN)
    desk.goto(f"{site.address}/admin/chats/chat/{chat}/transcript/")
    desk.get_by_label("Why do you read this chat?").fill("A complaint")
    desk.get_by_role("button", name="Read").click()
    expect(desk.locator(".response strong").first).to_have_text("strong")
    expect(desk.locator(".response .hljs-keyword").first).to_have_text("def")
    expect(desk.locator(".response [onclick]")).to_have_count(0)
