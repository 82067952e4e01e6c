"""What is written, who answers it, and what waits."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import HeldStarts, ask, ready
from tests.browser.test_chat import answer_of, finished, stored

pytestmark = pytest.mark.browser


def box_of(page: Page):
    return page.get_by_label("Message", exact=True)


def waiting_in(page: Page):
    return page.locator("#queue li")


def say(page: Page, text: str) -> None:
    box_of(page).fill(text)
    page.keyboard.press("Enter")


def test_messages_sent_while_an_answer_runs_wait_and_are_sent_one_by_one(person, reader):
    page = person.signed_in(reader)
    ask(page, "slow 2")
    expect(answer_of(page)).to_contain_text("1/8")
    say(page, "text one")
    box_of(page).fill("text two")
    page.get_by_role("button", name="Queue").click()
    expect(waiting_in(page)).to_have_text(["text one", "text two"])
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    expect(page.locator("#queue")).to_be_hidden()
    requests = [message["parts"][0]["content"] for message in stored(page) if message["kind"] == "request"]
    assert requests == ["slow 2", "text one", "text two"]


def test_a_waiting_message_can_be_changed_or_taken_back_and_survives_a_reload(person, reader):
    page = person.signed_in(reader)
    ask(page, "slow")
    expect(answer_of(page)).to_contain_text("1/120")
    for text in ("text one", "text two", "text three"):
        say(page, text)
    page.reload()
    ready(page)
    expect(waiting_in(page)).to_have_text(["text one", "text two", "text three"])
    waiting_in(page).first.get_by_role("button", name="Remove").click()
    waiting_in(page).first.get_by_role("button", name="Edit").click()
    expect(waiting_in(page)).to_have_text(["text three"])
    expect(box_of(page)).to_have_value("text two")
    expect(box_of(page)).to_be_focused()


def test_after_a_stop_the_queue_waits_for_the_readers_word(person, reader):
    page = person.signed_in(reader)
    ask(page, "slow")
    expect(answer_of(page)).to_contain_text("1/120")
    say(page, "text one")
    page.get_by_role("button", name="Stop").click()
    finished(page, "cancelled")
    expect(waiting_in(page)).to_have_text(["text one"])
    page.get_by_role("button", name="Send now").click()
    expect(answer_of(page)).to_contain_text("You wrote: one")


def test_the_arrow_up_in_an_empty_box_edits_the_last_question(person, reader):
    page = person.signed_in(reader)
    ask(page, "text one")
    finished(page)
    box_of(page).press("ArrowUp")
    expect(page.get_by_label("Your message, edited")).to_have_value("text one")


def test_examples_fill_the_box_and_are_those_of_the_handler(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Answered by").select_option("demo")
    expect(page.locator("#welcome .about")).to_contain_text("every kind of event")
    page.locator(".examples").get_by_role("button", name="complex").click()
    expect(box_of(page)).to_have_value("complex")
    expect(box_of(page)).to_be_focused()
    expect(page.locator(".message")).to_have_count(0)


def test_options_are_a_form_are_sent_and_stay_with_the_chat(person, reader):
    page = person.signed_in(reader)
    sent: list[str] = []

    def note(frame: str) -> None:
        sent.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    page.reload()
    ready(page)
    page.get_by_label("Answered by").select_option("chat")
    page.get_by_role("button", name="Options", exact=True).click()
    page.get_by_label("Temperature").fill("0.5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog")).to_have_count(0)
    say(page, "Hello")
    finished(page)
    assert any('"options":{"temperature":0.5}' in frame for frame in sent)
    page.reload()
    ready(page)
    page.get_by_role("button", name="Options", exact=True).click()
    expect(page.get_by_label("Temperature")).to_have_value("0.5")
    page.get_by_role("button", name="Back to defaults").click()
    expect(page.locator("button.options.set")).to_have_count(0)


def test_an_option_out_of_its_bounds_isnt_taken(person, reader):
    page = person.signed_in(reader)
    page.get_by_label("Answered by").select_option("chat")
    page.get_by_role("button", name="Options", exact=True).click()
    page.get_by_label("Temperature").fill("7")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Options", exact=True)).to_be_focused()


def test_what_waits_in_a_new_chat_is_sent_in_it_though_another_new_one_was_begun(person, reader):
    page = person.signed_in(reader)
    starts = HeldStarts(page)
    ask(page, "text one")
    say(page, "text two")
    expect(waiting_in(page)).to_have_text(["text two"])
    page.get_by_role("link", name="New chat").click()
    expect(waiting_in(page)).to_have_count(0)
    expect(page.locator("#thread .message")).to_have_count(0)
    starts.let_go()
    page.locator("#chat-list").get_by_role("link", name="text one").click()
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    requests = [message["parts"][0]["content"] for message in stored(page) if message["kind"] == "request"]
    assert requests == ["text one", "text two"]
    expect(page.locator("#chat-list .title")).to_have_text(["text one"])


@pytest.mark.parametrize("elsewhere", [False, True], ids=["there", "in another new chat"])
def test_a_new_chat_that_is_refused_gives_back_all_that_was_written_for_it(person, reader, elsewhere):
    page = person.signed_in(reader)
    starts = HeldStarts(page)
    ask(page, "text one")
    say(page, "text two")
    expect(waiting_in(page)).to_have_text(["text two"])
    if elsewhere:
        page.get_by_role("link", name="New chat").click()
        expect(page.locator("#thread .message")).to_have_count(0)
    starts.refuse()
    expect(page.locator("#banner")).to_contain_text("Not so fast.")
    expect(box_of(page)).to_have_value("text one\ntext two")
    expect(waiting_in(page)).to_have_count(0)
    expect(page.locator("#thread .message")).to_have_count(0)
