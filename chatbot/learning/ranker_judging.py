"""How good a ranker is on held-back situations, and how its score is weighed against the generator's likelihood.

Both are measured in the form that serves. No FAISS, no database.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from chatbot.inference.generate import ResponseGenerator
from chatbot.inference.past_answers import PastAnswers, Situation
from chatbot.inference.rank import AnswerRanker
from chatbot.inference.reply_choice import ChoiceWeights, signals_of
from chatbot.language.likeness import likeness
from chatbot.learning.choice_fitting import fit_weights
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


def fit_choice(
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
    seen: list[Candidates] = []
    best_scores = [float(found[0].score) for sample in chosen if (found := ranker.search(sample.turns, k=1))]
    for sample in chosen:
        if seconds is not None and time.monotonic() - began > seconds:
            break
        seen.append(candidates(ranker, generator, sample))
    least = round(float(np.percentile(best_scores, _TOO_FAR)), 3) if best_scores else ChoiceWeights.least
    if len(seen) < _LEAST_CHOSEN_ON:
        return ChoiceWeights(least=least)
    weights = fit_weights([one.signals for one in seen], [one.worth for one in seen])
    return ChoiceWeights.of(np.round(weights, 4).tolist(), least=least)


@dataclass(frozen=True)
class Candidates:
    """For one held-back situation: signals [n, len(SIGNALS)], and likeness to what the agent said, [n]."""

    texts: list[str]
    signals: NDArray[np.float32]
    worth: NDArray[np.float32]


def candidates(ranker: AnswerRanker, generator: ResponseGenerator, sample: Sample) -> Candidates:
    """The reply that is written, and the past answers that fit best."""
    past = [one.text for one in ranker.search(sample.turns, k=_CANDIDATES)]
    written = [
        one.text
        for one in generator.generate(sample.turns, sample.passages, lang=sample.lang, beam=_BEAM)[:1]
    ]
    texts = list(dict.fromkeys([*written, *past]))
    signals = signals_of(
        sample.turns, sample.passages, texts, nearest=past[0] if past else "", generator=generator,
        ranker=ranker, lang=sample.lang, written=written,
    )  # fmt: skip
    return Candidates(texts, signals, np.array([likeness(text, sample.reply) for text in texts], np.float32))
