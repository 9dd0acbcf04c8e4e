"""How much classifier, search and the turn before count, learned from held-back questions."""

from __future__ import annotations

from typing import Any

from chatbot.dialogue.trace import Classification, Hit, IntentGuess
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.weighing_fit import fit_weighing

ARTICLES = ("refund", "parcel", "beans", "points")


class Classifier:
    """Knows an article by its name in the message; a message without one reads like the next article's."""

    def classify(self, text: str, *, history: Any = (), lang: Any = None) -> Classification:
        named = next((name for name in ARTICLES if name in text), None)
        guessed = named or ARTICLES[len(text) % len(ARTICLES)]
        inside = 0.02 if "weather" in text else 0.95
        return Classification((IntentGuess(guessed, 0.9 if named else 0.5),), inside)


class Search:
    def search(self, query: str, *, lang: str, history: Any = (), k: int = 5) -> list[Hit]:
        return [
            Hit(1, 1, name, name, name, "", "text", "en", 0.8, 0.0, 0.0) for name in ARTICLES if name in query
        ]


def snapshot(*, follow_ups: bool) -> Snapshot:
    def turns(number: int) -> list[dict[str, Any]]:
        article = ARTICLES[number % len(ARTICLES)]
        passage = [ARTICLES.index(article)]
        return [
            {"role": "customer", "text": f"a question on {article}, number {number}"},
            {"role": "agent", "text": "It is so.", "sources": passage},
            {"role": "customer", "text": "and" + " really" * (number % 3)},
            {"role": "agent", "text": "It is so in that case too.", "sources": passage},
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
            {
                "text": f"the weather in {number} days",
                "intent": "oos",
                "lang": "en",
                "context": [],
                "split": "valid",
            }
            for number in range(20)
        ],
        dialogues=[
            {"id": str(number), "lang": "en", "split": "valid", "intent": None, "turns": turns(number)}
            for number in range(60 if follow_ups else 0)
        ],
        passages=[
            {"id": place, "article": name, "title": name, "text": name, "lang": "en"}
            for place, name in enumerate(ARTICLES)
        ],
        pairs=[
            {
                "query": f"how about {name}, case {number} of many that we have seen",
                "article": name,
                "lang": "en",
                "split": "valid",
                "intent": name,
            }
            for name in ARTICLES
            for number in range(15)
        ],
    )


def test_it_learns_that_a_few_words_stay_with_the_subject() -> None:
    fit = fit_weighing(snapshot(follow_ups=True), classifier=Classifier(), search=Search())
    figures, weights = fit.metrics["en"], fit.weighing.weights("en")
    assert weights is not None and weights.stay > 1
    assert figures["follow_ups_right"] > figures["follow_ups_right_alone"] + 20
    assert figures["best_right"] == 100


def test_without_follow_ups_nothing_stays() -> None:
    fit = fit_weighing(snapshot(follow_ups=False), classifier=Classifier(), search=Search())
    weights = fit.weighing.weights("en")
    assert weights is not None
    assert (weights.stay, weights.stay_long, weights.stay_inside) == (0, 0, 0)
    assert "follow_ups" not in fit.metrics["en"]


def test_without_a_classifier_there_is_nothing_to_weigh() -> None:
    fit = fit_weighing(snapshot(follow_ups=True), classifier=None, search=Search())
    assert fit.weighing.weights("en") is None
