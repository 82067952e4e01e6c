"""What an answer cost stands in its message's metadata: stored, exact, and "unknown" rather than nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chats.runs import start_run
from handlers.errors import ModelThrottled
from handlers.models import providers
from tests.chats.live import make_user
from tests.chats.scripted import Finished, body_of, wait_for_end
from tests.handlers.models.scripted_provider import ScriptedProvider

PRICES = """
priced_at = 2026-01-31
currency = "EUR"
prices = [{models = ["scripted-*"], input = 1.5, output = 2}]
"""


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    made = ScriptedProvider("Hello.")
    providers.register(made)
    yield made
    providers.unregister(made.name)


@pytest.fixture
def priced(settings: Any, tmp_path: Path) -> None:
    settings.WORKBENCH_PRICES_FILE = tmp_path / "prices.toml"
    settings.WORKBENCH_PRICES_FILE.write_text(PRICES)


def ask(model_id: str) -> Finished:
    started = start_run(make_user(), body_of("Hello", task="chat", model_id=model_id))
    return wait_for_end(started.response_id)


def test_a_priced_answer_says_what_it_cost_and_by_which_prices(engine: Any, provider: ScriptedProvider, priced: None):
    cost = ask("scripted-model").message.metadata["cost"]
    assert cost == {"amount": "0.00004", "currency": "EUR", "priced_at": "2026-01-31"}


def test_an_unpriced_answer_costs_an_unknown_amount(engine: Any, provider: ScriptedProvider):
    assert ask("scripted-model").message.metadata["cost"] is None


def test_the_offline_models_words_have_no_price(engine: Any):
    assert ask("offline").message.metadata["cost"] is None


def test_an_answer_that_broke_off_after_its_tokens_were_counted_says_it_too(
    engine: Any, provider: ScriptedProvider, priced: None
):
    provider.failure = ModelThrottled("Busy.")
    finished = ask("scripted-model")
    assert finished.outcome == ("error", "throttled")
    assert finished.message.metadata["cost"]["amount"] == "0.00004"
