"""A persona that is gone: before a question it is refused, after it the answer is made all the same."""

from typing import Any

import pytest

from chats.models import Persona
from chats.protocol import DoorError
from chats.runs import start_run
from handlers.builtin.chat import ChatHandler
from handlers.models import ModelDescription, ModelProvider, providers
from tests.chats.live import make_user
from tests.chats.scripted import body_of, wait_for_end


class Parrot(ModelProvider):
    """Says what its instructions are, after `before` was called."""

    name = "parrot"

    def models(self) -> list[ModelDescription]:
        return [ModelDescription(id="parrot", label="Parrot", provider=self.name)]

    async def stream(self, request: Any) -> Any:
        text = " ".join(block["text"] for block in request.system)
        yield {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": text or "Nothing."}}}
        yield {"messageStop": {"stopReason": "end_turn"}}


@pytest.fixture
def _parrot() -> Any:
    providers.register(Parrot())
    yield
    providers.unregister("parrot")


def _body(persona: Persona) -> Any:
    return body_of(task=ChatHandler.name, model_id="parrot", persona_id=str(persona.pk))


@pytest.mark.usefixtures("engine", "_parrot")
@pytest.mark.parametrize("gone", ["deleted", "disabled"])
def test_a_persona_that_is_gone_is_said_kindly_and_nothing_is_started(gone: str) -> None:
    user, persona = make_user(), Persona.objects.create(name="Pirate", prompt="Say arr.")
    body = _body(persona)
    if gone == "deleted":
        persona.delete()
    else:
        Persona.objects.filter(pk=persona.pk).update(enabled=False)
    with pytest.raises(DoorError) as refused:
        start_run(user, body)
    assert (refused.value.code, refused.value.message) == ("not_found", "There is no such persona.")
    assert refused.value.fields == {"persona_id": ["Not found."]}


@pytest.mark.usefixtures("engine", "_parrot")
def test_an_answer_keeps_the_persona_with_which_it_was_asked_for() -> None:
    user, persona = make_user(), Persona.objects.create(name="Pirate", prompt="Say arr.")
    response_id = start_run(user, _body(persona)).response_id
    persona.delete()
    assert wait_for_end(response_id).text == "Say arr."
