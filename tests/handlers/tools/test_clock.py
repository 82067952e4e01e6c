"""The tool `current_time`."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.tools import ToolError, current_time


def test_it_tells_now_in_a_time_zone() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    told = current_time("Asia/Kolkata")
    now = datetime.fromisoformat(told["time"])
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(hours=5, minutes=30)
    assert datetime.fromisoformat(told["utc"]) == now
    assert told["weekday"] == f"{now:%A}"


@pytest.mark.parametrize("name", ["", "UTC", "utc", " Z "])
def test_without_a_zone_it_is_utc(name: str) -> None:
    assert current_time(name)["time"].endswith("+00:00")


@pytest.mark.parametrize("name", ["Mars/Base", "Europe", "../../etc/passwd", "/etc/passwd", "Berlin\0", "x" * 99])
def test_an_unknown_zone_is_told_with_how_one_is_written(name: str) -> None:
    with pytest.raises(ToolError, match="Use an IANA name, like Europe/Berlin"):
        current_time(name)
