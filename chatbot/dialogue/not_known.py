"""That nothing is known, with the reason where there is one that helps whoever asked."""

from __future__ import annotations

from dataclasses import replace

from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import Decision
from chatbot.language.written_language import KNOWN, language_asked_in

_OTHERS = KNOWN - {"en", "zh"}


def said_why(
    decision: Decision, request: str, *, code: str | None, variant: str | None, lang: str
) -> Decision:
    """``decision``, that nothing is known, for a request that asks for a ``code`` which nothing explains
    (chatbot/dialogue/other_codes.py), for a ``variant`` which what was spoken of does not name
    (chatbot/dialogue/variants.py), or in a language that nobody here speaks; else as it is."""
    if code is not None:
        # the reply does not repeat it: a message's words are no fact, and an invented code no part of an answer
        return replace(
            decision, reason=f"nothing explains the code {code}", told=phrase("unknown_code", lang)
        )
    if variant is not None:
        return replace(decision, reason=f"what was spoken of does not name this variant: {variant}")
    if language_asked_in(request, _OTHERS) is not None:
        return replace(decision, reason="in a language that was not learned", told=phrase("unreadable", lang))
    return decision
