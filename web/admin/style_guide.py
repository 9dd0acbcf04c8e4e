"""The design tokens as the style guide shows them: with the contrast of every pair that is used.

Contrast is that of WCAG 2.2 (1.4.3 and 1.4.11): (L1 + 0.05) / (L2 + 0.05) of the relative luminances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from chatbot.errors import NotFoundError
from web.tokens import Token, tokens

TEXT, LARGE = 4.5, 3.0  # least contrast of text, and of large text and of what marks a control
# What stands on what, and the least contrast it needs.
PAIRS = (
    *(
        (front, back, TEXT)
        for front in ("text", "text-quiet", "text-faint")
        for back in ("ground", "surface")
    ),
    *((front, "sunken", TEXT) for front in ("text", "text-quiet")),
    ("control", "surface", LARGE),
    ("accent", "surface", TEXT),
    ("accent", "ground", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("accent-strong", "accent-soft", TEXT),
    ("text", "accent-soft", TEXT),
    *((name, f"{name}-soft", TEXT) for name in ("good", "warn", "bad")),
    *(("text", f"{name}-soft", TEXT) for name in ("good", "warn", "bad")),
    *((name, "surface", TEXT) for name in ("good", "warn", "bad")),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two colours that stand on each other, and their contrast in both schemes."""

    front: Token
    back: Token
    least: float
    light: float
    dark: float

    @property
    def holds(self) -> bool:
        return min(self.light, self.dark) >= self.least


@lru_cache(maxsize=1)
def pairs() -> tuple[Pair, ...]:
    known = tokens()
    found = []
    for front, back, least in PAIRS:
        one, other = known.get(front), known.get(back)
        if one is None or other is None:
            raise NotFoundError("There is no such token", field="token", value=f"{front}, {back}")
        found.append(
            Pair(one, other, least, contrast(one.light, other.light), contrast(one.dark, other.dark))
        )
    return tuple(found)


def contrast(one: str, other: str) -> float:
    """1 to 21, of two colours written #rrggbb."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
