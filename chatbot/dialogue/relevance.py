"""Does a drafted reply answer what was asked, or something beside it that is also true?

A passage says a dozen things; a draft repeats some. It is to the point where it repeats what in the passage lies
nearest to the question, by the sentence encoder that the search uses. Grounding asks whether a sentence is true, this
whether it is the one that was wanted; neither replaces the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.wording import content_words, sentences

Encode = Callable[[Sequence[str]], NDArray[np.float32]]  # texts to unit vectors [n, dimension]

# Of so many sentences of the sources nearest to the question, two must be said by the draft itself. The Chinese encoder
# knows characters, not sentences. On the demo's tuning questions, two releases: both of two 29 and 34 drafts, 28 and 31
# right; two of three in English 47 and 54, 46 and 51 right; one of two 74 and 76, 69 and 71.
NEAREST = {"zh": 2}
NEAREST_ELSEWHERE = 3
NEEDED = 2
FURTHER = 5  # and as what belongs to it: a draft that says the nearest is completed with them


class Wanted:
    """What of ``sources`` a question wants: their sentences by nearness, encoded once for all its drafts."""

    def __init__(self, question: str, *, sources: Sequence[str], encode: Encode, lang: str = "en") -> None:
        self._question = question
        self._nearest = NEAREST.get(lang, NEAREST_ELSEWHERE)
        self._encode = encode
        told = (part.strip() for source in sources for part in sentences(source))
        self._parts = list(dict.fromkeys(part for part in told if _states(part)))

    def missed_by(self, draft: str) -> str | None:
        """Why ``draft``, written from the sources, does not answer the question; None where it does."""
        if len(self._parts) <= 1:
            return None
        nearest = np.argsort(-self._cosines, kind="stable")[: self._nearest].tolist()
        repeated = self._repeated(draft)
        left_out = [place for place in nearest if place not in repeated]
        if len(nearest) - len(left_out) >= min(NEEDED, len(nearest)):
            return None
        return f"beside the point: it leaves out “{self._parts[left_out[0]][:80]}”"

    def lacking(self, draft: str) -> list[str]:
        """Of the FURTHER nearest sentences those that ``draft`` does not repeat, as the sources order them."""
        if len(self._parts) <= 1:
            return []
        repeated = self._repeated(draft)
        nearest = sorted(np.argsort(-self._cosines, kind="stable")[:FURTHER].tolist())
        return [_sentence(self._parts[place]) for place in nearest if place not in repeated]

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
    def _cosines(self) -> NDArray[np.float32]:
        """Of each sentence with the question, [sentences]."""
        vectors = self._encode([self._question, *self._parts])
        cosines: NDArray[np.float32] = vectors[1:] @ vectors[0]
        return cosines


def _sentence(part: str) -> str:
    """A source's line as a sentence: without its list mark, with a full stop."""
    item = re.sub(r"^(?:[-*•·]\s*|\(?\d{1,2}[.)、）]\s*(?=\D))", "", part)
    if re.search(r"[.!?。！？；;]$", item):
        return item
    return item + ("。" if re.search(r"[\u3400-\u9fff]\W*$", item) else ".")


def _states(part: str) -> bool:
    """Whether a line states something; a heading only names what follows, and lies near every question about it."""
    return bool(re.search(r"[.!?;:。！？；：\d]", part))
