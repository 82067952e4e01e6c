"""The page's libraries as static files: what is listed is found, nothing else is, and a site without them says so."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

from chats.templatetags import chat_page
from workbench.npm import NpmFinder

LISTED = ["marked/lib/marked.esm.js", "katex/dist/katex.min.js", "katex/dist/fonts/KaTeX_Main.woff2"]


@pytest.fixture
def packages(settings, tmp_path):
    """A folder of npm's with a few files of two of the three libraries, and of others."""
    settings.NPM_PACKAGES = tmp_path
    for name in [*LISTED, "marked/package.json", "katex/package.json", "marked/lib/marked.umd.js", "other/index.js"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("content")
    finders.get_finder.cache_clear()
    chat_page.is_installed.cache_clear()
    yield tmp_path
    finders.get_finder.cache_clear()
    chat_page.is_installed.cache_clear()


def test_listed_files_are_found_under_npm_and_nothing_else_is(packages):
    finder = NpmFinder()
    assert sorted(name for name, _ in finder.list([])) == sorted(LISTED)
    assert finder.find("npm/marked/lib/marked.esm.js") == str(packages / "marked/lib/marked.esm.js")
    for name in ("npm/marked/lib/marked.umd.js", "npm/other/index.js", "marked/lib/marked.esm.js", "npm/../secret"):
        assert not finder.find(name)
    assert finder.find("npm/other/index.js", find_all=True) == []


def test_a_site_without_them_says_what_to_do(packages):
    warnings = NpmFinder().check()
    assert [warning.id for warning in warnings] == ["workbench.W002"]
    assert "@highlightjs/cdn-assets" in warnings[0].msg
    assert "deploy/npm/install" in warnings[0].hint


def test_the_import_map_leaves_out_what_is_not_there(packages):
    names = json.loads(chat_page.import_map())["imports"]
    assert names["marked"] == "/static/npm/marked/lib/marked.esm.js"
    assert "highlight.js" not in names


def test_markdown_is_fetched_ahead_only_with_answers_and_where_it_is_there(packages):
    assert not any("marked" in address for address in chat_page.preloaded_addresses(with_answers=False))
    assert any("marked" in address for address in chat_page.preloaded_addresses(with_answers=True))
    (packages / LISTED[0]).unlink()
    chat_page.is_installed.cache_clear()
    assert not any("markdown" in address for address in chat_page.preloaded_addresses(with_answers=True))


@pytest.mark.npm
def test_collected_libraries_have_hashed_names(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["workbench.npm.NpmFinder"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "workbench.staticstorage.HashedOnceCollected"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    for path in chat_page.LIBRARIES.values():
        assert re.search(r"\.[0-9a-f]{12}\.", names[path])
        assert (tmp_path / names[path]).is_file()
    style = (tmp_path / names[chat_page.LIBRARIES["katex.css"]]).read_text()
    fonts = re.findall(r'url\("?([^")]*)"?\)', style)
    assert fonts
    assert all((tmp_path / "npm/katex/dist" / font).is_file() for font in fonts)
