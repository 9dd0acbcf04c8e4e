"""What is said behind an answer that may not hold what was asked, in the articles' own sentences.

**What the answer lacks.** An approved answer is short, and a passage is one part of its article: the question may ask
for what stands elsewhere in it. The one sentence of the article nearest to the question is added where the answer has
less than HELD of its content words and, the first time, nothing that is nearer. Of the 973 approved answers and
passages of the demo's tuning conversations 113 got one; 132 of the right ones lacked a fact that was asked for, and 45
of these had it then.

**What the next candidate says**, behind a written text that is said again. Who was told all of an article and asks on
is led to it once more by what was said before, even where he has turned to its neighbour ("and if I leave the
newsletter, do my beans stop, too?"). Of 441 such replies 12 were wrong; where the next candidate had at least LIKELY
(52 of them), it was the right one of all that were wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chatbot.dialogue.phrases import phrase
from chatbot.dialogue.policy import Decision
from chatbot.dialogue.relevance import Encode, Wanted
from chatbot.dialogue.said_again import statements_of
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import Candidate
from chatbot.dialogue.wording import content_words, sentences

HELD = 0.5
LIKELY = 0.02
SENTENCES = 2  # of the next candidate
LONGEST = 400  # characters of what an answer lacks: a list of steps is told by its own passage


@dataclass(frozen=True, slots=True)
class Addition:
    """``text`` as it is sent, with what leads to ``quote``; ``hit``: the passage that is quoted."""

    text: str
    quote: str
    hit: Hit


class Additions:
    """Of one message. passages_of: an article's by slug and language, in reading order; encode: of the search's
    encoder, which has read more than the company's own texts where ``general``."""

    def __init__(
        self,
        question: str,
        *,
        passages_of: Callable[[str, str], Sequence[Hit]],
        encode: Encode,
        lang: str,
        general: bool = True,
    ) -> None:
        self._question = question
        self._passages_of = passages_of
        self._encode = encode
        self._lang = lang
        self._general = general

    def behind(self, decision: Decision, ranked: Sequence[Candidate], sent: Sequence[str]) -> Addition | None:
        """What is said behind ``decision``'s text. sent: what the bot and agents sent so far."""
        best = decision.chosen
        if best is None or decision.rule not in ("sure", "said_again"):
            return None
        if decision.kind in ("approved", "passage"):
            text = decision.told or best.approved or (best.hit.text if best.hit else "")
            return self._lacking(best, text, again=decision.rule == "said_again")
        if decision.kind == "generated" and decision.rule == "said_again" and len(ranked) > 1:
            return self._other_reading(best, ranked[1], sent)
        return None

    def _lacking(self, best: Candidate, text: str, *, again: bool) -> Addition | None:
        """``again``: the text was sent before, so that what is asked now stands elsewhere, however near it is."""
        hits = self._passages(best)
        if not hits:
            return None
        wanted = self._wanted(hits)
        asked = content_words(wanted.nearest)
        if not asked or len(asked & content_words(text)) >= HELD * len(asked):
            return None
        question, nearest, *told = self._encode([self._question, wanted.nearest, *sentences(text)])
        if told and not again and question @ nearest <= np.max(np.stack(told) @ question):
            return None
        added, _ = wanted.closest_first(1)
        if len(added) > LONGEST:
            return None
        return self._quoted(phrase("also_there", self._lang) + added, added, hits)

    def _other_reading(self, best: Candidate, following: Candidate, sent: Sequence[str]) -> Addition | None:
        if following.probability < LIKELY or following.article_slug == best.article_slug:
            return None
        hits = self._passages(following)
        if not hits:
            return None
        told, _ = self._wanted(hits).closest_first(SENTENCES)
        if statements_of(told) <= set().union(*map(statements_of, sent)):
            return None
        lead = phrase("other_reading", self._lang).format(title=following.title)
        return self._quoted(lead + told, told, hits)

    def _passages(self, candidate: Candidate) -> Sequence[Hit]:
        slug = candidate.article_slug
        return self._passages_of(slug, self._lang) if slug is not None else ()

    def _wanted(self, hits: Sequence[Hit]) -> Wanted:
        return Wanted(
            self._question,
            sources=[hit.text for hit in hits],
            encode=self._encode,
            lang=self._lang,
            general=self._general,
        )

    def _quoted(self, text: str, told: str, hits: Sequence[Hit]) -> Addition:
        statements = statements_of(told)
        hit = max(hits, key=lambda one: len(statements & statements_of(one.text)))
        return Addition(text, told, hit)
