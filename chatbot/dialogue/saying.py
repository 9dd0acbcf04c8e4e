"""A decision in words: the text of a part of a reply, its sources, and what can be tapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatbot.dialogue.acting import Acted
from chatbot.dialogue.additions import Addition
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.trace import HANDOVER, PAYLOAD, Choice, Hit, PartTrace, ReplyPart, Source
from chatbot.dialogue.weighing import Candidate
from chatbot.language.redaction import Redactor

INTENT = f"{PAYLOAD}intent "  # payload of a "did you mean": the intent's name follows
ARTICLE = f"{PAYLOAD}article "  # payload of a "did you mean": the article's slug follows
ASKING_TALK = frozenset({"about_bot", "bot_blamed", "not_meant"})  # small talk that ends in "or a colleague?"

_PHRASES = {  # of the rules that say more than "I do not know"
    "nothing_to_read": "unreadable",
    "too_long": "too_long",
    "others_data": "others_data",
    "asked_again": "asked_again",
    "sent_before": "asked_again",
    "did_not_help": "asked_again",
    "only_details": "only_details",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One request decided; ``acted`` where an action speaks. ``addition``: what is said behind the answer, should it
    lack what was asked; ``behind``: what is said behind all of it."""

    decision: Decision
    trace: PartTrace
    acted: Acted | None = None
    addition: Addition | None = None
    behind: str = ""


def say(part: Part, *, lang: str, failures: int, redactor: Redactor, lookup: Lookup) -> ReplyPart:
    """The decision in words. ``failures``: the bot's last replies in a row that did not answer."""
    if part.acted is not None:
        return _say_action(part.acted, part.decision, lang, lookup)
    decision, trace = part.decision, part.trace
    chosen = decision.chosen
    intent = chosen.intent if chosen else None
    person = Choice(phrase("talk_to_person", lang), HANDOVER)
    sources: tuple[Source, ...] = ()
    choices: tuple[Choice, ...] = ()
    match decision.kind:
        case "approved":
            text = decision.told or (chosen.approved if chosen else None) or ""
            if chosen and chosen.hit:
                sources = (_source(chosen.hit),)
        case "generated":
            draft = trace.draft
            text = redactor.restore(decision.told or draft.text) if draft else ""
            sources = (_source(chosen.hit),) if chosen and chosen.hit else ()
        case "passage":
            hit = chosen.hit if chosen else None
            text = decision.told or (hit.text if hit else "")
            sources = (_source(hit),) if hit else ()
        case "choices":
            text = _asked_back(decision, lang)
            known = (
                _titled(decision.choices, lang, lookup)
                if decision.rule == "about_order"
                else decision.choices
            )
            choices = (*map(_choice, known), person)
        case "smalltalk":
            text = (chosen.approved if chosen else None) or phrase(intent or "greeting", lang)
            if intent in ASKING_TALK:
                choices = (person,)
        case "person":
            text = (chosen.approved if chosen else None) or phrase("person", lang)
        case "ask":
            text = phrase("action_waits", lang)
        case _:
            name = _PHRASES.get(decision.rule)
            text = decision.told or phrase(name or ("unknown_again" if failures else "unknown"), lang)
            choices = (person,)
    if decision.told is not None:  # not the first time
        choices = (person,)
        if decision.rule == "said_again":
            text = phrase("as_said", lang) + text
    approved = chosen is not None and chosen.approved and decision.kind in ("approved", "smalltalk", "person")
    cards = chosen.cards if chosen is not None and approved else ()
    if part.addition is not None:
        text = f"{text}\n\n{part.addition.text}"
        added = _source(part.addition.hit)
        sources += (added,) if added not in sources else ()
    text = f"{text}\n\n{part.behind}" if part.behind else text
    return ReplyPart(text, decision.kind, round(decision.confidence, 4), intent, sources, choices, cards)


def with_the_rest(
    replies: Sequence[ReplyPart], rest: Sequence[str], *, lang: str, redactor: Redactor
) -> tuple[tuple[ReplyPart, ...], tuple[str, ...]]:
    """The parts, the last one saying that the requests in ``rest`` were not answered yet, and these as they were
    written, to be tapped."""
    if not rest:
        return tuple(replies), ()
    *before, last = replies
    told = replace(last, text=f"{last.text}\n\n{phrase('more_requests', lang)}")
    return (*before, told), tuple(redactor.restore(request) for request in rest)


def _say_action(acted: Acted, decision: Decision, lang: str, lookup: Lookup) -> ReplyPart:
    intent = decision.chosen.intent if decision.chosen else None
    choices: list[Choice] = []
    if acted.again and intent:
        choices.append(Choice(phrase("try_again", lang), INTENT + intent))
    if acted.article and intent:
        known = lookup.intents([intent], lang).get(intent)
        if known is not None and known.article_slug and lookup.passages(known.article_slug, lang):
            choices.append(Choice(known.title, ARTICLE + known.article_slug))
    if acted.rule in ("action_failed", "action_not_found", "action_sign_in") and acted.kind != "person":
        choices.append(Choice(phrase("talk_to_person", lang), HANDOVER))
    return ReplyPart(
        acted.text, acted.kind, round(decision.confidence, 4), intent, (), tuple(choices), acted.cards
    )


def _source(hit: Hit) -> Source:
    return Source(hit.title_path or hit.title, hit.url, hit.text)


def _asked_back(decision: Decision, lang: str) -> str:
    """One thing is asked by its name; of several one is to be tapped."""
    if decision.rule == "about_order":
        return phrase("about_order", lang)
    if len(decision.choices) == 1:
        return phrase("choice", lang).format(title=decision.choices[0].title.rstrip("?？"))
    return phrase("choices", lang)


def _titled(choices: Sequence[Candidate], lang: str, lookup: Lookup) -> list[Candidate]:
    """Intents that are known by name alone, with their titles."""
    known = lookup.intents([one.intent for one in choices if one.intent], lang)
    return [replace(one, title=known[one.intent].title) for one in choices if one.intent in known]


def _choice(candidate: Candidate) -> Choice:
    payload = INTENT + candidate.intent if candidate.intent else ARTICLE + (candidate.article_slug or "")
    return Choice(candidate.title, payload)
