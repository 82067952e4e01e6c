"""What an empty chat costs the first time, compressed: the page, and all that it loads before anybody does anything.

As a site sends it on which collectstatic was run: modules joined, names with hashes, files compressed beforehand (with
Brotli for browsers that take it: over https, or from this machine), and the page with gzip.
"""

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client
from django.urls import reverse

from chats.templatetags.chat_page import JOINED, PRELOADED, is_installed
from workbench.models import User
from workbench.staticstorage import joined, without_comments

BUDGET = {"gzip": 36 * 1024, "br": 33 * 1024}  # bytes; 40 KiB is what was promised
GERMAN = 3.5 * 1024  # the modules' words, which English needn't load
LOADED = re.compile(
    r'(?:<link rel="(?:stylesheet|modulepreload|icon)" href|<script type="module" src)="/static/([^"]+)"'
)
COMPRESSED = {"gzip": gzip.compress, "br": brotli.compress}


def own(name: str) -> str:
    """A module or style sheet of ours as collectstatic stores it."""
    if name == JOINED:
        return joined({f"wb/{module}": own(f"chats/{module}.js") for module in PRELOADED})
    return without_comments(Path(finders.find(name)).read_text())


@pytest.fixture
def collected() -> Iterator[dict[str, str]]:
    """The site as if collectstatic had been run: hashed name → name."""
    found = [each for finder in finders.get_finders() for each in finder.list([])]
    prefixes = [getattr(storage, "prefix", "") for _, storage in found]
    names = [JOINED, *(f"{prefix}/{path}".lstrip("/") for prefix, (path, _) in zip(prefixes, found, strict=True))]
    hashes = {name: hashlib.sha256(name.encode()).hexdigest()[:12] for name in names}
    hashed = {name: f"{name.rpartition('.')[0]}.{hashes[name]}.{name.rpartition('.')[2]}" for name in names}
    staticfiles_storage.hashed_files.update(hashed)
    is_installed.cache_clear()
    yield {address: name for name, address in hashed.items()}
    staticfiles_storage.hashed_files.clear()
    is_installed.cache_clear()


@pytest.mark.parametrize("encoding", ["gzip", "br"])
@pytest.mark.parametrize(("language", "more"), [("en", 0), ("de", GERMAN)])
def test_an_empty_chat_stays_below_40_kb_with_room(db, collected, encoding, language, more):
    client = Client(headers={"Accept-Language": language})
    client.force_login(User.objects.create_user("reader"))
    html = client.get(reverse("chats:new")).content
    names = [collected[address] for address in LOADED.findall(html.decode())]
    sizes = {name: len(COMPRESSED[encoding](own(name).encode())) for name in names} | {
        "(page)": len(gzip.compress(html))
    }
    assert JOINED in sizes
    assert sum(sizes.values()) <= BUDGET[encoding] + more, sorted(sizes.items(), key=lambda item: -item[1])


def test_the_page_itself_is_sent_compressed(db):
    client = Client(headers={"Accept-Encoding": "gzip, br"})
    client.force_login(User.objects.create_user("reader"))
    response = client.get(reverse("chats:new"))
    assert response["Content-Encoding"] == "gzip"
    assert b"<!doctype html>" in gzip.decompress(response.content)
