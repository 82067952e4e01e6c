"""Going on with an answer that was cut off: how a model is asked for the rest.

Owns the words. That a request is one says its metadata (`continues`: the answer's id), which the site writes; what
people see of it is theirs. Pure.
"""

from handlers.messages import Message

GO_ON = (
    "Go on with your last answer exactly where it stopped, in its language and form. Don't repeat anything of it, and "
    "don't say that you go on. If it stopped inside a code block, open that block again first."
)


def is_continuation(message: Message) -> bool:
    """Whether a request asks for the rest of the answer before it, and for nothing else."""
    return message.kind == "request" and bool(message.metadata.get("continues"))
