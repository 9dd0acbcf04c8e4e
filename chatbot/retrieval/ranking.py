"""From a candidate's features to its place and to the probability that it answers: two small linear models a language.

The order is a weighted sum of the features, fitted as a conditional logit (McFadden 1974; ListNet's top-one loss, Cao
et al. 2007): the right article should win over the other candidates of the same query. The probability is a logistic
regression on what distinguishes a right first hit from a wrong one: how high it scores, how far it leads, how near
it is in absolute terms, and field by field how far it is ahead of the best other article or behind it, so that a hit
on which words and vectors agree is told from one that a single field carries. It is fitted on queries whose right
article was taken away as well, so that it is low when nothing fits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError
from chatbot.retrieval.language_index import FEATURES, Candidates

FORMAT = 1
FIELDS = FEATURES[: FEATURES.index("context_title_cosine")]  # what is measured of the question itself
_CONTEXT = [place for place, name in enumerate(FEATURES) if name.startswith("context")]
FIELD_EVIDENCE = (
    *FIELDS,
    *(f"{name}_ahead" for name in FIELDS),  # of the best other article in this field, 0 where it is behind
    *(f"{name}_behind" for name in FIELDS),  # likewise, 0 or negative
)
EVIDENCE = (
    "constant",
    "score",  # the fused score
    "lead",  # over the best other article, negative behind the first
    "share",  # log-odds of this article among the candidates' softmax
    "follow_up",  # 1 where something was said before
    *FIELD_EVIDENCE,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LanguageRanking:
    """``weights`` by feature name, and ``evidence`` by the name of what the probability rests on."""

    weights: Mapping[str, float]
    evidence: Mapping[str, float]
    fitted_on: int = 0  # queries; 0: the defaults

    def weight_vector(self) -> Floats:
        return np.array([self.weights.get(name, 0.0) for name in FEATURES])

    def evidence_vector(self) -> Floats:
        return np.array([self.evidence.get(name, 0.0) for name in EVIDENCE])


@dataclass(frozen=True, slots=True)
class Ranked:
    """One passage an article, best first: places in the candidates, fused scores, evidence [n, len(EVIDENCE)]."""

    places: NDArray[np.int64]
    scores: Floats
    evidence: Floats


def rank(candidates: Candidates, weights: Floats, *, k: int) -> Ranked:
    """The best passage of each of the best ``k`` articles."""
    fused = candidates.features.astype(np.float64) @ weights
    order = np.argsort(-fused, kind="stable")
    _, firsts = np.unique(candidates.articles[order], return_index=True)
    places = order[np.sort(firsts)]  # the best passage of every article, best first
    scores = fused[places]
    found = min(k, len(places))
    evidence = np.zeros((found, len(EVIDENCE)))
    if found:
        others = np.full(found, scores[0])
        # with one article alone the rival is one that has nothing to do with the question: to be alone proves nothing
        rivals = scores if len(scores) > 1 else np.append(scores, 0.0)
        others[0] = rivals[1]
        odds = np.exp(np.clip(rivals - scores[0], -60, 60))
        share = odds[:found] / odds.sum()
        fields = candidates.features[:, : len(FIELDS)].astype(np.float64)
        gaps = _gaps(fields, candidates.articles, places[:found])
        evidence[:, 0] = 1.0
        evidence[:, 1] = scores[:found]
        evidence[:, 2] = np.clip(scores[:found] - others, -5.0, 5.0)
        evidence[:, 3] = np.clip(np.log(share + 1e-9) - np.log1p(1e-9 - share + 1e-6), -8.0, 8.0)
        evidence[:, 4] = float(candidates.features[:, _CONTEXT].any())
        evidence[:, 5:] = np.hstack([fields[places[:found]], np.maximum(gaps, 0.0), np.minimum(gaps, 0.0)])
    return Ranked(places[:k], scores[:k], evidence)


def _gaps(fields: Floats, articles: NDArray[np.int64], places: NDArray[np.int64]) -> Floats:
    """How far the rows ``places`` of ``fields`` [n, m] are above the best row of another article, column by column:
    [len(places), m], at most 1 either way; above 0 where there is no other article."""
    order = np.argsort(articles, kind="stable")
    ordered = articles[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    best = np.maximum.reduceat(fields[order], starts, axis=0)  # [articles, m]
    if len(best) == 1:
        return np.clip(fields[places], -1.0, 1.0)
    second, first = np.partition(best, len(best) - 2, axis=0)[-2:]
    own = best[np.searchsorted(ordered[starts], articles[places])]
    gaps: Floats = np.clip(fields[places] - np.where(own == first, second, first), -1.0, 1.0)
    return gaps


def probability(evidence: Floats, coefficients: Floats) -> Floats:
    """Calibrated probability of each row of ``evidence`` [n, len(EVIDENCE)], float64 [n]."""
    result: Floats = 1.0 / (1.0 + np.exp(-np.clip(evidence @ coefficients, -30, 30)))
    return result


def fit_weights(
    queries: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    *,
    start: Floats,
    used: NDArray[np.bool_],
    ridge: float,
) -> Floats:
    """Weights of the conditional logit.

    ``queries`` holds for each query its candidates' features [n, len(FEATURES)] and which of them are right (at least
    one). ``start`` is where the penalty ``ridge`` pulls to: few queries leave the defaults nearly as they are.
    Features outside ``used`` [len(FEATURES)] keep their start value. Newton steps with halving.
    """
    rows = [
        (features.astype(np.float64), right) for features, right in queries if right.any() and not right.all()
    ]
    weights = start.copy()
    if not rows:
        return weights
    free = np.flatnonzero(used)
    table = np.concatenate([features for features, _ in rows])
    wins = np.concatenate([right for _, right in rows])
    sizes = np.array([len(right) for _, right in rows])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    owner = np.repeat(np.arange(len(rows)), sizes)

    def shares(scores: Floats, mask: NDArray[np.bool_] | None) -> tuple[Floats, float]:
        held = scores if mask is None else np.where(mask, scores, -np.inf)
        highest = np.maximum.reduceat(held, starts)
        exps = np.exp(held - highest[owner])
        totals = np.add.reduceat(exps, starts)
        return exps / totals[owner], float((np.log(totals) + highest).sum())

    def loss(w: Floats) -> float:
        scores = table @ w
        return (
            shares(scores, None)[1] - shares(scores, wins)[1] + 0.5 * ridge * float(((w - start) ** 2).sum())
        )

    current = loss(weights)
    for _ in range(30):
        scores = table @ weights
        everyone, _ = shares(scores, None)
        winners, _ = shares(scores, wins)
        columns = table[:, free]
        gradient = columns.T @ (everyone - winners) + ridge * (weights - start)[free]
        means = np.add.reduceat(columns * everyone[:, None], starts, axis=0)  # [queries, free]
        hessian = (
            (columns * everyone[:, None]).T @ columns - means.T @ means + (ridge + 1e-6) * np.eye(len(free))
        )
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-4:
            tried = weights.copy()
            tried[free] -= size * step
            value = loss(tried)
            if value < current:
                break
            size /= 2
        else:
            break
        improved, weights, current = current - value, tried, value
        if improved < 1e-6 * len(rows):
            break
    return weights


def fit_logistic(
    evidence: Floats, right: NDArray[np.bool_], *, counts: Floats, start: Floats, ridge: float | Floats
) -> Floats:
    """Logistic regression by Newton steps on rows that count ``counts`` times each, float64 [n]; the penalty
    ``ridge``, one for all or one each, pulls every coefficient but the constant to ``start``."""
    if right.all() or not right.any():
        return start.copy()
    spread = np.maximum(evidence.std(axis=0), 1e-3)
    spread[0] = 1.0
    scaled = evidence / spread
    goal = start * spread
    weights = goal.copy()
    penalty = np.broadcast_to(ridge, len(weights)).astype(np.float64)
    penalty[0] = 1e-3
    target = right.astype(np.float64)

    def loss(w: Floats) -> float:
        z = scaled @ w
        return float(
            (counts * (np.logaddexp(0, z) - target * z)).sum() + 0.5 * (penalty * (w - goal) ** 2).sum()
        )

    current = loss(weights)
    for _ in range(50):
        guess = probability(scaled, weights)
        gradient = scaled.T @ (counts * (guess - target)) + penalty * (weights - goal)
        hessian = (scaled * (counts * guess * (1 - guess))[:, None]).T @ scaled + np.diag(penalty + 1e-9)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-4 and loss(weights - size * step) >= current:
            size /= 2
        if size <= 1e-4:
            break
        weights = weights - size * step
        improved, current = current - loss(weights), loss(weights)
        if improved < 1e-9 * len(target):
            break
    result: Floats = weights / spread
    return result


@dataclass(frozen=True, slots=True)
class SearchModel:
    """What a release knows about ranking: one `LanguageRanking` a language, saved as the bundle's ``search.json``."""

    languages: Mapping[str, LanguageRanking] = field(default_factory=dict)
    format: int = FORMAT

    def ranking(self, lang: str, *, dense: bool, passages: int, adapted: bool = False) -> LanguageRanking:
        """The ranking of ``lang``, or the defaults; ``dense``: whether its encoder was trained for it; ``passages``:
        how many there are; ``adapted``: whether the encoder was to the company's documents."""
        found = self.languages.get(lang)
        if found is not None:
            return found
        return default_ranking(passages, lang, adapted=adapted) if dense else KEYWORD_ONLY

    def save(self, path: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> SearchModel:
        """Raises BundleError for a file that is missing or not of a known format."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise BundleError("The format of search.json is not known", value=values["format"])
            known = {item.name for item in fields(LanguageRanking)}
            return cls(
                languages={
                    lang: LanguageRanking(**{key: value for key, value in one.items() if key in known})
                    for lang, one in values["languages"].items()
                }
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError("search.json cannot be read", value=path.name, remedy="Retrain") from error


# Hand-set on the validation queries of public FAQ sets (docs/retrieval.md); every company's own pairs refine them.
DEFAULT = LanguageRanking(
    weights={
        "title_cosine": 0.5,
        "text_cosine": 11.0,
        "question_cosine": 6.0,
        "title_words": 0.5,
        "text_words": 3.0,
        "question_words": 3.0,
        "context_title_cosine": 1.5,
        "context_text_cosine": 3.0,
        "context_words": 1.5,
    },
    evidence={
        "constant": -0.9,
        "score": -0.18,
        "lead": 0.18,
        "share": 0.5,
        "follow_up": -0.5,
        "text_cosine": 4.3,
        "question_words": 1.0,
    },
)
# An encoder of characters compares what keywords compare, only more kindly: it does not outweigh them.
CHARACTERS = LanguageRanking(
    weights={
        "title_cosine": 1.5,
        "text_cosine": 2.5,
        "question_cosine": 1.5,
        "title_words": 1.5,
        "text_words": 2.5,
        "question_words": 2.0,
        "context_title_cosine": 0.5,
        "context_text_cosine": 1.0,
        "context_words": 1.0,
    },
    evidence={"constant": -2.5, "lead": 0.5, "share": 0.5, "text_cosine": 2.0, "question_words": 2.0},
)
KEYWORD_ONLY = LanguageRanking(
    weights={"title_words": 4.0, "text_words": 6.0, "question_words": 6.0, "context_words": 3.0},
    # Fitted to seven sets in two languages, a tenth of the questions about something else (docs/retrieval.md).
    evidence={"constant": -0.13, "lead": 0.34, "share": 0.64},
)
_FEW = 150  # passages of which the words' rarity is known half as well as of many
_LEAST = 1 / 3
# Chosen alike on the training questions of bq_zh and of atec_zh; English gains nothing by it (docs/retrieval.md).
_CROWD = {"zh": -6.0}
# Constant of the probability there: the scores are lower, and the coefficient of `score` would take that for surer.
_CROWDED = -1.2
# Likewise where the encoder was adapted to the documents: these are further apart, and the first hit is further ahead.
_ADAPTED = -0.2


def default_ranking(passages: int, lang: str, *, adapted: bool = False) -> LanguageRanking:
    """The defaults for an encoder that was trained for the language, and ``adapted`` to its documents alone or not.

    How rare a word is, is a guess where there are few passages: words count less there, or they would spoil what the
    vectors find (over 68 to 128 documents they did, over 3,248 they add four points).
    """
    trust = max(_LEAST, passages / (passages + _FEW))
    weights = {name: value * (trust if "words" in name else 1.0) for name, value in DEFAULT.weights.items()}
    constant = DEFAULT.evidence["constant"] + (_ADAPTED if adapted else 0.0)
    if lang in _CROWD:
        weights["crowd_cosine"] = _CROWD[lang]
        constant += _CROWDED
    return LanguageRanking(weights=weights, evidence={**DEFAULT.evidence, "constant": constant})
