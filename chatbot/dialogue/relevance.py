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
# else of the seven nearest it lacks. On the demo's tuning questions, of 163 that a draft could answer: two of the three
# nearest (in Chinese both of two, by the encoder there too), completed with five, 41 drafts, 39 with every fact; one of
# the two 119, of which 115 completed with five or six, 117 with seven or eight.
NEAREST = 2
FURTHER = 7
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

    def _repeated(self, draft: str) -> set[int]:
        """Which source sentences the draft's statements repeat: each the one that holds most of its content words."""
        found = set()
        for statement in sentences(draft):
            words = content_words(statement)
            shares = [len(words & known) for known in self._words]
            best = int(np.argmax(shares))
            if shares[best]:
                found.add(best)
        return found

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
