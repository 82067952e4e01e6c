"""The chat list's headings, as the page is first seen."""

from datetime import date

from django.utils.translation import override

from chats.shelves import shelved

TODAY = date(2026, 3, 10)


def chat(day: str, **more):
    return {"last_message_at": f"2026-{day}T12:00:00.000000Z", **more}


def headings(*chats) -> list[str]:
    return [heading for heading, _ in shelved(chats, TODAY)]


def test_recent_days_have_names_and_older_ones_their_month():
    days = ("03-10", "03-09", "03-08", "03-03", "03-02", "01-31")
    expected = ["Today", "Yesterday", "Last 7 days", "March 2026", "January 2026"]
    assert headings(*(chat(day) for day in days)) == expected


def test_pinned_ones_stand_before_all_others():
    groups = shelved([chat("03-10"), chat("01-31", pinned=True)], TODAY)
    assert [(heading, len(group)) for heading, group in groups] == [("Pinned", 1), ("Today", 1)]


def test_headings_speak_the_readers_language():
    with override("de"):
        assert headings(chat("03-10"), chat("01-31")) == ["Heute", "Januar 2026"]
