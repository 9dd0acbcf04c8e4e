"""The candidates for an agent's next turn, and the choice among them that ``bench replies`` calls *combined*.

Seven signals of each candidate are weighed (chatbot/inference/reply_choice.py) with weights that are fitted on
validation turns (chatbot/learning/choice_fitting.py), as a release does it for agents' drafts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chatbot.inference.generate import LENGTH_POWER
from chatbot.inference.reply_choice import ChoiceWeights, signals_of
from web.bench.reply_measures import overlap, sentence_overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chatbot.inference.generate import Candidate, ResponseGenerator
    from chatbot.inference.past_answers import PastAnswers
    from chatbot.inference.rank import AnswerRanker
    from chatbot.learning.generator_data import Sample

BEAM = 4
MOST_TOKENS = 60
_CANDIDATES = 8  # of each kind that the combination chooses among
_LENGTH_POWERS = (0.3, 0.6, 0.8, 1.0, 1.2, 1.5, 1.8, 2.2)
_LENGTH_TURNS = 150  # validation turns that choose among them

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Options:
    """The candidates for one turn, with what is known of each: signals [n, len(SIGNALS)]."""

    texts: list[str]
    signals: NDArray[np.float32]
    nearest: str
    ranked: str
    written: str
    copied: float


@dataclass(frozen=True)
class Choice:
    """Weights of the signals, and how long the generator writes."""

    weights: ChoiceWeights
    length_power: float = LENGTH_POWER  # of the generator's beam

    def replies(self, options: Options) -> dict[str, str]:
        """What each system says."""
        best = options.nearest
        if options.texts:
            best = options.texts[int(self.weights.values(options.signals).argmax())]
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
    own = [candidate.text for candidate in written]
    texts = list(dict.fromkeys([*own, *(f.answer for f in near), *(r.text for r in ranked)]))
    nearest = near[0].answer if near else ""
    return Options(
        texts=texts,
        # of the beam only its first: what the generator chose by its length, which no other signal says
        signals=sample_signals(sample, texts, nearest, generator, ranker, written=own[:1]),
        nearest=nearest,
        ranked=ranked[0].text if ranked else "",
        written=own[0] if own else "",
        copied=written[0].copied if written else 0.0,
    )


def sample_signals(
    sample: Sample,
    texts: Sequence[str],
    nearest: str,
    generator: ResponseGenerator,
    ranker: AnswerRanker,
    *,
    written: Sequence[str] = (),
) -> NDArray[np.float32]:
    """[len(texts), len(SIGNALS)] of replies that might follow the sample's turns."""
    return signals_of(
        sample.turns, sample.passages, texts, nearest=nearest, generator=generator, ranker=ranker,
        lang=sample.lang, written=written, past_answers=sample.past_answers,
    )  # fmt: skip


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
    """The length and the weights whose replies are likest to what agents said on validation turns."""
    from chatbot.learning.choice_fitting import fit_weights

    power = choose_length_power(valid, generator, tell)
    options = []
    for number, sample in enumerate(valid):
        options.append(options_for(sample, past, generator, ranker, length_power=power))
        if number % 20 == 0:
            tell("choosing", number / len(valid))
    chinese = _mostly_chinese(valid)
    worth = [
        np.asarray([sentence_overlap(text, sample.reply, chinese=chinese) for text in each.texts])
        for each, sample in zip(options, valid, strict=True)
    ]
    weights = fit_weights([each.signals for each in options], worth)
    return Choice(ChoiceWeights.of(weights.tolist()), power)


def _mostly_chinese(samples: Sequence[Sample]) -> bool:
    return sum(sample.lang == "zh" for sample in samples) * 2 > len(samples)
