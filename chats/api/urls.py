"""Addresses of the HTTP API, below /api/v1/. docs/api.md and openapi/operations.py have something to say of each."""

from __future__ import annotations

from django.urls import path, re_path, register_converter

from chats.api.catalogue import HandlersDoor, ModelsDoor
from chats.api.chats import ChatDoor, ChatsDoor
from chats.api.door import NoDoor
from chats.api.export import ExportDoor
from chats.api.feedback import FeedbackDoor
from chats.api.files import FileDoor, FilesDoor
from chats.api.generate import InvokeDoor, StreamDoor
from chats.api.messages import MessageDoor, MessagesDoor
from chats.api.personas import PersonaDoor, PersonasDoor
from chats.api.prompts import PromptDoor, PromptsDoor
from chats.api.responses import CancelDoor, EventsDoor
from chats.api.schema import DocsDoor, SchemaDoor
from chats.api.search import SearchDoor
from chats.api.socket_ticket import SocketTicketDoor

app_name = "api"


class NameConverter:
    """A chat's id or own name, which may have slashes and line feeds in it."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: object) -> str:
        return str(value)


register_converter(NameConverter, "name")

# What may stand behind a chat's name is in protocol.SUBADDRESSES too: no new chat's name ends in it.
urlpatterns = [
    path("generate/stream", StreamDoor.as_view(), name="generate-stream"),
    path("generate/invoke", InvokeDoor.as_view(), name="generate-invoke"),
    path("chats/", ChatsDoor.as_view(), name="chats"),
    path("chats/<name:chat_id>/messages/", MessagesDoor.as_view(), name="messages"),
    path("chats/<name:chat_id>/export/", ExportDoor.as_view(), name="export"),
    path("chats/<name:chat_id>/", ChatDoor.as_view(), name="chat"),
    path("messages/<str:message_id>/", MessageDoor.as_view(), name="message"),
    path("messages/<str:message_id>/feedback/", FeedbackDoor.as_view(), name="feedback"),
    path("responses/<str:response_id>/events/", EventsDoor.as_view(), name="events"),
    path("responses/<str:response_id>/cancel/", CancelDoor.as_view(), name="cancel"),
    path("files/", FilesDoor.as_view(), name="files"),
    path("files/<str:file_id>/", FileDoor.as_view(), name="file"),
    path("handlers/", HandlersDoor.as_view(), name="handlers"),
    path("models/", ModelsDoor.as_view(), name="models"),
    path("personas/", PersonasDoor.as_view(), name="personas"),
    path("personas/<str:kept_id>/", PersonaDoor.as_view(), name="persona"),
    path("prompts/", PromptsDoor.as_view(), name="prompts"),
    path("prompts/<str:kept_id>/", PromptDoor.as_view(), name="prompt"),
    path("search/", SearchDoor.as_view(), name="search"),
    path("socket-ticket/", SocketTicketDoor.as_view(), name="socket-ticket"),
    path("schema/", SchemaDoor.as_view(), name="schema"),
    path("docs/", DocsDoor.as_view(), name="docs"),
    re_path("", NoDoor.as_view(), name="nothing"),
]
