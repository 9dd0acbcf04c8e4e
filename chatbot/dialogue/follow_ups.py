"""What the turns before mean for a message: what was answered last, and what was asked or said already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from chatbot.dialogue.smalltalk import smalltalk
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Candidate
from chatbot.language.normalise import fold

Follows = Literal["nothing", "an answer", "no answer"]


def asked_again(text: str, before: Sequence[Message]) -> bool:
    """Whether the customer wrote the very same before and was answered."""
    folded = fold(text)
    if smalltalk(text) is not None:
        return False
    earlier = [i for i, m in enumerate(before) if m.role == "customer" and fold(m.text) == folded]
    return any(message.role in ("bot", "agent") for i in earlier[:1] for message in before[i + 1 :])


def topic_before(before: Sequence[Message]) -> str | None:
    """What the last reply answered, or, where it answered nothing, the one before it: who gets no answer asks on about
    what he was told. None where neither answered anything, or a person spoke last."""
    replies = [message for message in before if message.role in ("bot", "agent")][-2:]
    if replies and replies[-1].topic is None and replies[-1].role == "bot":
        replies.pop()
    return replies[-1].topic if replies else None


def what_it_follows(before: Sequence[Message]) -> Follows:
    """What a message comes behind, small talk apart. Who got no answer asks on about what the bot does not know."""
    told: Message | None = None
    for message in reversed(before):
        if message.role in ("bot", "agent"):
            told = told or message
        elif message.role == "customer" and told is not None:
            if smalltalk(message.text) is None:
                return "an answer" if told.topic is not None else "no answer"
            told = None
    return "nothing"


def unsaid(ranked: list[Candidate], before: Sequence[Message]) -> list[Candidate]:
    """Who asks on after an approved answer wants to know more than it said: what the article says stands in its
    place."""
    said = [fold(message.text) for message in before if message.role == "bot"]

    def told(candidate: Candidate) -> bool:
        return bool(candidate.approved) and any(fold(candidate.approved or "") in text for text in said)

    return [
        replace(candidate, approved=None)
        if candidate.stays and candidate.article_slug and told(candidate)
        else candidate
        for candidate in ranked
    ]
