"""The pages name what the code has: a frame, code or setting that isn't documented fails here."""

from pathlib import Path

import pytest

from chats import protocol

DOCS = Path(__file__).resolve().parent.parent / "docs"
WEBSOCKET = (DOCS / "websocket.md").read_text()


@pytest.mark.parametrize("kind", sorted(protocol._FRAMES))
def test_every_client_frame_has_its_row(kind):
    assert f"| `{kind}` |" in WEBSOCKET


@pytest.mark.parametrize("field", sorted(protocol.Start.model_fields))
def test_every_field_of_a_start_is_described(field):
    assert f"`{field}`" in WEBSOCKET


@pytest.mark.parametrize(("code", "status"), sorted(protocol.STATUS_OF.items()))
def test_every_error_code_stands_with_its_http_status(code, status):
    assert f"| `{code}` | {status} |" in WEBSOCKET


@pytest.mark.parametrize("code", [code for name, code in vars(protocol.ClosingCode).items() if name.isupper()])
def test_every_close_code_is_explained(code):
    assert f"| {code} |" in WEBSOCKET
