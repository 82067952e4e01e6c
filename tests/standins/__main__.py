"""`python -m tests.standins bedrock openai -- command…`: runs a command beside stand-ins for models' servers.

The command's environment leads the product to them and to no other model, whatever `.env` and the shell say; they end
with it. `make run STANDIN=bedrock` is this. A stand-in alone: `python -m tests.standins.bedrock`.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tests.standins.leading import NOWHERE, UNSET, leads_to


def _bedrock() -> Any:
    from tests.standins.bedrock import BedrockStandIn

    return BedrockStandIn()


def _openai() -> Any:
    from tests.standins.openai import OpenAIStandIn

    return OpenAIStandIn()


STANDINS = {"bedrock": _bedrock, "openai": _openai}


def run_beside(names: Sequence[str], command: Sequence[str]) -> int:
    """The command's exit code."""
    running = []
    environment = {name: value for name, value in os.environ.items() if name not in UNSET} | NOWHERE
    try:
        for name in names:
            server = STANDINS[name]()
            server.start()
            running.append(server)
            environment |= leads_to(name, server.url)
            print(f"Stand-in for {name} at {server.url}: it speaks the protocol and is no model.")
            print(f"  It answers as it is asked to (words=200 pause=0.05 …). What it was sent: {server.url}/_log")
        sys.stdout.flush()
        return _run(command, environment)
    finally:
        for server in running:
            server.stop()


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs it as this process would run; a group of its own, so that it gets each signal once, from here."""
    process = subprocess.Popen(command, env=dict(environment), process_group=0)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: process.send_signal(number))
    code = process.wait()
    return code if code >= 0 else 128 - code  # as a shell says that a signal ended it


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins", description=__doc__)
    parser.add_argument("names", nargs="+", choices=list(STANDINS), metavar="|".join(STANDINS))
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    given, command = parser.parse_args(words[:end]), words[end + 1 :]
    if not command:
        parser.error("name a command after --")
    return run_beside(given.names, command)


if __name__ == "__main__":
    sys.exit(main())
