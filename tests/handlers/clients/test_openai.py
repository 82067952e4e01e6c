"""What OpenAI's client reads on the wire where servers differ."""

import time
from email.utils import formatdate

import pytest

from handlers.clients.openai import _refusal, _seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert _seconds(headers) == seconds


def test_when_to_come_back_as_a_date() -> None:
    wait = _seconds({"Retry-After": formatdate(time.time() + 3600, usegmt=True)})
    assert wait is not None
    assert 3500 < wait <= 3600


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b'{"error": {"message": "No.", "type": "invalid", "code": "bad"}}', "bad", "No."),
        (b'{"error": {"message": "No.", "type": "invalid", "code": null}}', "invalid", "No."),
        (b'{"error": "No."}', "", "No."),
        (b'{"object": "error", "message": "No.", "code": 400}', "400", "No."),
        (b'{"detail": "No."}', "", "No."),
        (b"No.", "", "No."),
        (b"", "", ""),
    ],
)
def test_a_refusals_code_and_words(body: bytes, code: str, words: str) -> None:
    assert _refusal(body) == (code, words)
