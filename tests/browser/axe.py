"""axe-core on a page, offline: its source comes from the npm set-up for tests (deploy/npm)."""

from functools import lru_cache
from typing import Any

from playwright.sync_api import Page

from tests.processes import ROOT

SOURCE = ROOT / "deploy" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """() => axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations.map(
    ({id, help, nodes}) => ({
        id, help, where: nodes.map((node) => node.target.join(" ") + ": " + node.failureSummary),
    })))"""


@lru_cache(maxsize=1)
def _source() -> str:
    return SOURCE.read_text()


def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds wrong with the page as it stands, all of its rules."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return found
