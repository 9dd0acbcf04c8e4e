"""How far something is: a share from 0 to 1, which while a network trains also knows how well it goes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Where a training stands: a moving mean of the loss, and the last validation's score (None before the first)."""

    step: int
    loss: float
    score: float | None = None


class Share(float):
    """A share done, as every ``progress`` takes one. ``point`` is for those who draw curves; others see a number."""

    point: CurvePoint | None

    def __new__(cls, value: float, point: CurvePoint | None = None) -> Share:
        share = super().__new__(cls, value)
        share.point = point
        return share

    def __reduce__(self) -> tuple[type[Share], tuple[float, CurvePoint | None]]:
        return Share, (float(self), self.point)


def as_json(share: float) -> dict[str, Any]:
    """For a line between two processes; a loss that is no number (nothing was learnt yet) is left out."""
    body: dict[str, Any] = {"progress": float(share)}
    point = getattr(share, "point", None)
    if point is not None and math.isfinite(point.loss):
        body |= {"step": point.step, "loss": round(point.loss, 4), "score": point.score}
    return body


def from_json(body: dict[str, Any]) -> Share:
    point = CurvePoint(int(body["step"]), float(body["loss"]), body.get("score")) if "loss" in body else None
    return Share(float(body["progress"]), point)
