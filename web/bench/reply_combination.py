"""The candidates for an agent's next turn, and the choice among them that ``bench replies`` calls *combined*."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from web.bench.reply_measures import likeness, overlap

if TYPE_CHECKING:
    from chatbot.inference.generate import ResponseGenerator
    from chatbot.inference.past_answers import PastAnswers
    from chatbot.inference.rank import AnswerRanker
    from chatbot.learning.generator_data import Sample

BEAM = 4
MOST_TOKENS = 60
_CANDIDATES = 4  # of each kind that the combination chooses among

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

    def value(self, likelihood: float, rank: float, near: float, text: str, written: bool) -> float:
        weights = self.weights
        bonus = weights["written"] if written else 0.0
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
    sample: Sample, past: PastAnswers, generator: ResponseGenerator, ranker: AnswerRanker
) -> Options:
    near = past.search(sample.turns, k=_CANDIDATES)
    ranked = ranker.search(sample.turns, k=_CANDIDATES)
    written = generator.generate(
        sample.turns, sample.passages, lang=sample.lang, beam=BEAM, max_tokens=MOST_TOKENS,
        past_answers=sample.past_answers,
    )  # fmt: skip
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


def choose_weights(
    valid: Sequence[Sample], past: PastAnswers, generator: ResponseGenerator, ranker: AnswerRanker, tell: Tell
) -> Choice:
    """The weights whose replies have the best corpus BLEU on validation turns."""
    options = []
    for number, sample in enumerate(valid):
        options.append(options_for(sample, past, generator, ranker))
        if number % 20 == 0:
            tell("choosing", number / len(valid))
    chinese = sum(sample.lang == "zh" for sample in valid) * 2 > len(valid)
    truth = [sample.reply for sample in valid]
    best, weights = -1.0, {"rank": 0.0, "near": 0.0, "written": 0.0}
    for rank in (0.0, 0.01, 0.03, 0.06, 0.12):
        for near in (0.0, 0.2, 0.5):
            for bonus in (0.0, 0.15, 0.4, 0.8):
                tried = Choice({"rank": rank, "near": near, "written": bonus})
                replies = [tried.replies(option)["combined"] for option in options]
                value = overlap(replies, truth, chinese=chinese)[0]
                if value > best + 1e-9:
                    best, weights = value, tried.weights
    return Choice(weights)
