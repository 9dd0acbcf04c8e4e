"""What needs no fit to be known: a question word for word as one that is answered, and a code that is asked for.

The probability of a hit is fitted on a company's questions, and few companies have been asked for every code that their
articles explain; to a sentence encoder `E-4012` and `E-4021` are nearly one text. So what is certain is a floor under
the fitted probability.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from chatbot.retrieval.language_index import COLUMN, Candidates
from chatbot.retrieval.ranking import LanguageRanking, probability, rank
from chatbot.retrieval.reading import Query
from chatbot.retrieval.terms import is_identifier

EXACT = 0.995  # cosine to a stored question from which it is that question, but for its case or a full stop
EXACTLY_ASKED = 0.9
CODE_ASKED = 0.85
MOST_BESIDE = (
    3  # words beside the code, of a message that asks for nothing but the code ("what does E-4012 mean?")
)
_HAN_A_WORD = 2
_NOTHING = 1e-6  # of cosine or of words shared: what is left of nothing after rounding


def floors(
    query: Query, candidates: Candidates, *, holding: Callable[[str], Collection[int]]
) -> NDArray[np.float64]:
    """The least probability of each candidate passage, float64 [n]; 0 where nothing is certain.

    ``holding``: the passages that have a term. A message behind others may mean by the same words another thing, so
    only one that opens a conversation is held against the stored questions.
    """
    least = np.zeros(len(candidates.passages))
    if not len(least):
        return least
    if query.context_vector is None and not query.context_terms:
        exact = candidates.features[:, COLUMN["question_cosine"]] >= EXACT
        if len(set(candidates.articles[exact].tolist())) == 1:
            least[exact] = EXACTLY_ASKED
    codes = [term for term in query.terms if is_identifier(term)]
    if codes and _words(query.terms) - len(codes) <= MOST_BESIDE:
        count = sum(
            (np.isin(candidates.passages, list(holding(code))).astype(int) for code in set(codes)),
            start=np.zeros(len(least), dtype=int),
        )
        held = count == max(1, int(count.max()))  # of several codes those that have most of them
        articles = candidates.articles[held]
        if len(articles):
            least[held] = np.maximum(least[held], CODE_ASKED / len(set(articles.tolist())))
    return least


def with_floors(
    found: Candidates, ranking: LanguageRanking, least: NDArray[np.float64], *, k: int
) -> list[tuple[int, float]]:
    """At most ``k`` places in ``found``, one an article, best first, each with its probability: first those that have
    a floor (``least`` [n]), whose certainty the others cannot have as well. What shares nothing with the question (no
    word, where words alone are searched) does not answer it."""
    ranked = rank(found, ranking.weight_vector(), k=k)
    shared = (found.features[ranked.places] > _NOTHING).any(axis=1)
    stated = np.where(shared, probability(ranked.evidence, ranking.evidence_vector()), 0.0)
    fitted = dict(zip(ranked.places.tolist(), stated.tolist(), strict=True))
    if not least.any():
        return list(fitted.items())
    by_article = {int(found.articles[place]): score for place, score in fitted.items()}
    certain: dict[int, tuple[int, float]] = {}
    fused = found.features.astype(np.float64) @ ranking.weight_vector()
    for place in np.lexsort((-fused, -least)).tolist():
        if least[place] > 0:
            article = int(found.articles[place])
            score = max(float(least[place]), by_article.get(article, 0.0))
            certain.setdefault(article, (place, score))
    left = 1.0 - float(least.max())
    others = [
        (place, min(score, left))
        for place, score in fitted.items()
        if int(found.articles[place]) not in certain
    ]
    return [*certain.values(), *others][:k]


def _words(terms: list[str]) -> int:
    return sum(
        -(-len(list(group)) // _HAN_A_WORD) if han else len(list(group))
        for han, group in groupby(terms, key=lambda term: "\u3400" <= term[:1] <= "\u9fff")
    )
