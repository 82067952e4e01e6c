"""What a reader does with messages: copy, edit, ask again, compare, rate."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import HeldEnds, HeldStarts, ask, ready, until
from tests.browser.test_chat import LONG, answer_of, finished, stop, stored
from tests.browser.test_sidebar import entry, give_chats

pytestmark = pytest.mark.browser


def question_of(page: Page):
    return page.locator(".message.request").last


def edit(page: Page, text: str) -> None:
    question_of(page).get_by_role("button", name="Edit").click()
    page.get_by_label("Your message, edited").fill(text)
    page.keyboard.press("Control+Enter")


def test_an_answer_is_copied_as_it_was_written(people, reader):
    person = people(permissions=["clipboard-read", "clipboard-write"])
    page = person.signed_in(reader)
    ask(page, "anything")
    finished(page)
    answer_of(page).get_by_role("button", name="Copy", exact=True).click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    [text] = [part["content"] for part in stored(page)[-1]["parts"]]
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert "\n- `text`:" in text


def test_an_edited_question_is_a_branch_and_the_arrows_lead_back_also_after_a_reload(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    edit(page, "text two")
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    expect(page.locator(".message")).to_have_count(2)
    expect(question_of(page).locator(".count")).to_have_text("2 / 2")
    question_of(page).get_by_role("button", name="Previous version").click()
    expect(answer_of(page)).to_contain_text("You wrote: one")
    expect(question_of(page).get_by_role("button", name="Next version")).to_be_focused()
    page.reload()
    ready(page)
    expect(answer_of(page)).to_contain_text("You wrote: one")
    expect(question_of(page).locator(".count")).to_have_text("1 / 2")


def test_an_edit_in_the_middle_starts_there_and_escape_gives_it_up(person, reader):
    page = person.signed_in(reader)
    for text in ("text one", "text two"):
        ask(page, text)
        finished(page)
    first = page.locator(".message.request").first
    first.get_by_role("button", name="Edit").click()
    expect(page.get_by_label("Your message, edited")).to_be_focused()
    page.keyboard.press("Escape")
    expect(first.get_by_role("button", name="Edit")).to_be_focused()
    first.get_by_role("button", name="Edit").click()
    page.get_by_label("Your message, edited").fill("text other")
    page.locator(".editor").get_by_role("button", name="Send").click()
    expect(answer_of(page)).to_contain_text("You wrote: other")
    finished(page)
    expect(page.locator(".message")).to_have_count(2)
    assert len(stored(page)) == 6


def test_one_more_answer_stands_beside_the_first_and_a_second_tab_follows(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    second = person.tab(page.url)
    first = answer_of(page).get_attribute("data-message")
    answer_of(page).get_by_role("button", name="Answer again").click()
    expect(answer_of(page)).not_to_have_attribute("data-message", first)
    finished(page)
    expect(answer_of(page).locator(".count")).to_have_text("2 / 2")
    expect(answer_of(second).locator(".count")).to_have_text("2 / 2")
    answer_of(page).get_by_role("button", name="Previous version").click()
    expect(answer_of(page)).to_have_attribute("data-message", first)
    expect(answer_of(second)).to_have_attribute("data-message", first)


def test_versions_cant_be_switched_while_an_answer_is_made(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
    stop(page)
    finished(page, "cancelled")
    first = answer_of(page).get_attribute("data-message")
    answer_of(page).get_by_role("button", name="Answer again").click()
    expect(answer_of(page)).not_to_have_attribute("data-message", first)
    expect(answer_of(page)).to_contain_text("1/240")
    expect(answer_of(page).get_by_role("button", name="Previous version")).to_be_disabled()
    stop(page)
    finished(page, "cancelled")
    expect(answer_of(page).get_by_role("button", name="Previous version")).to_be_enabled()


def test_a_thumb_and_a_comment_are_stored_and_can_be_taken_back(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    bad = answer_of(page).get_by_role("button", name="Bad answer")
    with page.expect_response("**/feedback/"):
        bad.click()
    page.get_by_label("What was wrong?").fill("It says nothing.")
    with page.expect_response("**/feedback/"):  # a reload would break it off
        page.locator(".commenter").get_by_role("button", name="Send").click()
    expect(bad).to_be_focused()
    page.reload()
    ready(page)
    expect(bad).to_have_attribute("aria-pressed", "true")
    assert stored(page)[-1]["feedback"]["comment"] == "It says nothing."
    bad.click()
    expect(bad).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#announcer")).to_have_text("Thank you.")
    assert stored(page)[-1]["feedback"] is None


def test_a_thumb_that_came_to_nothing_holds_up_no_other(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    page.route("**/feedback/", lambda route: route.fulfill(status=200, content_type="application/json", body="{cut"))
    good = page.get_by_role("button", name="Good answer")
    good.click()
    until(page, lambda: person.complaints)
    person.complaints.clear()  # it is none of the reader's
    page.unroute_all()
    with page.expect_request("**/feedback/"):
        good.click()


def test_from_chat_to_chat_without_a_new_page_and_back(person, reader):
    page = person.signed_in(reader)
    page.evaluate("window.notReloaded = true")
    for text in ("text one", "text two"):
        ask(page, text)
        finished(page)
        page.get_by_role("link", name="New chat").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("New chat")
    page.locator("#chat-list").get_by_role("link", name="text one").click()
    expect(answer_of(page)).to_contain_text("You wrote: one")
    expect(page.locator("#chat-list [aria-current] .title")).to_have_text("text one")
    page.go_back()
    page.go_back()
    expect(answer_of(page)).to_contain_text("You wrote: two")
    page.go_forward()
    expect(page.locator("#welcome")).to_be_visible()
    assert page.evaluate("window.notReloaded === true")


def test_an_answer_that_was_left_is_there_when_one_comes_back_and_tells_its_end_meanwhile(person, reader):
    page = person.signed_in(reader)
    ends = HeldEnds(page)
    ask(page, "slow 1")
    expect(answer_of(page)).to_have_attribute("data-status", "running")
    page.get_by_role("link", name="New chat").click()
    expect(page.locator("#thread .message")).to_have_count(0)
    ends.let_go()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("Answered: “slow 1”")
    toast.get_by_role("link", name="Open").click()
    assert "and that was all." in finished(page)


AT_THE_TOP = """() => {
    const edge = document.getElementById("scroller").getBoundingClientRect().top;
    const { top } = [...document.querySelectorAll(".message.request")].at(-1).getBoundingClientRect();
    return top >= edge && top < edge + 120;
}"""


def test_a_question_that_is_sent_stands_at_the_top_with_room_for_its_answer(person, reader):
    page = person.signed_in(reader)
    for text in ("text one", "text two"):
        ask(page, text)
        finished(page)
        page.wait_for_function(AT_THE_TOP)


def test_the_question_stays_in_sight_when_something_waits_above_the_box(person, reader):
    page = person.signed_in(reader)
    ends = HeldEnds(page)
    ask(page, "text one")
    expect(page.locator(".message")).to_have_count(2)
    page.wait_for_function(AT_THE_TOP)
    box = page.get_by_label("Message", exact=True)
    for count in (1, 2, 3):
        box.fill("text later")
        page.get_by_role("button", name="Queue").click()
        expect(page.locator("#queue li")).to_have_count(count)
    page.wait_for_function(AT_THE_TOP)
    expect(page.locator("#queue")).to_be_visible()
    ends.let_go()


SHIFTS = """() => new Promise((resolve) => new PerformanceObserver((list, observer) => {
    observer.disconnect();
    resolve(list.getEntries().filter((entry) => !entry.hadRecentInput).reduce((sum, entry) => sum + entry.value, 0));
}).observe({type: "layout-shift", buffered: true}) || setTimeout(() => resolve(0), 300))"""


def test_nothing_on_the_page_jumps_while_it_loads(person, reader, site):
    page = person.signed_in(reader)
    for text in ("complex", "text one"):
        ask(page, text)
        finished(page)
    for address in (page.url, site.address):
        page.goto(address)
        ready(page)
        assert page.evaluate(SHIFTS) < 0.02


def held_reading(page: Page, opening: str) -> list:
    """Clicks a chat whose reading stays unanswered: [its route], to be continued or aborted."""
    held: list = []

    def hold(route) -> None:
        held.append(route)

    page.route("**/state/", hold)
    with page.expect_request("**/state/"):
        entry(page, opening).get_by_role("link").click()
    expect(entry(page, opening).get_by_role("link")).to_have_attribute("aria-current", "page")
    until(page, lambda: held)
    return held


def two_chats(page):
    """The second is open."""
    for text in ("text one", "text two"):
        page.get_by_role("link", name="New chat").click()
        ask(page, text)
        finished(page)
    return page


def test_a_chat_that_cant_be_read_leaves_the_address_and_the_list_with_the_one_shown(person, reader):
    page = two_chats(person.signed_in(reader))
    address = page.url
    person.tolerated = ("ERR_INTERNET_DISCONNECTED",)
    [reading] = held_reading(page, "text one")
    assert page.url == address
    reading.abort("internetdisconnected")
    expect(page.locator("#banner")).to_contain_text("can’t be read without a connection")
    assert page.url == address
    expect(page.locator("#chat-list [aria-current] .title")).to_have_text("text two")


def test_a_chat_that_the_server_fails_to_read_can_be_asked_for_again(person, reader):
    page = two_chats(person.signed_in(reader))
    address = page.url
    person.tolerated = ("status of 502",)
    [reading] = held_reading(page, "text one")
    reading.fulfill(status=502, body="<h1>Bad gateway</h1>", content_type="text/html")
    expect(page.locator("#banner")).to_contain_text("The server couldn’t do that.")
    assert page.url == address
    page.unroute_all()
    page.locator("#banner").get_by_role("button", name="Try again").click()
    expect(page.locator("#chat-title")).to_have_text("text one")
    expect(page.locator("#banner")).to_be_hidden()


def test_a_click_back_on_the_open_chat_gives_the_other_one_up(person, reader, site):
    give_chats(site, reader, 2)
    page = person.signed_in(reader)
    entry(page, "Chat number 1").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat number 1")
    [reading] = held_reading(page, "Chat number 0")
    entry(page, "Chat number 1").get_by_role("link").click()
    with page.expect_response("**/state/"):
        reading.continue_()
    page.evaluate("fetch(location.href)")
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat number 1")
    expect(page.locator("#chat-list [aria-current] .title")).to_have_text("Chat number 1")


def test_a_new_chat_that_starts_while_another_is_opened_leaves_each_its_address(person, reader, site):
    give_chats(site, reader, 1)
    page = person.signed_in(reader)
    starts = HeldStarts(page)
    ask(page, "text one")
    [reading] = held_reading(page, "Chat number 0")
    starts.let_go()
    assert "You wrote: one" in finished(page)
    started = page.url
    reading.continue_()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat number 0")
    expect(page.locator("#chat-list [aria-current] .title")).to_have_text("Chat number 0")
    expect(page).not_to_have_url(started)
    page.go_back()
    expect(page).to_have_url(started)


def test_what_is_written_in_an_edit_box_is_there_when_one_comes_back(person, reader, site):
    give_chats(site, reader, 1)
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    box = page.get_by_label("Your message, edited")
    question_of(page).get_by_role("button", name="Edit").click()
    box.fill("text half")
    entry(page, "Chat number 0").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Chat number 0")
    page.go_back()
    question_of(page).get_by_role("button", name="Edit").click()
    expect(box).to_have_value("text half")
    page.keyboard.press("Escape")
    question_of(page).get_by_role("button", name="Edit").click()
    expect(box).to_have_value("text one")


def test_an_edit_goes_on_though_another_tab_has_gone_to_another_branch(person, reader):
    page = person.signed_in(reader)
    for text in ("text one", "text two"):
        ask(page, text)
        finished(page)
    second = person.tab(page.url)
    question_of(page).get_by_role("button", name="Edit").click()
    box = page.get_by_label("Your message, edited")
    box.fill("text half")
    first = second.locator(".message.request").first
    first.get_by_role("button", name="Edit").click()
    second.get_by_label("Your message, edited").fill("text other")
    second.keyboard.press("Control+Enter")
    expect(answer_of(second)).to_contain_text("You wrote: other")
    expect(answer_of(page)).to_contain_text("You wrote: other")
    expect(box).to_have_value("text half")
    expect(box).to_be_focused()
    box.press("Control+Enter")
    expect(page.locator(".message.response .parts")).to_contain_text(["You wrote: one", "You wrote: half"])


def test_a_long_question_shows_its_beginning_until_all_is_asked_for_without_javascript_too(people, person, reader):
    page = person.signed_in(reader)
    lines = [f"Line {number}" for number in range(60)]
    ask(page, "text " + "\n".join(lines))
    finished(page)
    plain = people(java_script_enabled=False)
    plain.context.add_cookies([person.site.session_of(reader)])
    for each in (page, plain.tab(page.url, wait=False)):
        question = question_of(each)
        text = question.locator(".text")
        part = text.bounding_box()["height"]
        question.get_by_text("Show all").click()
        expect(question.get_by_text("Show less")).to_be_visible()
        assert text.bounding_box()["height"] > 2 * part
        expect(text).to_contain_text(lines[-1])
        question.get_by_text("Show less").click()
        assert text.bounding_box()["height"] == part
