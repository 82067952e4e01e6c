"""The German catalogues: complete, and compiled. How to add a word: docs/using.md, Languages."""

import ast
import gettext
import re
from pathlib import Path

import pytest

from tests.processes import ROOT

FOLDER = ROOT / "chats" / "locale" / "de" / "LC_MESSAGES"
STRING = r'"((?:[^"\\]|\\.)*)"'
IN_SCRIPTS = re.compile(rf"\bn?gettext\(\s*{STRING}")
IN_CODE = re.compile(rf"\b(?:_|n?gettext(?:_lazy)?)\(\s*{STRING}")
IN_TEMPLATES = re.compile(r"""\{% translate (?:"([^"]*)"|'([^']*)')|_\("([^"]*)"\)""")


def compiled(domain: str) -> dict:
    with (FOLDER / f"{domain}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]


def texts(pattern: re.Pattern[str], files: list[Path]) -> set[str]:
    found = [match for file in files for match in pattern.findall(file.read_text())]
    return {"".join(match) if isinstance(match, tuple) else ast.literal_eval(f'"{match}"') for match in found}


def known(domain: str) -> set[str]:
    return {key[0] if isinstance(key, tuple) else key for key in compiled(domain)}


def test_every_word_of_the_pages_modules_has_its_german():
    scripts = sorted((ROOT / "chats" / "static" / "chats").rglob("*.js"))
    assert texts(IN_SCRIPTS, scripts) - known("djangojs") == set()


def test_every_word_of_the_templates_and_the_code_has_its_german():
    templates = texts(IN_TEMPLATES, sorted((ROOT / "templates").rglob("*.html")))
    modules = [path for app in ("chats", "workbench") for path in sorted((ROOT / app).rglob("*.py"))]
    words = [module for module in modules if "django.utils.translation" in module.read_text()]
    assert (templates | texts(IN_CODE, words)) - known("django") == set()


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_the_compiled_catalogue_says_what_the_editable_one_says(domain):
    source = (FOLDER / f"{domain}.po").read_text()
    written = [ast.literal_eval(text) for text in re.findall(r'^msgstr(?:\[\d\])? (".+")$', source, re.MULTILINE)]
    assert sorted(written) == sorted(text for key, text in compiled(domain).items() if key != "")
