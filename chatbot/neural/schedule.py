"""How the learning rate runs over a training, and how a training is fitted into the time it may take."""

from __future__ import annotations

import math
from dataclasses import dataclass

_WORTH_GROWING = 1.02  # a plan is not lengthened by less
_ANNEALED = 0.9  # of the schedule: after it the learning rate is too low for more steps to matter


def one_cycle(progress: float, warmup: float) -> float:
    """Factor on the peak learning rate at ``progress`` 0..1: cosine from 1/25 up to 1, then cosine down to
    0.0001.
    """
    if progress < warmup:
        share = progress / warmup
        return 1 / 25 + (1 - 1 / 25) * (1 - math.cos(math.pi * share)) / 2
    share = min(1.0, (progress - warmup) / (1 - warmup))
    return 1e-4 + (1 - 1e-4) * (1 + math.cos(math.pi * share)) / 2


@dataclass
class Pace:
    """Maps steps to the schedule's 0..1, and fits what is left into the time budget.

    A slow beginning (the first batches are still being prepared, the machine was busy for a moment) shortens the plan;
    when the pace turns out better the plan grows again, up to what was asked for.
    """

    total: int
    budget: float | None
    anchor_step: int = 0
    anchor_progress: float = 0.0
    shortened: bool = False
    asked: int = 0  # the total before anything was shortened
    first_step: int = 0  # of the first look: what came before it holds the preparation
    first_seconds: float = 0.0

    def progress(self, step: int) -> float:
        left = max(1, self.total - self.anchor_step)
        return self.anchor_progress + (1 - self.anchor_progress) * (step - self.anchor_step) / left

    def replan(self, step: int, seconds: float) -> None:
        """Project the end from the pace since the first look; a run within its budget is never touched."""
        if self.budget is None or step == 0:
            return
        if step > self.first_step > 0:
            pace = (seconds - self.first_seconds) / (step - self.first_step)
        else:
            pace, self.first_step, self.first_seconds = seconds / step, step, seconds
        if not self.shortened and seconds + pace * (self.total - step) <= self.budget:
            return
        self.asked = self.asked or self.total
        left = int((self.budget - seconds) / pace) if pace > 0 else self.asked
        affordable = min(self.asked, step + max(1, left))
        grows = affordable > _WORTH_GROWING * self.total and self.progress(step) < _ANNEALED
        if affordable < self.total or grows:
            self.anchor_progress, self.anchor_step = self.progress(step), step
            self.total, self.shortened = affordable, True
