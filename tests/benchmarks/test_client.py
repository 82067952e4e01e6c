"""The load client against the bare baseline on a real daphne."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.load import Load
from tests.benchmarks.rounds import play
from tests.benchmarks.servers import Server, ServerError, clean_environment, daphne, free_port, running


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log, port = tmp_path_factory.mktemp("bare") / "log", free_port()
    command = daphne("tests.benchmarks.apps.bare:application", port)
    with running(command, port, clean_environment(), log) as server:
        yield server


def test_a_round_receives_every_delta_of_every_stream(bare: Server) -> None:
    played = play(bare, ["a", "b", "c"], "", Load(deltas=200))
    assert played.deltas == 600
    assert [answer.rows for answer in played.answers] == [202] * 3


def test_a_baseline_frame_is_as_long_as_it_is_told(bare: Server) -> None:
    played = play(bare, ["a"], "", Load(deltas=120, stamped=True, frame_bytes=250))
    assert set(played.answers[0].content_frame_bytes) == {250}


def test_no_delta_arrives_before_it_was_said(bare: Server) -> None:
    played = play(bare, ["a", "b"], "", Load(deltas=20, per_second=200, stamped=True))
    assert min(played.delays_ms) > 0


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    port = free_port()
    with (
        pytest.raises(ServerError, match="no_such_module"),
        running(daphne("no_such_module:app", port), port, clean_environment(), tmp_path / "log"),
    ):
        pass


def test_a_consumer_of_channels_alone_says_what_the_bare_server_does(tmp_path: Path) -> None:
    for layer in ("", "memory"):
        port = free_port()
        command = daphne("tests.benchmarks.apps.consumer:application", port)
        with running(command, port, clean_environment(BENCHMARK_LAYER=layer), tmp_path / f"log{layer}") as server:
            assert play(server, ["a", "b"], "", Load(deltas=30)).deltas == 60
