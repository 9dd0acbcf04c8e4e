"""What stands around an answer whatever it says: a warning about card numbers, a word of regret, the way to a person;
and what is said instead of any answer where somebody's life is in danger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatbot.dialogue.danger import dangers
from chatbot.dialogue.danger_texts import RULE, danger_text
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import Evidence, decide
from chatbot.dialogue.saying import HANDOVER, Part
from chatbot.dialogue.trace import Choice, Classification, Message, PartTrace, ReplyPart
from chatbot.dialogue.upset import upset
from chatbot.dialogue.weighing import Candidate

_CARD = "[CARD"
_NOTHING = Classification(ranked=(), in_scope=0.0, tier="none")


def in_danger(
    text: str, read: str, options: SiteOptions, lang: str, said: str, wishes: bool
) -> list[Part] | None:
    """The one part that answers a message (``read``: redacted) which tells of a danger to life; None where it tells of
    none, or the site leaves that to the models. ``wishes``: it asks for a person, too."""
    kinds = dangers(text) if options.danger else ()
    if not kinds:
        return None
    evidence = Evidence(
        readable=True, smalltalk=None, asks_for_person=wishes, asked_again=False, candidates=(), draft=None,
        options=options, dangers=kinds,
    )  # fmt: skip
    told = danger_text(kinds, lang if lang in ("en", "zh") else said, options.danger_texts)
    decision = replace(decide(evidence), chosen=Candidate(1.0, RULE, approved=told))
    trace = PartTrace(read, lang, _NOTHING, (), None, decision.kind, decision.rule, decision.reason)
    return [Part(decision, trace)]


def fronted(
    replies: Sequence[ReplyPart],
    rules: Sequence[str],
    text: str,
    read: str,
    before: Sequence[Message],
    lang: str,
) -> tuple[ReplyPart, ...]:
    """The replies with what stands around them. ``text``: the customer's words, ``read``: redacted; ``rules``: what
    decided each reply."""
    if not text or RULE in rules:
        return tuple(replies)
    front, mood = [], upset(text)
    if mood is not None:
        front.append(_regret("sorry_legal" if mood == "legal" else "sorry", before, lang))
    if _CARD in read and _CARD not in text:
        front.append(phrase("card_number", lang))
    if not front:
        return tuple(replies)
    first, *others = replies
    if mood is not None and rules[0] == "not_known" and first.text == phrase("unknown", lang):
        first = replace(
            first, text=phrase("upset_unknown", lang)
        )  # who scolds has asked nothing to put otherwise
    told = [replace(first, text="\n\n".join([" ".join(front), first.text])), *others]
    if mood is not None and not any(_leads_to_a_person(part) for part in told):
        way = Choice(phrase("talk_to_person", lang), HANDOVER)
        told[-1] = replace(told[-1], choices=(*told[-1].choices, way))
    return tuple(told)


def _leads_to_a_person(part: ReplyPart) -> bool:
    return part.kind == "person" or any(choice.payload == HANDOVER for choice in part.choices)


def _regret(name: str, before: Sequence[Message], lang: str) -> str:
    """Not the one that was said last: the same words twice are no regret."""
    last = next((message.text for message in reversed(before) if message.role == "bot"), "")
    first, second = phrase(f"{name}_1", lang), phrase(f"{name}_2", lang)
    return second if first in last else first
