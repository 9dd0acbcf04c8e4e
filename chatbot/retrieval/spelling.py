"""Slips of the fingers in English: "wher is my ordr, it hasnt arived" as it was meant. (Chinese: `homophones.py`.)

A word that neither a general dictionary nor the company's passages have is read as the one word of theirs that a single
slip away is likeliest: a letter left out, struck twice or beside its key, one that sounds alike, two that changed
places (Damerau 1964). How many passages have a word, and how common it is elsewhere, says how likely it was meant
(Kernighan, Church and Gale 1990). Where two words are nearly as likely it stays as it was written: a wrong word is
worse than a misspelt one, whose parts the models still know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from string import ascii_lowercase

from chatbot.retrieval.homophones import CHINESE, Homophones
from chatbot.retrieval.terms import terms

ENGLISH = "en"
NO_WORDS: Mapping[str, int] = {}
SHORTEST, LONGEST = 4, 16  # letters of a word that is looked at
MOST = 5  # words of a message that are looked at, so that what is no language at all costs no more than an answer
CLEAR = 2.0  # so many times as likely as the next one must a word be
_COMMON = 6_000  # the most frequent words of the dictionary; another one counts only where a passage has it
_EVERYWHERE = 3.0  # passages that the last of them counts as much as; one twice as frequent counts twice

_WORD = re.compile(r"(?<![\w@.'’/\[-])[A-Za-z]?[a-z]+(?![\w@'’/\]-]|\.\w)")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BARE = """
    aint arent cant couldnt didnt doesnt dont hadnt hasnt havent heres hows isnt itll lets shes shouldnt thats theres
    theyll theyre theyve wasnt werent whats wheres whos wont wouldnt youd youll youre youve
"""
_CONTRACTIONS = frozenset(_BARE.split())  # without their apostrophe
_SOUND_ALIKE = {
    letter: frozenset(others)
    for letter, others in {
        "a": "e",
        "e": "ai",
        "i": "ey",
        "y": "i",
        "o": "u",
        "u": "o",
        "s": "cz",
        "c": "sk",
        "k": "c",
        "z": "s",
    }.items()
}
_ENDINGS = ("s", "es", "d", "ed", "ing", "er", "ly")


class Spelling:
    """Thread-safe. ``general``: the dictionary, each word in small letters with its place by frequency, from 1; without
    one no English is mended. ``spread``: how many passages have a word today. ``homophones``: for Chinese."""

    def __init__(
        self,
        general: Mapping[str, int] = NO_WORDS,
        spread: Callable[[str], int] = lambda _word: 0,
        homophones: Homophones | None = None,
    ) -> None:
        self._general = general
        self._spread = spread
        self._homophones = homophones or Homophones()

    def mended(self, text: str, *, lang: str) -> str:
        """``text`` with the words that it must have meant, where it is English or Chinese. Words with capitals inside,
        codes, addresses and whatever stands in a sentence with a capital stay: these are names."""
        if lang == CHINESE:
            return self._homophones.mended(text)
        if lang != ENGLISH or not self._general:
            return text
        left = MOST

        def word(match: re.Match[str]) -> str:
            nonlocal left
            written = match[0]
            named = written[0].isupper() and text[: match.start()].rstrip()[-1:] not in ("", *".!?")
            if not SHORTEST <= len(written) <= LONGEST or named or not left or self._knows(written.lower()):
                return written
            left -= 1
            meant = self._meant(written.lower())
            return meant.capitalize() if written[0].isupper() else meant

        return _WORD.sub(word, text)

    def _knows(self, word: str) -> bool:
        if word in self._general or word in _CONTRACTIONS:
            return True
        stems = (word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))
        return (
            any(len(stem) >= SHORTEST - 1 and stem in self._general for stem in stems)
            or self._spread(word) > 0
        )

    def _likely(self, word: str, *, used: bool) -> float:
        """In passages. ``used``: only a function word and what a passage has come into question."""
        place = self._general.get(word)
        if place is None:  # the company's own word, and not an ending that nobody writes behind one of theirs
            passages = self._spread(word)
            return float(passages) if passages and terms(word) == [word] else 0.0
        common = _EVERYWHERE * _COMMON / place
        passages = self._spread(word)
        fits = passages > 0 or (place <= _COMMON and not (used and terms(word)))
        return passages + common if fits else 0.0

    def _meant(self, word: str) -> str:
        short = len(word) == SHORTEST
        found: dict[str, float] = {}
        for near, replaced in _near(word):  # "kilos" is no "kills": a letter replaced makes only what is used
            if near not in found and (likely := self._likely(near, used=short or replaced)) > 0:
                found[near] = likely
        best = sorted(found, key=lambda near: -found[near])[:2]
        if not best or (len(best) > 1 and found[best[0]] < CLEAR * found[best[1]]):
            return word
        return best[0]


def _near(word: str) -> Iterator[tuple[str, bool]]:
    """What is one slip away, and whether a letter is replaced by that; the first letter is hardly ever wrong."""
    for at in range(1, len(word) + 1):
        head, tail = word[:at], word[at:]
        for letter in ascii_lowercase:
            yield head + letter + tail, False  # left out
        if not tail:
            break
        beside = _beside(tail[0])
        around = {head[-1], *tail[1:2]}
        if tail[0] in around or beside & around:
            yield head + tail[1:], False  # struck twice, or with the key beside it
        if len(word) > SHORTEST:
            for letter in beside | _SOUND_ALIKE.get(tail[0], frozenset()):
                yield head + letter + tail[1:], True
    for at in range(len(word) - 1):
        if word[at] != word[at + 1]:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :], False  # changed places


@lru_cache(maxsize=26)
def _beside(letter: str) -> frozenset[str]:
    """The keys around it on an English keyboard."""
    for place, row in enumerate(_ROWS):
        if letter in row:
            at = row.index(letter)
            around = [row[max(at - 1, 0) : at + 2]]
            around += [
                _ROWS[other][max(at - 1, 0) : at + 2] for other in (place - 1, place + 1) if 0 <= other < 3
            ]
            return frozenset("".join(around)) - {letter}
    return frozenset()
