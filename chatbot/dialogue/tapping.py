"""What a customer taps instead of writing: a choice, whose payload names what to answer, or a proposed question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatbot.dialogue.follow_ups import confirmed, last_reply
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.picking import picked
from chatbot.dialogue.policy import Decision, answers_nobody
from chatbot.dialogue.saying import ARTICLE, INTENT, Part
from chatbot.dialogue.trace import HANDOVER, Classification, Message, PartTrace, ReplyKind
from chatbot.dialogue.weighing import ARTICLE_LABEL, Candidate
from chatbot.language.normalise import normalise

_NOTHING = Classification(ranked=(), in_scope=0.0, tier="none")


def is_payload(text: str) -> bool:
    """Whether this is what a choice sends: no words of the customer's, in no language."""
    return text == HANDOVER or text.startswith((INTENT, ARTICLE))


def payload_of(text: str, offered: Mapping[str, str]) -> str | None:
    """The payload of the proposed question that ``text`` (normalised) is; ``offered``: as in Talk."""
    names = {normalise(title): name for title, name in offered.items()}
    name = names.get(text)
    return _payload(name) if name is not None else None


def meant_by(text: str, before: Sequence[Message]) -> str:
    """What is as good as a tap: a bare yes taps the likeliest of what was asked back, "the second one" or its title
    what it names; anything else is as it is."""
    name = confirmed(text, before)
    if name is not None:
        return _payload(name)
    last = last_reply(before)
    return (picked(text, last.choices) if last is not None else None) or text


def _payload(name: str) -> str:
    """Of an intent's name, or of ``article:slug``."""
    slug = name.removeprefix(ARTICLE_LABEL)
    return ARTICLE + slug if slug != name else INTENT + name


def chosen(payload: str, lookup: Lookup, lang: str) -> Part | None:
    """The answer that ``payload`` names; None where it is no payload, or where there is nothing to say (any more)."""
    if payload == HANDOVER:
        return _part(
            payload, lang, Decision("person", "tapped", "the customer tapped “talk to a person”", 1.0)
        )
    intent, slug = None, None
    if payload.startswith(INTENT):
        intent = next(iter(lookup.intents([payload.removeprefix(INTENT)], lang).values()), None)
        slug = intent.article_slug if intent is not None else None
    elif payload.startswith(ARTICLE):
        slug = payload.removeprefix(ARTICLE)
    hits = lookup.passages(slug, lang) if slug else []
    hit = hits[0] if hits else None
    approved = intent.approved if intent is not None else None
    if approved is None and hit is None:
        return None
    title = intent.title if intent is not None else hit.title if hit is not None else ""
    kind: ReplyKind = "approved" if approved is not None else "passage"
    own = Candidate(1.0, title, intent.name if intent is not None else None, slug, approved, hit)
    own = replace(own, cards=intent.cards if intent is not None else ())
    part = _part(payload, lang, Decision(kind, "tapped", "the customer chose it", 1.0, own))
    return Part(part.decision, replace(part.trace, hits=tuple(hits)))


def gone(payload: str, lang: str) -> Part:
    """The customer tapped what has been withdrawn since it was offered."""
    return _part(payload, lang, Decision("unknown", "tapped", "what was tapped is not there any more", 0.0))


def left_to_people(part: Part) -> Part:
    """The same tap where the bot answers no customer: a person does."""
    if part.decision.kind == "person":
        return part
    return _part(part.trace.request, part.trace.lang, answers_nobody())


def unasked(request: str, lang: str) -> Part:
    """A part of which no model was asked: the message answers an action's question, or taps an intent that has one."""
    return _part(request, lang, Decision("ask", "action", "", 1.0))


def _part(request: str, lang: str, decision: Decision) -> Part:
    return Part(
        decision,
        PartTrace(request, lang, _NOTHING, (), None, decision.kind, decision.rule, decision.reason),
    )
