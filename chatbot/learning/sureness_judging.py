"""Counting what each setting of "how sure must it be" does, on held-back questions that no weight was fitted on.

The number that the setting is compared with is the weighed one (`weighing.py`), so it is this that is measured, and the
policy itself says from when on it answers: two answers that are too near to each other are none.
"""

from __future__ import annotations

from typing import Any

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.policy import Evidence, decide
from chatbot.dialogue.weighing import Weighing
from chatbot.learning.snapshot import Snapshot
from chatbot.learning.sureness import THRESHOLDS, Answering, counted
from chatbot.learning.weighing_fit import Judged, Readers, judged_sample

MOST = 150  # questions of a language that stand alone, and as many behind answers: some seconds for two languages
_LEAST_SURE = SiteOptions(sureness=THRESHOLDS[0] / 100)


def measure_sureness(
    snapshot: Snapshot, readers: Readers, weighing: Weighing, *, split: str = "test"
) -> dict[str, Any]:
    """The counts for the release's metrics (`sureness.counted`), of a sample of ``split``."""
    alone, behind = judged_sample(snapshot, readers, split=split, most=MOST)
    return counted(
        [_answering(one, weighing) for one in alone], [_answering(one, weighing) for one in behind]
    )


def _answering(question: Judged, weighing: Weighing) -> Answering:
    ranked = question.weighed(weighing.weights(question.lang))
    decision = decide(
        Evidence(
            readable=True,
            smalltalk=None,
            asks_for_person=False,
            asked_again=False,
            candidates=ranked,
            draft=None,
            options=_LEAST_SURE,
        )
    )
    if decision.rule != "sure":
        return Answering(question.lang, 0.0, wrong=False)
    right = question.candidates[question.right].article_slug if question.right is not None else None
    return Answering(
        question.lang, decision.confidence, wrong=right is None or ranked[0].article_slug != right
    )
