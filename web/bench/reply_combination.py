"""The candidates for an agent's next turn, and the choice among them that ``bench replies`` calls *combined*."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from chatbot.inference.generate import LENGTH_POWER
from web.bench.reply_measures import likeness, overlap

if TYPE_CHECKING:
    from chatbot.inference.generate import Candidate, ResponseGenerator
    from chatbot.inference.past_answers import PastAnswers
    from chatbot.inference.rank import AnswerRanker
    from chatbot.learning.generator_data import Sample

BEAM = 4
MOST_TOKENS = 60
_CANDIDATES = 4  # of each kind that the combination chooses among
_LENGTH_POWERS = (0.3, 0.6, 0.8, 1.0, 1.2, 1.5, 1.8, 2.2)
_LENGTH_TURNS = 150  # validation turns that choose among them

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Options:
    """The candidates for one turn, with what is known of each."""

    texts: list[str]
    likelihood: list[float]  # mean log-probability a piece
    rank: list[float]
    near: list[float]  # likeness to the nearest past answer
    nearest: str
    ranked: str
    written: str
    copied: float


@dataclass(frozen=True)
class Choice:
    """Weights of the combination, beside the likelihood's 1."""

    weights: dict[str, float]
    length_power: float = LENGTH_POWER  # of the generator's beam

    def value(self, likelihood: float, rank: float, near: float, text: str, written: bool) -> float:
        weights = self.weights
        bonus = weights["written"] if written else 0.0
        bonus += weights["length"] * math.log(1 + len(text))  # what is likely a piece is often short
        return likelihood + weights["rank"] * rank + weights["near"] * near + bonus

    def replies(self, options: Options) -> dict[str, str]:
        values = [
            self.value(options.likelihood[i], options.rank[i], options.near[i], text, text == options.written)
            for i, text in enumerate(options.texts)
        ]
        best = options.texts[max(range(len(values)), key=values.__getitem__)] if values else options.nearest
        return {
            "nearest": options.nearest,
            "ranked": options.ranked,
            "generator": options.written,
            "combined": best,
        }


def options_for(
    sample: Sample,
    past: PastAnswers,
    generator: ResponseGenerator,
    ranker: AnswerRanker,
    *,
    length_power: float = LENGTH_POWER,
) -> Options:
    near = past.search(sample.turns, k=_CANDIDATES)
    ranked = ranker.search(sample.turns, k=_CANDIDATES)
    written = _written(sample, generator, length_power)
    texts = list(
        dict.fromkeys([*(c.text for c in written), *(f.answer for f in near), *(r.text for r in ranked)])
    )
    nearest = near[0].answer if near else ""
    likelihood = generator.score(
        sample.turns, sample.passages, texts, lang=sample.lang, past_answers=sample.past_answers
    )
    return Options(
        texts=texts,
        likelihood=likelihood,
        rank=[float(value) for value in ranker.scores(sample.turns, texts)] if texts else [],
        near=[likeness(text, nearest) for text in texts],
        nearest=nearest,
        ranked=ranked[0].text if ranked else "",
        written=written[0].text if written else "",
        copied=written[0].copied if written else 0.0,
    )


def _written(sample: Sample, generator: ResponseGenerator, length_power: float) -> list[Candidate]:
    return generator.generate(
        sample.turns, sample.passages, lang=sample.lang, beam=BEAM, max_tokens=MOST_TOKENS,
        past_answers=sample.past_answers, length_power=length_power,
    )  # fmt: skip


def choose_length_power(valid: Sequence[Sample], generator: ResponseGenerator, tell: Tell) -> float:
    """How long to write: the power whose replies have the best corpus BLEU on validation turns.

    A beam of likely pieces ends early where agents say much (sgd's replies came to 0.6 of their length, CrossWOZ's to
    0.4) and late where they say little.
    """
    valid = valid[:_LENGTH_TURNS]
    truth, chinese = [sample.reply for sample in valid], _mostly_chinese(valid)
    best, chosen = -1.0, LENGTH_POWER
    for number, power in enumerate(_LENGTH_POWERS):
        tell("how long to write", number / len(_LENGTH_POWERS))
        written = [_written(sample, generator, power) for sample in valid]
        value = overlap([found[0].text if found else "" for found in written], truth, chinese=chinese)[0]
        if value > best:
            best, chosen = value, power
    return chosen


def choose_weights(
    valid: Sequence[Sample], past: PastAnswers, generator: ResponseGenerator, ranker: AnswerRanker, tell: Tell
) -> Choice:
    """The length and the weights whose replies have the best corpus BLEU on validation turns."""
    power = choose_length_power(valid, generator, tell)
    options = []
    for number, sample in enumerate(valid):
        options.append(options_for(sample, past, generator, ranker, length_power=power))
        if number % 20 == 0:
            tell("choosing", number / len(valid))
    chinese, truth = _mostly_chinese(valid), [sample.reply for sample in valid]
    best, choice = -1.0, Choice({"rank": 0.0, "near": 0.0, "written": 0.0, "length": 0.0}, power)
    grid = product(
        (0.0, 0.01, 0.03, 0.06, 0.12), (0.0, 0.2, 0.5), (0.0, 0.15, 0.4, 0.8), (0.0, 0.2, 0.5, 1.0)
    )
    for rank, near, bonus, length in grid:
        tried = Choice({"rank": rank, "near": near, "written": bonus, "length": length}, power)
        replies = [tried.replies(option)["combined"] for option in options]
        value = overlap(replies, truth, chinese=chinese)[0]
        if value > best + 1e-9:
            best, choice = value, tried
    return choice


def _mostly_chinese(samples: Sequence[Sample]) -> bool:
    return sum(sample.lang == "zh" for sample in samples) * 2 > len(samples)
