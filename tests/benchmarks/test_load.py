import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.load import DamagedTextError, Load, arrivals_of, delta_text, paced, spread, stamps_of

TEN = Load(deltas=10)


def text_of(load: Load, *numbers: int) -> str:
    return "".join(delta_text(number, number + 5 if load.stamped else None) for number in numbers)


@given(st.booleans(), st.integers(0, 10**9 - 1), st.integers(0, 10**19 - 1))
def test_every_delta_of_a_load_has_the_same_length(stamped: bool, number: int, stamp: int) -> None:
    assert len(delta_text(number, stamp if stamped else None)) == Load(deltas=1, stamped=stamped).delta_length


def test_a_load_survives_being_sent_as_text() -> None:
    load = Load(deltas=7, per_second=2.5, begin_ns=10**18, stamped=True, frame_bytes=195)
    assert Load.from_text(load.as_text()) == load


def test_whole_text_gives_the_stamps_of_its_yields() -> None:
    load = Load(deltas=3, stamped=True)
    assert stamps_of(text_of(load, 0, 1, 2), load) == [5, 6, 7]


@pytest.mark.parametrize(
    "text",
    [
        text_of(TEN, *range(9)),
        text_of(TEN, *range(10), 9),
        text_of(TEN, 0, 2, 1, *range(3, 10)),
        text_of(TEN, 0, 0, *range(2, 10)),
        text_of(TEN, *range(10))[:-1] + "x",
        "x" + text_of(TEN, *range(10))[1:],
    ],
    ids=["lost", "doubled", "swapped", "one twice for another", "damaged at the end", "damaged at the start"],
)
def test_text_that_differs_from_what_was_said_is_refused(text: str) -> None:
    with pytest.raises(DamagedTextError):
        stamps_of(text, TEN)


@given(st.lists(st.integers(0, 25), max_size=30))
def test_a_delta_arrives_with_the_chunk_that_completes_it(sizes: list[int]) -> None:
    chunks = [(at, "x" * size) for at, size in enumerate(sizes)]
    arrivals = arrivals_of(chunks, 10)
    assert len(arrivals) == sum(sizes) // 10
    for number, at in enumerate(arrivals):
        assert sum(sizes[: at + 1]) >= 10 * (number + 1) > sum(sizes[:at])


def test_paced_streams_begin_at_repeatable_points_of_one_interval() -> None:
    loads = spread(Load(deltas=1, per_second=10), 50, begin_ns=1_000)
    begins = [load.begin_ns for load in loads]
    assert loads == spread(Load(deltas=1, per_second=10), 50, begin_ns=1_000)
    assert min(begins) >= 1_000
    assert max(begins) <= 1_000 + 100_000_000
    assert len(set(begins)) == 50


async def test_what_is_said_is_what_the_check_expects() -> None:
    load = Load(deltas=20, per_second=10_000, stamped=True)
    before = time.monotonic_ns()
    stamps = stamps_of("".join([text async for text in paced(load)]), load)
    assert stamps == sorted(stamps)
    assert stamps[0] >= before
