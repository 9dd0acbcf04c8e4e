"""What a candidate for an agent's next turn is worth: seven signals of it, weighed. numpy alone.

An agent's drafts hold past answers against a written reply with it (chatbot/dialogue/past_drafts.py), and ``frontdesk
bench replies`` chooses among all candidates with it. The weights are fitted on held-back turns
(chatbot/learning/choice_fitting.py).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError
from chatbot.language.likeness import likeness

FOLDER = "ranker"
WEIGHTS = "choice.json"
SIGNALS = (
    "likelihood",  # mean log-probability a piece
    "total",  # of all its pieces, in tens
    "length",  # log of the pieces
    "rank",  # the dual encoder's cosine times its scale, in fives
    "times",  # log of how often agents said it
    "near",  # likeness to the nearest past answer
    "written",  # what the generator itself would say: the first of its beam
)
_OLD_BIAS = 0.5  # of every ranker's frequency, when three weights were saved


class Likelihoods(Protocol):
    """What says how likely a reply is; chatbot.inference.generate.ResponseGenerator is one."""

    def score(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        replies: Sequence[str],
        *,
        lang: str = "en",
        past_answers: Sequence[str] = (),
    ) -> list[float]: ...

    def lengths(self, replies: Sequence[str]) -> list[int]: ...


class Ranking(Protocol):
    """What says how well a reply fits; chatbot.inference.rank.AnswerRanker is one."""

    @property
    def bias(self) -> float: ...

    def scores(self, turns: Sequence[Message], texts: Sequence[str]) -> NDArray[np.float32]: ...

    def times(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class ChoiceWeights:
    """A weight for each of SIGNALS, in their order. least: a ranker's score under this fits no situation seen.

    The defaults hold where too few held-back turns were there to fit them on.
    """

    likelihood: float = 1.0
    total: float = 0.0
    length: float = 0.2
    rank: float = 0.15
    times: float = 0.015
    near: float = 0.0
    written: float = 0.15
    least: float = 0.0

    @classmethod
    def of(cls, weights: Sequence[float], *, least: float = 0.0) -> ChoiceWeights:
        return cls(**dict(zip(SIGNALS, map(float, weights), strict=True)), least=least)

    @property
    def vector(self) -> NDArray[np.float32]:
        return np.array([getattr(self, name) for name in SIGNALS], dtype=np.float32)

    def values(self, signals: NDArray[np.float32]) -> NDArray[np.float32]:
        """Candidates' signals [n, len(SIGNALS)] → what each is worth, [n]."""
        worth: NDArray[np.float32] = signals @ self.vector
        return worth

    def save(self, bundle: Path) -> None:
        (bundle / FOLDER / WEIGHTS).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, bundle: Path) -> ChoiceWeights:
        """The defaults where the bundle holds none. Raises BundleError for a damaged file."""
        path = bundle / FOLDER / WEIGHTS
        if not path.is_file():
            return cls()
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            found = {name: float(value) for name, value in values.items()}
            if SIGNALS[0] not in found:
                return cls._of_three(**found)
            return cls(**{name: found[name] for name in asdict(cls())})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError("The weights of past answers cannot be read", value=WEIGHTS) from error

    @classmethod
    def _of_three(cls, *, rank: float, written: float, length: float, least: float) -> ChoiceWeights:
        """A release of before: ``rank`` weighed the whole score, with what frequency gains; ``length`` counted
        characters, which is the same but for the pieces' own length."""
        return cls(rank=5 * rank, times=_OLD_BIAS * rank, length=length, written=written, least=least)


def signals_of(
    turns: Sequence[Message],
    sources: Sequence[str],
    texts: Sequence[str],
    *,
    nearest: str,
    generator: Likelihoods,
    ranker: Ranking,
    lang: str = "en",
    written: Sequence[str] = (),
    past_answers: Sequence[str] = (),
) -> NDArray[np.float32]:
    """[len(texts), len(SIGNALS)] of replies that might follow ``turns`` (oldest first).

    sources: the passages that the generator reads, past_answers likewise. nearest: the nearest past answer, however it
    was found. written: those of ``texts`` that the generator would say.
    """
    if not texts:
        return np.zeros((0, len(SIGNALS)), np.float32)
    likelihood = np.asarray(generator.score(turns, sources, texts, lang=lang, past_answers=past_answers))
    pieces = np.asarray(generator.lengths(texts))
    times = np.log1p(ranker.times(texts))
    columns = (
        likelihood,
        likelihood * pieces / 10,
        np.log(pieces),
        (ranker.scores(turns, texts) - ranker.bias * times) / 5,
        times,
        np.asarray([likeness(text, nearest) for text in texts]),
        np.asarray([text in written for text in texts]),
    )
    return np.stack(columns, axis=1).astype(np.float32)
