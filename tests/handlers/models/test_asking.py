"""How often, and after which pauses, a model is asked again."""

import pytest

from handlers.models.asking import ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE, pause_before_next


def test_pauses_grow_and_are_spread() -> None:
    for attempt in range(1, ATTEMPTS):
        longest = FIRST_PAUSE * 2 ** (attempt - 1)
        pauses = {pause_before_next(attempt, None) for _ in range(20)}
        assert len(pauses) > 1
        assert all(pause is not None and longest / 2 <= pause <= longest for pause in pauses)


@pytest.mark.parametrize(("retry_after", "pause"), [(0.0, 0.0), (3.0, 3.0), (LONGEST_PAUSE + 1, None)])
def test_a_wait_that_the_server_asks_for_is_kept_unless_it_is_long(retry_after: float, pause: float | None) -> None:
    assert pause_before_next(1, retry_after) == pause


def test_the_last_attempt_is_the_last() -> None:
    assert pause_before_next(ATTEMPTS, 0.0) is None
