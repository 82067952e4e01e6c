"""Refusals in the reader's language, at both doors."""

import pytest
from django.test import Client as Browser
from django.utils.translation import gettext, override

from chats.fields import new_id
from chats.protocol import STATUS_OF, DoorError
from chats.refusals import WORDS, language_of, told
from tests.chats.live import Client
from workbench.models import User

GERMAN = {"Accept-Language": "de-DE,de;q=0.9"}


def test_every_code_has_words_and_they_have_their_german():
    assert WORDS.keys() == STATUS_OF.keys()
    with override("de"):
        assert [words for words in WORDS.values() if gettext(words) == words] == []


def test_a_refusals_own_words_are_told_where_they_have_their_german():
    error = DoorError(
        "rate_limited", "That's more than %(count)s questions a minute. Wait a moment.", values={"count": 3}
    )
    with override("en"):
        assert error.message == told(error)["message"] == "That's more than 3 questions a minute. Wait a moment."
    with override("de"):
        assert told(error)["message"].startswith("Das sind mehr als 3 Fragen in der Minute.")


def test_words_without_their_german_are_told_as_their_codes():
    error = DoorError("conflict", "You have a chat named “100 %” already.", fields={"name": ["It is taken."]})
    with override("en"):
        assert told(error) == error.body()
    with override("de"):
        fields = {"name": [gettext("It is taken.")]}
        assert told(error) == {**error.body(), "message": gettext(WORDS["conflict"]), "fields": fields}


def test_what_is_wrong_with_a_field_is_told_in_german_where_there_is_some():
    error = DoorError("invalid", "Some fields aren't right.", fields={"name": ["It can't be empty.", "It rhymes."]})
    with override("de"):
        assert told(error)["fields"] == {"name": ["Hier fehlt noch etwas.", "It rhymes."]}


def test_http_refuses_in_the_language_of_the_browser(db):
    browser = Browser(headers=GERMAN)
    browser.force_login(User.objects.create_user("reader"))
    for address in (f"/api/v1/chats/{new_id()}/", f"/chats/{new_id()}/state/"):
        refusal = browser.get(address).json()
        assert refusal["message"] == "Diesen Chat gibt es nicht, oder er gehört Ihnen nicht."
    assert Browser().get(f"/chats/{new_id()}/state/", headers=GERMAN).json()["message"] == "Melden Sie sich zuerst an."


@pytest.mark.parametrize(("headers", "words"), [(GERMAN, "Diesen Chat gibt es nicht"), ({}, "There is no such chat")])
async def test_the_websocket_refuses_in_the_language_of_the_browser(key, headers, words):
    async with Client(key, headers=headers) as client:
        await client.send(type="start", request_id="r", chat_id=str(new_id()), parts=[{"content": "hello"}])
        refusal = await client.receive_until("error")
    assert refusal["code"] == "not_found"
    assert refusal["message"].startswith(words)


def test_the_language_that_was_chosen_goes_before_the_browsers():
    scope = {"headers": [(b"accept-language", b"en")], "cookies": {"django_language": "de"}}
    assert (language_of(scope), language_of({"headers": [], "cookies": {}})) == ("de", "en")
