"""The tool `current_time`."""

from datetime import UTC, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from handlers.tools.typed import ToolError, tool


@tool
def current_time(
    time_zone: Annotated[str, Field(description="An IANA name, like Europe/Berlin", max_length=100)] = "UTC",
) -> dict[str, str]:
    """The current date and time in a time zone."""
    now = datetime.now(_zone(time_zone.strip()))
    return {
        "time": now.isoformat(timespec="seconds"),
        "weekday": f"{now:%A}",
        "time_zone": time_zone.strip() or "UTC",
        "utc": now.astimezone(UTC).isoformat(timespec="seconds"),
    }


def _zone(name: str) -> tzinfo:
    if name.upper() in {"", "UTC", "GMT", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the zone files, like “Europe”
        words = f"There is no time zone “{name}”. Use an IANA name, like Europe/Berlin, America/New_York or UTC."
        raise ToolError(words) from None
