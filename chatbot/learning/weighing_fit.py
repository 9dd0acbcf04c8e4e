"""Fitting how much the classifier and the search each count, on held-back questions (chatbot/dialogue/weighing.py).

First on questions that stand alone; then, with those weights as they are, how much it counts that the turn before was
answered with a candidate: on held-back conversations whose agents' answers tell the article. A visitor of a chat
window changes the subject more often than a ticket does, so questions that stand alone, and some out of scope, are
put behind a conversation too.

Last, how much it counts that the words are new to a candidate (chatbot/dialogue/said_words.py). That is not fitted
with the rest: held-back questions that nothing answers are few and far off the subject, so likelihood spends it on
telling articles apart and takes back from the classifier what it gives. It counts as much as the held-back questions
can bear.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from chatbot.dialogue.follow_ups import topic_before
from chatbot.dialogue.readers import Classifier, Search
from chatbot.dialogue.said_words import SaidWords, intent_topic
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import (
    ARTICLE_LABEL,
    Candidate,
    KnownIntent,
    Weighing,
    Weights,
    gather,
    length_of,
    log_of,
    weigh,
    with_new_words,
)
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot

log = logging.getLogger(__name__)

MIN_QUESTIONS = 40  # of a language; fewer take the weights of all languages together
RIDGE = 0.5  # pull to the defaults, in questions
HITS = 5
MOST_FOLLOW_UPS = 160  # of a language: three weights need no more, and each takes ten milliseconds
SURE = 0.6  # probability from which on the figures here take an answer as given
# How much a question whose words are all new to an article counts against it, in nats. Of what nothing answers in the
# demo's tuning conversations 44, 48, 60 and 68 % are refused at 0, 3, 4 and 5; of its answerable questions 92.0, 91.3,
# 89.8 and 89.0 % are answered rightly (docs/measured.md).
_NEW_WORDS = (4.0, 3.0, 2.0, 1.0)
_STILL_ANSWERED = 0.95  # of the held-back questions that were answered rightly without
_ALONE = ("classifier", "search", "nothing", "scope", "unfound")
_STAYING = ("stay", "stay_long", "stay_inside")
_STAY_BOUNDS = [(0, 12), (-5, 0), (0, 5)]


@dataclass(frozen=True, slots=True)
class Judged:
    """A question's candidates and which of them is right (None: nothing is)."""

    lang: str
    candidates: tuple[Candidate, ...]
    in_scope: float
    right: int | None
    words: float = 0.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with the article that answers it (None: none does), and what was said before."""

    text: str
    lang: str
    article: str | None
    before: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class WeighingFit:
    weighing: Weighing
    metrics: dict[str, dict[str, float]]


def said_words(snapshot: Snapshot) -> SaidWords:
    """What the articles say and what customers wrote about them, in the training part alone: the words of a question
    that is held back must be new where nobody else used them."""
    intents = {intent["name"]: intent["article"] for intent in snapshot.manifest.intents}
    articles = {row["id"]: row["article"] for row in snapshot.passages}

    def told() -> Iterator[tuple[str, str, str]]:
        for row in snapshot.passages:
            yield row["lang"], row["article"], f"{row['title']}\n{row['text']}"
        for row in snapshot.pairs:
            if row["split"] == "train":
                yield row["lang"], row["article"], row["query"]
        for row in snapshot.examples:
            name = row["intent"]
            if row["split"] == "train" and name is not None and name != OUT_OF_SCOPE:
                named = name.removeprefix(ARTICLE_LABEL) if name.startswith(ARTICLE_LABEL) else None
                yield row["lang"], named or intents.get(name) or intent_topic(name), row["text"]
        for row in snapshot.dialogues:
            if row["split"] == "train":
                for one in _answered(row, articles):
                    yield one.lang, str(one.article), one.text

    return SaidWords.count(told())


def fit_weighing(
    snapshot: Snapshot,
    *,
    classifier: Classifier | None,
    search: Search,
    said: SaidWords | None = None,
    split: str = "valid",
) -> WeighingFit:
    """Weights by maximum likelihood on the snapshot's ``split``; none where there is no classifier to weigh."""
    if classifier is None:
        return WeighingFit(Weighing(), {})
    said = said or SaidWords({})
    judged = judge(snapshot, classifier=classifier, search=search, said=said, split=split)
    following = _judged(
        _follow_ups(snapshot, split), _known(snapshot), classifier=classifier, search=search, said=said
    )
    languages, metrics = {}, {}
    for lang in ["*", *sorted({item.lang for item in judged})]:
        rows = [item for item in judged if lang in ("*", item.lang)]
        if len(rows) < MIN_QUESTIONS:
            continue
        languages[lang] = _fit(rows)
        later = [item for item in following if lang in ("*", item.lang)]
        enough = len(later) >= MIN_QUESTIONS
        alone = figures(later, languages[lang]) if enough else {}
        if enough:
            languages[lang] = _fit_staying(later, languages[lang])
        languages[lang] = with_new_words_counted([*rows, *later], languages[lang])
        metrics[lang] = figures(rows, languages[lang]) | {
            "questions": float(len(rows)),
            "new_words": languages[lang].new_words,
        }
        if enough:
            metrics[lang] |= {
                "follow_ups": float(len(later)),
                "follow_ups_right": figures(later, languages[lang])["best_right"],
                "follow_ups_right_alone": alone["best_right"],
            }
    return WeighingFit(Weighing(languages), metrics)


def judge(
    snapshot: Snapshot, *, classifier: Classifier, search: Search, said: SaidWords, split: str
) -> list[Judged]:
    """What both say of each question of ``split`` whose article is known, and of those out of scope."""
    asked = [
        _Asked(row["query"], row["lang"], row["article"]) for row in snapshot.pairs if row["split"] == split
    ]
    asked += [_Asked(text, lang, None) for text, lang in _outside(snapshot, split)]
    return _judged(asked, _known(snapshot), classifier=classifier, search=search, said=said)


def _judged(
    asked: Sequence[_Asked],
    known: Mapping[str, KnownIntent],
    *,
    classifier: Classifier,
    search: Search,
    said: SaidWords,
) -> list[Judged]:
    judged = []
    for one in asked:
        topic = topic_before(one.before)
        classification = classifier.classify(one.text, history=one.before, lang=one.lang)
        hits = search.search(one.text, lang=one.lang, history=one.before, k=HITS)
        units = said.asked(one.text, lang=one.lang, before=[message.text for message in one.before])
        found = with_new_words(gather(classification, known, hits, topic), units)
        if found:
            right = next(
                (i for i, c in enumerate(found) if one.article and c.article_slug == one.article), None
            )
            judged.append(Judged(one.lang, tuple(found), classification.in_scope, right, length_of(one.text)))
    return judged


def _known(snapshot: Snapshot) -> dict[str, KnownIntent]:
    known = {
        str(intent["name"]): KnownIntent(intent["name"], intent["name"], intent["article"], None)
        for intent in snapshot.manifest.intents
        if intent["article"]
    }
    for row in snapshot.passages:
        label = ARTICLE_LABEL + row["article"]
        known.setdefault(label, KnownIntent(label, row["title"], row["article"], None))
    return known


def _outside(snapshot: Snapshot, split: str) -> list[tuple[str, str]]:
    return [
        (row["text"], row["lang"])
        for row in snapshot.examples
        if row["split"] == split and row["intent"] == OUT_OF_SCOPE and not row["context"]
    ]


def _follow_ups(snapshot: Snapshot, split: str) -> list[_Asked]:
    """Customers' messages after an answer, where this answer and the next one tell their articles; and, behind such
    an answer to somebody else, questions that stand alone and some out of scope: a quarter as many of each."""
    random = Random(snapshot.manifest.seed)
    articles = {row["id"]: row["article"] for row in snapshot.passages}
    outside = _outside(snapshot, split)
    found: list[_Asked] = []
    for lang in snapshot.manifest.languages:
        rows = [row for row in snapshot.dialogues if row["split"] == split and row["lang"] == lang]
        natural = [one for row in rows for one in _answered(row, articles) if topic_before(one.before)]
        natural = random.sample(natural, min(len(natural), MOST_FOLLOW_UPS))
        alone = [
            _Asked(row["query"], lang, row["article"])
            for row in snapshot.pairs
            if row["split"] == split and row["lang"] == lang
        ]
        beyond = [_Asked(text, lang, None) for text, spoken in outside if spoken == lang]
        share = len(natural) // 4
        moved = [
            replace(one, before=random.choice(natural).before)
            for pool in (alone, beyond)
            for one in random.sample(pool, min(len(pool), share))
        ]
        found += natural + moved
    return found


def _answered(dialogue: Mapping[str, Any], articles: Mapping[int, str]) -> Iterator[_Asked]:
    """What the customer asked before each agent's turn that tells its article."""
    before: list[Message] = []
    asked: str | None = None
    for turn in dialogue["turns"]:
        sources = turn.get("sources") or ()
        article = articles.get(sources[0]) if sources else None
        if turn["role"] == "agent":
            if asked is not None and article is not None:
                yield _Asked(asked, dialogue["lang"], article, tuple(before))
            if asked is not None:
                before.append(Message("customer", asked))
            before.append(Message("agent", turn["text"], ARTICLE_LABEL + article if article else None))
            asked = None
        elif turn["role"] == "customer":
            asked = turn["text"] if asked is None else f"{asked} {turn['text']}"


def figures(judged: Sequence[Judged], weights: Weights | None) -> dict[str, float]:
    """In percent: how often the best candidate is right, and of each alone; calibration error of the best."""
    inside = [item for item in judged if item.right is not None]
    confidence, hits = [], []
    for item in judged:
        best = weigh(item.candidates, in_scope=item.in_scope, weights=weights, words=item.words)[0]
        confidence.append(best.probability)
        hits.append(item.right is not None and item.candidates[item.right].article_slug == best.article_slug)
    answered = np.array(confidence) >= SURE

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
    start = np.array([getattr(Weights(), name) for name in _ALONE])
    tables = []
    for item in judged:
        rows: NDArray[np.float64] = np.zeros((len(item.candidates) + 1, len(start)))
        for i, candidate in enumerate(item.candidates):
            rows[i, :2] = log_of(candidate.by_classifier), log_of(candidate.by_search)
        found = max(candidate.by_search for candidate in item.candidates)
        rows[-1, 2:] = 1.0, log_of(1 - item.in_scope), log_of(1 - found)
        tables.append(_Table(np.zeros(len(rows)), rows, _place(item)))
    fitted = _likeliest(tables, start, [(0, 5), (0, 5), (-30, 5), (0, 5), (0, 5)])
    log.info("weighing fitted on %d questions: %s", len(judged), fitted)
    return Weights(**dict(zip(_ALONE, fitted, strict=True)))


def _fit_staying(judged: Sequence[Judged], weights: Weights) -> Weights:
    """``weights`` with those for what the turn before was answered with."""
    tables = []
    for item in judged:
        found = max(candidate.by_search for candidate in item.candidates)
        given = [weights.utility(candidate) for candidate in item.candidates]
        rows: NDArray[np.float64] = np.zeros((len(item.candidates) + 1, len(_STAYING)))
        for i, candidate in enumerate(item.candidates):
            if candidate.stays:
                rows[i] = 1.0, math.log1p(item.words), log_of(item.in_scope)
        tables.append(
            _Table(np.array([*given, weights.nothing_fits(item.in_scope, found)]), rows, _place(item))
        )
    fitted = _likeliest(tables, np.zeros(len(_STAYING)), _STAY_BOUNDS)
    log.info("staying fitted on %d follow-ups: %s", len(judged), fitted)
    return replace(weights, **dict(zip(_STAYING, fitted, strict=True)))


def with_new_words_counted(judged: Sequence[Judged], weights: Weights) -> Weights:
    """``weights`` with the most that new words can count while _STILL_ANSWERED of the right answers are given: where
    few have asked yet, what the next one says is new."""

    def rightly_answered(counted: Weights) -> int:
        number = 0
        for item in judged:
            best = weigh(item.candidates, in_scope=item.in_scope, weights=counted, words=item.words)[0]
            right = item.candidates[item.right].article_slug if item.right is not None else None
            number += best.probability >= SURE and best.article_slug == right
        return number

    shares = [item.candidates[item.right].new_words for item in judged if item.right is not None]
    weights = replace(weights, usual_words=round(float(np.median(shares)), 4) if shares else 0.0)
    wanted = _STILL_ANSWERED * rightly_answered(weights)
    for counts in _NEW_WORDS:
        found = replace(weights, new_words=counts)
        if rightly_answered(found) >= wanted:
            return found
    return weights


@dataclass(frozen=True, slots=True)
class _Table:
    """One question: utilities already settled [n + 1], what each weight adds to them [n + 1, weights], who is right."""

    given: NDArray[np.float64]
    rows: NDArray[np.float64]
    right: int


def _place(item: Judged) -> int:
    return len(item.candidates) if item.right is None else item.right


def _likeliest(
    tables: Sequence[_Table], start: NDArray[np.float64], bounds: Sequence[tuple[float, float]]
) -> list[float]:
    """Weights under which the right candidates are likeliest, pulled to ``start``."""

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, gradient = 0.5 * RIDGE * float(((w - start) ** 2).sum()), RIDGE * (w - start)
        for table in tables:
            utility = table.given + table.rows @ w
            top = utility.max()
            powers = np.exp(utility - top)
            shares = powers / powers.sum()
            total += float(np.log(powers.sum()) + top - utility[table.right])
            gradient = gradient + shares @ table.rows - table.rows[table.right]
        return total, gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return [round(float(value), 4) for value in found.x]


def _percent(flags: NDArray[np.bool_]) -> float:
    return round(100 * float(np.mean(flags)), 2) if len(flags) else 0.0
