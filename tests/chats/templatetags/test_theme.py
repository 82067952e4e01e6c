"""What the pages' root element says of light and dark."""

import re

import pytest
from django.test import Client


def root_of(theme: str | None) -> str:
    client = Client()
    if theme is not None:
        client.cookies["theme"] = theme
    return re.search(r"<html[^>]*>", client.get("/login/").content.decode()).group()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chosen_theme_comes_with_the_page(db, theme):
    assert f' data-theme="{theme}"' in root_of(theme)


@pytest.mark.parametrize("theme", [None, "", 'dark" onload="alert(1)', "blue"])
def test_anything_else_is_as_the_system_is(db, theme):
    assert "data-theme" not in root_of(theme)
