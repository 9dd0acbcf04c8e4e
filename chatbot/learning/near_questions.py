"""Questions that say nearly the same, put together quickly enough for a page.

One pass in order of time: a question joins the first group whose leader shares enough of its words (cosine of TF-IDF
weights; characters and their pairs for Chinese), else it leads a group of its own (leader clustering, Hartigan 1975,
chapter 3). Where there is an encoder, groups whose leaders mean the same are joined (complete linkage).

Questions in nearly the same words are often different ones: *open* or *close* an account, paid *in cash* or *by
invoice*. Where each of two has a word that counts and the other lacks, common words speak against their being one; a
paraphrase has few.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.wording import says_nothing, stem
from chatbot.language.entities import find_entities
from chatbot.language.normalise import fold, is_han
from chatbot.learning.clustering import words_of
from chatbot.retrieval.terms import is_identifier, terms

ALIKE = 0.55
# measured, docs/measured.md: two questions mean the same from this cosine on, if their words are less alike than
# COMMON; within one group no two are further apart than APART
SAME, COMMON, APART = 0.55, 0.25, 0.45
_MISTYPED = 0.75  # how alike two spellings of one word are (Ratcliff and Obershelp's measure)
_NEGATION = re.compile(r"\b(?:not|no|never|without|cannot)\b|n['’]t\b")


def group_alike(texts: Sequence[str], *, least: float = ALIKE) -> list[list[int]]:
    """Groups of rows in order of their first; within a group the leader comes first."""
    equal: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        words = " ".join([*words_of(text), *sorted(_codes(text))])
        equal.setdefault(words or text.casefold().strip(), []).append(row)
    distinct = list(equal.values())
    said = [texts[rows[0]] for rows in distinct]
    weights = _weights(said)
    holders: dict[str, list[int]] = defaultdict(list)  # word -> texts that have it
    for at, own in enumerate(weights):
        for word in own:
            holders[word].append(at)
    groups: list[list[int]] = []
    taken: set[int] = set()
    for at, own in enumerate(weights):
        if at in taken:
            continue
        likeness: dict[int, float] = defaultdict(float)
        for word, weight in own.items():
            for other in holders[word]:
                likeness[other] += weight * weights[other][word]
        members = [
            other
            for other, value in sorted(likeness.items())
            if value >= least and other not in taken and not differ(said[at], said[other])
        ]
        ordered = [at, *(other for other in members if other != at)]
        taken.update(ordered)
        groups.append([row for one in ordered for row in distinct[one]])
    return groups


def join_alike(
    groups: Sequence[Sequence[int]], leaders: NDArray[np.float32], texts: Sequence[str]
) -> list[list[int]]:
    """Groups whose leaders mean the same are one: each joins the nearest that came before. ``leaders``: their leaders'
    unit vectors [groups, dimension]; ``texts``: what these say."""
    weights = _weights(texts)
    cosines = leaders @ leaders.T
    joined: list[list[int]] = []  # places of groups
    for place in range(len(groups)):
        nearest: tuple[float, list[int]] | None = None
        for held in joined:
            furthest = float(cosines[place, held].min())
            if (
                furthest < APART
                or (nearest and furthest <= nearest[0])
                or float(cosines[place, held].max()) < SAME
            ):
                continue
            likeness = {other: _likeness(weights[place], weights[other]) for other in held}
            if any(
                _other_codes(texts[place], texts[other])
                or (value >= COMMON and differ(texts[place], texts[other]))
                for other, value in likeness.items()
            ):
                continue
            if any(cosines[place, other] >= SAME and value < COMMON for other, value in likeness.items()):
                nearest = furthest, held
        if nearest:
            nearest[1].append(place)
        else:
            joined.append([place])
    return [[row for place in held for row in groups[place]] for held in joined]


def differ(one: str, other: str) -> bool:
    """Whether each has a word that counts and that the other lacks, both name codes but not the same, or one alone says
    no."""
    if _other_codes(one, other):
        return True
    if bool(_NEGATION.search(fold(one))) != bool(_NEGATION.search(fold(other))):
        return True
    ours, theirs = _telling(one), _telling(other)
    own, their = ours - theirs, theirs - ours
    return bool(own and their) and not all(any(_mistyped(a, b) for b in their) for a in own)


def _other_codes(one: str, other: str) -> bool:
    ours, theirs = _codes(one), _codes(other)
    return bool(ours and theirs) and ours != theirs


@lru_cache(maxsize=4_096)
def _codes(text: str) -> frozenset[str]:
    """Identifiers such as "E-4012"; a customer's own, an order's or a telephone's, make no other question."""
    if not any(map(str.isdigit, text)):
        return frozenset()
    for entity in reversed(find_entities(text)):
        text = f"{text[: entity.start]} {text[entity.end :]}"
    return frozenset(filter(is_identifier, terms(text)))


def _telling(text: str) -> set[str]:
    """Stems of the words, and the Chinese characters, that say something by themselves."""
    return {
        word if is_han(word[0]) else stem(word)
        for word in words_of(text)
        if not says_nothing(word) and (len(word) == 1 or not is_han(word[0]))
    }


def _mistyped(one: str, other: str) -> bool:
    return (
        not is_han(one[0])
        and min(len(one), len(other)) > 3
        and (SequenceMatcher(None, one, other).ratio() >= _MISTYPED)
    )


def _likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())


def _weights(texts: Sequence[str]) -> list[dict[str, float]]:
    """(1 + log frequency) × log(1 + texts / texts with the word), of unit length."""
    counted = [Counter(words_of(text)) for text in texts]
    held = Counter(word for words in counted for word in words)
    found = []
    for words in counted:
        raw = {
            word: (1 + math.log(number)) * math.log(1 + len(texts) / held[word])
            for word, number in words.items()
        }
        length = math.sqrt(sum(value * value for value in raw.values())) or 1.0
        found.append({word: value / length for word, value in raw.items()})
    return found
