"""Whether a classifier says the same as it serves and as it was trained: what a release's manifest keeps of it.

Compared is what people and the policy get to see: the top intent, and its confidence behind the calibration. A sharp
temperature widens what the int8 form rounds off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.inference.classifier_config import Calibration

SAME_TOP = 0.995  # of the texts must keep their top intent
CONFIDENCE_GAP = 0.02  # and every confidence must stay this near
PARTS = {"classifier": "Classifier", "accurate": "Accurate classifier"}  # of a manifest's parity


@dataclass(frozen=True, slots=True)
class Parity:
    """The served form against the trained form on the same texts. Shares 0..1."""

    n: int
    same_top: float
    largest_confidence_gap: float

    @property
    def holds(self) -> bool:
        return self.same_top >= SAME_TOP and self.largest_confidence_gap <= CONFIDENCE_GAP

    def in_words(self, part: str) -> str:
        return (
            f"{part}: served and trained form agree on {self.same_top:.2%} of {self.n} messages "
            f"(at least {SAME_TOP:.1%}), confidences within {self.largest_confidence_gap:.4f} "
            f"(at most {CONFIDENCE_GAP})"
        )


def parity(
    trained: NDArray[np.float32], served: NDArray[np.float32], calibrations: Sequence[Calibration]
) -> Parity:
    """Logits of both forms on the same texts [n, classes + 1], and each text's calibration → how well they agree."""
    from chatbot.learning.calibration import confidences  # it loads scipy, which no page does

    if not len(served):
        return Parity(0, 1.0, 0.0)
    gaps = np.abs(confidences(trained, calibrations) - confidences(served, calibrations))
    same = trained[:, :-1].argmax(axis=1) == served[:, :-1].argmax(axis=1)
    return Parity(len(served), float(same.mean()), float(gaps.max()))


def kept(found: Mapping[str, Any]) -> dict[str, Parity]:
    """The classifiers' figures in a manifest's ``parity``, by the part's name; a release without any has none."""
    made = {}
    for part, name in PARTS.items():
        figures = found.get(part) or {}
        n, same, gap = (figures.get(key) for key in ("n", "same_top", "largest_confidence_gap"))
        if isinstance(n, int) and isinstance(same, int | float) and isinstance(gap, int | float):
            made[name] = Parity(n, same, gap)
    return made


def differences(found: Mapping[str, Any]) -> list[str]:
    """In words, where a release says something else than what was trained."""
    return [one.in_words(name) for name, one in kept(found).items() if not one.holds]
