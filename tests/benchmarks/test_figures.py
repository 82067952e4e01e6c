from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.figures import Limit, Line, at_least, at_most, goal_of, median_ratio, percentile

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=1)


@given(FIGURES, st.floats(0.01, 100))
def test_a_percentile_is_the_smallest_value_with_enough_at_or_below_it(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    need = len(values) * percent / 100
    assert found in values
    assert sum(value <= found for value in values) >= need
    assert sum(value < found for value in values) < need


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0, 1)])
def test_percentiles_of_one_to_a_hundred_are_themselves(percent: float, value: int) -> None:
    assert percentile(range(1, 101), percent) == value


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_ratio_is_of_pairs_not_of_medians() -> None:
    pairs = [(10.0, 10.0), (30.0, 10.0), (40.0, 20.0)]
    assert median_ratio(pairs) == 2
    assert median(one for one, _ in pairs) / median(other for _, other in pairs) == 3


@pytest.mark.parametrize(
    ("limit", "value", "verdict"),
    [
        (at_least(1.2), 1.2, "PASS"),
        (at_least(1.2), 1.1999, "MISS"),
        (at_most(5), 5.0, "PASS"),
        (at_most(5), 5.001, "MISS"),
        (goal_of(0.6), 0.1, "reported"),
        (None, 7.0, "reported"),
    ],
)
def test_a_line_is_judged_by_its_unrounded_value(limit: Limit | None, value: float, verdict: str) -> None:
    assert Line("speed", value, "x", limit).verdict == verdict


def test_a_line_that_could_not_be_measured_is_a_miss() -> None:
    assert Line("speed", None, "").verdict == "MISS"
    assert Line("speed", 9.0, "", at_least(1), fault="lost 3 deltas").verdict == "MISS"


def test_a_line_without_what_it_needs_is_neither_kept_nor_broken() -> None:
    assert Line("speed", None, "", at_least(1), missing="Redis isn't installed").verdict == "not measured"
