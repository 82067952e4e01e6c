"""Sites to throw faults at."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.servers import Server
from tests.faults.site import Site, make_template

PEOPLE = 4


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Path:
    """A migrated database with people. To copy, not to use."""
    return make_template(tmp_path_factory.mktemp("template"), PEOPLE)


@pytest.fixture
def site(template, tmp_path) -> Iterator[Site]:
    """A site of this test's own; its servers end with the test."""
    site = Site(template, tmp_path)
    yield site
    site.close()


@pytest.fixture(scope="session")
def calm(template, tmp_path_factory) -> Iterator[tuple[Site, Server]]:
    """A site with one server, for tests that leave it as it was."""
    site = Site(template, tmp_path_factory.mktemp("calm"))
    yield site, asyncio.run(site.serve())
    site.close()
