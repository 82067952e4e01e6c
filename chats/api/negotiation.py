"""JSON for everybody, whatever `Accept` says.

The framework's own way is 406 for an EventSource (`Accept: text/event-stream`), also where the answer
is an error. Doors that stream look at the header themselves. Named by settings.REST_FRAMEWORK.
"""

from __future__ import annotations

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

__all__ = ["AlwaysJSON"]


class AlwaysJSON(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Any) -> None:
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
