"""What collectstatic makes of our own modules."""

import shutil
import subprocess

import pytest

from tests.processes import ROOT
from workbench.staticstorage import OWN, without_comments

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
