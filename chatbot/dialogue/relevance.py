"""Does a drafted reply answer what was asked, or something beside it that is also true?

A passage says a dozen things; a draft repeats some. It is to the point where it repeats what in the passage lies
nearest to the question: by the sentence encoder that the search uses, in Chinese by the characters they share, too.
Grounding asks whether a sentence is true, this whether it is the one that was wanted; neither replaces the other.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.wording import content_words, sentences
from chatbot.language.normalise import fold
from chatbot.neural.source_layout import passage_source

Encode = Callable[[Sequence[str]], NDArray[np.float32]]  # texts to unit vectors [n, dimension]

# One of the two sentences nearest to the question must be said by the draft itself, and it is completed with what
# else of the twelve nearest it lacks: an article of a usual length whole, for a list with one line left out misleads.
# On the demo's tuning conversations every fact is in 95.0 % of the written replies when completed with seven, 96.9
# with nine, 97.5 with twelve, at 13 % more characters; three of the nearest would hold the facts of 80 %.
NEAREST = 2
FURTHER = 12
_CHARACTER = re.compile(r"[a-z0-9\u3400-\u9fff]")


class Wanted:
    """What of ``sources`` a question wants: their sentences by nearness, encoded once for all its drafts."""

    def __init__(
        self,
        question: str,
        *,
        sources: Sequence[str],
        encode: Encode,
        lang: str = "en",
        general: bool = True,
    ) -> None:
        """``general``: the encoder has read more than the company's own texts."""
        self._question = question
        self._by_characters = lang == "zh"
        self._by_encoder = general or not self._by_characters
        self._encode = encode
        prose = (passage_source("", source) for source in sources)  # without headings
        told = (part.strip() for source in prose for part in sentences(source))
        self._parts = list(dict.fromkeys(part for part in told if _states(part)))

    def missed_by(self, draft: str) -> str | None:
        """Why ``draft``, written from the sources, does not answer the question; None where it does."""
        if len(self._parts) <= 1:
            return None
        nearest = self._order[:NEAREST]
        if self._repeated(draft).intersection(nearest):
            return None
        return f"beside the point: it leaves out “{self._parts[nearest[0]][:80]}”"

    @property
    def nearest(self) -> str:
        """The source sentence that lies nearest to the question."""
        return _sentence(self._parts[self._order[0]])

    def lacking(self, draft: str) -> list[str]:
        """Of the FURTHER nearest sentences those that ``draft`` does not repeat, as the sources order them."""
        if len(self._parts) <= 1:
            return []
        repeated = self._repeated(draft)
        return [
            _sentence(self._parts[place]) for place in sorted(self._order[:FURTHER]) if place not in repeated
        ]

    def arranged(self, draft: str) -> list[str]:
        """The draft's statements as somebody reads them: first what was asked, then the rest as the sources order it.

        A generator picks sentences in the order in which they come to it; steps of a list must not be shuffled. What
        is in words of its own stays in front. The first statement keeps its place where it is what was asked.
        """
        told = sentences(draft)
        places = [self._source_of(statement) for statement in told]
        if len(self._parts) <= 1 or len(told) <= 2:
            return told
        nearest = self._order[:NEAREST]
        lead = next((i for i, place in enumerate(places) if place == nearest[0]), 0)
        if places[0] is None or places[0] in nearest:
            lead = 0
        own = [i for i, place in enumerate(places) if place is None and i != lead]
        ordered = sorted((place, i) for i, place in enumerate(places) if place is not None and i != lead)
        return [told[i] for i in (lead, *own, *(i for _, i in ordered))]

    def _repeated(self, draft: str) -> set[int]:
        """Which source sentences the draft's statements repeat."""
        found = (self._source_of(statement) for statement in sentences(draft))
        return {place for place in found if place is not None}

    def _source_of(self, statement: str) -> int | None:
        """The source sentence that holds most of a statement's content words; None where none holds any."""
        words = content_words(statement)
        shares = [len(words & known) for known in self._words]
        best = int(np.argmax(shares))
        return best if shares[best] else None

    @cached_property
    def _words(self) -> list[frozenset[str]]:
        return [frozenset(content_words(part)) for part in self._parts]

    @cached_property
    def _order(self) -> list[int]:
        """The sentences, nearest to the question first."""
        nearness = np.zeros(len(self._parts), dtype=np.float32)
        if self._by_characters:
            nearness += _standardised(_shared_characters(self._question, self._parts))
        if self._by_encoder:
            vectors = self._encode([self._question, *self._parts])
            nearness += _standardised(vectors[1:] @ vectors[0])
        order: list[int] = np.argsort(-nearness, kind="stable").tolist()
        return order


def _shared_characters(question: str, parts: Sequence[str]) -> NDArray[np.float32]:
    """How much each part shares with the question, in characters and pairs of them; what few parts hold counts most.

    An encoder that a company's few Chinese texts have taught knows topics, not sentences: every fact of the Chinese
    tuning questions stands in the three nearest sentences for 63 % by its cosines and for 85 % by this. A general
    encoder's cosines have 87 %, both added 91; in English the encoder alone has 83 and characters add nothing.
    """
    asked = _characters(question)
    held = [_characters(part) for part in parts]
    spread = Counter(unit for units in held for unit in units)
    return np.array(
        [sum(math.log(1 + len(parts) / spread[unit]) for unit in asked & units) for units in held],
        dtype=np.float32,
    )


def _standardised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """With mean 0 and deviation 1, so that two measures count alike."""
    return (values - values.mean()) / max(float(values.std()), 1e-6)


def _characters(text: str) -> set[str]:
    found = _CHARACTER.findall(fold(text))
    return {*found, *(first + second for first, second in pairwise(found))}


def _sentence(part: str) -> str:
    """A source's line as a sentence: without its list mark, with a full stop."""
    item = re.sub(r"^(?:[-*•·]\s*|\(?\d{1,2}[.)、）]\s*(?=\D))", "", part)
    if re.search(r"[.!?。！？；;]$", item):
        return item
    return item + ("。" if re.search(r"[\u3400-\u9fff]\W*$", item) else ".")


def _states(part: str) -> bool:
    """Whether a line states something; a heading only names what follows, and lies near every question about it."""
    return bool(re.search(r"[.!?;:。！？；：\d]", part))
