"""What was heard before tells about a question: the evidence beside the classifier and the search.

Whose words it is in (`said_words.py`), and which questions behind an answer it is like (`asked_after.py`). Training and
serving both ask here, so that weights are fitted to what they will weigh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatbot.dialogue.asked_after import AskedAfter
from chatbot.dialogue.readers import Search
from chatbot.dialogue.said_words import SaidWords
from chatbot.dialogue.trace import Message
from chatbot.dialogue.weighing import Behind, Candidate, KnownIntent, with_asked, with_new_words


@dataclass(frozen=True, slots=True)
class Heard:
    """Empty in a release of before these files were: then it says nothing."""

    words: SaidWords = field(default_factory=lambda: SaidWords({}))
    questions: AskedAfter = field(default_factory=lambda: AskedAfter({}))

    def behind(
        self,
        topic: str | None,
        share: float,
        candidates: Sequence[Candidate],
        question: str,
        *,
        lang: str,
        before: Sequence[Message],
        known: Mapping[str, KnownIntent],
        search: Search,
        apart: bool = False,
    ) -> Behind:
        """The candidates with what was heard about each, and how near ``question`` is to what the agents did not know,
        as it comes behind an answer on ``topic``, with the probability ``share``.

        ``known``: the intents by name, the topic among them. ``apart``: as training asks (`AskedAfter.near`).
        """
        asked = self.words.asked(question, lang=lang, before=[message.text for message in before])
        found = with_new_words(candidates, asked)
        if not self.questions.knows(lang):
            return Behind(found, 0.0, share)
        near = self.questions.near(search.question(question, lang=lang), lang=lang, apart=apart)
        if near is None:
            return Behind(found, 0.0, share)
        last = known.get(topic or "")
        slug = last.article_slug if last is not None else None
        return Behind(with_asked(found, near, slug), near.not_known(slug), share)
