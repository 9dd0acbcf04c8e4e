"""The passage that is shown for a candidate: with the number that is asked for, about what the customer named, and
behind what leads to its steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from chatbot.dialogue.contact import with_contact
from chatbot.dialogue.led_in import with_lead_in
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.sections import as_asked
from chatbot.dialogue.trace import Hit, Message
from chatbot.dialogue.weighing import Candidate


def shown_passage(
    best: Candidate, request: str, before: Sequence[Message], lookup: Lookup, lang: str
) -> Hit | None:
    """The candidate's own passage where nothing is to be done to it; None where it has none."""
    if best.hit is None or best.article_slug is None:
        return best.hit
    passages_of = cache(partial(lookup.passages, best.article_slug, lang))
    said = [request, *(one.text for one in reversed(before) if one.role == "customer")]
    hit = with_contact(best.hit, request, passages_of)
    return with_lead_in(as_asked(hit, passages_of, said), passages_of)
