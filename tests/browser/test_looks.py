"""What the style sheets promise, where a picture alone wouldn't tell that it broke."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import ask, ready

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

LOOKS = """() => [".request .parts", ".actions", ".facts", "details.tool"].map((selector) => {
    const element = document.querySelector(selector);
    const { backgroundColor, display, fontSize, borderRadius } = getComputedStyle(element);
    return { selector, backgroundColor, display, fontSize, borderRadius };
})"""
# What stands in a line of text needn't be large (WCAG 2.5.8).
TOO_SMALL = """(least) => [...document.querySelectorAll("button, a, select, summary, input:not([type=file]), textarea")]
    .filter((element) => element.checkVisibility() && !element.closest(".prose, .visually-hidden, .skip"))
    .map((element) => [element.outerHTML.slice(0, 120), element.getBoundingClientRect()])
    .filter(([, { width, height }]) => Math.min(width, height) < least)
    .map(([html, { width, height }]) => `${width} x ${height}: ${html}`)"""


def answered(page: Page) -> Page:
    page.get_by_label("Answered by").select_option("demo")
    page.get_by_label("Message", exact=True).fill("complex")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.response").last).to_have_attribute("data-status", "completed")
    return page


def test_the_first_message_of_an_empty_chat_looks_as_it_does_after_a_reload(person, reader):
    page = answered(person.signed_in(reader))
    expect(page.locator(".facts").last).to_be_visible()
    first = page.evaluate(LOOKS)
    ready(page.reload() and page)
    expect(page.locator(".actions").last).to_be_visible()
    assert page.evaluate(LOOKS) == first


def test_messages_whose_style_sheet_is_missing_are_shown_as_soon_as_it_can_be_had(person, reader):
    person.tolerated = ("ERR_FAILED",)
    page = person.signed_in(reader)
    page.route("**/parts*.css", lambda route: route.abort())
    ask(page, "text one")
    expect(page.locator("#banner")).to_contain_text("may be out of date")
    page.unroute_all()
    ask(page, "text two")
    expect(page.locator(".message.response")).to_have_count(2)


def test_the_box_of_an_empty_chat_stays_where_it_is_whoever_answers(person, reader):
    page = person.signed_in(reader)
    box = page.locator("#composer")
    places = []
    for task in ("chat", "demo"):
        page.get_by_label("Answered by").select_option(task)
        expect(page.locator(".examples button")).to_have_count({"chat": 1, "demo": 4}[task])
        places.append(box.bounding_box()["y"])
    assert places[0] == places[1]


@pytest.mark.parametrize(("options", "least"), [({}, 24), (PHONE, 40)])
def test_what_can_be_pressed_is_large_enough(people, reader, options, least):
    page = answered(people(**options).signed_in(reader))
    expect(page.locator(".actions").last).to_be_visible()
    assert page.evaluate(TOO_SMALL, least) == []


def test_a_finger_leaves_no_hovering_behind(people, reader):
    page = people(**PHONE, reduced_motion="reduce").signed_in(reader)
    example = page.locator(".examples button").first
    background = example.evaluate("(button) => getComputedStyle(button).backgroundColor")
    example.tap()
    expect(page.get_by_label("Message", exact=True)).not_to_have_value("")
    page.wait_for_function("document.querySelector('.examples button').matches(':hover')")  # so browsers have it
    expect(example).to_have_css("background-color", background)


def test_on_paper_a_chat_is_whole(person, reader):
    page = answered(person.signed_in(reader))
    page.emulate_media(media="print")
    heights = "[...document.querySelectorAll('#scroller, #thread')].map((each) => each.getBoundingClientRect().height)"
    scroller, thread = page.evaluate(heights)
    assert scroller >= thread > 0


def test_the_list_stays_put_away_until_it_is_brought_back(person, reader):
    page = person.signed_in(reader)
    page.get_by_role("button", name="Chats").click()
    expect(page.locator("#sidebar")).to_be_hidden()
    ready(page.reload() and page)
    expect(page.locator("#sidebar")).to_be_hidden()
    page.get_by_role("button", name="Chats").click()
    expect(page.locator("#sidebar")).to_be_visible()
    expect(page.get_by_role("button", name="Chats")).to_be_focused()


def test_who_searches_gets_the_list_back(person, reader):
    page = person.signed_in(reader)
    page.get_by_role("button", name="Chats").click()
    expect(page.locator("#sidebar")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Search your chats")).to_be_focused()
