"""Addresses of the chat pages. The API's are chats.api.urls', the websocket's chats.routing's."""

from django.urls import path

from chats import views

app_name = "chats"

urlpatterns = [
    path("", views.new_chat, name="new"),
    path("chats/<uuid:chat_id>/", views.chat, name="chat"),
    path("chats/<uuid:chat_id>/state/", views.state, name="state"),
    path("responses/<uuid:response_id>/trace/", views.trace, name="trace"),
]
