"""What a training tells of itself: its scores, where it stands, what came out (chatbot/neural/fit.py tells it)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from chatbot.progress import CurvePoint, Share


@dataclass(frozen=True)
class Score:
    """A validation figure that declares its direction, so that choosing the best model is data."""

    name: str
    value: float
    higher_is_better: bool = True

    def better_than(self, other: Score | None) -> bool:
        if other is None:
            return not math.isnan(self.value)
        return self.value > other.value if self.higher_is_better else self.value < other.value


@dataclass(frozen=True)
class FitProgress:
    """Where the training stands, for a progress bar. ``loss`` is a moving mean; ``score`` the last
    validation's.
    """

    step: int
    total_steps: int
    epoch: int
    loss: float
    score: Score | None
    seconds: float

    @property
    def share(self) -> Share:
        """How much is done, with the point of the curves that goes with it."""
        point = CurvePoint(self.step, self.loss, self.score.value if self.score else None)
        return Share(self.step / max(1, self.total_steps), point)


@dataclass(frozen=True)
class Validation:
    """One validation: the score, and the mean training loss since the one before."""

    step: int
    epoch: int
    loss: float
    score: Score


@dataclass(frozen=True)
class FitResult:
    """What came out. The model holds the best weights; ``seconds`` counts all runs of a resumed training."""

    best: Score
    best_step: int
    steps: int
    seconds: float
    tokens_per_second: float  # real tokens, without padding and without validation time
    stopped: str  # "finished", "patience" or "budget"
    device: str
    history: tuple[Validation, ...]
    planned: int = 0  # steps, had there been time

    def curve(self) -> list[tuple[int, float, float]]:
        """(step, training loss, validation score) of each validation, for the learning curves of a model card."""
        return [(at.step, round(at.loss, 4), round(at.score.value, 3)) for at in self.history]
