"""Log lines."""

import json
import logging
import logging.config
import sys

from workbench.logs import logging_settings


def write_line(style, capsys, **extra):
    settings = logging_settings("INFO", style)
    formatter = logging.config.DictConfigurator(settings).configure_formatter(settings["formatters"][style])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.handle(logging.makeLogRecord({"name": "chats.runner", "levelname": "INFO", "msg": "Run ended", **extra}))
    return capsys.readouterr().err


def test_text_lines_end_with_the_fields_that_were_attached(capsys):
    assert write_line("text", capsys, response_id="r1", user="u1").endswith(
        " INFO chats.runner Run ended response_id=r1 user=u1\n"
    )


def test_json_lines_hold_the_fields_that_were_attached(capsys):
    line = json.loads(write_line("json", capsys, response_id="r1"))
    assert (line["level"], line["logger"], line["message"], line["response_id"]) == (
        "INFO",
        "chats.runner",
        "Run ended",
        "r1",
    )
