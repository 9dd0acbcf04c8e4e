"""What a tagger of entities reads and says: the pieces of a text with their features, and the tags of a sequence.

A text is cut into pieces that keep their place in it. Each piece is a bag of hashed features (itself, its beginning and
end, its shape; a Han character with its neighbours), so that there is no vocabulary to ship and a name never seen still
says something. The same in training and in serving; nothing but the standard library.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from itertools import pairwise

BUCKETS = 16384  # of hashed features; bucket 0 is padding
MOST_PIECES = 160  # of one text, the first ones
SHAPE = 1  # place of the shape among the features of a piece
OUTSIDE = "O"

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PIECE = re.compile(rf"\[[A-Z]+(?:_\d+)?\]|[{_HAN}]|\d+|[^\W\d_{_HAN}]+|[^\w\s]|_")
_IS_HAN = re.compile(f"[{_HAN}]")


def spans(text: str) -> list[tuple[int, int]]:
    """Where the pieces of ``text`` stand: words, numbers, signs, placeholders; Han characters one by one."""
    return [match.span() for match in _PIECE.finditer(text)][:MOST_PIECES]


def features(text: str, places: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The feature buckets 1 … BUCKETS-1 of each piece: itself, its shape, and what it is made of or stands
    beside."""
    words = [text[start:end] for start, end in places]
    found = []
    for at, word in enumerate(words):
        low = word.lower()
        named = [f"w{low}", f"s{_shape(word)}"]
        if len(word) == 1 and _IS_HAN.match(word):
            before = words[at - 1] if at and places[at - 1][1] == places[at][0] else "_"
            after = words[at + 1] if at + 1 < len(words) and places[at + 1][0] == places[at][1] else "_"
            named += [f"l{before}{word}", f"r{word}{after}"]
        else:
            named += [f"p{low[:size]}" for size in (2, 3) if len(low) > size]
            named += [f"e{low[-size:]}" for size in (2, 3) if len(low) > size]
        found.append([1 + zlib.crc32(name.encode()) % (BUCKETS - 1) for name in named])
    return found


def _shape(word: str) -> str:
    """``Xx`` for Rotterdam, ``X`` for USB, ``d4`` for 2048: capitals and digits, runs as one."""
    if word[:1].isdigit():
        return f"d{min(len(word), 6)}"
    signs = ("X" if ch.isupper() else "x" if ch.isalpha() else ch for ch in word)
    shape = ""
    for sign in signs:
        if not shape.endswith(sign):
            shape += sign
    return shape[:6]


def tags_of(kinds: Sequence[str]) -> tuple[str, ...]:
    """Outside, then begin and inside of each kind (IOB2; Ramshaw and Marcus 1995)."""
    return (OUTSIDE, *(f"{part}-{kind}" for kind in kinds for part in "BI"))


def allowed(tags: Sequence[str]) -> tuple[list[list[bool]], list[bool]]:
    """Which tag may follow which [k, k], and which may begin a text [k]: an inside follows its own kind alone."""
    follows = [[not after.startswith("I-") or before[2:] == after[2:] for after in tags] for before in tags]
    return follows, [not tag.startswith("I-") for tag in tags]


def entities_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """(kind, first piece, last piece) of each entity in a sequence of tags."""
    found: list[tuple[str, int, int]] = []
    for at, (before, tag) in enumerate(pairwise([OUTSIDE, *tags])):
        kind = tag[2:]
        if tag.startswith("B-") or (tag.startswith("I-") and before[2:] != kind):
            found.append((kind, at, at))
        elif tag.startswith("I-"):
            found[-1] = (kind, found[-1][1], at)
    return found
