"""The websocket's address."""

from django.urls import path

from chats.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/chat/", ChatConsumer.as_asgi())]
