"""How log records are written: one line each, with the fields that code attached to them.

Code below logs with `extra={...}` or through a filter that adds fields (chat, response, user); nothing there
needs to know the format. A trace is never sent to a client; it's here.
"""

import logging
from typing import Any

PLAIN_ATTRIBUTES = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}
NOT_SHOWN = {"request", "status_code", "server_time"}  # what Django attaches to its own records


class FieldsFormatter(logging.Formatter):
    """`time LEVEL logger message key=value …`, the fields in the order they were attached."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        fields = [
            f"{name}={value}"
            for name, value in record.__dict__.items()
            if name not in PLAIN_ATTRIBUTES and name not in NOT_SHOWN
        ]
        return " ".join([super().formatMessage(record), *fields])


def logging_settings(level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING: all records to standard error at `level`, as `text` for people or `json` for machines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {
                "()": FieldsFormatter,
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            },
            "json": {
                "()": "pythonjsonlogger.json.JsonFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
                "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
            },
        },
        "filters": {"run": {"()": "chats.logcontext.RunContextFilter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": style, "filters": ["run"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django would add handlers of its own, and mail to ADMINS.
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True, "level": level},
            # INFO is about factories and parsers; a client's wrong frame is a WARNING, and stays.
            "twisted": {"level": "WARNING"},
        },
    }
