"""The few requests of S3 that keeping files takes, at wire level, for the unmodified boto3: put, get, head, delete.

What isn't signed is refused, as the real one does. `faults` has the next requests fail.
"""

import hashlib
from collections import deque

from aiohttp import web

from tests.standins.server import ServerThread

NO_SUCH_KEY = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


class S3StandIn(ServerThread):
    """`objects`: bucket/key → bytes."""

    def __init__(self) -> None:
        application = web.Application(client_max_size=1 << 28)
        application.router.add_route("*", "/{key:.+}", self._handle)
        super().__init__(application, name="s3-stand-in")
        self.objects: dict[str, bytes] = {}
        self.faults: deque[int] = deque()

    async def _handle(self, request: web.Request) -> web.Response:
        key, body = request.match_info["key"], await request.read()
        if self.faults:
            return web.Response(status=self.faults.popleft())
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        if request.method == "PUT":
            self.objects[key] = (
                _unchunked(body) if "aws-chunked" in request.headers.get("Content-Encoding", "") else body
            )
        elif request.method == "DELETE":
            self.objects.pop(key, None)
            return web.Response(status=204)
        elif key not in self.objects:
            return web.Response(status=404, text=NO_SUCH_KEY, content_type="application/xml")
        return self._found(request, self.objects[key])

    def _found(self, request: web.Request, content: bytes) -> web.Response:
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        headers = {"ETag": f'"{etag}"', "Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}
        if request.method == "PUT":
            return web.Response(headers=headers)
        wanted = request.http_range
        whole = wanted.start is None
        status, part = (200, content) if whole else (206, content[wanted])
        if not whole:
            headers["Content-Range"] = f"bytes {wanted.start}-{wanted.start + len(part) - 1}/{len(content)}"
        return web.Response(status=status, body=part, headers=headers)


def _unchunked(body: bytes) -> bytes:
    """The content of boto3's chunks, each `size in hexadecimal`, CRLF, bytes, CRLF, up to the one of 0."""
    content = b""
    while body:
        line, _, body = body.partition(b"\r\n")
        size = int(line.split(b";")[0], 16)
        if not size:
            break
        content, body = content + body[:size], body[size + 2 :]
    return content
