"""What each door is for: the words, parameters, answers and refusals that its code doesn't say by itself.

By method and name of the address in chats.api.urls. Addresses, scopes and what bodies hold are read off the doors and
their models, so they aren't here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chats.api.bodies import ChatChange, NewChat
from chats.api.chats import ChatsDoor
from chats.api.feedback import FeedbackBody
from chats.api.openapi import shapes
from chats.api.openapi.operation import JSON, Answer, Operation, Parameter
from chats.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from chats.api.personas import NewPersona, PersonaChange
from chats.api.prompts import NewPrompt, PromptChange
from chats.exportformats import FORMATS
from chats.searchtext import MAX_QUERY

__all__ = ["ANY_FILE", "EVENT_STREAM", "OPERATIONS"]

EVENT_STREAM = "text/event-stream"
ANY_FILE = "*/*"

ASKING, RESPONSES, CHATS, CHOICES, FILES, ABOUT = "Asking", "Responses", "Chats", "Choices", "Files", "About"

NOTHING = {204: Answer("Done; no body.")}
LIMIT = Parameter(
    "limit",
    f"How many at most on a page; more than {MAX_LIMIT} is taken for {MAX_LIMIT}.",
    {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
)
CURSOR = Parameter("cursor", "A place in the list, taken from `next` or `previous`. Follow those links as they are.")
PAGED = (LIMIT, CURSOR)
SEQUENCE = {"type": "integer", "minimum": -1, "default": -1}
AFTER = Parameter("after", "Begin behind this sequence; -1 for all.", SEQUENCE)
LAST_EVENT_ID = Parameter(
    "Last-Event-ID",
    "For a stream: the last `id` that was seen. A reconnecting EventSource sends it, and it goes before `after`.",
    {"type": "integer", "minimum": -1},
    "header",
)
IF_NONE_MATCH = Parameter("If-None-Match", "The `ETag` of what you have.", location="header")
LEAF = Parameter(
    "leaf", "A message's id: the branch that ends there, root first.", {"type": "string", "format": "uuid"}
)

STREAM = Answer(
    "Server-sent events to `response_end`. `event` is the event's type, but `run_error` for `error`; `data` is an "
    "Event; `id` is its sequence, and absent for one that isn't in the log. A block of an `id` alone passes events "
    "that aren't yours to see. A comment comes every 15 seconds in which nothing else does.",
    content={
        EVENT_STREAM: {"type": "string", "contentMediaType": EVENT_STREAM, "description": "Each block's `data`: Event."}
    },
    headers=("X-Response-Id",),
)
NOTHING_FOLLOWS = Answer("Nothing can follow what you have: the response has ended.", headers=("X-Response-Id",))


def _made(description: str, shape: type[Any]) -> dict[int, Answer]:
    return {201: Answer(description, shape, headers=("Location",))}


def _kept(
    noun: str, shape: type[Any], new: type[Any], changed: type[Any], example: Mapping[str, Any]
) -> dict[Any, Any]:
    """The doors of personas or prompts, which are alike."""
    whose = f"A {noun} that is shared with you is forbidden to change."
    few = "At most 500 of one's own."
    return {
        ("GET", f"{noun}s"): Operation(
            CHOICES,
            f"List {noun}s",
            {200: Answer("The site's, those shared with your groups, and your own; by name.", shape, listed=True)},
            parameters=PAGED,
        ),
        ("POST", f"{noun}s"): Operation(
            CHOICES, f"Make a {noun}", _made(f"The {noun}.", shape), few, body=new, example=example, refusals=(409,)
        ),
        ("GET", noun): Operation(CHOICES, f"Read a {noun}", {200: Answer(f"The {noun}.", shape)}),
        ("PATCH", noun): Operation(
            CHOICES,
            f"Change a {noun}",
            {200: Answer(f"The {noun} as it is now.", shape)},
            f"What is named changes. {whose}",
            body=changed,
            example={"description": "Used in the newsletter."},
            refusals=(409,),
        ),
        ("DELETE", noun): Operation(
            CHOICES, f"Delete a {noun}", NOTHING, f"What was started with it keeps its text. {whose}"
        ),
    }


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "generate-stream"): Operation(
        ASKING,
        "Ask, and get the answer as it is made",
        {200: STREAM, 204: NOTHING_FOLLOWS},
        "Starts a run and streams its events. Closing the request doesn't stop the run: cancel does.",
        (AFTER, LAST_EVENT_ID),
        body=shapes.GenerateBody,
        example={"chat_id": "rivers", "content": "Which river is the longest?", "request_id": "first"},
        refusals=(404, 409, 429),
    ),
    ("POST", "generate-invoke"): Operation(
        ASKING,
        "Ask, and get the whole answer",
        {
            200: Answer("The stored answer; a cancelled one too.", shapes.Message, headers=("X-Response-Id",)),
            502: Answer("The run failed.", shapes.RunError, headers=("X-Response-Id",)),
            504: Answer("The run took too long.", shapes.RunError, headers=("X-Response-Id",)),
        },
        "Starts a run and answers when it has ended. With the same `request_id` it waits for the same run: after a "
        "dropped connection send it again.",
        body=shapes.GenerateBody,
        example={"chat_id": "rivers", "content": "Which river is the longest?"},
        refusals=(404, 409, 429),
    ),
    ("GET", "events"): Operation(
        RESPONSES,
        "Read or follow a response's events",
        {
            200: Answer(
                "A page of the stored events; for `Accept: text/event-stream` what is stored, then what comes. "
                + STREAM.description,
                content={JSON: {"$ref": "#/components/schemas/EventList"}, **STREAM.content},
            ),
            204: NOTHING_FOLLOWS,
        },
        "Numbers that are missing belong to events that aren't yours to see.",
        (
            AFTER,
            Parameter("type", "Events of this type only; several with commas between them."),
            LIMIT,
            LAST_EVENT_ID,
        ),
        refusals=(429,),
    ),
    ("POST", "cancel"): Operation(
        RESPONSES,
        "Cancel a run",
        {202: Answer("It is asked to end, or had ended.", shapes.CancelAnswer)},
        "At any time, any number of times. What was said stays.",
    ),
    ("GET", "message"): Operation(RESPONSES, "Read a message", {200: Answer("The message.", shapes.Message)}),
    ("PUT", "feedback"): Operation(
        RESPONSES,
        "Say what you think of an answer",
        {200: Answer("The feedback, as the message has it from now on.", shapes.FeedbackAnswer)},
        body=FeedbackBody,
        example={"rating": "up", "comment": "Just what I needed."},
    ),
    ("GET", "chats"): Operation(
        CHATS,
        "List chats",
        {200: Answer("Your chats, archived ones too.", shapes.Chat, listed=True)},
        parameters=(
            Parameter(
                "status",
                "Of this status only; several with commas between them.",
                {"type": "array", "items": {"enum": list(map(str, ChatsDoor.statuses))}},
            ),
            Parameter("pinned", "Pinned ones only, or the others only.", {"type": "boolean"}),
            Parameter(
                "updated_since",
                "Changed at this time or later, in ISO 8601: for syncing, a chat's own `updated_at`.",
                {"type": "string", "format": "date-time"},
            ),
            Parameter(
                "ordering",
                "By which time, “-” for the newest first.",
                {"enum": list(ChatsDoor.orderings), "default": ChatsDoor.orderings[0]},
            ),
            *PAGED,
        ),
    ),
    ("POST", "chats"): Operation(
        CHATS,
        "Make a chat",
        _made("The chat.", shapes.Chat),
        "Starts make chats too; this is for one that is to be there before.",
        body=NewChat,
        example={"name": "lakes", "title": "Lakes", "metadata": {"topic": "geography"}},
        refusals=(409,),
    ),
    ("GET", "chat"): Operation(CHATS, "Read a chat", {200: Answer("The chat.", shapes.Chat)}),
    ("PATCH", "chat"): Operation(
        CHATS,
        "Change a chat",
        {200: Answer("The chat as it is now.", shapes.Chat)},
        "What is named changes.",
        body=ChatChange,
        example={"title": "Great lakes", "pinned": True, "metadata": {"topic": None}},
    ),
    ("DELETE", "chat"): Operation(
        CHATS, "Delete a chat", NOTHING, "What runs in it is cancelled, and its name is free. There is no way back."
    ),
    ("GET", "messages"): Operation(
        CHATS,
        "List a chat's messages",
        {200: Answer("Of all branches, in the order of their making; or of one, root first.", shapes.Message, True)},
        parameters=(LEAF, *PAGED),
    ),
    ("GET", "export"): Operation(
        CHATS,
        "Download a chat",
        {
            200: Answer(
                "The file. Of `json` and `jsonl` it has all branches, of `markdown` the active one, unless `leaf` "
                "names one. A line of `jsonl` is a Message.",
                content={
                    JSON: {"$ref": "#/components/schemas/Transcript"},
                    **{
                        form.content_type.partition(";")[0]: {"type": "string"}
                        for name, form in FORMATS.items()
                        if name != "json"
                    },
                },
                headers=("Content-Disposition",),
            )
        },
        parameters=(Parameter("format", "Which file.", {"enum": list(FORMATS), "default": "json"}), LEAF),
    ),
    ("GET", "search"): Operation(
        CHATS,
        "Search one's chats",
        {
            200: Answer(
                "The chats that hold all the words, each once; `previous` is always null.", shapes.SearchHit, True
            )
        },
        "First those with the words in the title, then those with them in a question or an answer, the newest first. "
        "A page may have fewer results than asked for and a `next` all the same.",
        (
            Parameter(
                "q",
                "Words, found by their beginning; in double quotes one after the other.",
                {"type": "string", "minLength": 1, "maxLength": MAX_QUERY},
                required=True,
            ),
            *PAGED,
        ),
    ),
    ("GET", "handlers"): Operation(
        CHOICES,
        "List handlers",
        {200: Answer("All that you may use, on one page; also those that can't run now.", shapes.Handler, True)},
    ),
    ("GET", "models"): Operation(
        CHOICES,
        "List models",
        {200: Answer("Those of all providers, on one page; also those that can't be asked now.", shapes.Model, True)},
    ),
    **_kept("persona", shapes.Persona, NewPersona, PersonaChange, {"name": "Editor", "prompt": "Be brief."}),
    **_kept("prompt", shapes.Prompt, NewPrompt, PromptChange, {"name": "Sum up", "text": "Sum this up: "}),
    ("POST", "files"): Operation(
        FILES,
        "Send a file",
        _made("The part that stands for the file.", shapes.UploadedPart),
        "Put the part among a start's `parts` within a day.",
        takes_file=True,
        refusals=(415, 429),
    ),
    ("GET", "file"): Operation(
        FILES,
        "Get a file's bytes",
        {
            200: Answer(
                "The bytes, of the file's own type.", content={ANY_FILE: {}}, headers=("ETag", "Content-Disposition")
            ),
            304: Answer("Unchanged.", headers=("ETag",)),
        },
        parameters=(IF_NONE_MATCH,),
    ),
    ("DELETE", "file"): Operation(
        FILES, "Delete a file", NOTHING, "One that no message uses; any other goes with its chat.", refusals=(409,)
    ),
    ("POST", "socket-ticket"): Operation(
        ABOUT,
        "Get a ticket for a websocket",
        {201: Answer("The ticket, good once.", shapes.SocketTicket)},
        "For browsers that can send the websocket neither the site's cookie nor a header. The socket has the rights of "
        "what the ticket was asked for with.",
    ),
    ("GET", "schema"): Operation(
        ABOUT,
        "This document",
        {
            200: Answer("OpenAPI 3.1.", content={JSON: {"type": "object"}}, headers=("ETag",)),
            304: Answer("Unchanged.", headers=("ETag",)),
        },
        parameters=(IF_NONE_MATCH,),
    ),
    ("GET", "docs"): Operation(
        ABOUT,
        "This document, to be read",
        {
            200: Answer("The page.", content={"text/html": {"type": "string"}}),
            302: Answer("For a browser that isn't logged in: to the login.", headers=("Location",)),
        },
    ),
}
