"""Fitting the search to a company: how much each kind of evidence counts, and how sure a hit may be.

Fitted on questions whose article is known. Many of them are in the index themselves, as past questions of their
article: each is judged by an index that holds none of its own wording (left out by folds), or it would find itself.
And each is judged a second time with its article taken away, so that the probability learns what the best of nothing
looks like.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import InputError
from chatbot.language.normalise import fold
from chatbot.retrieval.knowledge import PassageEntry, QuestionEntry
from chatbot.retrieval.language_index import FEATURES, Candidates, LanguageIndex
from chatbot.retrieval.ranking import (
    DEFAULT,
    EVIDENCE,
    KEYWORD_ONLY,
    LanguageRanking,
    SearchModel,
    fit_logistic,
    fit_weights,
    probability,
    rank,
)
from chatbot.retrieval.search import Encoder, NoEncoder, encoder_for, read_query

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SearchPair:
    """A question and the articles that answer it; none: nothing in the knowledge does.

    ``seen``: the encoder was trained on this very question, and finds its article better than that of a new one.
    """

    query: str
    lang: str
    articles: frozenset[int]
    history: tuple[Message, ...] = ()
    seen: bool = False


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    folds: int = 5
    min_pairs: int = 20  # fewer leave a language with the defaults
    max_pairs: int = 4000  # a language; more teach a dozen weights nothing and cost a millisecond each
    ridge: float = 1.0  # pull of the weights to the defaults, in queries
    logistic_ridge: float = 1.0
    unanswerable: float = 0.2  # share of live questions that no article answers
    seed: int = 13

    def __post_init__(self) -> None:
        if self.folds < 2:
            raise InputError("At least two folds are needed", field="folds", value=self.folds)
        if not 0 < self.unanswerable < 1:
            raise InputError("A share between 0 and 1", field="unanswerable", value=self.unanswerable)


@dataclass(frozen=True, slots=True)
class SearchFit:
    """The fitted model and, for each language, the figures of the fit."""

    model: SearchModel
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found for a pair."""

    pair: SearchPair
    candidates: Candidates


def calibrate_search(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoders: Mapping[str, Encoder],
    *,
    questions: Sequence[QuestionEntry] = (),
    settings: CalibrationSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> SearchFit:
    """Fit ranking and probability for every language that has pairs enough; the others keep the defaults.

    ``questions`` are searched too, each pair without those of its own wording. Figures a language: ``pairs``,
    ``recall_at_1`` and ``recall_at_1_defaults`` (percent), ``calibration_error`` (percent, of the first hit).
    """
    settings = settings or CalibrationSettings()
    tell = progress or (lambda share: None)
    languages = sorted({pair.lang for pair in pairs})
    fitted: dict[str, LanguageRanking] = {}
    metrics: dict[str, dict[str, Any]] = {}
    for place, lang in enumerate(languages):
        chosen = _unseen([pair for pair in pairs if pair.lang == lang], settings)
        if sum(bool(pair.articles) for pair in chosen) < settings.min_pairs:
            log.info("%d questions in %s are too few to fit the search: defaults", len(chosen), lang)
            continue
        encoder = encoder_for(lang, encoders)
        judged = judge(
            [entry for entry in passages if entry.lang == lang],
            _sample(chosen, settings),
            encoder,
            questions=[entry for entry in questions if entry.lang == lang],
            settings=settings,
        )
        start = KEYWORD_ONLY if isinstance(encoder, NoEncoder) else DEFAULT
        fitted[lang] = fit_ranking(judged, start=start, settings=settings)
        metrics[lang] = _figures(judged, fitted[lang], start, settings)
        tell((place + 1) / len(languages))
    return SearchFit(SearchModel(fitted), metrics)


def judge(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoder: Encoder,
    *,
    questions: Sequence[QuestionEntry] = (),
    settings: CalibrationSettings | None = None,
) -> list[Judged]:
    """What each pair's question finds in one language's index, questions of its fold's wordings taken out."""
    settings = settings or CalibrationSettings()
    index = LanguageIndex(encoder.dimension)
    index.put_passages(
        passages,
        encoder.encode([entry.title for entry in passages]),
        encoder.encode([entry.whole for entry in passages]),
    )
    vectors = encoder.encode([entry.text for entry in questions])
    index.put_questions(questions, vectors)
    wordings = [fold(pair.query) for pair in pairs]
    numbers = {text: number for number, text in enumerate(dict.fromkeys(wordings))}
    folds = np.random.default_rng(settings.seed).integers(settings.folds, size=len(numbers))
    fold_of = np.array([folds[numbers[text]] for text in wordings])
    asked = [fold(entry.text) for entry in questions]
    judged = []
    for number in range(settings.folds):
        held = [
            place for place, text in enumerate(asked) if text in numbers and folds[numbers[text]] == number
        ]
        index.remove_questions([questions[place].id for place in held])
        for place in np.flatnonzero(fold_of == number).tolist():
            pair = pairs[place]
            query = read_query(pair.query, encoder, history=pair.history)
            if query is not None:
                judged.append(Judged(pair, index.candidates(query)))
        index.put_questions([questions[place] for place in held], vectors[held])
    return judged


def fit_ranking(
    judged: Sequence[Judged], *, start: LanguageRanking, settings: CalibrationSettings | None = None
) -> LanguageRanking:
    """Weights, then the probability under those weights; little data leaves both near ``start``."""
    settings = settings or CalibrationSettings()
    queries = [
        (item.candidates.features, np.isin(item.candidates.articles, list(item.pair.articles)))
        for item in judged
        if item.pair.articles
    ]
    seen = np.zeros(len(FEATURES), dtype=bool)
    for features, _ in queries:
        seen |= np.ptp(features, axis=0) > 1e-6 if len(features) else False
    weights = fit_weights(queries, start=start.weight_vector(), used=seen, ridge=settings.ridge)
    evidence, right, counts = _evidence(judged, weights, settings)
    coefficients = fit_logistic(
        evidence, right, counts=counts, start=start.evidence_vector(), ridge=settings.logistic_ridge
    )
    return LanguageRanking(
        weights={name: round(float(value), 5) for name, value in zip(FEATURES, weights, strict=True)},
        evidence={name: round(float(value), 5) for name, value in zip(EVIDENCE, coefficients, strict=True)},
        fitted_on=len(queries),
    )


def _evidence(
    judged: Sequence[Judged], weights: NDArray[np.float64], settings: CalibrationSettings
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Evidence of the first three hits, whether each is right, and how much it counts.

    A question with an answer counts as often as it will be asked, and again, as often as unanswerable ones will be,
    with its articles taken away. Lower hits count less: it is the first that is answered with.
    """
    rows, right, counts = [], [], []

    def note(candidates: Candidates, articles: Collection[int], count: float) -> None:
        ranked = rank(candidates, weights, k=3)
        for place in range(len(ranked.places)):
            rows.append(ranked.evidence[place])
            right.append(int(candidates.articles[ranked.places[place]]) in articles)
            counts.append(count if place == 0 else 0.3 * count)

    for item in judged:
        if item.pair.articles:
            note(item.candidates, item.pair.articles, 1 - settings.unanswerable)
            note(item.candidates.without(item.pair.articles), (), settings.unanswerable)
        else:
            note(item.candidates, (), 1.0)
    return np.array(rows).reshape(-1, len(EVIDENCE)), np.array(right, dtype=bool), np.array(counts)


def _figures(
    judged: Sequence[Judged],
    fitted: LanguageRanking,
    defaults: LanguageRanking,
    settings: CalibrationSettings,
) -> dict[str, Any]:
    answerable = [item for item in judged if item.pair.articles]

    def recall(ranking: LanguageRanking) -> float:
        weights = ranking.weight_vector()
        firsts = [(item, rank(item.candidates, weights, k=1).places) for item in answerable]
        right = [len(p) and int(item.candidates.articles[p[0]]) in item.pair.articles for item, p in firsts]
        return round(100 * float(np.mean(right)), 1)

    evidence, right, counts = _evidence(judged, fitted.weight_vector(), settings)
    first = evidence[:, EVIDENCE.index("lead")] >= 0
    return {
        "pairs": len(answerable),
        "recall_at_1": recall(fitted),
        "recall_at_1_defaults": recall(defaults),
        "calibration_error": round(
            100
            * calibration_error(
                probability(evidence[first], fitted.evidence_vector()), right[first], counts[first]
            ),
            1,
        ),
    }


def calibration_error(
    stated: NDArray[np.float64],
    right: NDArray[np.bool_],
    counts: NDArray[np.float64] | None = None,
    *,
    bins: int = 10,
) -> float:
    """Expected calibration error, 0..1: |stated − observed| averaged over equal-width bins (Guo et al. 2017)."""
    counts = np.ones(len(stated)) if counts is None else counts
    if not len(stated):
        return 0.0
    error = 0.0
    places = np.minimum((stated * bins).astype(int), bins - 1)
    for number in range(bins):
        chosen = places == number
        weight = counts[chosen].sum()
        if weight > 0:
            gap = np.average(stated[chosen], weights=counts[chosen]) - np.average(
                right[chosen], weights=counts[chosen]
            )
            error += weight * abs(float(gap))
    return float(error / counts.sum())


def _unseen(pairs: Sequence[SearchPair], settings: CalibrationSettings) -> list[SearchPair]:
    """The pairs that tell how new questions will fare; all of them where those are too few."""
    unseen = [pair for pair in pairs if not pair.seen]
    return unseen if sum(bool(pair.articles) for pair in unseen) >= settings.min_pairs else list(pairs)


def _sample(pairs: Sequence[SearchPair], settings: CalibrationSettings) -> list[SearchPair]:
    if len(pairs) <= settings.max_pairs:
        return list(pairs)
    chosen = np.random.default_rng(settings.seed).permutation(len(pairs))[: settings.max_pairs]
    return [pairs[place] for place in np.sort(chosen)]
