"""Two ways compared on the same questions: what one finds and the other does not, and how far chance goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict


class Comparison(TypedDict):
    """``gained``, ``lost``: questions that only the first, only the second gets right. ``difference`` of the shares
    right and its ``standard_error`` in points of percent; ``worse``: the first loses more than one standard error."""

    gained: int
    lost: int
    difference: float
    standard_error: float
    worse: bool


def compared(first: Sequence[bool], second: Sequence[bool]) -> Comparison:
    """The first against the second, question by question.

    The standard error is that of the mean of the differences −1, 0, 1 (the matched-pairs t statistic's): questions
    that both get right, or both wrong, add no chance, so it is far below that of two shares of separate samples.
    Raises ValueError where the two are not of one length, or empty.
    """
    steps = [int(one) - int(other) for one, other in zip(first, second, strict=True)]
    if not steps:
        raise ValueError("no questions to compare")
    n = len(steps)
    mean = sum(steps) / n
    error = math.sqrt(sum((step - mean) ** 2 for step in steps) / max(1, n - 1) / n)
    return Comparison(
        gained=steps.count(1),
        lost=steps.count(-1),
        difference=round(100 * mean, 2),
        standard_error=round(100 * error, 2),
        worse=mean < -error - 1e-12,
    )
