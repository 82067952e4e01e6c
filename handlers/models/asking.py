"""How providers ask: how often, with which pauses, and the sentences that are no vendor's own."""

import random

from handlers.errors import ModelUnavailable

ATTEMPTS = 3
FIRST_PAUSE = 0.5  # seconds before the second attempt; each later one is twice as long
LONGEST_PAUSE = 10.0  # seconds; who is told to wait for longer had better tell the user

NOTHING_TO_SEND = "There is nothing in this request that the model could read."
REFUSED = "The model could not take this request. Please try again, or choose another model."


def pause_before_next(attempt: int, retry_after: float | None) -> float | None:
    """Seconds until it is asked again after the failed `attempt`, the first being 1; None when it isn't.

    `retry_after`: seconds that the server asks for.
    """
    if attempt >= ATTEMPTS:
        return None
    if retry_after is not None:
        return retry_after if retry_after <= LONGEST_PAUSE else None
    return FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, hides nothing


def unavailable(label: str, detail: str) -> ModelUnavailable:
    """The model that people call `label` isn't there, or not for us."""
    return ModelUnavailable(f"The model “{label}” isn't available at the moment.", detail=detail)
