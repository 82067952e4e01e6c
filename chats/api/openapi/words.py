"""What fields are for, of models that are others' too: of bodies, which the websocket checks as well, and of what the
registry tells of handlers and models. The words are the document's alone; a test asks for one on every body's field.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["FIELDS"]

_KEPT = {
    "name": "Unique among your own.",
    "description": "What it is for, in a few words.",
    "groups": "Names of groups of yours, whose members may use it.",
}

FIELDS: Mapping[str, Mapping[str, str]] = {
    "GenerateBody": {
        "request_id": "Your own key, unique among your starts. Sent again with the same body it attaches to the same "
        "response; with another body it is a conflict.",
        "chat_id": "A chat's id, or your own name for one, which is made on first use. Absent: a new chat.",
        "parent_id": "Absent: the chat's active leaf. Null: a new root. A response's id: ask after it. A request's id, "
        "and no words: one more answer to that request.",
        "task": "The handler. Absent: the chat's last, else the default.",
        "parts": "Texts and attachments.",
        "model_id": "Absent: the chat's last, else the default.",
        "persona_id": "The id of a persona that you may use.",
        "context": "What the handler is to know beside the chat.",
        "options": "What the handler's `options_schema` describes.",
        "branch": "Start also where another answer is being written under the same parent.",
        "continuation": "Go on with the answer that `parent_id` names, or the active leaf; without any words.",
        "message": "The words, another way.",
        "content": "The words, as one text.",
    },
    "RequestPart": {
        "kind": "An attachment is an `image` or a `file`.",
        "content": "The text; a part of the kind `text` needs it.",
        "file_id": "Of an attachment: the id that POST files/ gave.",
        "alt": "Of an image: what it shows.",
    },
    "ContextItem": {
        "type": "What it is, in a word of your own.",
        "title": "What it is called.",
        "content": "The text.",
    },
    "Handler": {
        "name": "A start's `task`.",
        "label": "What people call it.",
        "reason": "Why it can't run now.",
        "default": "Whether it answers where a start and its chat name none.",
        "models": "Those that one may choose; empty where it uses none, or one of its own.",
        "options_schema": "JSON Schema of a start's `options`.",
    },
    "Model": {
        "id": "A start's `model_id`.",
        "reason": "Why it can't be asked now.",
        "accepts": "`text`, `image`, `document`.",
        "context_tokens": "How much it can read, its answer included; null when that isn't known.",
        "tools": "False where it is known to take none.",
    },
    "NewChat": {
        "name": "Your own, unique among your chats. Not of an id's shape, nor ending in an address of the chat's own "
        "(`/messages`, `/export`, `/share`, `/files`).",
        "title": "Absent: it is made of the first words, later by a model.",
        "task": "The handler that answers unless a start names another.",
        "model_id": "The model that answers unless a start names another.",
        "metadata": "Yours to use; 64 KiB at most.",
    },
    "ChatChange": {
        "title": "The new title.",
        "status": "`archived` takes it off the list of active ones.",
        "pinned": "Whether it stands first.",
        "active_leaf": "An answer in this chat, or null. A question stands for its newest answer.",
        "metadata": "Merged key by key; null takes a key away. 64 KiB at most in all.",
    },
    "FeedbackBody": {
        "rating": "Null takes the feedback back, whatever the comment.",
        "comment": "Read by those who look after the site.",
    },
    "NewPersona": {**_KEPT, "prompt": "What the model is told."},
    "PersonaChange": {**_KEPT, "prompt": "What the model is told."},
    "NewPrompt": {**_KEPT, "text": "The text to start from."},
    "PromptChange": {**_KEPT, "text": "The text to start from."},
}
