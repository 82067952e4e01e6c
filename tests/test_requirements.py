"""The lock files: complete, within pyproject's bounds, and free of addresses."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def pinned(path: Path) -> dict[str, set[str]]:
    """Name to versions; one name has several where they differ by platform."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE):
        versions.setdefault(name, set()).add(version)
    return versions


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("base.txt", [*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["s3"]]),
        ("dev.txt", [*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["s3"], *EXTRAS["dev"]]),
    ],
)
def test_what_the_project_asks_for_is_pinned_within_its_bounds(lock, requirements):
    versions = pinned(ROOT / "requirements" / lock)
    for requirement in map(Requirement, requirements):
        found = versions.get(requirement.name.lower(), set())
        assert found, f"{requirement.name} isn't pinned in {lock}; run make lock"
        assert all(requirement.specifier.contains(version) for version in found), requirement


def test_servers_and_tests_get_the_same_versions():
    base, dev = pinned(ROOT / "requirements/base.txt"), pinned(ROOT / "requirements/dev.txt")
    assert {name: dev.get(name) for name in base} == base


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_hashes(path):
    pins = re.split(r"\n(?=[a-z])", path.read_text().strip())
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("path", [*LOCKS, *ROOT.glob("**/package-lock.json")], ids=lambda path: path.name)
def test_no_lock_file_names_a_host(path):
    if "node_modules" in path.parts:
        return
    assert re.findall(r"\w+://\S+|--(?:extra-)?index-url\S*", path.read_text()) == []
