"""What is written, who answers it, and what waits."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import HeldEnds, HeldStarts, ask, ready, sign_in
from tests.browser.test_chat import LONG, answer_of, finished, stored

pytestmark = pytest.mark.browser


def box_of(page: Page):
    return page.get_by_label("Message", exact=True)


def waiting_in(page: Page):
    return page.locator("#queue li")


def say(page: Page, text: str) -> None:
    box_of(page).fill(text)
    page.keyboard.press("Enter")


def made(page: Page, kind: str, **fields: str) -> None:
    """Something of the reader's, made by the API with the page's own login."""
    page.evaluate(
        """async ([kind, fields]) => {
            const token = /csrftoken=([^;]*)/.exec(document.cookie)[1];
            const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
            const made = await fetch(`/api/v1/${kind}/`, { method: "POST", headers, body: JSON.stringify(fields) });
            if (made.status !== 201) throw new Error(await made.text());
        }""",
        [kind, fields],
    )


def prompts_of(page: Page):
    return page.get_by_role("listbox", name="Prompts").get_by_role("option")


def test_messages_sent_while_an_answer_runs_wait_and_are_sent_one_by_one(person, reader):
    page = person.signed_in(reader)
    ends = HeldEnds(page)
    ask(page, "slow 1")
    expect(answer_of(page)).to_have_attribute("data-status", "running")
    say(page, "text one")
    box_of(page).fill("text two")
    page.get_by_role("button", name="Queue").click()
    expect(waiting_in(page)).to_have_text(["text one", "text two"])
    ends.let_go()
    expect(answer_of(page)).to_contain_text("You wrote: two")
    finished(page)
    expect(page.locator("#queue")).to_be_hidden()
    requests = [message["parts"][0]["content"] for message in stored(page) if message["kind"] == "request"]
    assert requests == ["slow 1", "text one", "text two"]


def test_a_waiting_message_can_be_changed_or_taken_back_and_survives_a_reload(person, reader):
    page = person.signed_in(reader)
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
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
    ask(page, LONG)
    expect(answer_of(page)).to_contain_text("1/240")
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


def test_the_box_grows_with_its_text_up_to_a_cap(person, reader):
    page = person.signed_in(reader)
    heights = []
    for lines in (1, 5, 200):
        box_of(page).fill("\n".join(["words"] * lines))
        heights.append(box_of(page).bounding_box()["height"])
    assert heights[0] < heights[1] < heights[2] <= 0.4 * page.viewport_size["height"] + 1
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport()


def test_the_chosen_persona_is_sent_and_stays_with_the_chat(person, reader):
    page = person.signed_in(reader)
    sent: list[str] = []

    def note(frame: str) -> None:
        sent.append(frame)

    made(page, "personas", name="Pirate", prompt="Speak like a pirate.")
    page.on("websocket", lambda socket: socket.on("framesent", note))
    page.reload()
    ready(page)
    page.get_by_label("Persona", exact=True).select_option("Pirate")
    say(page, "Hello")
    finished(page)
    assert any('"persona_id":"' in frame for frame in sent)
    chosen = page.get_by_label("Persona", exact=True).locator("option:checked")
    page.get_by_role("link", name="New chat").click()
    expect(chosen).to_have_text("No persona")
    page.locator("#chat-list a").click()
    expect(chosen).to_have_text("Pirate")
    page.reload()
    ready(page)
    expect(chosen).to_have_text("Pirate")


def test_a_slash_in_the_empty_box_offers_prompts_that_are_found_by_typing_and_fill_the_box(person, reader):
    page = person.signed_in(reader)
    made(page, "prompts", name="Sum up", text="Sum this up:\n")
    made(page, "prompts", name="Translate", text="Put this into German:\n", description="Into another language")
    box_of(page).press("/")
    expect(prompts_of(page)).to_have_count(2)
    find = page.get_by_role("combobox", name="Find a prompt")
    expect(find).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(find).to_have_attribute("aria-activedescendant", "prompt-1")
    expect(prompts_of(page).nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.type("lang")
    expect(prompts_of(page)).to_have_count(1)
    expect(page.locator("#announcer")).to_have_text("1 prompt")
    page.keyboard.press("Enter")
    expect(box_of(page)).to_have_value("Put this into German:\n")
    expect(box_of(page)).to_be_focused()
    expect(page.locator(".prompt-menu")).to_have_count(0)
    expect(page.locator(".message")).to_have_count(0)


def test_a_text_that_begins_with_a_slash_can_be_written(person, reader):
    page = person.signed_in(reader)
    made(page, "prompts", name="Sum up", text="Sum this up:")
    box_of(page).press("/")
    expect(prompts_of(page)).to_have_count(1)
    page.keyboard.type("sx is a folder")
    expect(box_of(page)).to_have_value("/sx is a folder")
    expect(box_of(page)).to_be_focused()
    expect(page.locator(".prompt-menu")).to_have_count(0)


def test_escape_and_backspace_leave_the_menu_of_prompts(person, reader):
    page = person.signed_in(reader)
    made(page, "prompts", name="Sum up", text="Sum this up:")
    for key, left in (("Escape", "/"), ("Backspace", "")):
        box_of(page).fill("")
        box_of(page).press("/")
        expect(prompts_of(page)).to_have_count(1)
        page.keyboard.press(key)
        expect(page.locator(".prompt-menu")).to_have_count(0)
        expect(box_of(page)).to_be_focused()
        expect(box_of(page)).to_have_value(left)


def test_a_prompt_that_is_chosen_by_the_button_goes_where_the_cursor_is(person, reader):
    page = person.signed_in(reader)
    made(page, "prompts", name="Sum up", text="Sum this up:")
    box_of(page).fill("The Nile.")
    box_of(page).press("Home")
    page.get_by_role("button", name="Prompts").click()
    expect(page.get_by_label("Find a prompt")).to_be_focused()
    page.keyboard.type("nothing of the kind")
    expect(page.locator(".prompt-menu")).to_contain_text("No prompt is called so.")
    page.get_by_label("Find a prompt").fill("")
    prompts_of(page).first.click()
    expect(box_of(page)).to_have_value("Sum this up:The Nile.")


def test_a_slash_without_prompts_is_a_slash_and_the_button_says_that_there_are_none(person, reader):
    page = person.signed_in(reader)
    box_of(page).press("/")
    page.get_by_role("button", name="Prompts").click()
    expect(page.locator(".prompt-menu")).to_contain_text("You have no prompts yet.")
    page.keyboard.press("Escape")
    expect(box_of(page)).to_have_value("/")


def test_the_theme_is_chosen_kept_and_shown_from_the_first_moment_also_on_the_login_page(person, reader):
    page = person.signed_in(reader)
    background = page.locator("body")
    expect(background).to_have_css("background-color", "rgb(253, 252, 250)")
    page.get_by_label("Appearance").select_option("Dark")
    expect(background).to_have_css("background-color", "rgb(24, 26, 25)")
    page.reload()
    ready(page)
    expect(page.get_by_label("Appearance")).to_have_value("dark")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="dark")
    sign_in(page, person.site.address, reader)
    ready(page)
    page.get_by_label("Appearance").select_option("Light")
    expect(background).to_have_css("background-color", "rgb(253, 252, 250)")
    page.get_by_label("Appearance").select_option("System")
    expect(background).to_have_css("background-color", "rgb(24, 26, 25)")
    assert [cookie["name"] for cookie in page.context.cookies() if cookie["name"] == "theme"] == []
