"""The table in README.md names tests that there are."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_test_that_the_table_names_is_there():
    table = (HERE / "README.md").read_text()
    for cell in re.findall(r"\| ([^|]*test_[^|]*) \|$", table, re.MULTILINE):
        for module, names in re.findall(r"(test_\w+): ([^;|]*)", cell):
            defined = set(re.findall(r"^def (test_\w+)\(", (HERE / f"{module}.py").read_text(), re.MULTILINE))
            named = set(re.findall(r"test_\w+", names))
            assert named <= defined, module
    for path in re.findall(r"\b(?:js|chats)/[\w.]+\b", table):
        assert (HERE.parent / path).exists(), path
