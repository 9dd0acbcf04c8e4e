"""The gate behind "sentences of its own": may a release's generator answer customers by itself?

The generator writes drafts, in the form that serves, for held-back questions whose article is known. Of what the check
before sending lets through, a share must be grounded by another and blunter rule: it is that check which is measured.
And the generator must not write less than the live release's one, beyond chance. Each language is judged by itself: one
that did not pass answers by approved answers and passages alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.language.normalise import fold
from chatbot.learning.gate import lost_more

LEAST = 30  # drafts that the check let through, of a language: one that is not grounded tells something
GROUNDED = 97.0  # percent of what the check let through
LOSS = 0.03  # share of the questions that a candidate may write fewer for than the live release
WRITING = "writing"  # in a release's metrics
_HARD_FACT = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]+|https?://\S+|\d+(?:[.,:]\d+)*|(?<=[a-z,;] )[A-Z][A-Za-z]{2,}"
)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What became of one held-back question: its draft passed the check; what it states stands in its sources."""

    lang: str
    passed: bool
    grounded: bool

    @property
    def sound(self) -> bool:
        return self.passed and self.grounded


def is_grounded(reply: str, grounds: str) -> bool:
    """Whether every number, address and inner capitalised word of ``reply`` stands in ``grounds`` as written.

    Deliberately another and a blunter rule than the check before sending: it measures that check.
    """
    known = fold(grounds)
    return all(fold(fact) in known for fact in _HARD_FACT.findall(reply))


def judge_writing(candidate: Sequence[Drafted], live: Sequence[Drafted] | None = None) -> dict[str, Any]:
    """By language: ``{"passed", "reason", "questions", "written", "grounded"}``, shares in percent.

    live: of the live release's generator for the same questions, where it has one. Raises ValueError where the two
    were not asked the same.
    """
    if live is not None and [one.lang for one in live] != [one.lang for one in candidate]:
        raise ValueError(f"{len(candidate)} drafts of the candidate, {len(live)} of the live release")
    return {
        lang: _judged(
            [one for one in candidate if one.lang == lang],
            None if live is None else [one for one in live if one.lang == lang],
        )
        for lang in sorted({one.lang for one in candidate})
    }


def passed_in(metrics: Mapping[str, Any]) -> frozenset[str]:
    """The languages in which a release's generator passed, by the release's metrics."""
    kept = metrics.get(WRITING)
    return frozenset(lang for lang, told in (kept or {}).items() if told.get("passed"))


def _judged(candidate: Sequence[Drafted], live: Sequence[Drafted] | None) -> dict[str, Any]:
    through = sum(one.passed for one in candidate)
    grounded = 100 * sum(one.sound for one in candidate) / through if through else 0.0
    written = 100 * through / len(candidate)
    told = {"questions": len(candidate), "written": round(written, 1), "grounded": round(grounded, 1)}
    pairs = [(c.sound, a.sound) for c, a in zip(candidate, live or candidate, strict=True)]
    before = 100 * sum(a for _, a in pairs) / len(pairs)
    if through < LEAST:
        passed = False
        reason = f"{through} drafts that passed the check are too few to judge by (at least {LEAST})"
    elif grounded < GROUNDED:
        passed = False
        reason = f"of {through} drafts that passed the check {grounded:.1f} % are grounded (at least {GROUNDED:.0f} %)"
    elif lost_more(pairs, LOSS):
        passed = False
        reason = f"it writes for {written:.0f} % of the questions, the live release for {before:.0f} %"
    else:
        passed = True
        reason = f"of {through} drafts that passed the check {grounded:.1f} % are grounded"
    return {"passed": passed, "reason": reason, **told}
