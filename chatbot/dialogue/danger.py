"""Danger to life, by rule: fire, gas, an electric shock, poison, an injury, the wish to die. English and Chinese.

No model is asked: what is rare in a company's history is what a classifier knows least. The patterns name what happens
to somebody, or comes out of a device, not single words: steam that burns the milk, a burnt taste, 气死我了 and a
smoking hot deal are none. Who asks "what if it smokes?" is told the same, as nobody is harmed by it.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from chatbot.dialogue.danger_words import PATTERNS
from chatbot.language.simplified import simplified

Danger = Literal["self_harm", "fire", "gas", "shock", "poison", "injury"]
DANGERS: tuple[Danger, ...] = get_args(Danger)  # the most pressing first

_DENIED = re.compile(
    r"(?:\b(?:no|not|never|without|any|isn'?t|wasn'?t|aren'?t|doesn'?t|didn'?t|don'?t|hasn'?t|won'?t|stopped)"
    r" (?:be |been |getting |even |any |to |a |an |see |smell )*"
    r"|(?:没有?|不会?|未|无|防止?|避免|以免|免得|别)[被再会人]?)$"
)
_NOT_ONLY = re.compile(r"\bnot (?:only|just) $")


def dangers(text: str) -> tuple[Danger, ...]:
    """The dangers that the message tells of, the most pressing first."""
    said = simplified(text)
    return tuple(kind for kind in DANGERS if any(_tells(pattern, said) for pattern in _COMPILED[kind]))


_COMPILED: dict[str, tuple[re.Pattern[str], ...]] = {
    kind: tuple(re.compile(pattern) for pattern in patterns) for kind, patterns in PATTERNS.items()
}


def _tells(pattern: re.Pattern[str], said: str) -> bool:
    for match in pattern.finditer(said):
        before = said[: match.start()]
        if _DENIED.search(before) is None or _NOT_ONLY.search(before) is not None:
            return True
    return False
