"""What is known of Bedrock's models, by whatever id they are called."""

from pathlib import Path

import pytest

from handlers.models.bedrock_models import DEFAULT_MODELS, Traits, labelled, traits_of


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
        "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
)
def test_a_model_is_known_by_its_id_profile_and_arn(model_id: str) -> None:
    traits = traits_of(model_id)
    assert traits.accepts == ("text", "image", "document")
    assert traits.context_tokens == 200_000


def test_an_unknown_model_is_taken_to_read_text_only() -> None:
    assert traits_of("arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc") == Traits()


def test_a_model_without_a_label_goes_by_its_id() -> None:
    assert labelled(["a.b-v1:0=The B", "c.d"]) == {"a.b-v1:0": "The B", "c.d": "c.d"}


def test_the_models_of_everybody_are_known() -> None:
    assert all(traits_of(model_id).context_tokens for model_id in labelled(DEFAULT_MODELS))


def test_the_models_of_everybody_are_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    for model_id, label in labelled(DEFAULT_MODELS).items():
        assert f"| `{model_id}` | {label} |" in page


def test_an_old_small_model_takes_no_tools() -> None:
    traits = traits_of("meta.llama3-8b-instruct-v1:0")
    assert (traits.context_tokens, traits.tools) == (8_192, False)
    assert traits_of("us.meta.llama3-3-70b-instruct-v1:0").tools
