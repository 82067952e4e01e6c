"""PUT messages/{id}/feedback/: a thumb and a comment on a response."""

from __future__ import annotations

from typing import Literal

from django.http import HttpResponse
from pydantic import Field
from rest_framework.request import Request

from chats import feedback, reading
from chats.api.bodies import Body, read_object
from chats.api.door import Door, user_of
from chats.api.errors import json_response
from chats.protocol import CleanText, parse_body

__all__ = ["FeedbackDoor"]


class FeedbackBody(Body):
    """A rating of null takes the feedback away, whatever the comment."""

    rating: Literal["up", "down"] | None
    comment: CleanText = Field(default="", max_length=feedback.MAX_COMMENT)


class FeedbackDoor(Door):
    """PUT messages/{id}/feedback/"""

    def put(self, request: Request, message_id: str) -> HttpResponse:
        user = user_of(request)
        reading.get_message(user, message_id)  # whose it is comes before what is wrong with the body
        body = parse_body(FeedbackBody, read_object(request._request))
        given = feedback.set_feedback(user, message_id, body.rating, body.comment.strip())
        return json_response({"message_id": message_id, "feedback": reading.represent_feedback(given)})
