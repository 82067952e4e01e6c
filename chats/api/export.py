"""GET chats/{id}/export/: a chat as a file."""

from __future__ import annotations

from functools import partial

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from chats import reading
from chats.api.bodies import invalid
from chats.api.door import Continued, LoopDoor, flow_of, user_of
from chats.api.messages import leaf_of
from chats.export import export_chat
from chats.exportformats import FORMATS, Format, file_name
from chats.flow import Flow, paced
from chats.models import Chat, Message

__all__ = ["ExportDoor"]


class ExportDoor(LoopDoor):
    """GET chats/{id}/export/?format=json,jsonl,markdown&leaf="""

    def get(self, request: Request, chat_id: str) -> HttpResponse:
        chat = reading.get_chat(user_of(request), chat_id)
        form = FORMATS.get(request.query_params.get("format", "json"))
        if form is None:
            raise invalid("format", f"It must be one of {', '.join(FORMATS)}.")
        leaf = leaf_of(request, chat)
        if leaf is None and form.one_branch:
            leaf = chat.active_leaf
        return Continued(partial(_download, chat, form, leaf, flow_of(request)))


async def _download(chat: Chat, form: Format, leaf: Message | None, flow: Flow | None) -> HttpResponseBase:
    headers = {
        "Content-Disposition": content_disposition_header(True, file_name(chat.title, form.suffix)) or "attachment",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    text = paced(export_chat(chat, form, leaf), flow)
    return StreamingHttpResponse(text, content_type=form.content_type, headers=headers)
