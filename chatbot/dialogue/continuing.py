"""How much a message reads like one that asks on after an answer ("and in a shop?") and not like a new question.

A linear model of each language over a message's words, their pairs, and where it begins and ends; of what is written
without spaces, over characters. A company's own conversations teach it (chatbot/learning/continuing_fit.py).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError
from chatbot.language.normalise import fold

SIZE = 1 << 14  # places that words and pairs share
SUREST = 6.0  # log-odds beyond which nothing more is believed
_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’][^\W_]+)?|[?？]")


def units(text: str) -> list[str]:
    """Words, single Chinese characters and question marks, in order."""
    return _UNIT.findall(fold(text))


def places(text: str) -> NDArray[np.int64]:
    """Where the message's units and their pairs lie in a vector of SIZE, each once, ascending."""
    found = units(text)
    pairs = [f"{first} {second}" for first, second in pairwise(["^", *found, "$"])]
    return np.array(sorted({zlib.crc32(part.encode()) % SIZE for part in [*found, *pairs]}), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Continuing:
    """``languages``: float32 [SIZE + 1], the weights of each place and, last, the constant."""

    languages: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def log_odds(self, text: str, lang: str) -> float:
        """That ``text`` asks on, between −SUREST and SUREST; 0 in a language that was not learned."""
        weights = self.languages.get(lang)
        if weights is None:
            return 0.0
        found = places(text)
        value = float(weights[found].sum()) / max(len(found), 1) ** 0.5 + float(weights[-1])
        return min(max(value, -SUREST), SUREST)

    def save(self, folder: Path) -> None:
        """One file a language; nothing where no language was learned."""
        for lang, weights in self.languages.items():
            folder.mkdir(exist_ok=True)
            np.save(folder / f"{lang}.npy", weights, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Continuing:
        """Raises BundleError for a file that holds no such weights; without the folder nothing was learned."""
        found = {}
        for path in sorted(folder.glob("*.npy")):
            try:
                weights = np.load(path, allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise BundleError(
                    "What follow-ups read like cannot be read", value=path.name, remedy="Retrain"
                ) from error
            if weights.shape != (SIZE + 1,) or weights.dtype != np.float32 or not np.isfinite(weights).all():
                raise BundleError("Not the weights of follow-ups", value=path.name, remedy="Retrain")
            found[path.stem] = weights
        return cls(found)
