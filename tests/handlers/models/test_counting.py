"""What is counted of model providers."""

import itertools

import pytest
from prometheus_client import REGISTRY

from handlers.errors import ModelError, ModelThrottled, ModelUnavailable
from handlers.models.counting import counted
from handlers.models.seam import ModelProvider, ModelRequest

_names = (f"counting{number}" for number in itertools.count())
WORD = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "hello"}}}
USAGE = {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}}}


def provider_that(says):
    class Provider(ModelProvider):
        name = next(_names)

        def models(self):
            return []

        @counted
        async def stream(self, request):
            for said in says:
                if isinstance(said, Exception):
                    raise said
                yield said

    return Provider()


def calls(provider, outcome):
    return REGISTRY.get_sample_value("workbench_model_calls_total", {"provider": provider.name, "outcome": outcome})


def tokens(provider, kind):
    return REGISTRY.get_sample_value("workbench_model_tokens_total", {"provider": provider.name, "kind": kind})


def stream_of(provider):
    return provider.stream(ModelRequest(model_id="m", messages=[]))


async def test_a_whole_answer_and_its_tokens_are_counted_and_handed_on():
    provider = provider_that([WORD, USAGE])
    assert [event async for event in stream_of(provider)] == [WORD, USAGE]
    assert calls(provider, "completed") == 1
    assert (tokens(provider, "input"), tokens(provider, "output")) == (3, 4)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ModelThrottled(), "throttled"), (ModelUnavailable("away"), "unavailable"), (ModelError("no"), "error")],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_call_that_fails_is_counted_as_what_it_failed_with(error, outcome):
    provider = provider_that([WORD, error])
    with pytest.raises(type(error)):
        assert [event async for event in stream_of(provider)]
    assert calls(provider, outcome) == 1
    assert calls(provider, "completed") is None


async def test_one_that_is_left_is_cancelled_and_the_providers_stream_is_closed():
    provider = provider_that([WORD, WORD])
    stream = stream_of(provider)
    assert await anext(stream) == WORD
    await stream.aclose()
    assert calls(provider, "cancelled") == 1
