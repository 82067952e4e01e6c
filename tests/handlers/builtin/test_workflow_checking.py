"""What counts as supported: real passages, shared words, the same numbers and quotations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.builtin.workflow.checking import MARK, check, marked, problem_of, references_in, unsupported
from handlers.builtin.workflow.passages import Passage, Text, occurs, passages_of
from handlers.builtin.workflow.wording import sentences_in, stems

SEA = Text("sea", "Sea", "The moon pulls the sea by 2.5 metres. It “never rests”, sailors say [7].")
PASSAGES = [Passage(SEA, SEA.content), Passage(SEA, "The moon pulls the sea")]


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        ("The sea is pulled by the moon [2].", ""),
        ("The sea is pulled by the moon. [1]", ""),
        ("The moon pulls by 2.5 metres [1].", ""),
        ("- “The moon pulls the sea” [2]", ""),
        ("3. The moon pulls the sea [2]", ""),
        ("The moon pulls the sea.", "It cites no passage."),
        ("The moon pulls the sea [3].", "There is no passage [3]."),
        ("The moon pulls the sea [0].", "There is no passage [0]."),
        ("The moon pulls by 3.5 metres [1].", "3.5 isn't in the cited passages."),
        ("The moon pulls by 2.5 metres [2].", "2.5 isn't in the cited passages."),
        ("“The moon pushes the sea” [1]", "“The moon pushes the sea” isn't in the cited passages."),
        ("Whales sing at night under stars [1].", "It shares too few words with the cited passages."),
    ],
)
def test_a_sentence_stands_or_falls_with_its_passages(sentence: str, problem: str) -> None:
    assert problem_of(sentence, PASSAGES) == problem


def test_a_passage_that_is_not_in_its_text_supports_nothing() -> None:
    assert "isn't in its text" in problem_of("The moon pushes [1].", [Passage(SEA, "The moon pushes")])


def test_where_words_are_not_parted_pairs_of_characters_count() -> None:
    text = Text("t", "潮汐", "潮汐是由月球的引力引起的。")
    passages = passages_of(text)
    assert problem_of("月球的引力引起潮汐 [1]。", passages) == ""
    assert problem_of("鲸鱼在夜里唱歌跳舞 [1]。", passages) != ""


def test_only_unsupported_sentences_are_marked_each_behind_its_end() -> None:
    text = "# Sea\n\nThe moon pulls the sea [1]. Whales sing. The moon pulls [5].\n- The sea [1]"
    sentences = check(text, PASSAGES)
    assert [sentence.text for sentence in unsupported(sentences)] == ["Whales sing.", "The moon pulls [5]."]
    assert marked(text, sentences, 2) == (
        f"# Sea\n\nThe moon pulls the sea [1]. Whales sing. {MARK} The moon pulls. {MARK}\n- The sea [1]"
    )


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("It rose 2.5 m. Then it fell.", ["It rose 2.5 m.", "Then it fell."]),
        ("He said “go.” She went.", ["He said “go.”", "She went."]),
        ("It rose. [1] It fell [2]. [3]", ["It rose. [1]", "It fell [2]. [3]"]),
        ("一。二！三？", ["一。", "二！", "三？"]),
        ("a line\nanother", ["a line", "another"]),
        (" \n… \n", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, sentences: list[str]) -> None:
    assert sentences_in(text) == sentences


WORDS = st.lists(
    st.sampled_from(["Tide.", "sea", "[1]", "\n", "\n\n", "# Head", "moon!", "“x”", "月。", "2.5"]), max_size=60
)


@given(WORDS.map(" ".join) | st.text(max_size=300))
def test_every_passage_stands_in_its_text(content: str) -> None:
    text = Text("t", "T", content)
    assert all(occurs(passage.content, text) for passage in passages_of(text))


@given(WORDS.map(" ".join) | st.text(max_size=300))
def test_no_word_of_a_text_is_lost_in_passages(content: str) -> None:
    passages = passages_of(Text("t", "T", content))
    kept = stems(" ".join(f"{passage.section} {passage.content}" for passage in passages))
    headings = [line for line in content.splitlines() if line.lstrip().startswith("#")]
    assert stems(content) - stems(" ".join(headings)) <= kept


@given(WORDS.map(" ".join))
def test_marking_adds_marks_and_takes_away_unknown_references_alone(text: str) -> None:
    sentences = check(text, PASSAGES)
    shown = marked(text, sentences, len(PASSAGES))
    assert shown.count(MARK) == len(unsupported(sentences))
    assert set(references_in(shown)) <= {1, 2}
    assert shown.replace(MARK, "").split() == text.split()
