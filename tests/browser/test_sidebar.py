"""The list of chats: found, named, put away, taken back."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site, ask, ready, until
from tests.browser.test_chat import answer_of, finished
from tests.processes import ROOT

pytestmark = pytest.mark.browser


def give_chats(site: Site, reader: str, count: int) -> None:
    command = [sys.executable, "-m", "tests.browser.crowd", reader, str(count)]
    subprocess.run(command, cwd=ROOT, env=site.environment, check=True)


def entry(page: Page, title: str):
    return page.locator("#chat-list li").filter(has=page.get_by_role("link", name=title, exact=True))


def choose(page: Page, title: str, action: str) -> None:
    item = entry(page, title)
    item.hover()
    item.get_by_role("button", name=f"More: {title}").click()
    page.get_by_role("menuitem", name=action).click()


def headings(page: Page) -> list[str]:
    return page.locator("#chat-list h2").all_inner_texts()


def test_ten_thousand_chats_stand_under_dates_and_more_come_as_one_scrolls(person, reader, site):
    give_chats(site, reader, 10_000)
    page = person.signed_in(reader)
    entries = page.locator("#chat-list li[data-chat]")
    expect(entries.first).to_contain_text("Chat number 0")
    assert headings(page)[:3] in (["Today", "Yesterday", "Last 7 days"], ["Yesterday", "Last 7 days"])
    before = entries.count()
    assert before < 300
    page.locator("#chats").evaluate("list => (list.scrollTop = list.scrollHeight)")
    expect(page.get_by_role("link", name=f"Chat number {before + 10}", exact=True)).to_be_attached()
    page.get_by_role("link", name="Chat number 40", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat number 40")
    assert entries.count() > before


def test_a_chat_is_renamed_in_its_place_with_the_keyboard_alone(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    second = person.tab(page.url)
    page.get_by_role("link", name="text one").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("The chat’s title").fill("A better name")
    page.keyboard.press("Enter")
    expect(entry(page, "A better name").get_by_role("link")).to_be_focused()
    for each in (page, second):
        expect(each.get_by_role("heading", level=1)).to_have_text("A better name")
    page.reload()
    ready(page)
    expect(entry(page, "A better name")).to_be_visible()


def test_escape_gives_a_rename_up(person, reader, site):
    give_chats(site, reader, 1)
    page = person.signed_in(reader)
    choose(page, "Chat number 0", "Rename")
    page.get_by_label("The chat’s title").fill("Something else")
    page.keyboard.press("Escape")
    expect(entry(page, "Chat number 0")).to_be_visible()


def test_a_deleted_chat_comes_back_by_undo_and_goes_for_good_without(person, reader, site):
    give_chats(site, reader, 2)
    page = person.signed_in(reader)
    second = person.tab(site.address)
    page.get_by_role("link", name="Chat number 1").click()
    choose(page, "Chat number 1", "Delete")
    expect(entry(page, "Chat number 1")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("New chat")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat number 1")
    expect(entry(second, "Chat number 1")).to_be_visible()
    choose(page, "Chat number 0", "Delete")
    page.locator(".toast").get_by_role("button", name="Close").click()
    expect(entry(second, "Chat number 0")).to_have_count(0)
    page.reload()
    ready(page)
    expect(entry(page, "Chat number 1")).to_be_visible()
    expect(entry(page, "Chat number 0")).to_have_count(0)


def test_leaving_the_page_deletes_what_was_to_be_deleted(person, reader, site):
    give_chats(site, reader, 1)
    page = person.signed_in(reader)
    second = person.tab(site.address)
    choose(page, "Chat number 0", "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.close()
    expect(entry(second, "Chat number 0")).to_have_count(0)


def test_an_archived_chat_is_on_another_list_and_can_be_brought_back(person, reader, site):
    give_chats(site, reader, 2)
    page = person.signed_in(reader)
    choose(page, "Chat number 1", "Archive")
    expect(entry(page, "Chat number 1")).to_have_count(0)
    page.get_by_role("button", name="Archived").click()
    expect(page.locator("#chat-list .title")).to_have_text(["Chat number 1"])
    choose(page, "Chat number 1", "Bring back")
    expect(page.get_by_text("No chat is archived.")).to_be_visible()
    page.get_by_role("button", name="Archived").click()
    expect(page.locator("#chat-list .title")).to_have_text(["Chat number 0", "Chat number 1"])


def test_a_pinned_chat_stands_first_in_every_tab_however_old_it_is(person, reader, site):
    give_chats(site, reader, 120)
    page = person.signed_in(reader)
    second = person.tab(site.address)
    page.locator("#chats").evaluate("list => (list.scrollTop = list.scrollHeight)")
    choose(page, "Chat number 70", "Pin")
    for each in (page, second):
        expect(each.locator("#chat-list li").first).to_have_text("Pinned")
        expect(each.locator("#chat-list .title").first).to_have_text("Chat number 70")
    choose(page, "Chat number 70", "Unpin")
    expect(second.locator("#chat-list h2").filter(has_text="Pinned")).to_have_count(0)


def test_a_chat_that_is_pinned_or_renamed_stays_at_its_time_in_the_list(person, reader, site):
    give_chats(site, reader, 60)
    page = person.signed_in(reader)
    expect(entry(page, "Chat number 49")).to_be_attached()
    titles = [f"Chat number {number}" for number in range(38, 43)]
    shown = page.locator("#chat-list .title").filter(has_text=re.compile(f"^({'|'.join(titles)}|Looked at)$"))
    choose(page, "Chat number 40", "Pin")
    expect(page.locator("#chat-list h2").first).to_have_text("Pinned")
    choose(page, "Chat number 40", "Unpin")
    expect(shown).to_have_text(titles)
    choose(page, "Chat number 40", "Rename")
    page.get_by_label("The chat’s title").fill("Looked at")
    page.keyboard.press("Enter")
    renamed = [*titles[:2], "Looked at", *titles[3:]]
    expect(shown).to_have_text(renamed)
    page.reload()
    ready(page)
    expect(shown).to_have_text(renamed)


def test_a_chat_whose_versions_are_looked_through_stays_where_it_is_in_the_list(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    answer_of(page).get_by_role("button", name="Answer again").click()
    expect(answer_of(page).locator(".count")).to_have_text("2 / 2")
    finished(page)
    page.get_by_role("link", name="New chat").click()
    ask(page, "text two")
    finished(page)
    page.get_by_role("link", name="text one", exact=True).click()
    with page.expect_response(lambda response: response.request.method == "PATCH"):
        answer_of(page).get_by_role("button", name="Previous version").click()
    page.reload()
    ready(page)
    expect(answer_of(page).locator(".count")).to_have_text("1 / 2")
    expect(page.locator("#chat-list .title")).to_have_text(["text two", "text one"])


def test_search_finds_words_of_answers_marks_them_and_leads_there(person, reader):
    page = person.signed_in(reader)
    for text in ("text about a nightingale", "text about nothing"):
        page.get_by_role("link", name="New chat").click()
        ask(page, text)
        finished(page)
    search = f"{person.site.address}/api/v1/search/?q=nighting"
    until(page, lambda: page.request.get(search).json()["results"])  # an answer can be found a moment after its end
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Search your chats")).to_be_focused()
    page.keyboard.type("nighting")
    hits = page.locator("#search-results li")
    expect(hits).to_have_count(1)
    expect(hits.locator("mark").first).to_have_text("nighting")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(answer_of(page)).to_contain_text("nightingale")
    page.get_by_label("Search your chats").fill("zebra")
    expect(page.locator("#search-results")).to_contain_text("Nothing was found for “zebra”.")
    page.keyboard.press("Escape")
    expect(page.locator("#chat-list")).to_be_visible()


def test_search_asks_once_more_for_what_is_only_just_said(person, reader):
    page = person.signed_in(reader)
    hit = {"chat": {"id": "1", "last_message_at": "2026-01-31T12:00:00Z"}, "title": {"text": "Birds", "ranges": []}}
    answers = iter([[], [hit]])
    page.route("**/api/v1/search/**", lambda route: route.fulfill(json={"results": next(answers)}))
    page.get_by_label("Search your chats").fill("nighting")
    expect(page.locator("#search-results li")).to_have_text([re.compile("^Birds")])


def test_search_asks_again_when_an_answer_ends_meanwhile(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Search your chats").fill("nightingale")
    expect(page.locator("#search-results")).to_contain_text("Nothing was found")
    other = person.tab(page.url)
    ask(other, "text about a nightingale")
    finished(other)
    expect(page.locator("#search-results li")).to_have_count(1)


def test_a_chat_is_downloaded_as_it_was_said(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    with page.expect_download() as download:
        choose(page, "text one", "Download")
    assert "You wrote: one" in download.value.path().read_text()
    expect(page.get_by_role("menu")).to_have_count(0)


ROUND_TRIPS = "async () => { for (let i = 0; i < 5; i++) await fetch(location.href, {cache: 'no-store'}); }"


def pages_read(page: Page) -> list[str]:
    """The addresses of the list's further pages, as they are asked for."""
    asked: list[str] = []

    def note(request) -> None:
        if "cursor=" in request.url:
            asked.append(request.url)

    page.on("request", note)
    return asked


def test_a_list_that_isnt_shown_isnt_read_to_its_end(people, reader, site):
    give_chats(site, reader, 120)
    page = people(viewport={"width": 390, "height": 800}).signed_in(reader)
    asked = pages_read(page)
    with page.expect_response(lambda response: "status=active&limit=50" in response.url):
        page.reload()
    ready(page)
    page.evaluate(ROUND_TRIPS)
    assert asked == []
    page.get_by_role("button", name="Chats").click()
    page.locator("#chats").evaluate("list => (list.scrollTop = list.scrollHeight)")
    expect(page.get_by_role("link", name="Chat number 60", exact=True)).to_be_attached()


def test_a_page_of_the_list_that_cant_be_read_isnt_asked_for_again_at_once(person, reader, site):
    give_chats(site, reader, 120)
    page = person.signed_in(reader)
    person.tolerated = ("ERR_FAILED",)
    page.route("**/api/v1/chats/*cursor=*", lambda route: route.abort())
    asked = pages_read(page)
    chats = page.locator("#chats")
    with page.expect_event("requestfailed"):
        chats.evaluate("list => (list.scrollTop = list.scrollHeight)")
    page.evaluate(ROUND_TRIPS)
    assert len(asked) == 1
    page.unroute_all()
    chats.evaluate("list => (list.scrollTop = 0)")
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    chats.evaluate("list => (list.scrollTop = list.scrollHeight)")
    expect(page.get_by_role("link", name="Chat number 60", exact=True)).to_be_attached()


def test_a_chat_that_is_made_while_the_list_is_read_stays_on_it(person, reader):
    page = person.signed_in(reader)
    held = []
    page.route("**/api/v1/chats/?*", lambda route: held.append((route, route.fetch())))
    page.reload()
    ready(page)
    until(page, lambda: len(held) == 2)  # the pinned ones, and the others
    ask(page, "text one")
    finished(page)
    expect(entry(page, "text one")).to_be_visible()
    for route, response in held:
        route.fulfill(response=response)
    page.wait_for_load_state("networkidle")
    expect(entry(page, "text one")).to_be_visible()
