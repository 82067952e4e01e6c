"""The web chat in a browser, over the real socket of a real server."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import ask, ready

pytestmark = pytest.mark.browser

STREAMED = "Each of these words is an event of its own."
LAST = "Every client reads it from where it was [2]."
LONG = "slow 60"  # to be stopped: whatever is done meanwhile, and however slowly, is done before its end
# What an element says from now on, though it may say it for a moment only.
LISTEN = """(selector) => {
    const element = document.querySelector(selector);
    window.told = [];
    new MutationObserver(() => window.told.push(element.textContent)).observe(element, {childList: true});
}"""
STATUS_LINES = """() => {
    window.lines = [];
    const look = () => {
        const now = [...document.querySelectorAll(".message.response .progress")].map((line) => line.textContent);
        if (now.length > 1) throw new Error(`Two status lines at once: ${now}`);
        if (now.length === 1 && now[0] !== window.lines.at(-1)) window.lines.push(now[0]);
    };
    new MutationObserver(look).observe(document.getElementById("thread"), {childList: true, subtree: true});
}"""
STANDING = """async (element) => {
    for (let frames = 0, place = null; frames < 5; frames += 1) {
        if (element.scrollTop !== place) [frames, place] = [0, element.scrollTop];
        await new Promise(requestAnimationFrame);
    }
    return element.scrollTop;
}"""


def answer_of(page: Page):
    return page.locator(".message.response").last


def finished(page: Page, status: str = "completed") -> str:
    """Waits for the last answer's end, and gives what it says."""
    expect(page.locator("#composer")).not_to_contain_class("busy")
    expect(answer_of(page)).to_have_attribute("data-status", status)
    return answer_of(page).locator(".parts").inner_text()


def equipped(page: Page) -> Page:
    """Waits for what renders answers, which else is loaded with the first one."""
    page.evaluate("import('wb/text').then(({ loadMarkdown }) => loadMarkdown())")
    return page


def drawn(page: Page, status: str = "completed") -> str:
    """As `finished`, by the page's own modules, and its Markdown too: what came with the page may read otherwise."""
    finished(page, status)
    expect(answer_of(page).locator(".actions")).to_be_attached()
    equipped(page)
    return answer_of(page).locator(".parts").inner_text()


def steps_of(page: Page) -> list[int]:
    """The steps that a `slow` answer has told so far."""
    return [int(number) for number in re.findall(r"(\d+)/", answer_of(page).locator(".parts").inner_text())]


def goes_on(page: Page) -> None:
    """Waits until a `slow` answer has told more than it has now."""
    expect(answer_of(page)).to_contain_text(re.compile(rf"\b{max(steps_of(page), default=0) + 2}/"))


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop").click()


def words_of(text: str) -> list[str]:
    """Without Markdown's marks: what a page without JavaScript shows, one with it has made into elements."""
    return re.findall(r"[\w.%’]+", text)


def stored(page: Page) -> list[dict]:
    """The messages of the open chat, as REST lists them."""
    address = page.url.replace("/chats/", "/api/v1/chats/")
    return page.request.get(f"{address}messages/").json()["results"]


def mark(page: Page) -> None:
    """Leaves something on the page that a reload would take away."""
    page.evaluate("window.notReloaded = true")


def was_reloaded(page: Page) -> bool:
    return not page.evaluate("window.notReloaded === true")


def test_an_answer_streams_and_a_reload_shows_the_same(person, reader):
    page = person.signed_in(reader)
    ask(page, "complex")
    live = drawn(page)
    assert STREAMED in live
    assert LAST in live
    page.reload()
    ready(page)
    assert drawn(page) == live


def test_a_reload_in_the_middle_of_an_answer_finds_it_whole(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("2/240")
    page.reload()
    ready(page)
    expect(answer_of(page)).to_have_attribute("data-status", "running")
    goes_on(page)
    stop(page)
    after_reload = drawn(page, "cancelled")
    assert steps_of(page) == [*range(1, len(steps_of(page)) + 1)]
    page.reload()
    ready(page)
    assert drawn(page, "cancelled") == after_reload


def test_text_on_the_page_never_shrinks_while_a_reloaded_page_catches_up(person, reader):
    page = person.signed_in(reader)
    ask(page, "slow 4")
    expect(answer_of(page)).to_contain_text("4/16")
    page.reload()
    expect(answer_of(page)).to_contain_text("4/16")
    ready(page)
    assert "4/16" in answer_of(page).inner_text()
    assert "and that was all." in finished(page)


def test_the_transcript_reads_the_same_without_javascript(people, reader):
    page = people().signed_in(reader)
    ask(page, "complex")
    live = finished(page)
    plain = people(java_script_enabled=False, storage_state=page.context.storage_state())
    page_without = plain.context.new_page()
    page_without.goto(page.url)
    assert words_of(finished(page_without)) == words_of(live)


def test_a_second_tab_follows_a_running_answer(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("2/240")
    second = person.tab(page.url)
    mark(second)
    goes_on(second)
    stop(page)
    assert drawn(second, "cancelled") == drawn(page, "cancelled")
    assert not was_reloaded(second)


def test_a_second_tab_shows_a_new_chat_its_title_and_that_it_runs(person, reader):
    page = person.signed_in(reader)
    second = person.tab(page.url)
    mark(second)
    ask(page, LONG)
    entry = second.locator("#chat-list").get_by_role("link", name=LONG)
    expect(entry.locator(".dot")).to_be_visible()
    stop(page)
    expect(entry.locator(".dot")).to_be_hidden()
    assert not was_reloaded(second)


def test_a_second_tab_in_the_same_chat_shows_what_the_first_one_asks(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    second = person.tab(page.url)
    ask(page, "text two")
    expect(second.locator(".message.request").last).to_contain_text("text two")
    expect(answer_of(second)).to_contain_text("You wrote: two")


def test_a_new_chat_gets_its_address_and_title_without_a_reload(person, reader):
    page = person.signed_in(reader)
    mark(page)
    ask(page, "text for a title")
    finished(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("text for a title")
    expect(page).to_have_title("text for a title · Chat Workbench")
    assert "/chats/" in page.url
    assert not was_reloaded(page)


def test_stop_ends_an_answer_and_keeps_what_was_said(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("2/240")
    stop(page)
    said = drawn(page, "cancelled")
    assert "2/240" in said
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.reload()
    ready(page)
    assert drawn(page, "cancelled") == said


def test_stop_works_before_the_server_has_accepted(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    stop(page)
    finished(page, "cancelled")


def test_escape_stops_too(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
    page.keyboard.press("Escape")
    finished(page, "cancelled")


def test_an_error_is_told_in_plain_words_and_may_be_tried_again(person, reader):
    page = person.signed_in(reader)
    ask(page, "error raise")
    assert "This part was said before the error" in finished(page, "error")
    problem = answer_of(page).locator(".problem")
    expect(problem).to_contain_text("The answer failed")
    expect(page.get_by_text("Users must never read")).to_have_count(0)
    first = answer_of(page).get_attribute("data-message")
    problem.get_by_role("button", name="Try again").click()
    expect(answer_of(page)).not_to_have_attribute("data-message", first)
    finished(page, "error")
    assert [message["kind"] for message in stored(page)] == ["request", "response", "response"]
    expect(page.locator(".message.response")).to_have_count(1)


def test_an_error_that_was_got_over_is_only_a_note(person, reader):
    page = person.signed_in(reader)
    ask(page, "error recover")
    assert "It found another way" in finished(page)
    expect(answer_of(page).locator(".problem.mild")).to_contain_text("Something went wrong on the way")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_a_tools_card_opens_and_stays_open_while_the_answer_goes_on(person, reader):
    page = person.signed_in(reader)
    ask(page, "complex")
    card = answer_of(page).locator(".tool")
    card.locator("summary").click()
    expect(card).to_contain_text("event log")
    finished(page)
    expect(card.locator("summary")).to_contain_text("done")
    expect(card).to_have_attribute("open", "")
    expect(card).to_contain_text("demo-delivery")


def test_status_lines_replace_one_another_and_go(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)  # what shows answers is loaded now, and the lines are seen as they come
    page.evaluate(STATUS_LINES)
    ask(page, "status")
    expect(answer_of(page)).to_contain_text("Done.")
    finished(page)
    expect(answer_of(page).locator(".progress")).to_have_count(0)
    steps = ["Looking for words…", "Putting them in order…", "Checking the spelling…"]
    seen = [line for line in page.evaluate("window.lines") if line in steps]
    assert seen  # one that is replaced before it is drawn is rightly left out
    assert seen == [step for step in steps if step in seen]


def test_the_stream_is_no_live_region_and_the_start_and_end_are_announced(person, reader):
    page = person.signed_in(reader)
    page.evaluate(LISTEN, "#announcer")
    ask(page, "slow 1")
    finished(page)
    expect(page.locator("#announcer")).to_have_text("The answer is complete.")
    assert page.evaluate("window.told") == ["The answer has started.", "The answer is complete."]
    assert page.locator("#thread [aria-live], #thread [role=status], #scroller[aria-live]").count() == 0


def test_the_thread_follows_the_end_until_the_reader_scrolls_up(person, reader):
    page = person.signed_in(reader)
    page.set_viewport_size({"width": 900, "height": 420})
    ask(page, "complex")
    finished(page)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
    scroller = page.locator("#scroller")
    scroller.hover()
    page.mouse.wheel(0, -300)
    expect(page.get_by_role("button", name="Latest")).to_be_visible()
    place = scroller.evaluate(STANDING)
    goes_on(page)
    expect(scroller).to_have_js_property("scrollTop", place)
    page.get_by_role("button", name="Latest").click()
    expect(page.get_by_role("button", name="Latest")).to_be_hidden()
    stop(page)
    finished(page, "cancelled")


def test_shift_enter_makes_a_line_and_enter_in_an_input_method_sends_nothing(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Answered by").select_option("demo")
    box = page.get_by_label("Message", exact=True)
    box.press_sequentially("text one")
    box.press("Shift+Enter")
    box.press_sequentially("two")
    box.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, cancelable: true}))"
    )
    expect(box).to_have_value("text one\ntwo")
    box.press("Enter")
    expect(page.locator(".message.request")).to_have_text("Youtext one\ntwo")


def test_a_message_too_long_for_the_server_is_given_back(person, reader):
    page = person.signed_in(reader)
    box = page.get_by_label("Message", exact=True)
    text = "é" * (1 << 19)  # as JSON in UTF-8 more than a frame may have
    box.evaluate("(box, text) => { box.value = text; box.dispatchEvent(new Event('input')); }", text)
    box.press("Enter")
    expect(page.locator("#banner")).to_contain_text("too long")
    expect(box).to_have_value(text)
    expect(page.locator(".message")).to_have_count(0)


def test_a_draft_is_kept_per_chat(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    box = page.get_by_label("Message", exact=True)
    box.fill("half a thought")
    page.get_by_role("link", name="New chat").click()
    ready(page)
    expect(box).to_have_value("")
    page.locator("#chat-list").get_by_role("link").click()
    ready(page)
    expect(box).to_have_value("half a thought")


def test_somebody_elses_chat_is_not_found(people, readers):
    page = people().signed_in(next(readers))
    ask(page, "text one")
    finished(page)
    other = people()
    other.tolerated = ("404",)
    stranger = other.signed_in(next(readers))
    assert stranger.goto(page.url).status == 404


def test_a_deleted_chat_says_so_where_it_is_open(person, reader):
    person.tolerated = ("404 (Not Found)",)  # a reading may cross the deletion
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    second = person.tab(page.url)
    api = second.url.replace("/chats/", "/api/v1/chats/")
    token = next(cookie["value"] for cookie in second.context.cookies() if cookie["name"] == "csrftoken")
    assert second.request.delete(api, headers={"X-CSRFToken": token}).status == 204
    expect(page.get_by_text("This chat was deleted.")).to_be_visible()
    expect(page.locator("#chat-list li")).to_have_count(0)


def test_on_a_phone_the_chats_are_in_a_drawer_and_nothing_is_cut_off(people, reader):
    page = people(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).signed_in(reader)
    ask(page, "complex")
    page.get_by_role("button", name="Send").click()  # on a touch keyboard Enter makes a line
    finished(page)
    expect(page.locator("html")).to_have_js_property("scrollWidth", 390)
    expect(page.locator("#sidebar").get_by_role("link", name="New chat")).to_be_hidden()
    page.get_by_role("button", name="Chats").click()
    expect(page.locator("#chat-list").get_by_role("link", name="complex")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sidebar").get_by_role("link", name="New chat")).to_be_hidden()


def test_dark_follows_the_readers_system(people, reader):
    page = people(color_scheme="dark").signed_in(reader)
    expect(page.locator("body")).to_have_css("background-color", "rgb(24, 26, 25)")
