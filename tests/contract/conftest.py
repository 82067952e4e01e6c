"""The providers of providers.py, each started for a test that asks for `tested`."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.providers import PROVIDERS, ProviderUnderTest, under_test


@pytest.fixture(params=sorted(PROVIDERS))
def tested(request: pytest.FixtureRequest, settings: Any) -> Iterator[ProviderUnderTest]:
    """A provider, with its stand-in at the other end of a real socket."""
    provider = under_test(request.param)
    provider.start(settings)
    yield provider
    provider.stop()
