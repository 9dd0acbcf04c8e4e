"""The candidates for an agent's next turn, and the choice among them that ``bench replies`` calls *combined*.

Seven signals of each candidate are weighed. The weights are fitted on validation turns: the choice is drawn from the
softmax of the weighed signals, and the log of what it is worth on average is made as large as it can be, by the
candidates' likeness to what the agent said, or, for ranking, by the one true reply among a hundred (a conditional
logit, McFadden 1974).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from chatbot.inference.generate import LENGTH_POWER
from web.bench.reply_measures import likeness, overlap, sentence_overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chatbot.inference.generate import Candidate, ResponseGenerator
    from chatbot.inference.past_answers import PastAnswers
    from chatbot.inference.rank import AnswerRanker
    from chatbot.learning.generator_data import Sample

BEAM = 4
MOST_TOKENS = 60
SIGNALS = (
    "likelihood",  # mean log-probability a piece
    "total",  # of all its pieces, in tens
    "length",  # log of the pieces
    "rank",  # the dual encoder's cosine times its scale, in fives
    "times",  # log of how often agents said it
    "near",  # likeness to the nearest past answer
    "written",  # by the generator
)
_CANDIDATES = 8  # of each kind that the combination chooses among
_LENGTH_POWERS = (0.3, 0.6, 0.8, 1.0, 1.2, 1.5, 1.8, 2.2)
_LENGTH_TURNS = 150  # validation turns that choose among them
_STEPS, _RATE, _RIDGE = 300, 0.05, 0.01
_SHARPNESS = 3.0  # of the softmax, so that the weights come out near one

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

    weights: NDArray[np.float32]
    length_power: float = LENGTH_POWER  # of the generator's beam

    def replies(self, options: Options) -> dict[str, str]:
        """What each system says."""
        best = options.nearest
        if options.texts:
            best = options.texts[int((options.signals @ self.weights).argmax())]
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
        signals=signals_of(sample, texts, nearest, generator, ranker, written=own),
        nearest=nearest,
        ranked=ranked[0].text if ranked else "",
        written=own[0] if own else "",
        copied=written[0].copied if written else 0.0,
    )


def signals_of(
    sample: Sample,
    texts: Sequence[str],
    nearest: str,
    generator: ResponseGenerator,
    ranker: AnswerRanker,
    *,
    written: Sequence[str] = (),
) -> NDArray[np.float32]:
    """[len(texts), len(SIGNALS)] of replies that might follow the sample's turns."""
    if not texts:
        return np.zeros((0, len(SIGNALS)), np.float32)
    likelihood = np.asarray(
        generator.score(
            sample.turns, sample.passages, texts, lang=sample.lang, past_answers=sample.past_answers
        )
    )
    most = generator.layout.reply_tokens
    pieces = np.asarray([min(len(generator.tokenizer.encode(text)), most) + 1 for text in texts])
    times = np.log1p(ranker.times(texts))
    columns = (
        likelihood,
        likelihood * pieces / 10,
        np.log(pieces),
        (ranker.scores(sample.turns, texts) - ranker.bias * times) / 5,
        times,
        np.asarray([likeness(text, nearest) for text in texts]),
        np.asarray([text in written for text in texts]),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def fit_weights(
    signals: Sequence[NDArray[np.float32]], worth: Sequence[NDArray[np.floating]]
) -> NDArray[np.float32]:
    """Candidates' signals [n, len(SIGNALS)] and their worth [n] (0..1), a pair for each turn → weights."""
    import torch

    most = max(len(each) for each in signals)
    x = torch.zeros(len(signals), most, len(SIGNALS))
    absent = torch.full((len(signals), most), -1e9)
    gain = torch.zeros(len(signals), most)
    for place, (each, values) in enumerate(zip(signals, worth, strict=True)):
        x[place, : len(each)] = torch.from_numpy(each)
        absent[place, : len(each)] = 0
        gain[place, : len(each)] = torch.from_numpy(np.asarray(values, np.float32))
    weights = torch.zeros(len(SIGNALS), requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=_RATE)
    for _ in range(_STEPS):
        chosen = (_SHARPNESS * (x @ weights) + absent).softmax(dim=1)
        loss = -((chosen * gain).sum(dim=1) + 1e-9).log().mean() + _RIDGE * weights.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found: NDArray[np.float32] = weights.detach().numpy()
    return found


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
    return Choice(fit_weights([each.signals for each in options], worth), power)


def _mostly_chinese(samples: Sequence[Sample]) -> bool:
    return sum(sample.lang == "zh" for sample in samples) * 2 > len(samples)
