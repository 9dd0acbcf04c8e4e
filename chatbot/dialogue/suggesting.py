"""What customers ask next, proposed with an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chatbot.dialogue.actions import Talk
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.trace import ReplyPart
from chatbot.dialogue.weighing import PERSON_INTENT, SMALLTALK_INTENTS
from chatbot.inference.next_intent import Event, runs

SUGGESTIONS = 3  # next questions proposed with an answer
SUGGESTED_FROM = 0.08  # probability of a proposed question: one customer in twelve goes on with it


class Proposes(Protocol):
    """What names the likeliest next questions; chatbot.inference.next_intent.NextIntents is one."""

    def suggest(
        self, events: Sequence[Event], *, k: int = 3, least: float = 0.0
    ) -> list[tuple[str, float]]: ...


def suggest(
    model: Proposes | None,
    lookup: Lookup,
    talk: Talk | None,
    read: str,
    replies: Sequence[ReplyPart],
    topics: Sequence[str | None],
    lang: str,
) -> list[tuple[str, str]]:
    """What customers ask next, as (intent or ``article:slug``, its title): only after an answer, and only what can
    be answered. Nothing twice: neither what was asked in this conversation already, nor what stood under the answer
    before and was passed over."""
    if model is None or talk is None or not replies or any(topic is None for topic in topics):
        return []
    told = " ".join(part.text for part in replies)
    events = runs(
        [
            *(Event(name, text) for name, text in talk.topics),
            *(Event(str(topic), f"{read} {told}") for topic in topics),
        ]
    )
    old = {event.name for event in events} | set(talk.offered.values())
    likely = model.suggest(events, k=2 * SUGGESTIONS + len(old), least=SUGGESTED_FROM)
    known = lookup.intents([name for name, _ in likely], lang)
    found: dict[str, str] = {}
    for name, _ in likely:
        own = known.get(name)
        if own is None or name in old or name in SMALLTALK_INTENTS or name == PERSON_INTENT:
            continue
        if (
            own.approved is not None
            or own.acts
            or (own.article_slug and lookup.passages(own.article_slug, lang))
        ):
            found[name] = own.title
            if len(found) == SUGGESTIONS:
                break
    return list(found.items())
