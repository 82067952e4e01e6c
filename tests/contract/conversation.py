"""A conversation with a stand-in's model through everything: `python -m tests.contract.conversation bedrock`.

Starts what `make run STANDIN=…` starts, on a database of its own; logs in as a browser does; asks a question for which
the model calls two tools; stops the answer in its middle; goes on. Prints the transcript, and beside it what the
stand-in was sent. With `--url`, `--password` and `--log` it holds the conversation on a server that runs already.
"""

import argparse
import http.cookiejar
import json
import os
import re
import signal
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.processes import ServerProcess
from tests.standins.leading import MODELS

PATIENCE = 60.0  # seconds
FIRST = (
    "What is 6 * 7, and what time is it in Berlin? pause=0.3 "
    'tool=calculator:{"expression":"6*7"} tool=current_time:{"time_zone":"Europe/Berlin"}'
)
SECOND = "Thank you, that's enough. say=You_are_welcome."


@dataclass(frozen=True)
class Conversation:
    """What was said, as the API gives it, and what the stand-in was sent: its log's requests."""

    title: str
    messages: list[dict[str, Any]]
    requests: list[dict[str, Any]]


class Visitor:
    """Somebody who has logged in at the page, with a websocket as the page has one."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self._address = address
        self._cookies = http.cookiejar.CookieJar()
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        page = self._browser.open(f"{address}/login/", timeout=PATIENCE).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise RuntimeError("there is no login form")
        fields = {"csrfmiddlewaretoken": token[1], "username": name, "password": password, "next": "/"}
        self._browser.open(f"{address}/login/", urllib.parse.urlencode(fields).encode(), timeout=PATIENCE)

    def get(self, path: str) -> Any:
        with self._browser.open(f"{self._address}{path}", timeout=PATIENCE) as answer:
            return json.load(answer)

    def socket(self) -> ClientConnection:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._cookies)
        headers = {"Cookie": cookies, "Origin": self._address}
        return connect(self._address.replace("http", "ws", 1) + "/ws/chat/", additional_headers=headers)


class Talk:
    """One chat on one websocket; keeps the events of each response."""

    def __init__(self, socket: ClientConnection, model_id: str) -> None:
        self._socket = socket
        self._model_id = model_id
        self.chat_id: str | None = None
        self.events: list[dict[str, Any]] = []  # of the last answer

    def ask(self, text: str) -> str:
        """The response's id."""
        request_id, self.events = uuid.uuid4().hex, []
        chat = {"chat_id": self.chat_id} if self.chat_id else {}
        start = {"type": "start", "request_id": request_id, "task": "chat", "model_id": self._model_id, **chat}
        self.send(**start, parts=[{"content": text}])
        started = self.until(lambda frame: frame["type"] == "started" and frame["request_id"] == request_id)
        self.chat_id = started["chat_id"]
        return str(started["response_id"])

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def follow(self, enough: Callable[[], Any]) -> None:
        """Reads on until `enough()`."""
        while not enough():
            self.until(lambda frame: frame["type"] == "events")

    def send(self, **frame: Any) -> None:
        self._socket.send(json.dumps(frame))

    def until(self, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = json.loads(self._socket.recv(timeout=PATIENCE))
            if frame["type"] == "error":
                raise RuntimeError(f"the server refused: {frame}")
            self.events += frame.get("events", [])
            if wanted(frame):
                return frame


def hold(address: str, name: str, password: str, log_url: str, model_id: str) -> Conversation:
    """Two tool calls, stopped in the middle of what follows; a second question; the title that follows its answer."""
    visitor = Visitor(address, name, password)
    before = len(_read(log_url))
    with closing(visitor.socket()) as socket:
        talk = Talk(socket, model_id)
        response_id = talk.ask(FIRST)
        talk.follow(lambda: len(talk.said("tool_return")) == 2 and len(talk.said("content")) >= 2)
        talk.send(type="cancel", response_id=response_id)
        talk.follow(lambda: talk.said("response_end"))
        talk.ask(SECOND)
        talk.follow(lambda: talk.said("response_end"))
        titled = talk.until(lambda frame: frame["type"] == "chat" and frame["chat"]["title_source"] == "auto")
    messages = visitor.get(f"/api/v1/chats/{talk.chat_id}/messages/")["results"]
    return Conversation(titled["chat"]["title"], messages, _settled(log_url)[before:])


def _read(log_url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(log_url, timeout=PATIENCE) as answer:
        requests: list[dict[str, Any]] = json.load(answer)
    return requests


def _settled(log_url: str) -> list[dict[str, Any]]:
    """The log once nothing in it is under way: a title may still be."""
    deadline = time.monotonic() + PATIENCE
    while True:
        requests = _read(log_url)
        if all(each["finished"] or each["closed_at"] or each["error"] for each in requests):
            return requests
        if time.monotonic() > deadline:
            raise TimeoutError("a request to the stand-in doesn't end")
        time.sleep(0.1)


# --- a server of its own


@contextmanager
def served(names: Sequence[str]) -> Iterator[tuple[ServerProcess, str, dict[str, str]]]:
    """`make run` beside these stand-ins: the server, the demo user's password, each stand-in's log."""
    with tempfile.TemporaryDirectory(prefix="conversation-") as folder:
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        environment |= {"STANDIN": " ".join(names), "HOST": "127.0.0.1", "PORT": "0", "DEBUG": "on"}
        environment |= {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "PYTHONUNBUFFERED": "1"}
        server = ServerProcess("deploy/run-local", environment=environment, program="bash")
        try:
            password = re.search(r"demo +password (\S+)", server.output)
            logs = dict(zip(names, re.findall(r"http://\S+/_log", server.output), strict=True))
            yield server, password[1] if password else "", logs
        finally:
            server.signal(signal.SIGTERM)  # not killed: the stand-ins' process ends the server
            server.exit_code()


# --- for people


def transcript(conversation: Conversation) -> Iterator[str]:
    """The chat, a line for each part."""
    yield f"Title: {conversation.title}"
    for message in conversation.messages:
        who = "User" if message["kind"] == "request" else f"{message['task']} ({message['status']})"
        yield f"{who}:"
        yield from (f"    {_part(part)}" for part in message["parts"])


def _part(part: dict[str, Any]) -> str:
    if part["kind"] == "tool-call":
        return f"→ {part['tool_name']} {json.dumps(part['tool_args'])}"
    if part["kind"] == "tool-return":
        return f"← {part['tool_name']} {json.dumps(part['result'])}"
    return str(part["content"])


def request_log(conversation: Conversation) -> Iterator[str]:
    """What the stand-in was sent: the turns of each request, and what became of it."""
    for number, request in enumerate(conversation.requests, 1):
        became = "answered" if request["finished"] else "closed by the client" if request["closed_at"] else "refused"
        yield f"Request {number}: {request['status']}, {became} after {request['said']} words"
        for message in request["body"]["messages"]:
            yield f"    {message['role']}: {'; '.join(_told(message))[:140]}"


def _told(message: dict[str, Any]) -> Iterator[str]:
    content = message.get("content") or []
    for block in [{"text": content}] if isinstance(content, str) else content:
        yield str(block["text"]).replace("\n", " ") if "text" in block else json.dumps(block)
    for call in message.get("tool_calls", ()):
        yield json.dumps(call["function"])


def _print(name: str, conversation: Conversation) -> None:
    print(f"\n=== {name}: the transcript\n", *transcript(conversation), sep="\n")
    print(f"\n=== {name}: what its stand-in was sent\n", *request_log(conversation), sep="\n")


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.contract.conversation", description=__doc__)
    parser.add_argument("names", nargs="+", choices=list(MODELS), metavar="|".join(MODELS))
    parser.add_argument("--url", help="a server that runs already, beside one stand-in")
    parser.add_argument("--user", default="demo")
    parser.add_argument("--password", default="")
    parser.add_argument("--log", default="", help="the stand-in's log, as the server printed it")
    given = parser.parse_args()
    if given.url:
        name = given.names[0]
        _print(name, hold(given.url, given.user, given.password, given.log, MODELS[name]))
        return 0
    with served(given.names) as (server, password, logs):
        for name in given.names:
            _print(name, hold(server.address, given.user, password, logs[name], MODELS[name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
