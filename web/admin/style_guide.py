"""The design tokens as the style guide shows them: read from tokens.css, with the contrast of every pair that is used.

Contrast is that of WCAG 2.2 (1.4.3 and 1.4.11): (L1 + 0.05) / (L2 + 0.05) of the relative luminances.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from chatbot.errors import NotFoundError

TEXT, LARGE = 4.5, 3.0  # least contrast of text, and of large text and of what marks a control
_RULE = re.compile(r"--([\w-]+):\s*([^;]+);")
_HEX = re.compile(r"#[0-9a-f]{6}")
_DURATION = re.compile(r"[\d.]+m?s")
# What stands on what, and the least contrast it needs.
PAIRS = (
    *(
        (front, back, TEXT)
        for front in ("text", "text-quiet", "text-faint")
        for back in ("ground", "surface")
    ),
    *((front, "sunken", TEXT) for front in ("text", "text-quiet")),
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
class Token:
    name: str
    light: str
    dark: str
    still: str  # for a reader who asked for less motion

    @property
    def is_duration(self) -> bool:
        return _DURATION.fullmatch(self.light) is not None

    @property
    def is_colour(self) -> bool:
        return _HEX.fullmatch(self.light) is not None


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
def tokens() -> dict[str, Token]:
    """By name, in the order of the file."""
    text = (files("web.admin") / "static" / "tokens.css").read_text("utf-8")
    light_part, _, dark_part = text.partition("@media (prefers-color-scheme: dark)")
    light_part, _, still_part = light_part.partition("@media (prefers-reduced-motion: reduce)")
    light, dark, still = _values(light_part), _values(dark_part), _values(still_part)
    return {
        name: Token(name, value, dark.get(name, value), still.get(name, value))
        for name, value in light.items()
    }


def _values(part: str) -> dict[str, str]:
    return {str(name): str(value).strip() for name, value in _RULE.findall(part)}


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
