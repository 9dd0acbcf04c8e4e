"""How the wall time that a retraining may take is shared out over what it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from chatbot.neural.fit_report import FitResult

WEIGHTS = {  # of the stages of one process; the encoder's is a most, it seldom needs it
    "encoder": 0.3,
    "classifier": 0.7,
    "accurate tier": 0.06,
    "entities": 0.05,
    "generator": 0.77,
    "ranker": 0.06,
    "next": 0.03,
}
SPARE = 0.16  # likewise, for what no stage can cut: reading, solving the linear models, exporting, checking
LEAST = 1.0  # seconds that a stage has, however late it is: a release lacks no part for want of time
FINISHING = (
    0.1  # of a first retraining: fitting the search, measuring, the index. Later ones know what it took
)
MOST_FINISHING = 0.5

Clock = Callable[[], float]


@dataclass(frozen=True)
class TimePlan:
    """A stage has the part of the time left that its weight is of the weights still to come: one that took longer than
    its share takes it from those after it, and the end stays where it is.

    ``ends_at``: by ``clock``, which processes of one machine share; None: as long as it takes. ``stages``: those that
    run one after the other in this process, in their order.
    """

    ends_at: float | None
    stages: Sequence[str]
    clock: Clock = time.monotonic

    @classmethod
    def begun(cls, seconds: float | None, stages: Sequence[str], clock: Clock = time.monotonic) -> TimePlan:
        return cls(None if seconds is None else clock() + seconds, stages, clock)

    def with_first(self, stage: str, other: str) -> TimePlan:
        """The same with ``stage`` right before ``other``."""
        stages = [one for one in self.stages if one != stage]
        if other in stages:
            stages.insert(stages.index(other), stage)
        return replace(self, stages=stages)

    def share(self, stage: str) -> float | None:
        """Seconds for ``stage``, which begins now."""
        if self.ends_at is None:
            return None
        to_come = list(self.stages)[list(self.stages).index(stage) :] if stage in self.stages else [stage]
        weights = sum(WEIGHTS[one] for one in to_come)
        return max(LEAST, (self.ends_at - self.clock()) * WEIGHTS[stage] / (weights + SPARE))


def seconds_left(budget: float | None, began: float, clock: Clock = time.monotonic) -> float | None:
    """What is left of a stage's ``budget`` for the steps of its network, once their data is prepared."""
    return None if budget is None else max(LEAST, budget - (clock() - began))


def for_training(budget: float, elapsed: float, finishing: float | None) -> float:
    """Seconds of a retraining's ``budget`` (0: no limit, and none here) that its training may take, ``elapsed`` after
    its beginning. ``finishing``: what came after the training took the release before."""
    if not budget:
        return 0.0
    after = FINISHING * budget if finishing is None else min(finishing, MOST_FINISHING * budget)
    return max(LEAST, budget - elapsed - after)


def cut_in_words(fit: FitResult) -> str | None:
    """What the clock has cut; None where the training came to its end."""
    if fit.stopped != "budget" or fit.steps >= fit.planned:
        return None
    return f"time ran out after {fit.steps} of {fit.planned} planned steps; the best weights so far are kept"


def exceeded_in_words(budget: float, *, before: float, training: float, after: float) -> str | None:
    """Where a retraining that took longer than ``budget`` (seconds; 0: no limit) spent its time; None within it."""
    total = before + training + after
    if not budget or total <= budget:
        return None
    return (
        f"took {total:.0f} s of {budget:.0f} s: {before:.0f} before the training, {training:.0f} in it, {after:.0f} "
        "for search, evaluation and index; reading, exports and what follows the training are never cut"
    )
