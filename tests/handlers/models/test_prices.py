"""What answers cost: exact amounts by dated prices, and "unknown" wherever nobody named a price."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.encoding import canonical_json
from handlers.models import cost_facts, providers
from handlers.models.prices import BUILT_IN, PriceListInvalid, cost_of, read_prices
from tests.handlers.models.scripted_provider import ScriptedProvider

HAIKU = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
USAGE = {"inputTokens": 1_000, "outputTokens": 500, "totalTokens": 1_500}
OWN = """
priced_at = 2026-01-31
currency = "EUR"

[[prices]]
models = ["llama3.2*", "scripted-model"]
input = 0.1
output = 0.2

[[prices]]
vendor = "bedrock"
models = ["*claude-haiku-4-5*"]
input = 0.9
output = 4.5
"""


@pytest.fixture
def own(settings, tmp_path):
    """`own(text)` makes it the deployment's list."""

    def write(text: str):
        path = tmp_path / "prices.toml"
        path.write_text(text)
        settings.WORKBENCH_PRICES_FILE = path
        return path

    return write


def test_tokens_times_prices():
    cost = cost_of(HAIKU, USAGE, sold_by="bedrock")
    assert cost == {"amount": "0.0035", "currency": "USD", "priced_at": read_prices(BUILT_IN).priced_at.isoformat()}


def test_the_cache_has_prices_of_its_own():
    usage = {**USAGE, "cacheReadInputTokens": 10_000, "cacheWriteInputTokens": 2_000}
    assert cost_of(HAIKU, usage, sold_by="bedrock")["amount"] == "0.007"


def test_the_stored_spelling_counts_as_well():
    stored = {"input_tokens": 1_000, "output_tokens": 500, "total_tokens": 1_500}
    assert cost_of(HAIKU, stored, sold_by="bedrock") == cost_of(HAIKU, USAGE, sold_by="bedrock")


@pytest.mark.parametrize(
    ("model_id", "sold_by"),
    [("offline", None), ("llama3.2", None), ("gpt-4o", None), ("gpt-4o-audio-preview", "openai"), (HAIKU, "openai")],
    ids=["offline", "a local model", "OpenAI's name elsewhere", "a like name", "another vendor"],
)
def test_what_nobody_priced_is_unknown_and_not_nothing(model_id, sold_by):
    assert cost_of(model_id, USAGE, sold_by=sold_by) is None


@pytest.mark.parametrize(
    "usage", [{}, {"totalTokens": 9}, {"inputTokens": "9", "outputTokens": 9}, {"inputTokens": -1, "outputTokens": 9}]
)
def test_without_counts_the_cost_is_unknown(usage):
    assert cost_of(HAIKU, usage, sold_by="bedrock") is None


def test_tokens_of_a_cache_that_has_no_price_make_it_unknown():
    nova = "us.amazon.nova-premier-v1:0"
    assert cost_of(nova, USAGE, sold_by="bedrock")
    assert cost_of(nova, {**USAGE, "cacheReadInputTokens": 1}, sold_by="bedrock") is None


@pytest.mark.parametrize(
    ("model_id", "vendor", "amount"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "0.01155"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock", "0.0105"),
        ("anthropic.claude-3-5-haiku-20241022-v1:0", "bedrock", "0.0028"),
        ("gpt-4o-2024-05-13", "openai", "0.0125"),
        ("gpt-4o-mini-2024-07-18", "openai", "0.00045"),
        ("gpt-4o", "openai", "0.0075"),
    ],
)
def test_the_first_entry_that_fits_holds(model_id, vendor, amount):
    assert cost_of(model_id, USAGE, sold_by=vendor)["amount"] == amount


@pytest.mark.parametrize("model_id", ["eu.amazon.nova-lite-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"])
def test_another_regions_price_isnt_taken_for_this_ones(model_id):
    assert cost_of(model_id, USAGE, sold_by="bedrock") is None


@given(given_=st.integers(0, 10**9), said=st.integers(0, 10**9))
def test_no_fraction_of_a_cent_is_lost(given_, said):
    usage = {"inputTokens": given_, "outputTokens": said}
    amount = cost_of("gpt-5-nano", usage, sold_by="openai")["amount"]
    assert Decimal(amount) * 10**6 == Decimal("0.05") * given_ + Decimal("0.40") * said
    assert "E" not in amount


# The deployment's own list


def test_its_prices_go_first_and_the_others_stay(own):
    own(OWN)
    assert cost_of(HAIKU, USAGE, sold_by="bedrock") == {
        "amount": "0.00315",
        "currency": "EUR",
        "priced_at": "2026-01-31",
    }
    assert cost_of("gpt-4o", USAGE, sold_by="openai")["currency"] == "USD"


def test_it_can_price_what_runs_at_home(own):
    own(OWN)
    assert cost_of("llama3.2:3b", USAGE, sold_by=None)["amount"] == "0.0002"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("priced_at = ", "Invalid value"),
        (OWN.replace("input = 0.1", 'input = "cheap"'), "prices.0.input"),
        (OWN.replace("input = 0.1", "input = -1"), "prices.0.input"),
        (OWN.replace("input = 0.1", "inputs = 1\ninput = 0.1"), "prices.0.inputs"),
        (OWN.replace('"EUR"', '"€"'), "currency"),
    ],
)
def test_one_that_cant_be_read_says_where(own, text, complaint):
    with pytest.raises(PriceListInvalid) as caught:
        read_prices(own(text))
    assert complaint in str(caught.value)
    assert "prices.toml" in str(caught.value)


def test_with_a_broken_list_nothing_has_a_price(own, caplog):
    own("priced_at = ")
    assert cost_of(HAIKU, USAGE, sold_by="bedrock") is None
    assert "WORKBENCH_PRICES_FILE" in caplog.text


# By the provider


@pytest.fixture
def scripted():
    provider = ScriptedProvider("Hi")
    providers.register(provider)
    yield provider
    providers.unregister(provider.name)


def test_a_models_provider_says_whose_prices_hold(scripted, own):
    assert cost_facts("scripted-model", USAGE) == {"cost": None}
    own(OWN)
    assert cost_facts("scripted-model", USAGE)["cost"]["amount"] == "0.0002"


@pytest.mark.parametrize(
    ("base_url", "vendor"), [("", "openai"), ("http://localhost:11434/v1", None), ("https://gateway.example/v1", None)]
)
def test_openais_prices_are_those_of_its_own_server(settings, base_url, vendor):
    settings.OPENAI_BASE_URL = base_url
    (provider,) = [each for each in providers.all() if each.name == "openai"]
    assert provider.sold_by == vendor


def test_an_unknown_model_costs_an_unknown_amount():
    assert cost_facts("nobody's", USAGE) == {"cost": None}


def test_without_a_usage_there_is_nothing_to_say():
    assert cost_facts(HAIKU, {}) == {}


def test_the_built_in_list_is_dated_and_names_its_sources():
    assert read_prices(BUILT_IN).prices
    assert "https://aws.amazon.com/bedrock/pricing/" in BUILT_IN.read_text()
    assert "https://openai.com/api/pricing/" in BUILT_IN.read_text()


def test_the_example_in_the_documentation_is_a_price_list(own):
    page = (BUILT_IN.parents[2] / "docs" / "models.md").read_text()
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    own(example)
    assert cost_of("llama3.2:3b", USAGE, sold_by=None)["currency"] == "EUR"
    assert cost_of("eu.anthropic.claude-sonnet-5", USAGE, sold_by="bedrock")["amount"] == "0.009975"


def test_a_cost_travels_as_it_is():
    assert canonical_json(cost_of("gpt-5-nano", {"inputTokens": 1, "outputTokens": 0}, sold_by="openai")).startswith(
        '{"amount":"0.00000005","currency":"USD"'
    )
