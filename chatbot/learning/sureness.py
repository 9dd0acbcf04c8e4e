"""What the setting "how sure must it be" costs: how many questions are answered, and how many of these wrongly.

Counted when a release is made (`sureness_judging.py`), kept in its metrics, shown beside the setting and in the model
card. This part reads and writes the counts alone, so that a page needs nothing of the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

THRESHOLDS = tuple(range(30, 96))  # percent; what the slider of a site's settings can be set to
EVERY = "*"  # language, in the counts
TOGETHER, ALONE, BEHIND = "together", "alone", "behind"  # questions that stand alone, or behind an answer


@dataclass(frozen=True, slots=True)
class Answering:
    """One held-back question: its language, the highest sureness that still answers it (0: none does), and whether
    the answer would be wrong; where nothing answers the question, any is."""

    lang: str
    certainty: float
    wrong: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one setting, in percent: the questions that are answered and, of these, the wrongly answered ones."""

    answered: float
    wrong: float
    questions: int


def counted(alone: Sequence[Answering], behind: Sequence[Answering]) -> dict[str, Any]:
    """The counts at each of THRESHOLDS as a release's metrics keep them: of each kind of question, of each language
    and of all (``*``)."""
    kinds = {TOGETHER: [*alone, *behind], ALONE: alone, BEHIND: behind}
    return {"thresholds": list(THRESHOLDS)} | {
        kind: {
            lang: _counts([one for one in asked if lang in (EVERY, one.lang)])
            for lang in (EVERY, *sorted({one.lang for one in asked}))
        }
        for kind, asked in kinds.items()
    }


def _counts(asked: Sequence[Answering]) -> dict[str, Any]:
    answered = [[one for one in asked if one.certainty >= percent / 100] for percent in THRESHOLDS]
    return {
        "questions": len(asked),
        "answered": [len(given) for given in answered],
        "wrong": [sum(one.wrong for one in given) for given in answered],
    }


def kept(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The counts in a release's metrics; empty in one of before they were."""
    found = (metrics.get("training") or {}).get("sureness")
    return found if isinstance(found, Mapping) else {}


def languages(counts: Mapping[str, Any], kind: str = TOGETHER) -> list[str]:
    return sorted(lang for lang in counts.get(kind) or {} if lang != EVERY)


def costs(counts: Mapping[str, Any], kind: str = TOGETHER, lang: str = EVERY) -> list[tuple[int, Cost]]:
    """Each threshold in percent with what it costs; empty where nothing was counted."""
    found = (counts.get(kind) or {}).get(lang) or {}
    number = int(found.get("questions") or 0)
    if not number:
        return []
    return [
        (
            int(percent),
            Cost(round(100 * answered / number, 1), round(100 * wrong / max(answered, 1), 1), number),
        )
        for percent, answered, wrong in zip(
            counts["thresholds"], found["answered"], found["wrong"], strict=True
        )
    ]


def cost_at(costs: Sequence[tuple[int, Cost]], sureness: float) -> Cost:
    """What ``sureness`` (0 … 1) costs, at the nearest threshold that was counted."""
    return min(costs, key=lambda pair: abs(pair[0] - 100 * sureness))[1]
