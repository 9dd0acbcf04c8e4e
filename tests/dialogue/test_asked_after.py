"""What was asked behind an answer: near questions, those that agents could not answer, and the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chatbot.dialogue.asked_after import MOST, AskedAfter, Near, Told
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.dialogue.weighing import KnownIntent, Weights, gather, weigh, with_asked
from chatbot.errors import BundleError

WORDS = ("score", "credit", "months", "fee", "shop", "card")
TOLD = [
    Told("how many months", "en", "instalments", "instalments"),
    Told("is there a fee", "en", "instalments", "instalments"),
    Told("credit score", "en", "instalments", None),
    Told("in a shop", "en", "refund", "shops"),
]


def encode(texts: Sequence[str], lang: str = "en") -> NDArray[np.float32]:
    """A direction for each of WORDS, and one for all else."""
    counts = np.array([[text.split().count(word) for word in WORDS] + [0.1] for text in texts], np.float32)
    unit: NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def asked() -> AskedAfter:
    return AskedAfter.collect(TOLD, encode)


def near(asked: AskedAfter, text: str, *, apart: bool = False) -> Near:
    found = asked.near(encode([text])[0], lang="en", apart=apart)
    assert found is not None
    return found


def test_a_question_is_near_to_what_was_answered_from_an_article_whatever_was_before(
    asked: AskedAfter,
) -> None:
    assert near(asked, "months").answered("instalments") > 0.95
    assert near(asked, "months").answered("shops") < 0.1
    assert near(asked, "shop").answered("shops") > 0.95
    assert near(asked, "shop").answered("refund") == 0, "nothing was answered from it"


def test_what_agents_did_not_know_counts_behind_that_answer_alone(asked: AskedAfter) -> None:
    question = near(asked, "score of my credit card")
    assert question.not_known("instalments") > 0.7
    assert question.not_known("refund") == question.not_known("elsewhere") == question.not_known(None) == 0


def test_training_does_not_find_a_question_by_itself(asked: AskedAfter) -> None:
    assert near(asked, "credit score").not_known("instalments") > 0.98
    assert near(asked, "credit score", apart=True).not_known("instalments") == 0


def test_it_keeps_so_many_different_questions_an_article_and_no_more() -> None:
    many = [Told(f"fee {'shop ' * n}", "en", "refund", "refund") for n in range(2 * MOST)]
    found = AskedAfter.collect([*many, *many], encode)
    assert near(found, "fee").answered("refund") > 0.95
    late = " ".join(["fee", *["card"] * 9])
    assert (
        near(AskedAfter.collect([*many, Told(late, "en", "refund", "refund")], encode), late).answered(
            "refund"
        )
        < 0.5
    )


def test_an_unknown_language_or_another_encoder_says_nothing(asked: AskedAfter) -> None:
    assert not asked.knows("zh")
    assert asked.near(encode(["months"])[0], lang="zh") is None
    assert asked.near(np.ones(3, np.float32), lang="en") is None
    assert AskedAfter.collect([], encode).near(encode(["months"])[0], lang="en") is None


def test_it_survives_saving_and_a_damaged_file_is_named(asked: AskedAfter, tmp_path: Path) -> None:
    path = tmp_path / "asked_after.npz"
    asked.save(path)
    again = AskedAfter.load(path)
    for text in ("months", "score", "shop"):
        assert near(again, text).answered("instalments") == near(asked, text).answered("instalments")
        assert near(again, text).not_known("instalments") == near(asked, text).not_known("instalments")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BundleError, match="asked behind answers"):
        AskedAfter.load(path)


def test_what_was_not_known_makes_an_answer_less_likely_and_what_was_answered_more(asked: AskedAfter) -> None:
    known = {"pay": KnownIntent("pay", "Instalments", "instalments", None)}
    candidates = gather(Classification((IntentGuess("pay", 0.6),), 0.9), known, [], "pay")
    weights = Weights(asked=2.0, not_known=6.0)

    def probability(text: str) -> float:
        question = near(asked, text)
        found = with_asked(candidates, question)
        not_known = question.not_known("instalments")
        return weigh(found, in_scope=0.9, weights=weights, not_known=not_known)[0].probability

    assert probability("credit score") < probability("anything") < probability("months")
    assert with_asked(candidates, None) == candidates
