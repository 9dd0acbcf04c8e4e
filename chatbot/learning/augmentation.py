"""New texts from old ones, for a teacher to label: they need not be good sentences, only near the real ones.

Word dropout, swapped neighbours, crops, halves of two texts joined, typing errors, and words replaced by
their neighbours in the sentence encoder's word table, which brings in words that no training text has. The
teacher says what each of them means to it (Hinton et al. 2015), so an operation that changes the meaning does
no harm. Chinese is worked on by character.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Mapping, Sequence

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")
_OPERATIONS = ("drop", "swap", "crop", "join", "typo", "replace")
_WEIGHTS = (3.0, 1.0, 1.5, 2.0, 1.0, 4.0)

Neighbours = Mapping[str, Sequence[str]]


def augment(texts: Sequence[str], n: int, *, seed: int, neighbours: Neighbours | None = None) -> list[str]:
    """``n`` texts made from ``texts`` by one to three operations each, none equal to any of them."""
    if not texts:
        return []
    source = random.Random(seed)
    units = [_UNIT.findall(text) for text in texts]
    seen = set(texts)
    made: list[str] = []
    for _ in range(4 * n):  # short texts repeat; give up rather than loop for ever
        if len(made) == n:
            break
        words = list(source.choice(units))
        for _ in range(source.choices((1, 2, 3), (5, 3, 1))[0]):
            operation = source.choices(_OPERATIONS, _WEIGHTS)[0]
            words = _apply(operation, words, units, source, neighbours or {})
        text = join_units(words)
        if text and text not in seen:
            seen.add(text)
            made.append(text)
    return made


def join_units(units: Sequence[str]) -> str:
    """Words with spaces between them, Han characters without."""
    out: list[str] = []
    for unit in units:
        if out and not (_han(unit) and _han(out[-1])):
            out.append(" ")
        out.append(unit)
    return "".join(out)


def _han(unit: str) -> bool:
    return len(unit) == 1 and "\u3400" <= unit <= "\u9fff"


def _apply(
    operation: str,
    words: list[str],
    others: Sequence[list[str]],
    source: random.Random,
    neighbours: Neighbours,
) -> list[str]:
    if not words:
        return words
    n = len(words)
    if operation == "drop":
        share = source.uniform(0.1, 0.35)
        return [word for word in words if source.random() > share] or words
    if operation == "swap" and n > 1:
        i = source.randrange(n - 1)
        return [*words[:i], words[i + 1], words[i], *words[i + 2 :]]
    if operation == "crop" and n > 3:
        length = source.randint(max(2, n // 2), n - 1)
        start = source.randint(0, n - length)
        return words[start : start + length]
    if operation == "join":
        other = source.choice(others)
        return words[: max(1, n // 2)] + other[len(other) // 2 :] if source.random() < 0.7 else words + other
    if operation == "typo":
        i = source.randrange(n)
        return [*words[:i], _mistyped(words[i], source), *words[i + 1 :]]
    if operation == "replace":
        known = [i for i, word in enumerate(words) if word.lower() in neighbours]
        for i in source.sample(known, min(len(known), source.randint(1, 2))):
            words = [*words[:i], source.choice(neighbours[words[i].lower()]), *words[i + 1 :]]
    return words


def _mistyped(word: str, source: random.Random) -> str:
    """One letter lost, doubled, replaced, or swapped with the next; short words and Han characters stay."""
    if len(word) < 4 or not word.isascii():
        return word
    i = source.randrange(len(word) - 1)
    kind = source.randrange(4)
    if kind == 0:
        return word[:i] + word[i + 1 :]
    if kind == 1:
        return word[: i + 1] + word[i:]
    if kind == 2:
        return word[:i] + source.choice(string.ascii_lowercase) + word[i + 1 :]
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
