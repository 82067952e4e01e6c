"""What an empty chat costs the first time, compressed: the page, and all that it loads before anybody does anything."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from workbench.models import User
from workbench.staticstorage import OWN, without_comments

BUDGET = 40 * 1024  # bytes
GERMAN = 3 * 1024  # the modules' words, which English needn't load
LOADED = re.compile(
    r'(?:<link rel="(?:stylesheet|modulepreload|icon)" href|<script type="module" src)="/static/([^"]+)"'
)


def compressed(content: bytes) -> int:
    return len(gzip.compress(content))


def collected(name: str) -> bytes:
    """A static file as collectstatic stores it."""
    content = Path(finders.find(name)).read_bytes()
    return without_comments(content.decode()).encode() if OWN.fullmatch(name) else content


@pytest.mark.parametrize(("language", "budget"), [("en", BUDGET), ("de", BUDGET + GERMAN)])
def test_an_empty_chat_is_at_most_40_kb(db, language, budget):
    client = Client(headers={"Accept-Language": language})
    client.force_login(User.objects.create_user("reader"))
    html = client.get(reverse("chats:new")).content
    names = LOADED.findall(html.decode())
    sizes = {"(page)": compressed(html), **{name: compressed(collected(name)) for name in names}}
    assert len(sizes) > 20
    assert sum(sizes.values()) <= budget, sorted(sizes.items(), key=lambda item: -item[1])[:20]
