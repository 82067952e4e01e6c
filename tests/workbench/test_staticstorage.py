"""What collectstatic makes of our own modules."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from chats.templatetags.chat_page import JOINED, PRELOADED
from tests.processes import ROOT
from workbench.staticstorage import OWN, HashedOnceCollected, joined, without_comments

PARSE = (
    "const {readFileSync} = require('fs'), {SourceTextModule} = require('vm');"
    "for (const file of process.argv.slice(1)) new SourceTextModule(readFileSync(file, 'utf8'));"
)
MODULES = sorted((ROOT / "chats" / "static" / "chats").rglob("*.js"))


def test_comments_and_indentation_go_and_nothing_else():
    source = '/**\n * Says `a // b`.\n */\nconst a = "/* no comment */"; // stays\n  // goes\n  f(a);\n'
    assert without_comments(source) == 'const a = "/* no comment */"; // stays\nf(a);\n'


def test_libraries_stay_as_they_are():
    assert OWN.fullmatch("chats/markdown/blocks.js")
    assert not OWN.fullmatch("npm/marked/lib/marked.esm.js")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node; see README.md, Tests")
def test_every_module_is_still_one(tmp_path):
    for module in MODULES:
        (tmp_path / f"{module.parent.name}-{module.stem}.mjs").write_text(without_comments(module.read_text()))
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    command = ["node", "--experimental-vm-modules", "--no-warnings", "-e", PARSE, *files]
    subprocess.run(command, check=True, capture_output=True)


def collect(folder: Path) -> dict[str, Path]:
    """What collectstatic leaves in a folder of our modules and style sheets: name → the file with the hash."""
    source = ROOT / "chats" / "static"
    storage = HashedOnceCollected(location=folder, base_url="/static/")
    paths = {str(path.relative_to(source)): path for path in source.rglob("*.*s")}
    for name, path in paths.items():
        storage.save(name, path.open("rb"))
    found = {name: (FileSystemStorage(location=folder), name) for name in paths}
    for name, _, problem in storage.post_process(found):
        assert not isinstance(problem, Exception), (name, problem)
    return {name: folder / address for name, address in storage.hashed_files.items()}


def test_what_is_collected_is_compressed_and_not_empty(tmp_path):
    files = collect(tmp_path)
    assert "chats/markdown/blocks.js" in files
    for name, path in files.items():
        assert path.read_text() == (tmp_path / name).read_text() != ""
    assert files[JOINED].with_name(files[JOINED].name + ".br").stat().st_size < files[JOINED].stat().st_size / 3


def test_a_dry_run_writes_nothing(tmp_path):
    storage = HashedOnceCollected(location=tmp_path, base_url="/static/")
    source = ROOT / "chats" / "static"
    found = {str(path.relative_to(source)): (FileSystemStorage(source), path) for path in source.rglob("*.*s")}
    assert list(storage.post_process(found, dry_run=True)) == []
    assert list(tmp_path.iterdir()) == []


def test_joined_modules_keep_their_scopes_and_run_after_what_they_import():
    first = 'import { add } from "wb/b";\nconst own = 1;\nexport const sum = add(own, 1);\n'
    second = 'import { other } from "wb/elsewhere";\nconst own = 2;\nexport function add(a, b) {\nreturn a + b;\n}\n'
    assert joined({"wb/a": first, "wb/b": second}) == (
        'import { other } from "wb/elsewhere";\n'
        "export const { add } = (() => {\nconst own = 2;\nfunction add(a, b) {\n"
        "return a + b;\n}\nreturn { add };\n})();\n"
        "export const { sum } = (() => {\nconst own = 1;\nconst sum = add(own, 1);\nreturn { sum };\n})();\n"
    )


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ({"wb/a": "export const x = 1;\n", "wb/b": "export const x = 2;\n"}, "export the same name: x"),
        ({"wb/a": 'import { b } from "wb/b";\n', "wb/b": 'import { a } from "wb/a";\n'}, "import each other"),
        ({"wb/a": "export default 1;\n"}, "can't be joined"),
        ({"wb/a": 'import * as all from "wb/b";\n'}, "can't be joined"),
        ({"wb/a": 'import { b as c } from "wb/b";\n'}, "can't be joined"),
    ],
)
def test_modules_that_cannot_be_joined_are_named(sources, reason):
    with pytest.raises(ValueError, match=reason):
        joined(sources)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node; see README.md, Tests")
def test_the_joined_module_is_a_module(tmp_path):
    file = tmp_path / "first.mjs"
    modules = {f"wb/{name}": ROOT / "chats" / "static" / "chats" / f"{name}.js" for name in PRELOADED}
    file.write_text(joined({name: without_comments(path.read_text()) for name, path in modules.items()}))
    command = ["node", "--experimental-vm-modules", "--no-warnings", "-e", PARSE, str(file)]
    subprocess.run(command, check=True, capture_output=True)
