"""AWS's event stream encoding: length, headers, payload, and a CRC of each. Pure."""

import base64
import json
import struct
from binascii import crc32
from typing import Any

_TEXT = b"\x07"  # the header type of a string


def encode_frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame."""
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + _TEXT + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    body = prelude + struct.pack(">I", crc32(prelude)) + encoded + payload
    return body + struct.pack(">I", crc32(body))


def event_frame(name: str, fields: dict[str, Any]) -> bytes:
    """An event with JSON fields; bytes in them become base64."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_frame(headers, json.dumps(fields, default=_base64).encode())


def exception_frame(name: str, message: str) -> bytes:
    """A modelled exception in the middle of a stream."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return encode_frame(headers, json.dumps({"message": message}).encode())


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{value!r} can't be sent")
