"""Fitting the search to a company: how much each kind of evidence counts, how sure a hit may be, and where a general
encoder's vectors should lie for this company's questions.

Fitted on questions whose article is known, each judged as if it came new (chatbot/learning/search_judging.py), and
each a second time with its article taken away, so that the probability learns what the best of nothing looks like.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import InputError
from chatbot.inference.encode import AdaptedEncoder
from chatbot.learning.search_judging import (
    Judged,
    JudgingSettings,
    SearchPair,
    adapt,
    adapt_to_documents,
    judge,
    judge_adapting,
)
from chatbot.retrieval.knowledge import PassageEntry, QuestionEntry
from chatbot.retrieval.language_index import FEATURES, Candidates
from chatbot.retrieval.ranking import (
    CHARACTERS,
    DEFAULT,
    EVIDENCE,
    FIELD_EVIDENCE,
    KEYWORD_ONLY,
    LanguageRanking,
    SearchModel,
    default_ranking,
    fit_logistic,
    fit_weights,
    probability,
    rank,
)
from chatbot.retrieval.search import Encoder, NoEncoder, encoder_for

log = logging.getLogger(__name__)

# Languages in which the documents alone make a general encoder find more: Chinese loses by it (docs/retrieval.md).
_TAUGHT_BY_DOCUMENTS = frozenset({"en"})


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    min_pairs: int = (
        60  # fewer leave a language with the defaults: fitted on 25, they did worse (docs/retrieval.md)
    )
    enough_of_trained: int = 20  # questions that a language's own encoder did not learn from
    max_pairs: int = 2000  # a language; more teach a dozen weights nothing and cost a millisecond each
    enough_unseen: int = 300  # held-back questions; fewer are judged together with the others, by folds
    ridge: float = 1.0  # pull of the weights to the defaults, in queries
    logistic_ridge: float = 1.0
    field_ridges: tuple[float, ...] = (1.0, 10.0, 100.0)  # of what each field says alone: the best by folds
    evidence_folds: int = 4
    unanswerable: float = 0.2  # share of live questions that no article answers
    seed: int = 13
    judging: JudgingSettings = field(default_factory=JudgingSettings)

    def __post_init__(self) -> None:
        if not 0 < self.unanswerable < 1:
            raise InputError("A share between 0 and 1", field="unanswerable", value=self.unanswerable)
        if self.evidence_folds < 2:
            raise InputError(
                "At least two folds are needed", field="evidence_folds", value=self.evidence_folds
            )
        if not self.field_ridges:
            raise InputError("At least one is needed", field="field_ridges", value=self.field_ridges)


@dataclass(frozen=True, slots=True)
class SearchFit:
    """The fitted model; the adapted encoders of the languages that gain by one; and for each language the figures of
    the fit and what it was fitted on."""

    model: SearchModel
    adapted: dict[str, AdaptedEncoder] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    judged: dict[str, list[Judged]] = field(default_factory=dict)


def calibrate_search(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoders: Mapping[str, Encoder],
    *,
    questions: Sequence[QuestionEntry] = (),
    trained: Collection[str] = (),
    settings: CalibrationSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> SearchFit:
    """Fit ranking and probability for every language that has pairs enough; the others keep the defaults, in English
    with the general encoder adapted to the documents.

    ``questions`` are searched too, each pair without those of its own wording. ``trained``: languages whose encoder
    learned from the pairs that are ``seen``; for the others' an adapter is trained on these, and kept where it finds
    more. Figures a language: ``pairs``, ``recall_at_1`` and ``recall_at_1_defaults`` (percent), ``calibration_error``
    (percent, of the first hit), ``adapted``.
    """
    settings = settings or CalibrationSettings()
    tell = progress or (lambda share: None)
    languages = sorted({pair.lang for pair in pairs} | {entry.lang for entry in passages})
    fit = SearchFit(SearchModel())
    fitted: dict[str, LanguageRanking] = {}
    for place, lang in enumerate(languages):
        chosen = [pair for pair in pairs if pair.lang == lang]
        encoder = encoder_for(lang, encoders)
        entries = [entry for entry in passages if entry.lang == lang]
        general = lang not in trained and not isinstance(encoder, NoEncoder)
        if sum(bool(pair.articles) for pair in chosen) < settings.min_pairs:
            log.info("%d questions in %s are too few to fit the search: defaults", len(chosen), lang)
            turned = None
            if general and lang in _TAUGHT_BY_DOCUMENTS:
                turned = adapt_to_documents(entries, encoder, settings=settings.judging)
            if turned is not None:
                fit.adapted[lang] = turned
            continue
        asked = [entry for entry in questions if entry.lang == lang]
        start = default_ranking(len(entries), lang)
        if lang in trained:
            start = CHARACTERS
        elif isinstance(encoder, NoEncoder):
            start = KEYWORD_ONLY
        unseen = _unseen(chosen, settings.enough_of_trained)
        if not general or not entries:
            judged = judge(
                entries, _sample(unseen, settings), encoder, questions=asked, settings=settings.judging
            )
        else:
            judged, adapted = _judge_both(entries, chosen, encoder, asked, settings)
            if adapted is not None:
                fit.adapted[lang] = adapted
        fitted[lang] = fit_ranking(judged, start=start, settings=settings)
        fit.metrics[lang] = _figures(judged, fitted[lang], start, settings) | {"adapted": lang in fit.adapted}
        fit.judged[lang] = judged
        tell((place + 1) / len(languages))
    return SearchFit(SearchModel(fitted), fit.adapted, fit.metrics, fit.judged)


def _judge_both(
    passages: Sequence[PassageEntry],
    pairs: Sequence[SearchPair],
    encoder: Encoder,
    questions: Sequence[QuestionEntry],
    settings: CalibrationSettings,
) -> tuple[list[Judged], AdaptedEncoder | None]:
    """The questions judged by the encoder as it is, or adapted where that finds more; and the adapted one."""
    answerable = [pair for pair in pairs if pair.articles]
    adapted = adapt(
        passages, [pair for pair in answerable if pair.seen] or answerable, encoder, settings=settings.judging
    )
    unseen = _unseen(pairs, settings.enough_unseen)
    sampled = _sample(unseen, settings)
    plain = judge(passages, sampled, encoder, questions=questions, settings=settings.judging)
    if adapted is None:
        return plain, None
    if len(unseen) < len(pairs):  # held back from the adapter, and enough
        alike = plain
        turned = judge(passages, sampled, adapted, questions=questions, settings=settings.judging)
    else:  # a fold's own questions are left out, so each has fewer past ones beside it: for both alike
        alike, turned = (
            judge_adapting(
                passages,
                pairs,
                encoder,
                questions=questions,
                settings=settings.judging,
                most=settings.max_pairs,
                adapting=adapting,
            )
            for adapting in (False, True)
        )
    if _found(turned, settings) > _found(alike, settings):
        return turned, adapted
    return plain, None


def _found(judged: Sequence[Judged], settings: CalibrationSettings) -> float:
    """Mean reciprocal rank of the right articles, under weights fitted on these questions."""
    weights = fit_ranking(judged, start=DEFAULT, settings=settings).weight_vector()
    reciprocal = []
    for item in judged:
        if item.pair.articles:
            ranked = rank(item.candidates, weights, k=10)
            right = np.isin(item.candidates.articles[ranked.places], list(item.pair.articles))
            reciprocal.append(1 / (1 + int(right.argmax())) if right.any() else 0.0)
    return float(np.mean(reciprocal)) if reciprocal else 0.0


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
    folds = _unseen_evidence(judged, start, seen, settings)
    pulled_to = start.evidence_vector()
    pulled_to[EVIDENCE.index("follow_up")] = 0.0  # of follow-ups only what these questions show
    coefficients = _fit_probability(folds, start=pulled_to, settings=settings)
    return LanguageRanking(
        weights={name: round(float(value), 5) for name, value in zip(FEATURES, weights, strict=True)},
        evidence={name: round(float(value), 5) for name, value in zip(EVIDENCE, coefficients, strict=True)},
        fitted_on=len(queries),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Evidence of hits [n, len(EVIDENCE)], whether each is right, and how much it counts, [n]."""

    evidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    counts: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[_Rows]) -> _Rows:
        return cls(
            np.concatenate([part.evidence for part in parts]),
            np.concatenate([part.right for part in parts]),
            np.concatenate([part.counts for part in parts]),
        )


def _fit_probability(
    folds: Sequence[_Rows], *, start: NDArray[np.float64], settings: CalibrationSettings
) -> NDArray[np.float64]:
    """Coefficients of the evidence, float64 [len(EVIDENCE)].

    What each field says alone is pulled to the default as strongly as the questions held out fold by fold like best
    (log loss): hundreds of questions carry these terms, a few dozen would be learned by heart.
    """
    alone = np.isin(EVIDENCE, FIELD_EVIDENCE)
    penalties = [np.where(alone, ridge, settings.logistic_ridge) for ridge in settings.field_ridges]

    def fitted(parts: Sequence[_Rows], penalty: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = _Rows.joined(parts)
        return fit_logistic(rows.evidence, rows.right, counts=rows.counts, start=start, ridge=penalty)

    def loss(penalty: NDArray[np.float64]) -> float:
        total = 0.0
        for place, held in enumerate(folds):
            rest = [part for other, part in enumerate(folds) if other != place]
            signed = np.where(held.right, -1.0, 1.0) * (held.evidence @ fitted(rest, penalty))
            total += float((held.counts * np.logaddexp(0, signed)).sum())
        return total

    return fitted(folds, min(penalties, key=loss))


def _unseen_evidence(
    judged: Sequence[Judged],
    start: LanguageRanking,
    used: NDArray[np.bool_],
    settings: CalibrationSettings,
) -> list[_Rows]:
    """`_evidence` by folds, each under weights that were fitted without it: on its own it would look too sure."""
    folds = np.random.default_rng(settings.seed).integers(settings.evidence_folds, size=len(judged))
    parts = []
    for number in range(settings.evidence_folds):
        queries = [
            (item.candidates.features, np.isin(item.candidates.articles, list(item.pair.articles)))
            for item, held in zip(judged, folds == number, strict=True)
            if item.pair.articles and not held
        ]
        weights = fit_weights(queries, start=start.weight_vector(), used=used, ridge=settings.ridge)
        held_back = [item for item, held in zip(judged, folds == number, strict=True) if held]
        parts.append(_evidence(held_back, weights, settings))
    return parts


def _evidence(judged: Sequence[Judged], weights: NDArray[np.float64], settings: CalibrationSettings) -> _Rows:
    """Evidence of the first three hits.

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
    return _Rows(
        np.array(rows).reshape(-1, len(EVIDENCE)), np.array(right, dtype=bool), np.array(counts, dtype=float)
    )


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

    rows = _evidence(judged, fitted.weight_vector(), settings)
    first = rows.evidence[:, EVIDENCE.index("lead")] >= 0
    stated = probability(rows.evidence[first], fitted.evidence_vector())
    return {
        "pairs": len(answerable),
        "recall_at_1": recall(fitted),
        "recall_at_1_defaults": recall(defaults),
        "calibration_error": round(100 * calibration_error(stated, rows.right[first], rows.counts[first]), 1),
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


def _unseen(pairs: Sequence[SearchPair], enough: int) -> list[SearchPair]:
    """The pairs that tell how new questions will fare; all of them where those are fewer than ``enough``."""
    unseen = [pair for pair in pairs if not pair.seen]
    return unseen if sum(bool(pair.articles) for pair in unseen) >= enough else list(pairs)


def _sample(pairs: Sequence[SearchPair], settings: CalibrationSettings) -> list[SearchPair]:
    if len(pairs) <= settings.max_pairs:
        return list(pairs)
    chosen = np.random.default_rng(settings.seed).permutation(len(pairs))[: settings.max_pairs]
    return [pairs[place] for place in np.sort(chosen)]
