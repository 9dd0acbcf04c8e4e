"""How alike two texts are by their words."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from chatbot.language.normalise import fold

_TOKEN = re.compile(r"[a-z0-9']+|[\u3400-\u9fff]|[^\sa-z0-9]")


def likeness(first: str, second: str) -> float:
    """F1 over token counts, 0..1."""
    one, two = _counts(first), _counts(second)
    common = sum(min(count, two[token]) for token, count in one.items() if token in two)
    return 2 * common / max(1, one.total() + two.total())


def tokens(text: str) -> list[str]:
    """Words, Chinese characters and punctuation marks, folded."""
    return _TOKEN.findall(fold(text))


@lru_cache(maxsize=4_096)
def _counts(text: str) -> Counter[str]:
    return Counter(tokens(text))
