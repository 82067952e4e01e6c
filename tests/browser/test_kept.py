"""Prompts and personas made, used, changed and deleted on the page."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.site import ready
from tests.browser.test_chat import finished
from tests.browser.test_composer import box_of, made, prompts_of, say

pytestmark = pytest.mark.browser


def dialog_of(page: Page) -> Locator:
    return page.get_by_role("dialog")


def field(page: Page, name: str) -> Locator:
    return dialog_of(page).get_by_label(name)


def write(page: Page, **values: str) -> None:
    for name, value in values.items():
        field(page, name).fill(value)


def press(page: Page, name: str) -> None:
    dialog_of(page).get_by_role("button", name=name, exact=True).click()


def open_prompts(page: Page, way: str) -> None:
    page.get_by_role("button", name="Prompts", exact=True).click()
    page.get_by_role("button", name=way, exact=True).click()
    expect(dialog_of(page)).to_be_visible()


def test_a_prompt_is_made_and_used_with_the_keyboard_alone(person, reader):
    page = person.signed_in(reader)
    made(page, "prompts", name="Sum up", text="Sum this up:")
    box_of(page).press("/")
    expect(prompts_of(page)).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="New prompt…")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field(page, "Name")).to_be_focused()
    page.keyboard.type("Translate")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Put this into German:")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog_of(page)).to_have_count(0)
    expect(box_of(page)).to_be_focused()
    expect(box_of(page)).to_have_value("")
    page.keyboard.press("/")
    expect(prompts_of(page)).to_have_count(2)
    page.keyboard.type("trans")
    page.keyboard.press("Enter")
    expect(box_of(page)).to_have_value("Put this into German:")


def test_a_prompt_of_ones_own_is_changed_and_deleted(person, reader):
    page = person.signed_in(reader)
    made(page, "prompts", name="Sum up", text="Sum this up:")
    open_prompts(page, "Your prompts…")
    press(page, "Edit: Sum up")
    expect(field(page, "Text")).to_have_value("Sum this up:")
    write(page, Name="Shorten", Text="Shorten this:")
    press(page, "Save")
    expect(dialog_of(page).get_by_role("listitem")).to_contain_text(["Shorten"])
    expect(dialog_of(page).get_by_role("button", name="Edit: Shorten")).to_be_focused()
    press(page, "Delete: Shorten")
    page.keyboard.press("Escape")
    expect(dialog_of(page).get_by_role("button", name="Delete: Shorten")).to_be_focused()
    press(page, "Delete: Shorten")
    press(page, "Delete")
    expect(dialog_of(page)).to_contain_text("You have no prompts of your own yet.")
    page.keyboard.press("Escape")
    expect(dialog_of(page)).to_have_count(0)
    expect(box_of(page)).to_be_focused()


def test_a_refused_name_is_told_at_its_field_in_the_readers_language(people, reader):
    german = people(locale="de-DE")
    german.tolerated = ("status of 4",)  # a refusal is on the console
    page = german.signed_in(reader)
    made(page, "prompts", name="Kürzen", text="Kürze das:")
    page.get_by_role("button", name="Prompts", exact=True).click()
    page.get_by_role("button", name="Neuer Prompt …").click()
    press(page, "Speichern")
    expect(field(page, "Name")).to_have_accessible_description("Hier fehlt noch etwas.")
    expect(field(page, "Name")).to_be_focused()
    write(page, Name="Kürzen", Text="Noch einmal:")
    press(page, "Speichern")
    expect(field(page, "Name")).to_have_accessible_description("Der Name ist schon vergeben.")
    expect(field(page, "Name")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "Text")).not_to_have_attribute("aria-invalid", "true")
    write(page, Name="Anders")
    press(page, "Speichern")
    expect(dialog_of(page)).to_have_count(0)


def test_what_was_written_is_there_again_after_escape_and_gone_after_cancel(person, reader):
    page = person.signed_in(reader)
    for _ in range(2):
        open_prompts(page, "New prompt…")
        write(page, Name="Half", Text="A long text that")
        page.keyboard.press("Escape")
        expect(box_of(page)).to_be_focused()
        page.keyboard.type("ok")
    expect(box_of(page)).to_have_value("okok")
    open_prompts(page, "New prompt…")
    expect(field(page, "Text")).to_have_value("A long text that")
    press(page, "Cancel")
    open_prompts(page, "New prompt…")
    expect(field(page, "Text")).to_have_value("")


def test_a_form_that_cant_be_sent_says_so_and_stays(person, reader):
    page = person.signed_in(reader)
    person.expect_losses()
    person.tolerated += ("ERR_FAILED",)
    open_prompts(page, "New prompt…")
    write(page, Name="Sum up", Text="Sum this up:")
    page.route("**/api/v1/prompts/", lambda route: route.abort())
    press(page, "Save")
    expect(dialog_of(page).get_by_role("alert")).to_have_text("The server can’t be reached. Try again in a moment.")
    page.unroute_all()
    press(page, "Save")
    expect(dialog_of(page)).to_have_count(0)


def test_a_persona_is_made_chosen_renamed_and_deleted_where_it_is_chosen(person, reader):
    page = person.signed_in(reader)
    page.get_by_role("button", name="Your personas").click()
    press(page, "New persona…")
    write(page, Name="Pirate", Instructions="Speak like a pirate.")
    press(page, "Save")
    expect(dialog_of(page).get_by_role("listitem")).to_contain_text(["Pirate"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Your personas")).to_be_focused()
    page.get_by_label("Persona", exact=True).select_option("Pirate")
    say(page, "Hello")
    finished(page)
    page.get_by_role("button", name="Your personas").click()
    press(page, "Edit: Pirate")
    expect(field(page, "Instructions")).to_have_value("Speak like a pirate.")
    write(page, Name="Corsair")
    press(page, "Save")
    chosen = page.get_by_label("Persona", exact=True).locator("option:checked")
    expect(chosen).to_have_text("Corsair")
    press(page, "Delete: Corsair")
    press(page, "Delete")
    expect(page.locator("select[name=persona]")).to_be_hidden()
    page.keyboard.press("Escape")
    page.reload()
    ready(page)
    expect(page.locator("select[name=persona]")).to_be_hidden()


def test_a_persona_of_the_site_is_used_and_not_changed(person, reader):
    page = person.signed_in(reader)
    shared = [{"id": "0", "name": "House style", "description": "", "own": False}]
    page.route("**/api/v1/personas/?*", lambda route: route.fulfill(json={"results": shared, "next": None}))
    page.get_by_role("button", name="Your personas").click()
    expect(dialog_of(page)).to_contain_text("You have no personas of your own yet.")
    expect(dialog_of(page).get_by_role("listitem")).to_have_count(0)
