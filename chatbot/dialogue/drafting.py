"""From sources to a checked draft: the generator writes several replies, the best one that passes is the draft.

When none passes, the likeliest one is kept with the reasons against it: the trace shows what was not said, and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from chatbot.dialogue import grounding
from chatbot.dialogue.relevance import Encode, beside_the_point
from chatbot.dialogue.trace import Draft, Hit, Message
from chatbot.inference.generate import Candidate
from chatbot.neural.source_layout import passage_source

BEAM = 4
MAX_TOKENS = 80


class Writer(Protocol):
    """What writes replies; chatbot.inference.generate.ResponseGenerator is one."""

    def generate(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        *,
        intent: str | None = None,
        lang: str = "en",
        beam: int = 1,
        max_tokens: int = 60,
    ) -> list[Candidate]: ...


def draft(
    writer: Writer,
    history: Sequence[Message],
    hits: Sequence[Hit],
    *,
    lang: str,
    intent: str | None = None,
    beam: int = BEAM,
    encode: Encode | None = None,
) -> Draft | None:
    """The best checked reply to the last message of ``history`` from ``hits``, or None if nothing was written.

    history: redacted, oldest first, the message to answer last; its ``action`` turns (look-ups) are sources too.
    encode: of the search's encoder; with it a draft must be to the point too (chatbot/dialogue/relevance.py).
    """
    sources = [passage_source(hit.title_path or hit.title, hit.text) for hit in hits]
    written = writer.generate(history, sources, intent=intent, lang=lang, beam=beam, max_tokens=MAX_TOKENS)
    grounds = [*sources, *(message.text for message in history if message.role == "action")]
    customer = [message.text for message in history if message.role == "customer"]
    best: Draft | None = None
    for candidate in sorted(written, key=lambda candidate: (not candidate.finished, -candidate.score)):
        check = grounding.check(candidate.text, sources=grounds, customer=customer, lang=lang)
        if check.passed and encode is not None:
            beside = beside_the_point(
                candidate.text, question=history[-1].text, sources=[hit.text for hit in hits], encode=encode
            )
            check = replace(check, passed=False, reasons=(beside,)) if beside else check
        passages = tuple(hit.passage_id for hit in hits)
        drafted = Draft(candidate.text, candidate.score, passages, check=check)
        if check.passed:
            return drafted
        best = best or drafted
    return best
