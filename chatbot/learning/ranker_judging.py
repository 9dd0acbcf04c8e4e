"""How good a ranker is on held-back situations, and how its score is weighed against the generator's likelihood.

Both are measured in the form that serves. No FAISS, no database.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.inference.choice_weights import ChoiceWeights
from chatbot.inference.generate import ResponseGenerator
from chatbot.inference.past_answers import PastAnswers, Situation, terms
from chatbot.inference.rank import AnswerRanker
from chatbot.learning.generator_data import Sample
from chatbot.learning.past_answer_data import PastReplies

DISTRACTORS = 99
_JUDGED = 200  # held-back situations
_NEAREST_AMONG = 2_000  # past situations that BM25 searches
_CHOSEN_ON = 120  # held-back situations that weights are fitted on
_LEAST_CHOSEN_ON = 20
_CANDIDATES = 4
_BEAM = 4
_TOO_FAR = 10.0  # percentile of the best scores of held-back situations: below it nothing fits
_GRID = tuple(product((0.0, 0.01, 0.03, 0.06, 0.12), (0.0, 0.15, 0.4, 0.8), (0.0, 0.1, 0.2, 0.5, 1.0)))


@dataclass(frozen=True)
class FirstOfHundred:
    """Percent of held-back situations whose true answer comes before 99 others of its language. ``most_frequent``: by
    how often agents gave an answer; ``nearest``: by likeness to the answer of the likest past situation (BM25)."""

    situations: int
    ranker: float
    most_frequent: float
    nearest: float


def first_of_hundred(ranker: AnswerRanker, replies: PastReplies, *, seed: int = 13) -> FirstOfHundred | None:
    """None where no language has a hundred different held-back answers."""
    random = Random(seed)
    pools = {
        lang: sorted({sample.reply for sample in replies.valid if sample.lang == lang})
        for lang in sorted({sample.lang for sample in replies.valid})
    }
    judged = [sample for sample in replies.valid if len(pools[sample.lang]) > DISTRACTORS]
    if not judged:
        return None
    judged = random.sample(judged, min(_JUDGED, len(judged)))
    among = random.sample(replies.train, min(_NEAREST_AMONG, len(replies.train)))
    past = PastAnswers([Situation(sample.turns, sample.reply, sample.group) for sample in among])
    right = Counter[str]()
    for sample in judged:
        others = random.sample([text for text in pools[sample.lang] if text != sample.reply], DISTRACTORS)
        texts = [sample.reply, *others]
        near = past.search(sample.turns, k=1)
        values = {
            "ranker": ranker.scores(sample.turns, texts).tolist(),
            "most_frequent": ranker.times(texts).tolist(),
            "nearest": [likeness(text, near[0].answer) if near else 0.0 for text in texts],
        }
        for name, scores in values.items():
            right[name] += scores[0] > max(scores[1:])
    shares = {name: round(100 * right[name] / len(judged), 1) for name in values}
    return FirstOfHundred(len(judged), **shares)


def fit_weights(
    ranker: AnswerRanker,
    generator: ResponseGenerator,
    valid: Sequence[Sample],
    *,
    seconds: float | None = None,
    seed: int = 13,
) -> ChoiceWeights:
    """The weights whose choice among past answers and written replies is likest to what the agent said.

    valid: held-back situations; those with passages count, as nothing is written without. seconds: to fit in; too few
    situations in them leave the default weights.
    """
    began = time.monotonic()
    sourced = [sample for sample in valid if sample.passages]
    chosen = Random(seed).sample(sourced, min(_CHOSEN_ON, len(sourced)))
    seen: list[tuple[NDArray[Any], ...]] = []  # likelihood, rank, whether written, length, likeness
    best_scores = [float(found[0].score) for sample in chosen if (found := ranker.search(sample.turns, k=1))]
    for sample in chosen:
        if seconds is not None and time.monotonic() - began > seconds:
            break
        past = [one.text for one in ranker.search(sample.turns, k=_CANDIDATES)]
        written = [
            one.text
            for one in generator.generate(sample.turns, sample.passages, lang=sample.lang, beam=_BEAM)[:1]
        ]
        texts = list(dict.fromkeys([*written, *past]))
        seen.append(
            (
                np.array(generator.score(sample.turns, sample.passages, texts, lang=sample.lang)),
                ranker.scores(sample.turns, texts),
                np.array([text in written for text in texts], dtype=float),
                np.array([math.log1p(len(text)) for text in texts]),
                np.array([likeness(text, sample.reply) for text in texts]),
            )
        )
    least = float(np.percentile(best_scores, _TOO_FAR)) if best_scores else ChoiceWeights.least
    if len(seen) < _LEAST_CHOSEN_ON:
        return ChoiceWeights(least=round(least, 3))

    def worth(rank: float, bonus: float, length: float) -> float:
        total = 0.0
        for likelihood, ranked, own, long, alike in seen:
            total += float(alike[np.argmax(likelihood + rank * ranked + bonus * own + length * long)])
        return total

    rank, bonus, length = max(_GRID, key=lambda weights: worth(*weights))
    return ChoiceWeights(rank=rank, written=bonus, length=length, least=round(least, 3))


def likeness(first: str, second: str) -> float:
    """F1 over words; over characters and their pairs in Chinese, 0..1."""
    one, two = _terms(first), _terms(second)
    common = sum(min(count, two[term]) for term, count in one.items() if term in two)
    return 2 * common / max(1, one.total() + two.total())


@lru_cache(maxsize=4_096)
def _terms(text: str) -> Counter[str]:
    return Counter(terms(text))
