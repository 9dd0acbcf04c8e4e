"""People's names in service conversations, in Latin letters: by where they stand and by lists of names.

A place that leaves no doubt ("my name is …", a title, a signature) takes any word written as a name; a place where
names are usual ("Hi …", "told by …") takes it where nothing speaks against; and anywhere else it must be a listed
given name that is no everyday word, an initial with a listed surname, or Pinyin. Chinese characters:
chatbot/language/chinese_names.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from chatbot.language.chinese_names import find_chinese_names
from chatbot.language.name_lists import given_names, surnames, without_accents
from chatbot.language.name_places import (
    ACKNOWLEDGEMENTS,
    BY,
    CLOSERS,
    GREETINGS,
    LABELS,
    MONTHS,
    PARTICLES,
    PLACES,
    PRESENTING,
    RELATIONS,
    SAID,
    TITLES,
)
from chatbot.language.name_words import AMBIGUOUS_NAMES, BRANDS, CITIES, GIVEN_NAMES, NEVER_NAMES, NOT_NAMES
from chatbot.language.pinyin import is_pinyin_name


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A name at ``start:end``; ``value`` is what equal names share."""

    start: int
    end: int
    value: str


_LETTERS = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_TOKEN = re.compile(rf"[{_LETTERS}](?:[{_LETTERS}]|['’\-](?=[{_LETTERS}]))*")
_POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
_CONTRACTED = re.compile(r"['’](?:re|ll|ve|m|d|t)$", re.IGNORECASE)


# --- places ---------------------------------------------------------------------------------------------------

_SURE, _LIKELY, _LISTED, _NONE = 3, 2, 1, 0  # how much a place says by itself

_LABEL_GAP = re.compile(r"\s?[:=]\s?|\s-\s")
_SENTENCE_END = re.compile(r"[.!?。！？\n:;]")
_BOUND = re.compile(r"\s*(?:[,.!?:;\n)–—-]|$|[^\x00-\x7f])")
_ENDS = re.compile(r"[\s.!?,~)x♥❤️🙏😊👍😀🙂]*$")

# words that a name in small letters may follow even where no list has it
_BEFORE_ANY = (
    TITLES | LABELS | frozenset(["is", "was", "of", "under", "to", "called", "am", "i'm", "im", "from"])
)
_KINDS_OF_NAME = frozenset(
    ["customer", "contact", "account", "delivery", "billing", "first", "last", "middle", "maiden"]
)
_CAPITAL = re.compile(r"[A-ZÀ-ÖØ-Þ]")
_CUES = (
    TITLES
    | LABELS
    | RELATIONS
    | GREETINGS
    | CLOSERS
    | ACKNOWLEDGEMENTS
    | PRESENTING
    | frozenset(["is", "am", "with", "by", "to"])
) - frozenset(["la", "le", "no", "right", "day", "e", "y"])


def find_names(text: str) -> list[NameSpan]:
    """The names in ``text``, in order, none overlapping another."""
    found: list[NameSpan] = []
    matches = list(_TOKEN.finditer(text))
    if matches and (
        _CAPITAL.search(text)
        or not _CUES.isdisjoint(lower := text.lower().split())
        or not _given().isdisjoint(lower)
    ):
        found = list(_Reader(text, matches).names())
    if not text.isascii():
        for start, end in find_chinese_names(text):
            if all(end <= other.start or start >= other.end for other in found):
                found.append(NameSpan(start, end, text[start:end]))
        found.sort(key=lambda span: span.start)
    return found


@lru_cache(maxsize=1)
def _given() -> frozenset[str]:
    return (given_names() | GIVEN_NAMES) - NEVER_NAMES


class _Reader:
    """One text as words, read from left to right."""

    def __init__(self, text: str, matches: Sequence[re.Match[str]]) -> None:
        self.text = text
        self.words = [match[0] for match in matches]
        self.starts = [match.start() for match in matches]
        self.stops = [match.end() for match in matches]
        self.low = [word.lower() for word in self.words]
        self.ends = self.stops  # without a possessive's ending
        if "'" in text or "’" in text:
            self.ends = [
                stop - 2 * word.endswith(("'s", "’s"))
                for stop, word in zip(self.stops, self.low, strict=True)
            ]
            self.low = [_POSSESSIVE.sub("", word) for word in self.low]
        self.last_name = -9  # the word after the name found last
        count = len(self.words)
        self.shouted = (
            count > 2
            and sum(map(str.islower, self.words)) < 0.2 * count
            and sum(map(str.isupper, self.words)) > 0.6 * count
        )

    @cached_property
    def titled(self) -> bool:
        """Whether it is written as a title is: "Please Help Me With My Order"."""
        capitals = sum(word[0].isupper() for word in self.words)
        return len(self.words) > 4 and self.text.isascii() and capitals > 0.75 * len(self.words)

    def names(self) -> Iterator[NameSpan]:
        at = 0
        while at < len(self.words):
            end = self._name_at(at)
            if end > at:
                self.last_name = end
                start, stop = self.starts[at], self.ends[end - 1]
                yield NameSpan(start, stop, self.text[start:stop].lower())
                at = end
            else:
                at += 1

    # --- words ---

    def _gap(self, at: int) -> str:
        """What stands between word ``at`` and the one before it."""
        return self.text[self.stops[at - 1] if at else 0 : self.starts[at]]

    def _before(self, at: int, back: int = 1) -> str:
        return self.low[at - back] if at >= back else ""

    def _capital(self, at: int) -> bool:
        word = self.words[at]
        return word[0].isupper() and not self.shouted and (len(word) < 3 or not word.isupper())

    def _initial(self, at: int) -> bool:
        return (
            len(self.words[at]) == 1
            and self.words[at].isupper()
            and self.text[self.ends[at] : self.ends[at] + 1] == "."
        )

    def _is_given(self, at: int) -> bool:
        low = self.low[at]
        return low in _given() or ("-" in low and all(part in _given() for part in low.split("-")))

    def _is_plain_given(self, at: int) -> bool:
        return self._is_given(at) and self.low[at] not in AMBIGUOUS_NAMES and self.low[at] not in NOT_NAMES

    def _is_surname(self, at: int) -> bool:
        low = self.low[at]
        if "-" in low and any(part in surnames() for part in low.split("-")):
            return True
        return (
            low not in AMBIGUOUS_NAMES
            and low not in NOT_NAMES
            and (low in surnames() or without_accents(low) in surnames() or low[:2] in ("o'", "o’", "mc"))
        )

    def _is_word(self, at: int) -> bool:
        return (
            self.low[at] in NOT_NAMES
            or self.low[at] in NEVER_NAMES
            or _CONTRACTED.search(self.words[at]) is not None
        )

    # --- decisions ---

    def _name_at(self, at: int) -> int:
        """The word after the name that begins at word ``at``, or ``at`` where none does."""
        low, before = self.low[at], self.low[at - 1] if at else ""
        if self.words[at].islower():
            if before not in _BEFORE_ANY and (low not in _given() or low in AMBIGUOUS_NAMES):
                return at
        elif low in NOT_NAMES and low not in _given() and len(low) > 1:
            return at
        place, lower_too = self._place(at)
        if low in TITLES and at + 1 < len(self.words) and place < _SURE:
            return at
        capital = self._capital(at) or (self.words[at].isupper() and place == _SURE)
        if capital:
            end = self._run(at, place)
            if end > at and self._accept(at, end, place):
                return end
            return at
        if self.shouted or self.words[at].isupper():
            return self._shouted_name(at, place)
        if (
            self.words[at].islower()
            and at + 1 < len(self.words)
            and self._gap(at + 1) == " "
            and min(len(self.low[at]), len(self.low[at + 1])) > 3
            and self._is_plain_given(at)
            and self._is_surname(at + 1)
        ):
            return at + 2  # "where is my order karen hughes"
        if lower_too and self._lower_name(at, place):
            end = at + 1
            if end < len(self.words) and self._gap(end) == " " and self.words[end].islower():
                last = end + 1 == len(self.words)
                follows = 9 if last else self.starts[end + 1] - self.ends[end]
                after = "" if last else self.low[end + 1]
                ends = self._bounded(end) or after in ("and", "i", "my", "from", "but", "order")
                if self._is_surname(end) or (place == _SURE and ends and not self._is_word(end) and follows):
                    end += 1
            return end
        return at

    def _shouted_name(self, at: int, place: int) -> int:
        """JAN KOWALCZYK among capitals: both words must be listed, or one after a place that leaves no doubt."""
        if not self._is_given(at) or self.low[at] in NOT_NAMES:
            return at
        if at + 1 < len(self.words) and self._gap(at + 1) == " " and self._is_surname(at + 1):
            return at + 2 if place or self.low[at] not in AMBIGUOUS_NAMES else at
        plain = self._is_plain_given(at) and self.words[at].isupper() and len(self.low[at]) > 3
        return at + 1 if plain and (place or self.shouted) else at

    def _lower_name(self, at: int, place: int) -> bool:
        if self._is_word(at) or not self.words[at].islower():
            return False
        if (
            place == _SURE
            and self._bounded(at)
            and self.low[at] not in AMBIGUOUS_NAMES
            and len(self.low[at]) > 2
        ):
            return True
        return (self._is_plain_given(at) and len(self.low[at]) > 2) or (
            place == _SURE and (self._is_surname(at) or self._is_given(at))
        )

    def _bounded(self, at: int) -> bool:
        return _BOUND.match(self.text, self.ends[at]) is not None

    def _run(self, at: int, place: int) -> int:
        """The words from ``at`` that are written as one name; at most three, and particles between them."""
        end, taken = at, 0
        most = 4 if place == _SURE else 3
        while end < len(self.words) and taken < most:
            low = self.low[end]
            if end > at:
                gap = self._gap(end)
                if gap != " " and not (gap in (". ", ".") and self._initial(end - 1)):
                    break
                if low in PARTICLES and end + 1 < len(self.words) and self._gap(end + 1) == " ":
                    after = end + 1
                    if self.low[after] in PARTICLES and after + 1 < len(self.words):
                        after += 1
                    if self._capital(after) and not self._is_word(after) and self.low[after] not in PLACES:
                        end = after + 1
                        taken += 1
                        continue
                    break
            certain = place >= _LIKELY and (end > at or low in PARTICLES) and low not in NOT_NAMES
            if (
                self._is_word(end)
                and not certain
                and not self._initial(end)
                and not (end == at and self._is_given(end) and place >= _LISTED)
            ):
                break
            shouted = place == _SURE and self.words[end].isupper()
            if not (self._capital(end) or shouted):
                break
            person = place == _LIKELY and low in surnames() and (self._is_given(at) or "-" in self.low[at])
            if end > at and place < _SURE and (low in MONTHS or (low in PLACES and not person)):
                break  # but "signed by Hye-jin Park"
            end += 1
            taken += 1
            if self.words[end - 1].endswith(("'s", "’s")):
                break
        if end == at + 1 and self._initial(at):
            return at  # an initial alone
        return end

    def _accept(self, at: int, end: int, place: int) -> bool:
        low = self.low[at]
        after = self.low[end] if end < len(self.words) and self._gap(end) == " " else ""
        if " ".join(self.low[at : at + 2]) in BRANDS or f"{self._before(at)} {low}" in BRANDS:
            return False
        if end - at == 1 and low in MONTHS and place < _SURE:
            return False
        if place == _SURE:
            return True
        if after in PLACES and place < _LIKELY:
            return False
        listed = self._is_given(at) or self._is_surname(at)
        if place == _LIKELY:
            return listed or not self.titled or self._initial(at)
        pair = end - at >= 2 and self._is_surname(at + 1)
        if self.titled and not (self._is_given(at) and pair):
            return False
        if place == _LISTED:
            if end - at == 2 and is_pinyin_name(low, self.low[at + 1]):
                return True
            return pair or (listed and (low not in AMBIGUOUS_NAMES or self._bounded(end - 1)))
        if low in CITIES:
            return False
        if self._before(at) in ("the", "st", "saint", "santa", "san") and self._gap(at) in (" ", ". "):
            return False
        if self._initial(at):
            return any(self._is_surname(word) for word in range(at + 1, end))
        if end - at == 2 and is_pinyin_name(low, self.low[at + 1]):
            return True
        if self._is_plain_given(at):
            return len(low) > 2 or pair
        if self._is_surname(at) and any(self._is_plain_given(word) for word in range(at + 1, end)):
            return True
        return self._is_given(at) and pair and low not in NOT_NAMES

    def _place(self, at: int) -> tuple[int, bool]:
        """How sure a name stands here, and whether it may be written in lower case."""
        gap, one, two, three = self._gap(at), self._before(at), self._before(at, 2), self._before(at, 3)
        gap = gap.rstrip('"“‘(') or gap
        joined = gap == " "
        if self.text[max(0, self.starts[at] - 4) : self.starts[at]].lower() == "c/o ":
            return _LIKELY, True
        changed = not {"name", "names", "surname"}.isdisjoint(self.low[max(0, at - 5) : at])
        if joined and one in ("from", "to") and changed and {"from", "to"} <= set(self.low):
            return _LIKELY, True
        if joined and one == "name" and self.words[at - 1].endswith(("'s", "’s")):
            return _SURE, True
        if (
            one in TITLES
            and (joined or gap == ". ")
            and (self.words[at].isupper() or not self.words[at - 1].isupper())
        ):
            return _SURE, True
        if one in LABELS and _LABEL_GAP.fullmatch(gap):
            return _SURE, True
        if joined and (
            (two in ("name", "names") and one in ("is", "was"))
            or (one == "names" and two == "my")
            or (one == "name" and two in ("full", "my") and self._capital(at))
            or (one == "called" and two in ("am", "i'm"))
        ):
            return _SURE, True
        last = self._last(at)
        if self.low[last + 1 : last + 4] == ["is", "my", "name"] and self._begins(at):
            return _SURE, True
        if joined and (three, two, one) == ("name", "on", "it") and (self._capital(at) or self._initial(at)):
            return _SURE, False
        if joined and (two, one) in (
            ("name", "of"),
            ("names", "of"),
            ("booked", "under"),
            ("registered", "to"),
        ):
            return _SURE, True
        if (
            joined
            and one == "name"
            and (two in LABELS or two in _KINDS_OF_NAME or (two == "the" and three in ("under", "in", "on")))
        ):
            return _SURE, True
        if gap in (" ", ", ") and one in RELATIONS:
            return (_LIKELY if joined or self._is_given(at) else _LISTED), True
        if one in ("and", "or", "und", "et", "y") and joined and self.last_name == at - 1:
            return _LISTED, False
        if self.text[self.starts[at] - 1 : self.starts[at]] == "@" and (
            self.starts[at] < 2 or self.text[self.starts[at] - 2].isspace()
        ):
            return _LIKELY, True
        if joined and one in ("called", "named"):  # a product has a name as well
            return (_LIKELY if two in RELATIONS else _LISTED), True
        if joined and ((two, one) in BY or (one == "under" and self._bounded(self._last(at)))):
            return _LIKELY, True
        greeting = self._greeting(at, gap, one, two, three)
        if greeting and not (greeting[0] < _LIKELY and self._signed(at, gap, one)):
            return greeting
        if joined and (
            one in PRESENTING or (two, one) in (("this", "is"), ("i", "am"), ("it", "is"), ("here", "is"))
        ):
            return self._presented(at, one, two)
        if self._signed(at, gap, one):
            return _LIKELY, one in CLOSERS
        end = self._run(at, _NONE) if self._capital(at) else at
        if end > at and end < len(self.words) and self._gap(end) == " " and self.low[end] in SAID:
            here = self.low[end] in ("here", "speaking") and self._begins(at) and self._bounded(end)
            return (_LIKELY if here else _LISTED), False
        closes = end > at and _ENDS.match(self.text, self.ends[end - 1]) is not None
        if at and closes and (_SENTENCE_END.search(gap) or ("," in gap and end - at == 2)):
            return _LISTED, False  # the last words after a full stop: "… asap. Greta Lindqvist"
        lower = joined and one in ("to", "from", "for", "by", "with", "and", "tell", "ask", "told", "is")
        return _NONE, lower and len(self.low[at]) > 3

    def _greeting(self, at: int, gap: str, one: str, two: str, three: str) -> tuple[int, bool] | None:
        if gap not in (" ", ", ", ",") or not one:
            return None
        if one in GREETINGS and self._begins(at - 1 - (two in ("good",))):
            if one == "dear":
                return (_LIKELY if self._bounded(self._last(at)) else _LISTED), True
            return (_LIKELY if self._bounded(self._last(at)) and gap != "," else _LISTED), True
        if one in ("there", "back", "you", "again", "much", "lot", "problem", "thing", "day"):
            head = at - 2
            while head > 0 and self._gap(head) == " " and at - head < 5:
                head -= 1
            if self.low[head] in GREETINGS | ACKNOWLEDGEMENTS and (head == 0 or self._begins(head)):
                return _LISTED, True
            return None
        if one in ACKNOWLEDGEMENTS and (self._begins(at - 1) or one in ("thanks", "thx", "thank")):
            bounded = self._bounded(self._last(at)) and one in ("thanks", "cheers", "welcome")
            return (_LIKELY if bounded else _LISTED), True
        return None

    def _last(self, at: int) -> int:
        """The last word of the run at ``at``, or ``at``."""
        end = self._run(at, _LIKELY) if self._capital(at) else at
        return max(end - 1, at)

    def _begins(self, at: int) -> bool:
        """Whether word ``at`` begins the text or a sentence."""
        return at <= 0 or _SENTENCE_END.search(self._gap(at)) is not None or "," in self._gap(at)

    def _presented(self, at: int, one: str, two: str) -> tuple[int, bool]:
        """ "I'm Anna", "this is Tom from Leeds": a name that is listed, stands alone, or goes on like one."""
        last = self._last(at)
        after = self.low[last + 1] if last + 1 < len(self.words) and self._gap(last + 1) == " " else ""
        myself = one in ("i'm", "i’m", "im", "am")
        speaks = after in ("here", "speaking", "from", "again", "writing", "calling")
        alone = myself and (self._bounded(last) or after == "and") and self._capital(at)
        two_words = last > at and (myself or self._is_surname(last) or self._is_given(at))
        if (speaks or alone or two_words) and self._capital(at):
            return _LIKELY, True
        if (
            myself
            and self.words[at].islower()
            and at + 1 < len(self.words)
            and self._is_given(at)
            and self._is_surname(at + 1)
        ):
            return _SURE, True
        return _LISTED, True

    def _signed(self, at: int, gap: str, one: str) -> bool:
        """The end of the text, after a closing formula, a dash or on a line of its own."""
        end = at
        while (
            end < len(self.words)
            and end - at < 4
            and (end == at or self._gap(end) in (" ", ". ", " - ", "-"))
        ):
            end += 1
        if end < len(self.words) or not at or not _ENDS.match(self.text, self.ends[-1]):
            return False
        if (
            one in CLOSERS
            and re.fullmatch(r"[\s,.!:;–—~-]+", gap)
            and not (one == "you" and self._before(at, 2) != "thank")
        ):
            return True
        return bool(re.fullmatch(r"\s*\n\s*[–—~-]*\s*|[.!?]*\s+[–—~-]+\s?", gap))
