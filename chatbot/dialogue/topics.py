"""What a reply was about, kept in its trace for the message that comes behind it (chatbot/dialogue/follow_ups.py)."""

from __future__ import annotations

from collections.abc import Sequence

from chatbot.dialogue.policy import MAX_CHOICES, Decision
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate

PERHAPS = 0.1  # least probability of what may have been meant


def topic_of(decision: Decision) -> str | None:
    """What a part answered; None where it answered nothing."""
    answers = decision.chosen is not None and decision.kind in ("approved", "passage", "generated")
    return decision.chosen.topic if answers and decision.chosen is not None else None


def perhaps_meant(decision: Decision, ranked: Sequence[Candidate]) -> tuple[tuple[str, float], ...]:
    """What was meant perhaps, where it is not known; empty where it is."""
    if decision.kind not in ("choices", "unknown"):
        return ()
    return tuple(
        (candidate.topic, round(candidate.probability, 4))
        for candidate in ranked[:MAX_CHOICES]
        if candidate.topic is not None and candidate.probability >= PERHAPS
    )


def turns_of(request: str, answer: Candidate | None) -> tuple[Message, Message]:
    """A request in the same message and its answer, as turns that the next request, which leans on it, comes behind."""
    title, topic = (answer.title, answer.topic) if answer is not None else ("", None)
    return Message("customer", request), Message("bot", title, topic=topic)
