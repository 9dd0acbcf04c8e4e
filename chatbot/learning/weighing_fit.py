"""Fitting how much the classifier and the search each count, on held-back questions (chatbot/dialogue/weighing.py)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from chatbot.dialogue.assistant import Classifier, Search
from chatbot.dialogue.trace import Classification
from chatbot.dialogue.weighing import (
    ARTICLE_LABEL,
    Candidate,
    KnownIntent,
    Weighing,
    Weights,
    gather,
    log_of,
    weigh,
)
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot

log = logging.getLogger(__name__)

MIN_QUESTIONS = 40  # of a language; fewer take the weights of all languages together
RIDGE = 0.5  # pull to the defaults, in questions
HITS = 5


@dataclass(frozen=True, slots=True)
class Judged:
    """A question's candidates and which of them is right (None: nothing is)."""

    lang: str
    candidates: tuple[Candidate, ...]
    in_scope: float
    right: int | None


@dataclass(frozen=True, slots=True)
class WeighingFit:
    weighing: Weighing
    metrics: dict[str, dict[str, float]]


def fit_weighing(
    snapshot: Snapshot, *, classifier: Classifier | None, search: Search, split: str = "valid"
) -> WeighingFit:
    """Weights by maximum likelihood on the snapshot's ``split``; none where there is no classifier to weigh."""
    if classifier is None:
        return WeighingFit(Weighing(), {})
    judged = judge(snapshot, classifier=classifier, search=search, split=split)
    languages, metrics = {}, {}
    for lang in ["*", *sorted({item.lang for item in judged})]:
        rows = [item for item in judged if lang in ("*", item.lang)]
        if len(rows) < MIN_QUESTIONS:
            continue
        languages[lang] = _fit(rows)
        metrics[lang] = figures(rows, languages[lang]) | {"questions": float(len(rows))}
    return WeighingFit(Weighing(languages), metrics)


def judge(snapshot: Snapshot, *, classifier: Classifier, search: Search, split: str) -> list[Judged]:
    """What both say of each question of ``split`` whose article is known, and of those out of scope."""
    known = {
        str(intent["name"]): KnownIntent(intent["name"], intent["name"], intent["article"], None)
        for intent in snapshot.manifest.intents
        if intent["article"]
    }
    for row in snapshot.passages:
        label = ARTICLE_LABEL + row["article"]
        known.setdefault(label, KnownIntent(label, row["title"], row["article"], None))
    asked = [(row["query"], row["lang"], row["article"]) for row in snapshot.pairs if row["split"] == split]
    asked += [
        (row["text"], row["lang"], None)
        for row in snapshot.examples
        if row["split"] == split and row["intent"] == OUT_OF_SCOPE and not row["context"]
    ]
    judged = []
    for text, lang, article in asked:
        classification: Classification = classifier.classify(text, lang=lang)
        found = gather(classification, known, search.search(text, lang=lang, k=HITS))
        if found:
            right = next((i for i, c in enumerate(found) if article and c.article_slug == article), None)
            judged.append(Judged(lang, tuple(found), classification.in_scope, right))
    return judged


def figures(judged: Sequence[Judged], weights: Weights | None) -> dict[str, float]:
    """In percent: how often the best candidate is right, and of each alone; calibration error of the best."""
    inside = [item for item in judged if item.right is not None]
    confidence, hits = [], []
    for item in judged:
        best = weigh(item.candidates, in_scope=item.in_scope, weights=weights)[0]
        confidence.append(best.probability)
        hits.append(item.right is not None and item.candidates[item.right].article_slug == best.article_slug)
    answered = np.array(confidence) >= 0.6

    def alone(by: str) -> float:
        wins = [
            max(range(len(item.candidates)), key=lambda i: getattr(item.candidates[i], by)) == item.right
            for item in inside
        ]
        return _percent(np.array(wins))

    return {
        "best_right": _percent(
            np.array([h for h, item in zip(hits, judged, strict=True) if item.right is not None])
        ),
        "classifier_alone": alone("by_classifier"),
        "search_alone": alone("by_search"),
        "answered_at_0.6": _percent(answered),
        "wrong_at_0.6": _percent(answered & ~np.array(hits)),
    }


def _fit(judged: Sequence[Judged]) -> Weights:
    start = np.array(astuple(Weights()))
    tables = []
    for item in judged:
        rows: NDArray[np.float64] = np.zeros((len(item.candidates) + 1, len(start)))
        for i, candidate in enumerate(item.candidates):
            rows[i, :2] = log_of(candidate.by_classifier), log_of(candidate.by_search)
        found = max(candidate.by_search for candidate in item.candidates)
        rows[-1, 2:] = 1.0, log_of(1 - item.in_scope), log_of(1 - found)
        tables.append((rows, len(item.candidates) if item.right is None else item.right))

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, gradient = 0.5 * RIDGE * float(((w - start) ** 2).sum()), RIDGE * (w - start)
        for rows, right in tables:
            utility = rows @ w
            top = utility.max()
            powers = np.exp(utility - top)
            shares = powers / powers.sum()
            total += float(np.log(powers.sum()) + top - utility[right])
            gradient = gradient + shares @ rows - rows[right]
        return total, gradient

    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(0, 5), (0, 5), (-30, 5), (0, 5), (0, 5)]
    )
    log.info("weighing fitted on %d questions: %s", len(judged), found.x)
    return Weights(*(round(float(value), 4) for value in found.x))


def _percent(flags: NDArray[np.bool_]) -> float:
    return round(100 * float(np.mean(flags)), 2) if len(flags) else 0.0
