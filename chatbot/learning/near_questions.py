"""Questions that say nearly the same, put together quickly enough for a page.

One pass in order of time: a question joins the first group whose leader shares enough of its words (cosine of TF-IDF
weights; characters and their pairs for Chinese), else it leads a group of its own (leader clustering, Hartigan 1975,
chapter 3). Where there is an encoder, groups whose leaders mean the same are joined.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chatbot.learning.clustering import words_of

ALIKE = 0.55
SAME = 0.82  # cosine of questions that mean the same (docs/measured.md)


def group_alike(texts: Sequence[str], *, least: float = ALIKE) -> list[list[int]]:
    """Groups of rows in order of their first; within a group the leader comes first."""
    equal: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        equal.setdefault(" ".join(words_of(text)) or text.casefold().strip(), []).append(row)
    distinct = list(equal.values())
    weights = _weights([texts[rows[0]] for rows in distinct])
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
            other for other, value in sorted(likeness.items()) if value >= least and other not in taken
        ]
        ordered = [at, *(other for other in members if other != at)]
        taken.update(ordered)
        groups.append([row for one in ordered for row in distinct[one]])
    return groups


def join_alike(
    groups: Sequence[Sequence[int]], leaders: NDArray[np.float32], *, least: float = SAME
) -> list[list[int]]:
    """Groups whose leaders mean the same are one: each joins the nearest that came before. ``leaders``: their leaders'
    unit vectors [groups, dimension]."""
    joined: list[list[int]] = []
    firsts: list[int] = []  # of each joined group, the place of the one that it began with
    for place, rows in enumerate(groups):
        likeness = leaders[firsts] @ leaders[place] if firsts else np.zeros(1, dtype=np.float32)
        nearest = int(likeness.argmax())
        if likeness[nearest] >= least:
            joined[nearest] += rows
        else:
            firsts.append(place)
            joined.append(list(rows))
    return joined


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
