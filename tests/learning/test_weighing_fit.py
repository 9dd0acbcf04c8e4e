"""How much classifier, search and the turn before count, learned from held-back questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.heard import Heard
from chatbot.dialogue.said_words import SaidWords
from chatbot.dialogue.trace import Classification, Hit, IntentGuess
from chatbot.dialogue.weighing import Candidate
from chatbot.learning.snapshot import Snapshot, SnapshotManifest
from chatbot.learning.weighing_fit import Judged, asked_after, fit_weighing, fitted, said_words

ARTICLES = ("refund", "parcel", "beans", "points")


class Classifier:
    """Knows an article by its name in the message; a message without one reads like the next article's."""

    def classify(self, text: str, *, history: Any = (), lang: Any = None) -> Classification:
        named = next((name for name in ARTICLES if name in text), None)
        guessed = named or ARTICLES[len(text) % len(ARTICLES)]
        inside = 0.02 if "weather" in text else 0.95
        return Classification((IntentGuess(guessed, 0.9 if named else 0.5),), inside)


class Search:
    def question(self, text: str, *, lang: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.questions([text], lang=lang)[0]
        return vector

    def questions(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]:
        """A direction for each first word, and one for the length."""
        starts = ("what", "who", "and")
        told = [
            [float(text.startswith(start)) for start in starts] + [0.25 * (len(text) % 5)] for text in texts
        ]
        vectors = np.array(told, np.float32)
        unit: NDArray[np.float32] = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)
        return unit

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


def test_new_words_count_as_far_as_held_back_questions_bear_it() -> None:
    def asked(new_words: float) -> list[Judged]:
        right = Candidate(
            0.0, "Refund", article_slug="refund", by_classifier=0.7, by_search=0.3, new_words=new_words
        )
        return [Judged("en", (right,), 0.9, 0)] * 20

    def beyond(new_words: float) -> list[Judged]:
        return [replace(item, right=None, in_scope=0.1) for item in asked(new_words)]

    names = ("nothing",)  # alone, so that no other weight can make up for what new words take away
    bearable = fitted([*asked(0.2), *beyond(0.2)], names)
    unbearable = fitted([*asked(0.9), *asked(0.1), *beyond(0.1)], names)
    assert (bearable.new_words, bearable.usual_words) == (4.0, 0.2)
    assert unbearable.new_words < 4
    assert unbearable.usual_words == 0.5
    assert fitted([], names).usual_words == 0


def test_the_fit_says_how_much_new_words_count() -> None:
    frozen = snapshot(follow_ups=True)
    told = [("en", row["article"], row["query"]) for row in frozen.pairs]
    said = SaidWords.count(told + [("en", name, "and really a question") for name in ARTICLES])
    fit = fit_weighing(frozen, classifier=Classifier(), search=Search(), heard=Heard(words=said))
    weights = fit.weighing.weights("en")
    assert weights is not None
    assert fit.metrics["en"]["new_words"] == weights.new_words == 4


def test_what_agents_did_not_know_behind_an_answer_is_learned_to_be_left_unanswered() -> None:
    frozen = snapshot(follow_ups=True)
    for number, split in enumerate(["train", "valid"] * 60):
        article = ARTICLES[number // 2 % len(ARTICLES)]
        knows = number % 16 < 8
        turns = [
            {"role": "customer", "text": f"a question on {article}, number {number}"},
            {"role": "agent", "text": "It is so.", "sources": [ARTICLES.index(article)]},
            {"role": "customer", "text": f"{'who' if knows else 'what'} about it {'so ' * (number % 5)}"},
            {"role": "agent", "text": "It is so in that case too.", "sources": [ARTICLES.index(article)]}
            if knows
            else {"role": "agent", "text": "I don't know.", "not_known": True},
        ]
        frozen.dialogues.append(
            {"id": f"k{number}", "lang": "en", "split": split, "intent": None, "turns": turns}
        )
    search = Search()
    asked = asked_after(frozen, search)
    fit = fit_weighing(frozen, classifier=Classifier(), search=search, heard=Heard(questions=asked))
    weights = fit.weighing.weights("en")
    assert weights is not None and weights.not_known > 1
    plain = fit_weighing(frozen, classifier=Classifier(), search=search)
    assert plain.metrics["en"]["follow_ups_right"] <= fit.metrics["en"]["follow_ups_right"]
    without = plain.weighing.weights("en")
    assert without is not None and (without.asked, without.not_known) == (0, 0)


def test_what_turned_from_an_answer_to_another_is_learned_to_leave_it() -> None:
    frozen = snapshot(follow_ups=True)
    for number, split in enumerate(["train", "valid"] * 60):
        here, there = (ARTICLES[number // 2 % len(ARTICLES)], ARTICLES[(number // 2 + 1) % len(ARTICLES)])
        turns = [
            {"role": "customer", "text": f"a question on {here}, number {number}"},
            {"role": "agent", "text": "It is so.", "sources": [ARTICLES.index(here)]},
            {"role": "customer", "text": f"what then {'so ' * (number % 5)}"},
            {"role": "agent", "text": "It is so there.", "sources": [ARTICLES.index(there)]},
        ]
        frozen.dialogues.append(
            {"id": f"l{number}", "lang": "en", "split": split, "intent": None, "turns": turns}
        )
    search = Search()
    heard = Heard(questions=asked_after(frozen, search))
    fit = fit_weighing(frozen, classifier=Classifier(), search=search, heard=heard)
    weights = fit.weighing.weights("en")
    assert weights is not None and weights.led > 1


def test_words_are_learned_from_articles_and_the_training_part_alone() -> None:
    frozen = snapshot(follow_ups=True)
    frozen.pairs.append(
        {"query": "a wobbly refund", "article": "refund", "lang": "en", "split": "train", "intent": "refund"}
    )
    frozen.pairs.append(
        {"query": "a crooked refund", "article": "refund", "lang": "en", "split": "test", "intent": "refund"}
    )
    frozen.examples.append(
        {"text": "shaky money", "intent": "refund", "lang": "en", "context": [], "split": "train"}
    )
    said = said_words(frozen)

    def new(text: str) -> float:
        asked = said.asked(text, lang="en")
        assert asked is not None
        return asked.new_to("refund")

    assert new("wobbly shaky refund") == 0
    assert new("crooked") == 1
