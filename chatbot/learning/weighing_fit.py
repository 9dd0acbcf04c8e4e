"""Fitting how much the classifier and the search each count, on held-back questions (chatbot/dialogue/weighing.py).

On questions that stand alone, and on what was asked behind an answer, in held-back conversations whose agents' answers
tell the article, or that they do not know. A visitor of a chat window changes the subject more often than a ticket
does, so questions that stand alone, and some out of scope, are put behind a conversation too.

How much it counts that the words are new to a candidate (chatbot/dialogue/said_words.py) is set before: likelihood
spends it on telling articles apart and takes back from the classifier what it gives. It counts as much as the held-back
questions can bear.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from chatbot.dialogue.asked_after import AskedAfter, Told
from chatbot.dialogue.follow_ups import topic_before
from chatbot.dialogue.heard import Heard
from chatbot.dialogue.readers import Classifier, Search
from chatbot.dialogue.said_words import SaidWords, intent_topic
from chatbot.dialogue.trace import Classification, Message
from chatbot.dialogue.weighing import (
    ARTICLE_LABEL,
    Behind,
    Candidate,
    KnownIntent,
    Weighing,
    Weights,
    gather,
    length_of,
    log_of,
    weigh,
)
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot

log = logging.getLogger(__name__)

MIN_QUESTIONS = 40  # of a language; fewer take the weights of all languages together
RIDGE = 0.5  # pull to the defaults, in questions
HITS = 5
MOST_FOLLOW_UPS = 300  # of a language: five weights need no more, and each takes ten milliseconds
SURE = 0.6  # probability from which on the figures here take an answer as given
# How much a question whose words are all new to an article counts against it, in nats. Of what nothing answers in the
# demo's tuning conversations 44, 48, 60 and 68 % are refused at 0, 3, 4 and 5; of its answerable questions 92.0, 91.3,
# 89.8 and 89.0 % are answered rightly (docs/measured.md).
_NEW_WORDS = (4.0, 3.0, 2.0, 1.0)
_STILL_ANSWERED = 0.95  # of the held-back questions that were answered rightly without
_ALONE = ("classifier", "search", "nothing", "scope", "unfound")
_BEHIND = ("stay", "stay_long", "stay_inside", "asked", "stay_asked", "led", "not_known")
_BOUNDS = {
    "classifier": (0, 5),
    "search": (0, 5),
    "nothing": (-30, 5),
    "scope": (0, 5),
    "unfound": (0, 5),
    "stay": (0, 12),
    "stay_long": (-5, 0),
    "stay_inside": (0, 5),
    "asked": (0, 12),
    "stay_asked": (0, 12),
    "led": (0, 12),
    "not_known": (0, 12),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A question's candidates and which of them is right (None: nothing is). Where nothing could answer, none."""

    lang: str
    candidates: tuple[Candidate, ...]
    in_scope: float
    right: int | None
    words: float = 0.0
    not_known: float = 0.0

    def weighed(self, weights: Weights | None) -> list[Candidate]:
        version = Behind(self.candidates, self.not_known)
        return weigh([version], in_scope=self.in_scope, weights=weights, words=self.words)


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question with the article that answers it (None: none does), and what was said before."""

    text: str
    lang: str
    article: str | None
    before: tuple[Message, ...] = ()


class Embeds(Protocol):
    def questions(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]: ...


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
                for one in answered_questions(row, articles):
                    if one.article is not None:
                        yield one.lang, one.article, one.text

    return SaidWords.count(told())


def asked_after(snapshot: Snapshot, search: Embeds) -> AskedAfter:
    """What customers asked behind an answer in the training part, and what of it the agents could not tell."""
    articles = {row["id"]: row["article"] for row in snapshot.passages}

    def told() -> Iterator[Told]:
        for row in snapshot.dialogues:
            if row["split"] == "train":
                for one in answered_questions(row, articles):
                    behind = topic_before(one.before)
                    if behind is not None:
                        yield Told(one.text, one.lang, behind.removeprefix(ARTICLE_LABEL), one.article)

    return AskedAfter.collect(told(), lambda texts, lang: search.questions(texts, lang=lang))


def fit_weighing(
    snapshot: Snapshot,
    *,
    classifier: Classifier | None,
    search: Search,
    heard: Heard | None = None,
    split: str = "valid",
) -> WeighingFit:
    """Weights by maximum likelihood on the snapshot's ``split``; none where there is no classifier to weigh."""
    articles = frozenset(row["article"] for row in snapshot.passages)
    if classifier is None:
        return WeighingFit(Weighing(articles=articles), {})
    readers = Readers(classifier, search, heard or Heard())
    known = _known(snapshot)
    judged = [item for item in _judged(_alone(snapshot, split), known, readers) if item.candidates]
    asked_on = _judged(_follow_ups(snapshot, split, MOST_FOLLOW_UPS), known, readers)
    following = [item for item in asked_on if item.candidates]
    languages, metrics = {}, {}
    for lang in ["*", *sorted({item.lang for item in judged})]:
        rows = [item for item in judged if lang in ("*", item.lang)]
        if len(rows) < MIN_QUESTIONS:
            continue
        later = [item for item in following if lang in ("*", item.lang)]
        enough = len(later) >= MIN_QUESTIONS
        alone = figures(later, _fit(rows, _ALONE)) if enough else {}
        languages[lang] = fitted([*rows, *later], (*_ALONE, *_BEHIND) if enough else _ALONE)
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
    return WeighingFit(Weighing(languages, articles), metrics)


@dataclass(frozen=True, slots=True)
class Readers:
    """What reads a question: of a release in the making, each over the snapshot's training part."""

    classifier: Classifier | None
    search: Search
    heard: Heard


def judged_sample(
    snapshot: Snapshot, readers: Readers, *, split: str, most: int
) -> tuple[list[Judged], list[Judged]]:
    """Of ``split``, at most ``most`` questions of a language that stand alone, and as many behind an answer."""
    random = Random(snapshot.manifest.seed)
    asked = _alone(snapshot, split)
    alone: list[AskedQuestion] = []
    for lang in sorted({one.lang for one in asked}):
        own = [one for one in asked if one.lang == lang]
        alone += random.sample(own, min(len(own), most))
    # a half as many that were moved behind an answer are added to the natural ones
    behind = _follow_ups(snapshot, split, most * 2 // 3)
    known = _known(snapshot)
    return _judged(alone, known, readers), _judged(behind, known, readers)


def _alone(snapshot: Snapshot, split: str) -> list[AskedQuestion]:
    """The questions of ``split`` whose article is known, and those out of scope."""
    asked = [
        AskedQuestion(row["query"], row["lang"], row["article"])
        for row in snapshot.pairs
        if row["split"] == split
    ]
    return asked + [AskedQuestion(text, lang, None) for text, lang in _outside(snapshot, split)]


def _judged(
    asked: Sequence[AskedQuestion], known: Mapping[str, KnownIntent], readers: Readers
) -> list[Judged]:
    judged = []
    for one in asked:
        classification = Classification(ranked=(), in_scope=0.0, tier="none")
        if readers.classifier is not None:
            classification = readers.classifier.classify(one.text, history=one.before, lang=one.lang)
        hits = readers.search.search(one.text, lang=one.lang, history=one.before, k=HITS)
        topic = topic_before(one.before)
        version = readers.heard.behind(
            topic,
            1.0,
            gather(classification, known, hits, topic),
            one.text,
            lang=one.lang,
            before=one.before,
            known=known,
            search=readers.search,
            apart=True,
        )
        answers = [bool(one.article) and c.article_slug == one.article for c in version.candidates]
        judged.append(
            Judged(
                one.lang,
                tuple(version.candidates),
                classification.in_scope,
                answers.index(True) if any(answers) else None,
                length_of(one.text),
                version.not_known,
            )
        )
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


def _follow_ups(snapshot: Snapshot, split: str, most: int) -> list[AskedQuestion]:
    """Customers' messages after an answer, where this answer and the next one tell their articles; and, behind such
    an answer to somebody else, questions that stand alone and some out of scope: a quarter as many of each.

    ``most``: natural ones of a language.
    """
    random = Random(snapshot.manifest.seed)
    articles = {row["id"]: row["article"] for row in snapshot.passages}
    outside = _outside(snapshot, split)
    found: list[AskedQuestion] = []
    for lang in snapshot.manifest.languages:
        rows = [row for row in snapshot.dialogues if row["split"] == split and row["lang"] == lang]
        natural = [
            one for row in rows for one in answered_questions(row, articles) if topic_before(one.before)
        ]
        natural = random.sample(natural, min(len(natural), most))
        alone = [
            AskedQuestion(row["query"], lang, row["article"])
            for row in snapshot.pairs
            if row["split"] == split and row["lang"] == lang
        ]
        beyond = [AskedQuestion(text, lang, None) for text, spoken in outside if spoken == lang]
        share = len(natural) // 4
        moved = [
            replace(one, before=random.choice(natural).before)
            for pool in (alone, beyond)
            for one in random.sample(pool, min(len(pool), share))
        ]
        found += natural + moved
    return found


def answered_questions(dialogue: Mapping[str, Any], articles: Mapping[int, str]) -> Iterator[AskedQuestion]:
    """What the customer asked before each agent's turn that tells its article, or that he does not know."""
    before: list[Message] = []
    asked: str | None = None
    for turn in dialogue["turns"]:
        sources = turn.get("sources") or ()
        article = articles.get(sources[0]) if sources else None
        if turn["role"] == "agent":
            if asked is not None and (article is not None or turn.get("not_known")):
                yield AskedQuestion(asked, dialogue["lang"], article, tuple(before))
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
        best = item.weighed(weights)[0]
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


def fitted(judged: Sequence[Judged], names: Sequence[str]) -> Weights:
    """The likeliest weights ``names``, with the most that new words can count while _STILL_ANSWERED of the right
    answers are given: where few have asked yet, what the next one says is new."""
    shares = [item.candidates[item.right].new_words for item in judged if item.right is not None]
    usual = round(float(np.median(shares)), 4) if shares else 0.0
    plain = replace(_fit(judged, names), usual_words=usual)
    wanted = _STILL_ANSWERED * _rightly_answered(judged, plain)
    for counts in _NEW_WORDS:
        found = replace(_fit(judged, names, new_words=counts), usual_words=usual)
        if _rightly_answered(judged, found) >= wanted:
            return found
    return plain


def _rightly_answered(judged: Sequence[Judged], weights: Weights) -> int:
    number = 0
    for item in judged:
        best = item.weighed(weights)[0]
        right = item.candidates[item.right].article_slug if item.right is not None else None
        number += best.probability >= SURE and best.article_slug == right
    return number


def _fit(judged: Sequence[Judged], names: Sequence[str], *, new_words: float = 0.0) -> Weights:
    """The likeliest weights ``names``; ``new_words`` is given."""
    start = np.array([getattr(Weights(), name) for name in names])
    place = {name: i for i, name in enumerate(names)}
    tables = []
    for item in judged:
        rows: NDArray[np.float64] = np.zeros((len(item.candidates) + 1, len(names)))
        for i, candidate in enumerate(item.candidates):
            told = {
                "classifier": log_of(candidate.by_classifier),
                "search": log_of(candidate.by_search),
                "stay_asked" if candidate.stays else "asked": candidate.asked,
                "led": candidate.led,
            }
            if candidate.stays:
                told |= {
                    "stay": 1.0,
                    "stay_long": math.log1p(item.words),
                    "stay_inside": log_of(item.in_scope),
                }
            _note(rows[i], told, place)
        found = max(candidate.by_search for candidate in item.candidates)
        nothing = {"nothing": 1.0, "scope": log_of(1 - item.in_scope), "unfound": log_of(1 - found)}
        _note(rows[-1], nothing | {"not_known": item.not_known}, place)
        given = [-new_words * candidate.new_words for candidate in item.candidates]
        tables.append(_Table(np.array([*given, 0.0]), rows, _place(item)))
    found_weights = _likeliest(tables, start, [_BOUNDS[name] for name in names])
    log.info("weighing fitted on %d questions: %s", len(judged), found_weights)
    return Weights(**dict(zip(names, found_weights, strict=True)), new_words=new_words)


def _note(row: NDArray[np.float64], told: Mapping[str, float], place: Mapping[str, int]) -> None:
    for name, value in told.items():
        if name in place:
            row[place[name]] = value


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
    most = max((len(table.given) for table in tables), default=1)
    each = np.arange(len(tables))
    given = np.full((len(tables), most), -np.inf)
    rows = np.zeros((len(tables), most, len(start)))
    for number, table in enumerate(tables):
        given[number, : len(table.given)] = table.given
        rows[number, : len(table.given)] = table.rows
    right = np.array([table.right for table in tables], np.int64)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        utilities = given + rows @ w
        top = utilities.max(axis=1, keepdims=True)
        powers = np.exp(utilities - top)
        mass = powers.sum(axis=1, keepdims=True)
        missed = np.log(mass[:, 0]) + top[:, 0] - utilities[each, right]
        pull = RIDGE * (w - start)
        gradient = np.einsum("nc,ncw->w", powers / mass, rows) - rows[each, right].sum(axis=0)
        return 0.5 * float(pull @ (w - start)) + float(missed.sum()), pull + gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return [round(float(value), 4) for value in found.x]


def _percent(flags: NDArray[np.bool_]) -> float:
    return round(100 * float(np.mean(flags)), 2) if len(flags) else 0.0
