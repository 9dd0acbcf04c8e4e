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
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.answer_kinds import asked_for, states
from chatbot.dialogue.wording import content_words, sentences
from chatbot.language.normalise import fold
from chatbot.neural.source_layout import Line, read_lines

Encode = Callable[[Sequence[str]], NDArray[np.float32]]  # texts to unit vectors [n, dimension]

# One of the two sentences nearest to the question must be said by the draft itself, and it is completed with what
# else of the twelve nearest it lacks: an article of a usual length whole, for a list with one line left out misleads.
# On the demo's tuning conversations every fact is in 95.0 % of the written replies when completed with seven, 96.9
# with nine, 97.5 with twelve, at 13 % more characters; three of the nearest would hold the facts of 80 %.
NEAREST = 2
FURTHER = 12
# Where an amount or a time is asked for, so many of the nearest and of the FURTHER those that state one: of the demo's
# 357 such tuning questions they hold every fact, in 0.71 (English) and 0.79 of the characters (docs/measured.md).
AROUND = 4
BESIDE = 3  # among so many of the nearest must be what a yes or no opens
# Of 1,015 questions of the demo's tuning conversations whose answer had been sent before, the three nearest sentences
# hold the facts of 86 %; of the 56 where one's cosine is so much above the next one's, of 98.
FAR_NEARER = 0.3
_GOES_ON = re.compile(
    r"(?i:outside (?:this|these|those)|otherwise|in (?:this|that) case|then|after that|also|but|however|until then)\b"
    r"|否则|这时|此时|届时|这种情况|除此之外|之后|然后|另外|其他时间|不过|但"
)
_LEANS = re.compile(  # what is said under a condition, as an exception, or of something said before, begins no reply
    r"(?i:if|unless|otherwise|except|should|in that case|it|its|this|these|those|they|that|the same|both|all of them)\b"
    r"|如果|如需|若|要是|除非|除了|否则|例外|仍|还是|[这该此其它]|同样|以上|上述"
)
_SAME = re.compile(r"\bthe same\b|同样的|相同的")
_YES_OR_NO = re.compile(
    r"(?i:yes|no|sure|of course|certainly|unfortunately(?: not)?|sorry)[,.!]"
    r"|(?:有的?|没有|(?:不)?(?:可以|能|会|行|是|支持|需要|用)(?:[^，。！]{0,2})?)[，。！]"
)
_NOTHING_BUT = re.compile(rf"(?:{_YES_OR_NO.pattern})")
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
        aside: Callable[[str, str], bool] = lambda _statement, _heading: False,
    ) -> None:
        """``general``: the encoder has read more than the company's own texts. ``headings``: what each source stands
        under; empty: nothing. ``aside``: whether a statement under such a heading is about something that was not asked
        for, so that it may not begin the reply."""
        self._question = question
        self._kinds = asked_for(question)
        self._by_characters = lang == "zh"
        self._by_encoder = general or not self._by_characters
        self._encode = encode
        self._aside = aside
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

    def closest_first(self, most: int) -> tuple[str, str]:
        """``most`` of the sentences nearest to the question, and the others: none where one is far nearer than the
        next, those that a reply is to say where an amount or a time is asked for, else all. A sentence brings its whole
        item, a step its whole list, and what goes on from the sentence before it brings that one."""
        leading = self._with_context(self._order[:most])
        further = self._to_say if self._kinds else set(range(len(self._parts)))
        others = set() if self._stands_out else further - leading
        first, rest = (
            self.laid_out([_sentence(self._parts[place]) for place in sorted(places)])
            for places in (leading, others)
        )
        return first, rest

    @property
    def _stands_out(self) -> bool:
        if not self._by_encoder or len(self._parts) <= 1:
            return False
        second, first = np.sort(self._cosines)[-2:]
        return bool(first - second >= FAR_NEARER)

    def _with_context(self, places: Sequence[int]) -> set[int]:
        found = set(places)
        for place in places:
            begun = self._places[place]
            if begun.list is not None:
                found |= {
                    other
                    for other, one in enumerate(self._places)
                    if one.list == begun.list and (begun.steps or self._item(other) == self._item(place))
                }
            elif place and _GOES_ON.match(self._parts[place]):
                found.add(place - 1)
        return found

    def lacking(self, draft: str) -> list[str]:
        """Of the sentences that a reply is to say those that ``draft`` does not, as the sources order them; of a list
        all or nothing: one with an item left out misleads."""
        if len(self._parts) <= 1:
            return []
        repeated = self._repeated(draft)
        wanted = self._with_lists({*self._to_say, *repeated})
        return [_sentence(self._parts[place]) for place in sorted(wanted - repeated)]

    @cached_property
    def _to_say(self) -> set[int]:
        """What a reply is to say, whatever the draft says: the FURTHER nearest sentences; where the question asks for
        an amount or a time, of these the AROUND nearest and those that state one, each with what it goes on from."""
        further = self._nearest_first[:FURTHER]
        if not self._kinds:
            return self._with_lists(set(further))
        stating = filter(self._states_what_is_asked, further)
        return self._with_lists(self._with_context([*further[:AROUND], *stating]))

    def _states_what_is_asked(self, place: int) -> bool:
        return any(states(kind, self._parts[place]) for kind in self._kinds)

    def _with_lists(self, places: set[int]) -> set[int]:
        lists = {self._places[place].list for place in places} - {None}
        return places | {place for place, found in enumerate(self._places) if found.list in lists}

    def _beyond(self, place: int | None) -> bool:
        """Whether a source sentence of a draft answers something else than the amount or the time that is asked for."""
        return bool(self._kinds) and place is not None and place not in self._to_say

    def arranged(self, draft: str) -> list[str]:
        """The draft's statements as somebody reads them: first what was asked, then the rest as the sources order it.

        A generator picks sentences in the order in which they come to it; steps of a list must not be shuffled, so none
        of them leads, nor does what goes on from a sentence before it. What is in words of its own stays in front.
        The first statement keeps its place where it is what was asked. Half of a source's sentence is said whole.
        An opening that says yes or no follows nothing: it leads where what was asked stands beside it, else it is left
        out, for it says yes to something else. Where an amount or a time is asked for, what lies neither near to the
        question nor states one is left out.
        """
        told = list(dict.fromkeys(map(self._whole, sentences(draft))))
        if len(self._parts) > 1:
            told = [statement for statement in told if not self._beyond(self._source_of(statement))]
        places = [self._source_of(statement) for statement in told]
        if len(self._parts) <= 1 or len(told) <= 2:
            return told
        nearest = self._order[:NEAREST]
        lead = next((i for i, place in enumerate(places) if place == nearest[0]), 0)
        if places[0] is None or places[0] in nearest:
            lead = 0
        place = places[lead]
        leads = place is None or self._may_lead(place)
        if leads and 0 in places and place not in (None, 0) and _YES_OR_NO.match(self._parts[0]):
            if {0, 1} & set(self._order[:BESIDE]):
                leads = False
            elif _NOTHING_BUT.fullmatch(self._parts[0]):
                told, places = _without(told, places.index(0)), _without(places, places.index(0))
                lead = places.index(place)
        first = [lead] if leads else []
        own = [i for i, place in enumerate(places) if place is None and i not in first]
        ordered = sorted((place, i) for i, place in enumerate(places) if place is not None and i not in first)
        return [told[i] for i in (*first, *own, *(i for _, i in ordered))]

    def _may_lead(self, place: int) -> bool:
        """Whether a source sentence can begin a reply: no item of a list, nothing that leans on one before it."""
        found, part = self._places[place], self._parts[place]
        return not (found.list or _leans(part) or self._aside(part, found.section))

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

    def _item(self, place: int) -> int:
        """The sentence with which the list's item begins that a sentence is part of."""
        return next(i for i in range(place, -1, -1) if self._places[i].mark or not i)

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
    def _cosines(self) -> NDArray[np.float32]:
        """How near each sentence is to the question, by the encoder."""
        vectors = self._encode([self._question, *self._parts])
        return vectors[1:] @ vectors[0]

    @cached_property
    def _order(self) -> list[int]:
        """The sentences, what lies nearest to what is asked first: where that is an amount or a time, of the FURTHER
        nearest those that state one come before the others."""
        further, rest = self._nearest_first[:FURTHER], self._nearest_first[FURTHER:]
        return [*sorted(further, key=lambda place: not self._states_what_is_asked(place)), *rest]

    @cached_property
    def _nearest_first(self) -> list[int]:
        """The sentences, nearest to the question first."""
        nearness = np.zeros(len(self._parts), dtype=np.float32)
        if self._by_characters:
            nearness += _standardised(_shared_characters(self._question, self._parts))
        if self._by_encoder:
            nearness += _standardised(self._cosines)
        order: list[int] = np.argsort(-nearness, kind="stable").tolist()
        return order


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a sentence stands: in which ``list``, under which ``heading``, with which ``mark`` where it begins an
    item."""

    list: tuple[int, int] | None = None  # its source and its first line
    heading: str = ""
    mark: str = ""
    steps: bool = False  # the list's items are numbered
    section: str = ""  # the heading above it, of a list or not


def _places(source: str, heading: str, number: int) -> Iterator[tuple[str, _Place]]:
    """The sentences of a source that state something; headings only name what follows."""
    begun: tuple[int, int] | None = None
    lines = read_lines(source)
    for row, line in enumerate(lines):
        if line.heading or _announces(line, lines[row + 1 : row + 2]):
            heading, begun = line.text.rstrip(":："), None
            continue
        begun = (begun or (number, row)) if line.mark else None
        parts = [part.strip() for part in sentences(line.text)]
        for i, part in enumerate(parts):
            if _states(part):
                mark, steps = (line.mark if begun and not i else ""), line.mark[:1].isdigit()
                yield part, _Place(begun, heading if begun else "", mark, steps, heading)


def _announces(line: Line, following: Sequence[Line]) -> bool:
    """Whether a line does no more than name the list that follows: "What to change:"."""
    listed = not line.mark and any(after.mark for after in following)
    return listed and line.text[-1] in ":：" and len(sentences(line.text)) == 1


def _leans(part: str) -> bool:
    """Whether a sentence leans on one before it, so that it begins no reply."""
    return bool(_GOES_ON.match(part) or _LEANS.match(part) or _SAME.search(part))


T = TypeVar("T")


def _without(items: Sequence[T], place: int) -> list[T]:
    return [*items[:place], *items[place + 1 :]]


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
