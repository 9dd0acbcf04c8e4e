"""What was asked behind an answer: near questions, those that agents could not answer, and the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chatbot.dialogue.asked_after import MOST, Answered, AskedAfter, Near, Told
from chatbot.dialogue.language_tables import load_tables, save_tables
from chatbot.dialogue.trace import Classification, IntentGuess
from chatbot.dialogue.weighing import Behind, KnownIntent, Weights, gather, weigh, with_asked
from chatbot.errors import BundleError

WORDS = ("score", "credit", "months", "fee", "shop", "card")
TOLD = [
    Told("how many months", "en", "instalments", "instalments"),
    Told("is there a fee", "en", "instalments", "instalments"),
    Told("credit score", "en", "instalments", None),
    Told("in a shop", "en", "refund", "shops"),
    Told("which shop", "en", "shops", "shops"),
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


def test_what_was_asked_behind_the_same_answer_is_told_from_what_turned_to_it_from_others(
    asked: AskedAfter,
) -> None:
    months, shop = near(asked, "months"), near(asked, "shop")
    assert months.answered("instalments", "instalments").here > 0.95
    assert months.answered("shops", "refund").here < 0.1
    assert shop.answered("shops", "refund").here > 0.95, "asked so behind a refund before"
    assert shop.answered("shops", "refund").turning == 0, "nobody turned to it from elsewhere"
    assert shop.answered("shops", "instalments").turning > 0.95
    assert shop.answered("shops", "instalments").here == 0
    assert months.answered("instalments", "shops") == Answered(), "what stayed with it was asked of it alone"
    assert shop.answered("refund", "refund") == Answered(), "nothing was answered from it"


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
    assert near(found, "fee").answered("refund", "refund").here > 0.95
    late = " ".join(["fee", *["card"] * 9])
    again = AskedAfter.collect([*many, Told(late, "en", "refund", "refund")], encode)
    assert near(again, late).answered("refund", "refund").here < 0.5


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
        for behind in ("instalments", "refund", None):
            before = near(asked, text).answered("shops", behind)
            assert near(again, text).answered("shops", behind) == before
        assert near(again, text).not_known("instalments") == near(asked, text).not_known("instalments")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(BundleError, match="asked behind answers"):
        AskedAfter.load(path)


def test_a_file_of_before_does_not_say_what_was_asked_behind_what(asked: AskedAfter, tmp_path: Path) -> None:
    path = tmp_path / "asked_after.npz"
    asked.save(path)
    tables = load_tables(path, dict, unreadable=BundleError("unreadable", value=path.name))
    save_tables(path, {lang: {k: v for k, v in one.items() if k != "behind"} for lang, one in tables.items()})
    old = AskedAfter.load(path)
    assert near(old, "shop").answered("shops", "shops").here > 0.95, "as if all had stayed with the topic"
    assert near(old, "shop").answered("shops", "refund") == Answered()
    assert near(old, "score").not_known("instalments") == near(asked, "score").not_known("instalments")


def test_what_was_not_known_makes_an_answer_less_likely_and_what_was_answered_more(asked: AskedAfter) -> None:
    known = {"pay": KnownIntent("pay", "Instalments", "instalments", None)}
    candidates = gather(Classification((IntentGuess("pay", 0.6),), 0.9), known, [], "pay")
    weights = Weights(stay_asked=2.0, not_known=6.0)

    def probability(text: str) -> float:
        question = near(asked, text)
        found = with_asked(candidates, question, "instalments")
        version = Behind(found, question.not_known("instalments"))
        return weigh([version], in_scope=0.9, weights=weights)[0].probability

    assert probability("credit score") < probability("anything") < probability("months")
