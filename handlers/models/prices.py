"""What an answer costs: a dated list of prices, and the arithmetic.

    cost_of("global.anthropic.claude-haiku-4-5-20251001-v1:0", usage) → {"amount": "0.00125", "currency": "USD", …}

Owns the list (prices.toml, before it the deployment's WORKBENCH_PRICES_FILE) and that a model without a price costs
None, "unknown", never 0. Amounts are decimals and travel as text. Who sells a model is its provider's to say
(`sold_by`): the same id on a server of one's own costs what the deployment says, if it says anything.
"""

import logging
import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from django.conf import settings
from pydantic import BaseModel, ConfigDict, Field, ValidationError

logger = logging.getLogger(__name__)

BUILT_IN = Path(__file__).with_name("prices.toml")
MILLION = Decimal(1_000_000)

Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]

# What a usage counts, in the providers' spelling and in the stored one, and the price that holds for it.
_COUNTS = (
    ("input", "inputTokens", "input_tokens"),
    ("output", "outputTokens", "output_tokens"),
    ("cache_read", "cacheReadInputTokens", "cache_read_tokens"),
    ("cache_write", "cacheWriteInputTokens", "cache_write_tokens"),
)


class PriceListInvalid(ValueError):
    """A price list can't be used; the message names the file, the entry and what is wrong."""


class Price(BaseModel):
    """What models cost, per million tokens. `vendor`: only when that one sells them; without it, whoever does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: list[str] = Field(min_length=1)
    vendor: str | None = None
    input: Amount
    output: Amount
    cache_read: Amount | None = None
    cache_write: Amount | None = None

    def holds_for(self, vendor: str | None, model_id: str) -> bool:
        if self.vendor is not None and self.vendor != vendor:
            return False
        return any(fnmatchcase(model_id, pattern) for pattern in self.models)


class PriceList(BaseModel):
    """Prices of one day in one currency; the first that fits a model holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    priced_at: date
    currency: str = Field(pattern="^[A-Z]{3}$")
    prices: list[Price]


def cost_of(model_id: str, usage: Mapping[str, Any], *, sold_by: str | None) -> dict[str, str] | None:
    """What these tokens cost: amount, currency and priced_at, all text. None when that isn't known.

    `usage` is the seam's (inputTokens, …) or the stored one (input_tokens, …). Input tokens are those that the cache
    had nothing to do with. `sold_by`: the vendor whose price list holds, `ModelProvider.sold_by`.
    """
    counts = _counts(usage)
    if not {"input", "output"} <= counts.keys():
        return None
    for prices in _lists():
        for price in prices.prices:
            if price.holds_for(sold_by, model_id):
                return _cost(prices, price, counts)
    return None


def _counts(usage: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    for name, *spellings in _COUNTS:
        counts = [usage[each] for each in spellings if isinstance(usage.get(each), int)]
        if counts and counts[0] >= 0:
            found[name] = counts[0]
    return found


def _cost(prices: PriceList, price: Price, counts: Mapping[str, int]) -> dict[str, str] | None:
    total = Decimal(0)
    for name, count in counts.items():
        each: Decimal | None = getattr(price, name)
        if each is not None:
            total += each * count
        elif count:
            return None
    amount = format((total / MILLION).normalize(), "f")
    return {"amount": amount, "currency": prices.currency, "priced_at": prices.priced_at.isoformat()}


def read_prices(path: Path) -> PriceList:
    """The list in a file. Raises PriceListInvalid."""
    try:
        with path.open("rb") as file:
            return PriceList.model_validate(tomllib.load(file, parse_float=Decimal))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PriceListInvalid(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PriceListInvalid(f"{path}: {place}: {first['msg']}") from error


def own_prices() -> PriceList | None:
    """The deployment's list, if it has one. Raises PriceListInvalid."""
    path = settings.WORKBENCH_PRICES_FILE
    return _read_once(Path(path)) if path else None


_read_once = lru_cache(maxsize=8)(read_prices)  # a change needs a restart, as of every setting


def _lists() -> list[PriceList]:
    """The lists in the order in which they are asked. A wrong price is worse than none: none then."""
    try:
        own = own_prices()
    except PriceListInvalid:
        logger.exception("WORKBENCH_PRICES_FILE can't be used; no answer gets a price.")
        return []
    return [*([own] if own else []), _read_once(BUILT_IN)]
