"""Slips of who types Chinese by Pinyin: 怎么退或 as it was meant, 怎么退货.

Two characters side by side that neither an article nor a customer has ever written are read with the one of them
replaced that sounds the same and makes what many have written and passages of today have. Where that
character makes something known with its other neighbour (退或者换), where a passage has the two as they stand, or
where another reading is nearly as frequent, they stay as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

CHINESE = "zh"
ENOUGH = 5_000  # texts that must have been read: after fewer, what nobody has written is no sign of a slip
NO_SOUNDS: Mapping[str, Collection[str]] = {}
MOST = 8  # pairs of a message that are looked at
LEAST = 0.0012  # share of what was written before that must have the two
LEAST_FOR_WORD = 0.005  # ... where they stand for what is a word somewhere else (包修)
SEVERAL = 2  # passages of today that have them, or one where they are a word
CLEAR = 3.0  # so many times as often as the next ones

_RUN = re.compile(r"[\u3400-\u9fff]{2,}")
Said = Callable[[Sequence[str]], Sequence[float]]


class Homophones:
    """Thread-safe. ``alike``: each character with the others that sound like it; without them nothing is mended.
    ``words``: of two characters, in general. ``said``: in which share of what was written about the company until the
    training each pair of characters stood. ``stands``: in how many passages of today two stand side by side; it need
    not count beyond `SEVERAL`."""

    def __init__(
        self,
        alike: Mapping[str, Collection[str]] = NO_SOUNDS,
        words: Collection[str] = (),
        said: Said = lambda pairs: [0.0] * len(pairs),
        stands: Callable[[str], int] = lambda _pair: 0,
        filler: Collection[str] = (),
    ) -> None:
        """``filler``: characters that nobody looks for; two of them tell nothing, and none is put in."""
        self._alike = alike
        self._words = words
        self._said = said
        self._stands = stands
        self._filler = filler

    def mended(self, text: str) -> str:
        """``text``, as long as before."""
        if not self._alike:
            return text
        places = [at for run in _RUN.finditer(text) for at in range(run.start(), run.end() - 1)]
        said = self._said([text[at : at + 2] for at in places])
        unknown = [
            at for at, share in zip(places, said, strict=True) if not self._known(text[at : at + 2], share)
        ]
        known = {at for at in places if text[at : at + 2] in self._words} | (set(places) - set(unknown))
        signs = list(text)
        for at in unknown[:MOST]:
            place, sign = self._meant(text, at, known)
            if place >= 0 and "".join(signs[at : at + 2]) == text[at : at + 2]:  # a slip is mended once
                signs[place] = sign
        return "".join(signs)

    def _known(self, pair: str, share: float) -> bool:
        return share > 0 or all(sign in self._filler for sign in pair)

    def _meant(self, text: str, at: int, known: Collection[int]) -> tuple[int, str]:
        """Where in ``text`` another character was meant, and which; (-1, "") where that is not sure."""
        written = text[at : at + 2]
        near: dict[str, int] = {}  # what it could be: where it differs
        if at - 1 not in known:
            near |= {other + written[1]: at for other in self._alike.get(written[0], ())}
        if at + 1 not in known:
            near |= {written[0] + other: at + 1 for other in self._alike.get(written[1], ())}
        pairs = [pair for pair, place in near.items() if pair[place - at] not in self._filler]
        found = sorted(zip(self._said(pairs), pairs, strict=True), reverse=True)[:2]
        least = LEAST_FOR_WORD if written in self._words else LEAST
        if not found or found[0][0] < max([least, *(CLEAR * share for share, _ in found[1:])]):
            return -1, ""
        meant = found[0][1]
        if self._stands(meant) < (1 if meant in self._words else SEVERAL) or self._stands(written):
            return -1, ""
        place = near[meant]
        return place, meant[place - at]
