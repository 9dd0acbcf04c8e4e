"""What the turns before mean for a message: what was answered last, and what was asked or said already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from chatbot.dialogue.offers import answered_offer
from chatbot.dialogue.own_words import yes_or_no
from chatbot.dialogue.smalltalk import calls, smalltalk
from chatbot.dialogue.taking_back import only_takes_back
from chatbot.dialogue.trace import Draft, Message
from chatbot.dialogue.weighing import Candidate
from chatbot.language.normalise import fold
from chatbot.language.redaction import Redactor


def asked_again(text: str, before: Sequence[Message]) -> bool:
    """Whether the customer wrote the very same before and was answered."""
    folded = fold(text)
    if smalltalk(text) is not None:
        return False
    earlier = [i for i, m in enumerate(before) if m.role == "customer" and fold(m.text) == folded]
    return any(message.role in ("bot", "agent") for i in earlier[:1] for message in before[i + 1 :])


@dataclass(frozen=True, slots=True)
class Repeats:
    """What would be said twice. ``again``: the customer wrote the very same before and was answered; ``sent``: what he
    asked so far, and was told, each text as it was sent. ``alike``: whether this message asks what another one asked:
    who goes on asking about an answer may well be told it again."""

    again: bool = False
    sent: tuple[tuple[str, str], ...] = ()
    redactor: Redactor = field(default_factory=Redactor)
    alike: Callable[[str], bool] = lambda _: False

    @classmethod
    def of(
        cls,
        text: str,
        before: Sequence[Message],
        history: Sequence[Message],
        redactor: Redactor,
        alike: Callable[[str], bool],
    ) -> Repeats:
        """``before``: the last turns of ``history``, redacted as ``text`` is."""
        told, asked = [], ""
        for message in history:
            if message.role == "customer":
                asked = message.text
            elif message.role in ("bot", "agent"):
                told.append((asked, _framed(message.text)))
        return cls(asked_again(text, before), tuple(told), redactor, alike)

    def among(self, ranked: Sequence[Candidate], draft: Draft | None) -> frozenset[str]:
        """The texts that may be sent about the best candidate and were already in answer to such a question, alone or
        as one answer of several."""
        return frozenset(
            text
            for text in sendable(ranked, draft)
            if any(self._as_sent(text) in told and self.alike(asked) for asked, told in self.sent)
        )

    def _as_sent(self, text: str) -> str:
        return _framed(self.redactor.restore(text))


def sendable(ranked: Sequence[Candidate], draft: Draft | None) -> list[str]:
    """The texts that may be sent about the best candidate."""
    texts = [draft.text] if draft is not None else []
    for best in ranked[:1]:
        texts += [text for text in (best.approved, best.hit.text if best.hit else None) if text]
    return texts


def _framed(text: str) -> str:
    """Between the blank lines that part the answers of one reply."""
    return f"\n\n{text.strip()}\n\n"


def smalltalk_behind(request: str, whole: str, before: Sequence[Message]) -> str | None:
    """The small talk that ``request``, of the message ``whole``, is; ``still_here`` where it calls for somebody who was
    heard before."""
    name = smalltalk(request)
    heard = any(message.role == "bot" for message in before)
    return "still_here" if name == "greeting" and heard and calls(whole) else name


Agreed = Literal["person", "greeting", "thanks", "go_on", "declined", "not_meant", "nothing_else"]


def agreed_to(text: str, before: Sequence[Message]) -> Agreed | None:
    """What nothing but a yes or a no means: the person that was offered, or small talk. None where it is something
    else, or where it was asked which of several things is meant."""
    last = last_reply(before)
    if last is not None and last.offers_person:
        said = answered_offer(text)
        return None if said is None else "person" if said == "yes" else "declined"
    said = yes_or_no(text)
    if said is None:
        return "declined" if last is not None and only_takes_back(text) else None
    if last is None:
        return "greeting"
    if said == "no":
        return "not_meant" if last.choices else "nothing_else"
    if confirmed(text, before) is not None:
        return None
    # "is there anything else?" is answered with yes, an answer with ok
    return "thanks" if last.topic is not None or smalltalk(text) == "thanks" else "go_on"


def confirmed(text: str, before: Sequence[Message]) -> str | None:
    """What a bare yes behind "did you mean …?" means: the likeliest of what was asked back."""
    last = last_reply(before)
    if last is None or last.topic is not None or last.offers_person or yes_or_no(text) != "yes":
        return None
    return last.perhaps[0][0] if last.perhaps else None


def last_reply(before: Sequence[Message]) -> Message | None:
    """What was said to the customer last, by the bot or a person."""
    return next((message for message in reversed(before) if message.role in ("bot", "agent")), None)


def topic_before(before: Sequence[Message]) -> str | None:
    """What the last reply answered, or, where it answered nothing, the one before it: who gets no answer asks on about
    what he was told. None where neither answered anything, or a person spoke last."""
    replies = [message for message in before if message.role in ("bot", "agent")][-2:]
    if replies and replies[-1].topic is None and replies[-1].role == "bot":
        replies.pop()
    return replies[-1].topic if replies else None


def topics_before(before: Sequence[Message]) -> tuple[tuple[str | None, float], ...]:
    """What a message comes behind, each with its probability: what the last reply answered; where it answered nothing,
    what the customer may have meant, and for the rest what was answered before that."""
    replies = [message for message in before if message.role in ("bot", "agent")]
    perhaps = replies[-1].perhaps if replies and replies[-1].topic is None else ()
    left = 1.0 - sum(probability for _, probability in perhaps)
    return (*perhaps, (topic_before(before), left))


def asked_before(before: Sequence[Message]) -> int:
    """How many messages that asked for something, not small talk, were replied to before."""
    asked, replied = 0, False
    for message in reversed(before):
        if message.role in ("bot", "agent"):
            replied = True
        elif message.role == "customer" and replied:
            asked += smalltalk(message.text) is None
            replied = False
    return asked


def opens(before: Sequence[Message]) -> bool:
    """Whether a message is the first that asks for something: nothing but small talk was replied to before."""
    return asked_before(before) == 0


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
