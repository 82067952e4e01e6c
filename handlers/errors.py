"""What can go wrong with a handler, as types.

    HandlerError                 its text may be shown to the user
    ├── UnknownHandler           no handler of that name
    ├── HandlerUnavailable       registered, but can't run now; `reason` says why
    ├── ClientUnavailable        a client that a handler needs can't be had
    ├── InvalidOptions           options that the handler's model refuses; `fields` says which and why
    ├── EncodingError            an event holds a value that can't be stored; `field` says where
    ├── AttachmentError          an attachment's bytes can't be had
    └── ModelError               the model failed
        ├── ModelThrottled       it is asked too much at the moment
        ├── ModelUnavailable     it isn't there, or not for us
        ├── ModelTimedOut        it said nothing for too long
        ├── ContextTooLong       it was given more than it can read: a shorter request may succeed
        └── ToolsRefused         it takes no tools: a request without them may succeed

The text of each is in words for a user; what only operators should see goes into `detail`, for the log and the
audit. Knows nothing of HTTP and frames: the doors map these to their own shapes.
"""


class HandlerError(Exception):
    """The answer could not be made. The text is shown to the user as it stands.

    A handler may raise it to end its response with words of its own; `error_type` goes into the response's end,
    `detail` into the log and the audit only. Any other exception is shown as a general message with an id.
    """

    error_type = "handler_error"
    default_message = "The answer could not be made."

    def __init__(self, message: str = "", *, error_type: str = "", detail: str = "") -> None:
        self.message = message or self.default_message
        self.error_type = error_type or self.error_type
        self.detail = detail
        super().__init__(self.message)


class UnknownHandler(HandlerError):
    """No handler has this name. `name` is what was asked for."""

    error_type = "unavailable"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no handler named “{name}”.")


class HandlerUnavailable(HandlerError):
    """The handler is registered and can't run now. `reason` is a sentence that every user may read."""

    error_type = "unavailable"

    def __init__(self, name: str, reason: str, *, detail: str = "") -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"The handler “{name}” isn't available: {reason}", detail=detail)


class ClientUnavailable(HandlerError):
    """A client isn't configured, or can't be made. `reason` is a sentence for administrators."""

    error_type = "unavailable"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"The client {name} isn't available: {reason}")


class InvalidOptions(HandlerError):
    """Options that a handler's model refuses. `fields`: option name to its messages, in API error shape."""

    error_type = "invalid"

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self.fields = fields
        listed = "; ".join(f"{name}: {' '.join(messages)}" for name, messages in fields.items())
        super().__init__(f"Invalid options. {listed}")


class EncodingError(HandlerError):
    """An event's value can't be stored and sent. `field` is the path to it, `reason` why, in one clause."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}" if field else reason)


class AttachmentError(HandlerError):
    """An attachment's bytes can't be had: there are none, or they are gone."""

    default_message = "The attachment can't be read."


class ModelError(HandlerError):
    """The model gave an error in place of an answer, or in the middle of one."""

    error_type = "model_error"
    default_message = "The model could not finish this answer. Please try again."


class ModelThrottled(ModelError):
    """The model takes no more requests at the moment. `retry_after`: seconds, when the provider says."""

    error_type = "throttled"
    default_message = "The model is busy at the moment. Please try again in a little while."

    def __init__(self, message: str = "", *, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class ModelUnavailable(ModelError):
    """The model isn't known, isn't configured, or refuses us."""

    error_type = "unavailable"
    default_message = "This model isn't available."


class ModelTimedOut(ModelError):
    """The model said nothing for too long, before its first word or between two."""

    error_type = "timeout"
    default_message = "The model took too long. Please try again."


class ContextTooLong(ModelError):
    """The request is longer than the model can read. The same request will fail again, a shorter one may not."""

    error_type = "context_length"
    default_message = "This chat has become too long for the model. Please start a new one, or choose another model."


class ToolsRefused(ModelError):
    """The model, or its server as it is set up, takes no tools. The same request without them may succeed."""

    default_message = "This model can't use tools. Please choose another one."
