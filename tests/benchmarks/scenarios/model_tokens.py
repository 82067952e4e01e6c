"""What reading a model's answer costs, per token: the product's providers beside others' clients.

All read the same answers of the same stand-ins, which speak at an even pace: so each word is a read and a wake-up of
its own, as in life. Tokens are the stand-ins' words.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from statistics import median

from tests.benchmarks.figures import Line, at_most, median_ratio
from tests.benchmarks.rivals import run_as_rival
from tests.benchmarks.servers import PROJECT, SERVER_CORE, Server, ServerError, clean_environment, on_core
from tests.benchmarks.stage import Stage

STREAMS, WORDS, PAUSE = 20, 200, 0.01
BESIDE = {"bedrock": ("boto3",), "openai": ("openai-sdk", "aiohttp")}
READER = "tests.benchmarks.apps.model_reader"
TITLES = {"boto3": "plain boto3 in threads", "openai-sdk": "the openai SDK", "aiohttp": "plain aiohttp"}
# A provider bridges threads to loops, checks and translates; what it may cost at most, in the other's costs.
LIMITS = {"boto3": 2.5, "openai-sdk": 0.6, "aiohttp": 1.5}


def measure(stage: Stage) -> list[Line]:
    """The clients of one stand-in take turns, so that a slow minute of the machine meets them all."""
    return [line for provider in BESIDE for line in _of(stage, provider)]


def _of(stage: Stage, provider: str) -> list[Line]:
    names = (provider, *BESIDE[provider])
    readers = {name: run_as_rival(READER) if name == "openai-sdk" else [sys.executable, "-m", READER] for name in names}
    cost: dict[str, list[float]] = {name: [] for name in names}
    with stage.standin(provider) as standin:
        for _ in range(stage.rounds):
            for name in names:
                cost[name].append(_cost([*readers[name], name], name, standin))
    own = cost[provider]
    lines = [Line(f"CPU per token, {provider}'s provider", median(own), "µs", detail={"rounds": own})]
    for name in BESIDE[provider]:
        ratio = median_ratio(list(zip(own, cost[name], strict=True)))
        note = f"{median(cost[name]):.3g} µs"
        title = f"  in costs of {TITLES[name]}"
        lines.append(Line(title, ratio, "", at_most(LIMITS[name]), note, detail={"rounds": cost[name]}))
    return lines


def _cost(reader: Sequence[str], name: str, standin: Server) -> float:
    """Microseconds of one core for each token, after a warm-up. Raises ServerError when a token is missing."""
    command = [*reader, standin.http, *map(str, (STREAMS, WORDS, PAUSE))]
    with on_core(SERVER_CORE):
        found = json.loads(_output_of(command, clean_environment()))
    if found["tokens"] != STREAMS * WORDS:
        raise ServerError(f"{name} read {found['tokens']} tokens of {STREAMS * WORDS}")
    return float(found["cpu_us_per_token"])


def _output_of(command: Sequence[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=PROJECT, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout
