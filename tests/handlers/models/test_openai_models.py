"""What a model's name tells."""

import pytest

from handlers.models.openai_models import answers_chats, context_tokens_of, traits_of


@pytest.mark.parametrize(
    ("model_id", "sees"),
    [
        ("gpt-4o-mini", True),
        ("gpt-5", True),
        ("o3", True),
        ("o3-mini", False),
        ("llava:13b", True),
        ("qwen2.5vl:7b", True),
        ("Qwen/Qwen2.5-VL-7B-Instruct", True),
        ("gemma3:4b", True),
        ("gemma3:1b", False),
        ("llama3.2:3b", False),
        ("somebodys-own", False),
    ],
)
def test_models_that_see_take_images(model_id: str, sees: bool) -> None:
    assert ("image" in traits_of(model_id).accepts) is sees


@pytest.mark.parametrize(
    ("model_id", "chats"),
    [("nomic-embed-text", False), ("whisper-1", False), ("tts-1-hd", False), ("gpt-4o", True), ("llama3.2", True)],
)
def test_models_for_sound_and_vectors_are_told_apart(model_id: str, chats: bool) -> None:
    assert answers_chats(model_id) is chats


def test_the_length_that_a_server_tells_is_believed() -> None:
    assert context_tokens_of({"max_model_len": 8192}) == 8192
    assert context_tokens_of({"id": "m", "context_length": None}) is None


@pytest.mark.parametrize(
    ("model_id", "tokens"),
    [
        ("gpt-4o-mini", 128_000),
        ("openai/gpt-4.1", 1_000_000),
        ("gpt-4-0613", 8_192),
        ("o3-mini", 128_000),
        ("gpt-4x", None),
    ],
)
def test_how_much_openais_own_models_read_is_known(model_id: str, tokens: int | None) -> None:
    assert traits_of(model_id).context_tokens == tokens
