"""What "how sure must it be" costs: counted of the number that the setting is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.heard import Heard
from chatbot.dialogue.trace import Classification, Hit, IntentGuess
from chatbot.dialogue.weighing import Weighing
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.sureness import (
    ALONE,
    BEHIND,
    TOGETHER,
    Answering,
    cost_at,
    costs,
    counted,
    kept,
    languages,
)
from chatbot.learning.sureness_judging import measure_sureness
from chatbot.learning.weighing_fit import Readers

ARTICLES = ("refund", "parcel")
SAYS = {  # what the classifier takes a message with this word for
    "refund": {"refund": 0.9},
    "parcel": {"parcel": 0.7},
    "weather": {"refund": 0.65},
    "torn": {"refund": 0.45, "parcel": 0.44},
}


class Classifier:
    def classify(self, text: str, *, history: Any = (), lang: Any = None) -> Classification:
        said = next((said for word, said in SAYS.items() if word in text), {})
        return Classification(tuple(IntentGuess(name, share) for name, share in said.items()), 1.0)


class Search:
    def question(self, text: str, *, lang: str) -> NDArray[np.float32]:
        return np.zeros(1, np.float32)

    def search(self, query: str, *, lang: str, history: Any = (), k: int = 5) -> list[Hit]:
        return []


def snapshot(pairs: Sequence[tuple[str, str]], outside: Sequence[str] = ()) -> Snapshot:
    turns = [
        {"role": "customer", "text": "a refund?"},
        {"role": "agent", "text": "Yes.", "sources": [1]},
        {"role": "customer", "text": "and the parcel?"},
        {"role": "agent", "text": "Soon.", "sources": [2]},
    ]
    return Snapshot(
        SnapshotManifest(
            "f",
            "2026-01-01",
            1,
            {},
            ("en",),
            tuple({"name": name, "title": {}, "status": "live", "article": name} for name in ARTICLES),
        ),
        examples=[
            {"text": text, "intent": "oos", "lang": "en", "context": [], "split": "test"} for text in outside
        ],
        dialogues=[{"id": "1", "lang": "en", "split": "test", "intent": None, "turns": turns}],
        passages=[
            {"id": place, "article": name, "title": name, "text": name, "lang": "en"}
            for place, name in enumerate(ARTICLES, 1)
        ],
        pairs=[
            {"query": query, "article": article, "lang": "en", "split": split, "intent": article}
            for query, article in pairs
            for split in ("test", "valid")
        ],
    )


def test_of_held_back_questions_the_answered_and_the_wrongly_answered_are_counted() -> None:
    frozen = snapshot(
        [("a refund", "refund"), ("my parcel", "refund"), ("torn", "refund"), ("hm", "refund")],
        ["the weather"],
    )
    counts = measure_sureness(frozen, Readers(Classifier(), Search(), Heard()), Weighing())
    alone = costs(counts, ALONE, "en")
    low, middle, high = (cost_at(alone, sureness) for sureness in (0.3, 0.68, 0.8))
    assert low.questions == 5  # those of the fitted split are not among them
    # an answer to the weather is wrong, and what is torn between two is no answer
    assert (low.answered, low.wrong) == (60, 66.7)
    assert (middle.answered, middle.wrong) == (40, 50)
    assert (high.answered, high.wrong) == (20, 0)
    behind = cost_at(costs(counts, BEHIND), 0.6)
    assert (behind.questions, behind.answered, behind.wrong) == (1, 100, 0)
    assert cost_at(costs(counts), 0.6).questions == 6


def test_languages_are_counted_apart_and_together() -> None:
    counts = counted([Answering("en", 0.5, True), Answering("zh", 0.8, False)], [])
    assert languages(counts) == ["en", "zh"]
    assert cost_at(costs(counts, TOGETHER), 0.4).wrong == 50
    assert cost_at(costs(counts, TOGETHER, "zh"), 0.4).wrong == 0
    assert cost_at(costs(counts, TOGETHER, "en"), 0.99).answered == 0  # the nearest that was counted
    assert costs(counts, BEHIND) == []


def test_a_release_of_before_says_nothing() -> None:
    assert kept({"classifier": {}}) == {}
    assert costs(kept({}), ALONE) == [] and languages(kept({"training": {}})) == []
