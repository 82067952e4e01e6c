"""The main job as a person does it, on what `make run` starts: `python -m tests.browser.walkthrough [folder]`.

Logs in with the printed password, asks `demo` for `complex`, reloads in the middle, watches the same answer in a
second tab, stops a `slow` one, and compares what every view shows with what REST lists. Prints each step and takes
pictures into the folder (var/walkthrough). Its database is its own, in a temporary folder.
"""

import re
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.browser.site import ask, browsing, ready
from tests.processes import ServerProcess
from tests.workbench.conftest import bare_environment


class Walk:
    """One person's way through the page; every step is printed and pictured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        folder.mkdir(parents=True, exist_ok=True)

    def step(self, words: str, page: Page) -> None:
        self.number += 1
        picture = self.folder / f"{self.number:02}.png"
        page.screenshot(path=picture)
        print(f"{self.number:2}. {words} ({picture})", flush=True)


def main(folder: Path) -> None:
    walk = Walk(folder)
    with tempfile.TemporaryDirectory() as temporary:
        server = run_on_a_database_in(temporary)
        try:
            with browsing() as browser:
                context = browser.new_context(viewport={"width": 1280, "height": 800})
                stream_reload_and_follow(walk, context.new_page(), context.new_page(), server)
        finally:
            server.signal(signal.SIGTERM)
        code = server.exit_code()
    print(f"`make run` ended with {code} after SIGTERM.")
    if code:
        sys.exit(code)


def run_on_a_database_in(folder: str) -> ServerProcess:
    # What `make run` runs after its set-up; make itself wouldn't pass the signal on.
    environment = bare_environment(DATABASE_URL=f"sqlite:///{folder}/site.sqlite3", HOST="127.0.0.1", PORT="0")
    return ServerProcess("deploy/run-local", environment=environment, program="bash")


def stream_reload_and_follow(walk: Walk, page: Page, second: Page, server: ServerProcess) -> None:
    log_in(page, server)
    walk.step("Logged in as demo with the printed password", page)
    ask(page, "complex")
    expect(answer_of(page)).to_contain_text("Each of these words")
    page.reload()  # at once: a picture takes as long as the rest of the answer
    ready(page)
    walk.step("Asked for `complex` and reloaded in the middle of it", page)
    second.goto(page.url)
    ready(second)
    walk.step("Opened it in a second tab", second)
    texts = [whole_answer(page, "completed"), whole_answer(second, "completed")]
    page.reload()
    ready(page)
    texts.append(whole_answer(page, "completed"))
    if len(set(texts)) != 1:
        sys.exit(f"The views differ: {texts}")
    walk.step("Both tabs and a reload afterwards show the same whole answer", page)
    ask(page, "slow")
    expect(answer_of(second)).to_contain_text("3/120")
    walk.step("Asked for `slow`; the second tab follows", second)
    page.get_by_role("button", name="Stop").click()
    whole_answer(page, "cancelled")
    whole_answer(second, "cancelled")
    walk.step("Stopped it; what was said stays, in both tabs", page)
    compare_with_rest(page)


def log_in(page: Page, server: ServerProcess) -> None:
    found = re.search(r"demo +password (\S+)", server.output)
    if found is None:
        sys.exit(f"No password for demo was printed:\n{server.output}")
    page.goto(server.address)
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill(found.group(1))
    page.get_by_role("button", name="Sign in").click()
    ready(page)


def answer_of(page: Page):
    return page.locator(".message.response").last


def whole_answer(page: Page, status: str) -> str:
    expect(answer_of(page)).to_have_attribute("data-status", status)
    return answer_of(page).locator(".parts").inner_text()


def compare_with_rest(page: Page) -> None:
    """Numbers contiguous, one end, last: as the log has each answer, by the door that anybody can use."""
    address = page.url.replace("/chats/", "/api/v1/chats/")
    for message in page.request.get(f"{address}messages/").json()["results"]:
        if message["kind"] == "response":
            check_log(page, message)


def check_log(page: Page, message: dict) -> None:
    found, following = [], f"/api/v1/responses/{message['id']}/events/?limit=100"
    while following:
        listed = page.request.get(urljoin(page.url, following)).json()
        found.extend(listed["results"])
        following = listed["next"]
    numbers = [event["sequence"] for event in found]
    ends = [event["type"] for event in found if event["type"] == "response_end"]
    if numbers != list(range(len(numbers))) or len(ends) != 1 or found[-1]["type"] != "response_end":
        sys.exit(f"The log of {message['id']} is damaged: {numbers}, {len(ends)} ends")
    print(f"    {message['id']}: {len(found)} events, contiguous, one end, last: {message['status']}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "var/walkthrough"))
