"""Does a drafted reply answer what was asked, or something beside it that is also true?

A passage says a dozen things; a draft repeats some. It is to the point where it repeats what in the passage lies
nearest to the question: by the sentence encoder that the search uses, in Chinese by the characters they share, too.
Grounding asks whether a sentence is true, this whether it is the one that was wanted; neither replaces the other.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.wording import content_words, sentences
from chatbot.language.normalise import fold
from chatbot.neural.source_layout import read_lines

Encode = Callable[[Sequence[str]], NDArray[np.float32]]  # texts to unit vectors [n, dimension]

# One of the two sentences nearest to the question must be said by the draft itself, and it is completed with what
# else of the twelve nearest it lacks: an article of a usual length whole, for a list with one line left out misleads.
# On the demo's tuning conversations every fact is in 95.0 % of the written replies when completed with seven, 96.9
# with nine, 97.5 with twelve, at 13 % more characters; three of the nearest would hold the facts of 80 %.
NEAREST = 2
FURTHER = 12
_GOES_ON = re.compile(
    r"(?i:outside (?:this|these|those)|otherwise|in (?:this|that) case|then|after that|also|but|however|until then)\b"
    r"|否则|这时|此时|届时|这种情况|除此之外|之后|然后|另外|其他时间|不过|但"
)
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
        headings: Sequence[str] = (),
    ) -> None:
        """``general``: the encoder has read more than the company's own texts. ``headings``: what each source stands
        under; empty: nothing."""
        self._question = question
        self._by_characters = lang == "zh"
        self._by_encoder = general or not self._by_characters
        self._encode = encode
        found: dict[str, _Place] = {}
        for number, (source, heading) in enumerate(
            zip(sources, headings or [""] * len(sources), strict=True)
        ):
            for part, place in _places(source, heading, number):
                found.setdefault(part, place)
        self._parts = list(found)
        self._places = list(found.values())

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
        """Of the FURTHER nearest sentences those that ``draft`` does not repeat, as the sources order them; of a list
        all or nothing: one with an item left out misleads."""
        if len(self._parts) <= 1:
            return []
        repeated = self._repeated(draft)
        wanted = {*self._order[:FURTHER], *repeated}
        lists = {self._places[place].list for place in wanted} - {None}
        wanted |= {place for place, found in enumerate(self._places) if found.list in lists}
        return [_sentence(self._parts[place]) for place in sorted(wanted - repeated)]

    def arranged(self, draft: str) -> list[str]:
        """The draft's statements as somebody reads them: first what was asked, then the rest as the sources order it.

        A generator picks sentences in the order in which they come to it; steps of a list must not be shuffled, so none
        of them leads, nor does what goes on from a sentence before it. What is in words of its own stays in front.
        The first statement keeps its place where it is what was asked. Half of a source's sentence is said whole.
        """
        told = list(dict.fromkeys(map(self._whole, sentences(draft))))
        places = [self._source_of(statement) for statement in told]
        if len(self._parts) <= 1 or len(told) <= 2:
            return told
        nearest = self._order[:NEAREST]
        lead = next((i for i, place in enumerate(places) if place == nearest[0]), 0)
        if places[0] is None or places[0] in nearest:
            lead = 0
        place = places[lead]
        leads = place is None or not (self._places[place].list or _GOES_ON.match(self._parts[place]))
        first = [lead] if leads else []
        own = [i for i, place in enumerate(places) if place is None and i not in first]
        ordered = sorted((place, i) for i, place in enumerate(places) if place is not None and i not in first)
        return [told[i] for i in (*first, *own, *(i for _, i in ordered))]

    def laid_out(self, told: Sequence[str]) -> str:
        """The statements as a text: sentences in a row, a list's items each on a line of its own with its mark, under
        the heading that the list has."""
        text, before = "", None
        for statement in told:
            place = self._source_of(statement)
            found = self._places[place] if place is not None else _Place()
            if found.list != before and text:
                text += "\n\n" if found.heading or before is not None else "\n"
            if found.list != before and found.list is not None and found.heading:
                text += found.heading + ("：\n" if _is_chinese(found.heading) else ":\n")
            if found.list is not None and found.list == before and found.mark:
                text += "\n"
            item = f"{found.mark} {statement}" if found.list is not None and found.mark else statement
            text += item if not text or text[-1] == "\n" or _is_chinese(text[-1]) else f" {item}"
            before = found.list
        return text

    def _whole(self, statement: str) -> str:
        """The source's sentence where ``statement`` is a piece of it."""
        place = self._source_of(statement)
        part = self._parts[place] if place is not None else ""
        return _sentence(part) if plain(statement) in plain(part) else statement

    def _repeated(self, draft: str) -> set[int]:
        """Which source sentences the draft's statements repeat."""
        found = (self._source_of(statement) for statement in sentences(draft))
        return {place for place in found if place is not None}

    def _source_of(self, statement: str) -> int | None:
        """The source sentence that a statement repeats, or else that holds most of its content words; None where none
        holds any."""
        if (said := self._said.get(plain(statement))) is not None:
            return said
        words = content_words(statement)
        shares = [len(words & known) for known in self._words]
        best = int(np.argmax(shares))
        return best if shares[best] else None

    @cached_property
    def _said(self) -> dict[str, int]:
        return {plain(_sentence(part)): place for place, part in enumerate(self._parts)}

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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a sentence stands: in which ``list``, under which ``heading``, with which ``mark`` where it begins an
    item."""

    list: tuple[int, int] | None = None  # its source and its first line
    heading: str = ""
    mark: str = ""


def _places(source: str, heading: str, number: int) -> Iterator[tuple[str, _Place]]:
    """The sentences of a source that state something; headings only name what follows."""
    begun: tuple[int, int] | None = None
    for row, line in enumerate(read_lines(source)):
        if line.heading:
            heading, begun = line.text, None
            continue
        begun = (begun or (number, row)) if line.mark else None
        parts = [part.strip() for part in sentences(line.text)]
        for i, part in enumerate(parts):
            if _states(part):
                yield part, _Place(begun, heading if begun else "", line.mark if begun and not i else "")


def _is_chinese(text: str) -> bool:
    return text[-1] >= "\u2e80"


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


def plain(text: str) -> str:
    """What two spellings of a sentence have in common."""
    return " ".join(text.casefold().split()).rstrip(".!?;。！？；")


def _sentence(part: str) -> str:
    """A source's line as a sentence: without its list mark, with a full stop."""
    item = re.sub(r"^(?:[-*•·]\s*|\(?\d{1,2}[.)、）]\s*(?=\D))", "", part)
    if re.search(r"[.!?。！？；;]$", item):
        return item
    return item + ("。" if re.search(r"[\u3400-\u9fff]\W*$", item) else ".")


def _states(part: str) -> bool:
    """Whether a line states something; a heading only names what follows, and lies near every question about it."""
    return bool(re.search(r"[.!?;:。！？；：\d]", part))
