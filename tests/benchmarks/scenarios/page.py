"""The page in a browser, over its real socket: what an answer costs its main thread, and what a visit downloads.

The share of the main thread is the processor time of all tasks of the renderer's main thread (script, style, layout,
painting, compositing, and the browser's own) over the wall clock's, as Chromium counts it (`TaskDuration` by thread
ticks): time in which others had the processor isn't in it, while a busy machine's colder caches are. What is downloaded
are the bytes of bodies as they were sent, by the browser's own count, from a site on which collectstatic was run.

The browser may use every core, unlike other clients. It throttles its processor by a thread that halts the main one for
part of every fifth of a millisecond; on the core of the one that it halts, it gets its turn late, and a quarter of the
processor became a seventh (28 % busy where with a core for each it was 17 %).
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.benchmarks.author import document
from tests.benchmarks.figures import Line, at_least, at_most
from tests.benchmarks.servers import CORES, PROJECT, on_core
from tests.benchmarks.stage import Stage
from tests.browser.accounts import READERS
from tests.browser.site import Site, browsing, ready, sign_in

AUTHOR = "benchmark-author"
ANSWER, PIECES, PACE = 20_000, 2_000, 250  # characters, deltas, deltas a second
HISTORY = [ANSWER] * 10
PURIFY = PROJECT / "deploy" / "npm" / "node_modules" / "dompurify" / "dist" / "purify.min.js"
PATIENCE = 120_000  # ms, for an answer under throttling

# Every delta drawn and laid out at once: what both ways cost when nothing is put off. In turns, a tenth each.
ONE_GO = """
async ([text, pieces]) => {
  const { MarkdownDocument } = await import("wb/markdown/document");
  const { marked } = await import("marked");
  await (await import("wb/threadview")).dressed();
  const host = document.getElementById("thread");
  const cuts = Array.from({ length: pieces }, (_, index) => Math.round((index + 1) * text.length / pieces));
  const timed = (draw) => {
    const element = document.createElement("div");
    element.className = "prose";
    host.replaceChildren(element);
    const began = performance.now();
    for (const cut of cuts) {
      draw(element, text.slice(0, cut), cut === text.length);
      element.offsetHeight;
    }
    return performance.now() - began;
  };
  const onCitation = (number, raw) => document.createTextNode(raw);
  const ours = () => {
    let page = null;
    return timed((element, now, whole) => (page ??= new MarkdownDocument(element, { onCitation })).show(now, whole));
  };
  const theirs = () => timed((element, now) => (element.innerHTML = DOMPurify.sanitize(marked.parse(now))));
  ours();
  return [ours(), theirs()];
}
"""

SHIFTS = """
() => {
  window.layoutShift = 0;
  const ours = (entry) => !entry.hadRecentInput;
  const add = (list) => list.getEntries().filter(ours).forEach(({ value }) => (window.layoutShift += value));
  new PerformanceObserver(add).observe({ type: "layout-shift" });
}
"""


# What the browser has loaded so far: address → bytes of the body as it was sent.
LOADED = """
() => performance.getEntries()
  .filter(({ entryType }) => entryType === "navigation" || entryType === "resource")
  .map(({ name, encodedBodySize }) => [name, encodedBodySize])
"""


def measure(stage: Stage) -> list[Line]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="page-", dir=PROJECT / "bench-results")))
        settings = {
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.collected",
            "BENCHMARK_STATIC_ROOT": str(folder / "static"),
            "WORKBENCH_EXTRA_HANDLERS": "tests.benchmarks.author.MarkdownAuthor",
            "WORKBENCH_RATE_LIMITS": "off",
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
        subprocess.run(collect, cwd=PROJECT, env={**os.environ, **settings, "SECRET_KEY": "x" * 60}, check=True)
        site = Site(folder, **settings)
        stack.callback(site.kill)
        with on_core(*CORES):  # see the module
            browser = stack.enter_context(browsing())
        return [*_first_load(browser, site), *_streaming(browser, site), _one_go(browser, site)]


def _first_load(browser: Browser, site: Site) -> list[Line]:
    """An empty chat, nothing cached, until it is ready and the network quiet; nobody has touched it yet."""
    context = browser.new_context()
    sign_in(context.new_page(), site.address, READERS[0])
    fresh = browser.new_context(storage_state=context.storage_state())
    page = fresh.new_page()
    page.goto(site.address)
    ready(page)
    page.wait_for_load_state("networkidle")
    sizes: dict[str, int] = {_name(address): size for address, size in page.evaluate(LOADED)}
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:3]
    return [
        Line(
            "First load of an empty chat, as it is sent",
            sum(sizes.values()) / 1024,
            "KiB",
            at_most(40),
            f"{len(sizes)} files; " + ", ".join(f"{name} {size / 1024:.1f}" for name, size in largest),
            detail=sizes,
        )
    ]


def _name(url: str) -> str:
    return url.partition("/static/")[2] if "/static/" in url else urlsplit(url).path


def _streaming(browser: Browser, site: Site) -> list[Line]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, site.address, READERS[1])
    ready(page)
    for characters in HISTORY:
        _answer(page, f"{characters} 1 1000")
    script, layout = _history(context, page.url)
    lines = [
        Line(
            f"Opening a chat of {sum(HISTORY):,} characters, script",
            script,
            "ms",
            at_most(300),
            f"layout and style {layout:.0f} ms",
        )
    ]
    for throttle, limit in ((1, 5), (4, 15)):
        share, shift = _paced(context, page, throttle)
        title = (
            f"Main thread while {ANSWER:,} characters come in {PIECES:,} deltas"
            if throttle == 1
            else "  at a quarter of the CPU"
        )
        lines.append(Line(title, share, "%", at_most(limit), f"{PACE} deltas/s; layout shift {shift:.3f}"))
    return lines


def _ask(page: Page, text: str) -> None:
    requests = page.locator(".message.request:not(.unsent)")
    count = requests.count()
    page.get_by_label("Answered by").select_option(AUTHOR)
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")
    expect(requests).to_have_count(count + 1)


def _wait_for_end(page: Page) -> None:
    expect(page.locator("#composer")).not_to_contain_class("busy", timeout=PATIENCE)
    expect(page.locator(".message.response").last).to_have_attribute("data-status", "completed", timeout=PATIENCE)


def _answer(page: Page, text: str) -> None:
    _ask(page, text)
    _wait_for_end(page)


def _history(context: BrowserContext, address: str) -> tuple[float, float]:
    """ms of script, and of layout and style, from the page's address to all of it on the page and coloured."""
    page = context.new_page()
    metrics = _Metrics(context, page)
    page.goto(address)
    ready(page)
    expect(page.locator(".message.response")).to_have_count(len(HISTORY))
    values = metrics.values()
    page.close()
    return values["ScriptDuration"] * 1000, (values["LayoutDuration"] + values["RecalcStyleDuration"]) * 1000


def _paced(context: BrowserContext, page: Page, throttle: int) -> tuple[float, float]:
    """The share of the main thread's time, in percent, and the layout shift, while an answer is written.

    In between nothing is asked of the page: each question would take a part of what is measured.
    """
    metrics = _Metrics(context, page)
    page.evaluate(SHIFTS)
    metrics.session.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
    _ask(page, f"{ANSWER} {PIECES} {PACE}")
    before = metrics.values()
    time.sleep(0.9 * PIECES / PACE)
    after = metrics.values()
    metrics.session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    _wait_for_end(page)
    busy, wall = after["TaskDuration"] - before["TaskDuration"], after["Timestamp"] - before["Timestamp"]
    return 100 * busy / wall, float(page.evaluate("window.layoutShift"))


def _one_go(browser: Browser, site: Site) -> Line:
    """On a page without its policy, which forbids what the way we are compared with does."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    sign_in(page, site.address, READERS[2])
    ready(page)
    page.evaluate(PURIFY.read_text())
    ours, theirs = page.evaluate(ONE_GO, [document(ANSWER), PIECES])
    return Line(
        "An answer in one go, times faster than marked + DOMPurify anew per delta",
        theirs / ours,
        "×",
        at_least(15),
        f"{ours:.0f} ms against {theirs:.0f} ms",
    )


class _Metrics:
    """Chromium's own counters of one page."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.session: CDPSession = context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def values(self) -> dict[str, float]:
        metrics: list[dict[str, Any]] = self.session.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}
