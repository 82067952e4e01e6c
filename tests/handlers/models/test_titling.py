"""What is made of a model's words for a title: one clean line, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.models.registry import ModelProviderRegistry
from handlers.models.titling import INSTRUCTIONS, LONGEST_TITLE, MOST_TOKENS, clean_title, may_title, write_title
from tests.handlers.models.scripted_provider import ScriptedProvider


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Salt in the sea", "Salt in the sea"),
        ('"Salt in the sea."', "Salt in the sea"),
        ("**Title:** Salt in the sea\n\nI chose it because…", "Salt in the sea"),
        ("# Salt in the sea", "Salt in the sea"),
        ("\n\n- Salt   in\tthe sea\n", "Salt in the sea"),
        ("<think>They ask\nabout salt.</think>\nSalt in the sea", "Salt in the sea"),
        ("<think>They ask about", ""),
        ("„Salz im Meer“", "Salz im Meer"),
        ("「海の塩」。", "海の塩"),
        ("“Left” and “right”", "“Left” and “right”"),
        ("Sorting in C#", "Sorting in C#"),
        ("Why is the sea salty?", "Why is the sea salty?"),
        ("Title: ", ""),
        ("```\n---\n", ""),
        ("\x00Salt\u202e in\ud800 \x1b[31mthe sea", "Salt in [31mthe sea"),
    ],
)
def test_a_title_is_taken_out_of_what_a_model_says(said, title):
    assert clean_title(said) == title


def test_a_long_one_is_cut_at_a_word():
    title = clean_title("sea " * 60)
    assert title.endswith("sea…")
    assert len(title) <= LONGEST_TITLE


@given(st.text(max_size=400) | st.text(alphabet=" \n\"'“”*#-.…aé海<think>/:Title\x00\u202e", max_size=400))
def test_whatever_is_said_it_is_one_short_printable_line(said):
    title = clean_title(said)
    assert len(title) <= LONGEST_TITLE
    assert len(title.splitlines()) <= 1
    assert title == title.strip()
    assert not any(character in title for character in "\x00\u202e\ufffd")


@pytest.mark.parametrize(("model_id", "may"), [("offline", False), ("", False), ("gpt-5", True)])
def test_the_offline_model_is_no_author(model_id, may):
    assert may_title(model_id) is may


async def test_the_request_is_small_and_tells_both_sides():
    provider, registry = ScriptedProvider("Salt"), ModelProviderRegistry()
    registry.register(provider)
    title = await write_title(registry, provider.model_id, "Why? " * 5_000, "Because.")
    (request,) = provider.asked
    (turn,) = request.messages
    told = turn["content"][0]["text"]
    assert (title.text, title.usage["outputTokens"]) == ("Salt", 5)
    assert (request.max_tokens, request.tools, request.cache) == (MOST_TOKENS, [], False)
    assert request.reasoning == "least"
    assert request.system == [{"text": INSTRUCTIONS}]
    assert "Because." in told
    assert len(told) < 10_000
