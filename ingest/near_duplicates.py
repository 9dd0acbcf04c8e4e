"""Near-duplicate questions share a group: MinHash over shingles, in bands (Broder, "On the resemblance and
containment of documents", 1997; Leskovec et al., Mining of Massive Datasets, section 3.4).

A text is the set of its character 4-grams (Chinese: character pairs). Thirty hash functions keep their minimum over
the set; five bands of six minima become the keys by which the database finds the group again. Two texts meet with
probability 1 − (1 − J⁶)⁵ for Jaccard similarity J: 0.99 at 0.9, 0.77 at 0.8, 0.46 at 0.7, 0.08 at 0.5.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import MutableMapping, Sequence

import numpy as np

from chatbot.language.normalise import is_han

BANDS = 5
ROWS = 6
SHARES = (("train", 88), ("valid", 6), ("test", 6))

_RANDOM = np.random.default_rng(13)
# multiply-shift (Dietzfelbinger, 1996): 64-bit factors, so that the product of a 32-bit code wraps around
_MULTIPLY = _RANDOM.integers(0, 2**64, size=(BANDS * ROWS, 1), dtype=np.uint64)
_ADD = _RANDOM.integers(0, 2**64, size=(BANDS * ROWS, 1), dtype=np.uint64)


def shingles(text: str) -> set[str]:
    """Character pairs of Chinese text, 4-grams of other text; the text itself where it is shorter."""
    size = 2 if any(map(is_han, text)) else 4
    return {text[at : at + size] for at in range(len(text) - size + 1)} or {text}


def band_keys(text: str) -> tuple[int, ...]:
    """The text's BANDS keys, each a signed 63-bit number."""
    codes = np.array([zlib.crc32(piece.encode()) for piece in shingles(text)], dtype=np.uint64)  # [n]
    with np.errstate(over="ignore"):
        minima = ((codes * _MULTIPLY + _ADD) >> np.uint64(32)).min(axis=1)  # [BANDS * ROWS]
    return tuple(
        int.from_bytes(
            hashlib.blake2b(
                minima[band * ROWS : (band + 1) * ROWS].tobytes(), digest_size=8, key=b"%d" % band
            ).digest()
        )
        >> 1
        for band in range(BANDS)
    )


def group_of(keys: Sequence[int], known: MutableMapping[int, str]) -> str:
    """The group of the first band that is known, else a new one; every band is known afterwards."""
    group = next((known[key] for key in keys if key in known), None)
    if group is None:
        group = hashlib.blake2b(b"".join(key.to_bytes(8) for key in keys), digest_size=8).hexdigest()
    for key in keys:
        known.setdefault(key, group)
    return group


def split_of(group: str) -> str:
    """train, valid or test (88/6/6), by the group alone: what is alike is never on both sides."""
    place = int.from_bytes(hashlib.blake2b(group.encode(), digest_size=4, person=b"split").digest()) % 100
    for name, share in SHARES:
        if place < share:
            return name
        place -= share
    return SHARES[0][0]
