"""The words that were used about an article, and how new a question's words are to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatbot.dialogue.said_words import SaidWords, intent_topic
from chatbot.dialogue.trace import Classification, Hit, IntentGuess
from chatbot.dialogue.weighing import Behind, KnownIntent, Weights, gather, weigh, with_new_words
from chatbot.errors import BundleError

TEXTS = [
    ("en", "delivery", "Parcels arrive within three working days."),
    ("en", "delivery", "when does my parcel come"),
    ("en", "refund", "The refund arrives on your card within a week."),
    ("en", "refund", "when do I get my money back"),
    ("en", intent_topic("complaint"), "this is a scandal"),
    ("zh", "delivery", "包裹三个工作日内送达。"),
    ("zh", "refund", "退款一周内到账。"),
]


@pytest.fixture(scope="module")
def said() -> SaidWords:
    return SaidWords.count(TEXTS)


def new(said: SaidWords, text: str, topic: str, **given: object) -> float:
    asked = said.asked(text, lang=str(given.pop("lang", "en")), before=given.pop("before", ()))  # type: ignore[arg-type]
    assert asked is not None
    return asked.new_to(topic, **given)  # type: ignore[arg-type]


def test_what_was_said_about_an_article_is_not_new_to_it(said: SaidWords) -> None:
    assert new(said, "when does the parcel arrive", "delivery") == 0
    assert new(said, "money back on my card", "refund") == 0
    assert new(said, "money back on my card", "delivery") == 1
    assert new(said, "scandal", intent_topic("complaint")) == 0


def test_a_word_that_nobody_used_weighs_most(said: SaidWords) -> None:
    heard_elsewhere = new(said, "parcel refund", "delivery")
    heard_nowhere = new(said, "parcel staircase", "delivery")
    assert 0 < heard_elsewhere < heard_nowhere < 1


def test_the_turns_before_and_the_passage_have_said_their_words_too(said: SaidWords) -> None:
    assert new(said, "the staircase", "delivery") == 1
    assert new(said, "the staircase", "delivery", before=["we have a staircase"]) == 0
    assert new(said, "the staircase", "delivery", shown=["Carriers do not use a staircase."]) == 0


def test_chinese_goes_by_pairs_of_characters(said: SaidWords) -> None:
    assert new(said, "包裹送达", "delivery", lang="zh") < new(said, "停车收费", "delivery", lang="zh") == 1


def test_nothing_is_said_of_what_is_not_known(said: SaidWords) -> None:
    assert new(said, "staircase", "an-article-written-since") == 0
    assert new(said, "?!", "delivery") == 0
    assert said.asked("Hvor er pakken", lang="da") is None
    assert SaidWords({}).asked("where is it", lang="en") is None


def test_it_is_the_same_from_its_file(said: SaidWords, tmp_path: Path) -> None:
    said.save(tmp_path / "said_words.npz")
    again = SaidWords.load(tmp_path / "said_words.npz")
    for text in ("parcel staircase", "money back", "when"):
        for topic in ("delivery", "refund"):
            assert new(again, text, topic) == new(said, text, topic)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "said_words.npz").write_bytes(content)
    with pytest.raises(BundleError, match="words said about articles"):
        SaidWords.load(tmp_path / "said_words.npz")


def test_a_question_in_words_that_are_new_to_its_article_is_less_sure(said: SaidWords) -> None:
    known = {"where": KnownIntent("where", "Delivery", "delivery", None)}
    hit = Hit(1, 1, "delivery", "Delivery", "Delivery", "", "Parcels arrive.", "en", 0.8, 0.0, 0.0)
    found = gather(Classification((IntentGuess("where", 0.9),), 0.95), known, [hit])
    weights = Weights(nothing=-1.0, new_words=5.0, usual_words=0.1)

    def best(text: str) -> tuple[float, float]:
        candidates = with_new_words(found, said.asked(text, lang="en"))
        first = weigh([Behind(candidates)], in_scope=0.95, weights=weights)[0]
        return first.probability, first.strange

    usual, nothing_new = best("when does my parcel come")
    strange, all_new = best("up the staircase")
    assert usual > 0.7 > 0.2 > strange
    assert (nothing_new, all_new) == (0.0, 0.9)
    assert weigh([Behind(found)], in_scope=0.95, weights=None)[0].strange == 0


def test_how_many_texts_had_a_unit_is_known(said: SaidWords) -> None:
    assert said.texts("zh") == 2 and said.texts("fr") == 0
    assert said.shares(["退款", "送达", "退货"], lang="zh") == pytest.approx([0.5, 0.5, 0.0], abs=1e-5)
    assert said.shares(["退款"], lang="fr") == [0.0] and said.shares([], lang="zh") == []
