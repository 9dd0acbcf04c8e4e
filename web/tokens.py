"""The design tokens: colours, sizes and motion in the one file ``web/admin/static/tokens.css``.

The pages behind the sign-in link to it. What visitors load (the chat, the help pages, the button on a company's page)
gets what its style uses of it, in that style as it is sent (``web/widget/assets.py``): a visitor pays for no token of
the console's.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

DARK = "@media (prefers-color-scheme: dark)"
_RULE = re.compile(r"--([\w-]+):\s*([^;]+);")
_USED = re.compile(r"var\(--([\w-]+)")
_HEX = re.compile(r"#[0-9a-f]{6}")
_DURATION = re.compile(r"[\d.]+m?s")


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


@lru_cache(maxsize=1)
def tokens() -> dict[str, Token]:
    """By name, in the order of the file."""
    text = (files("web") / "admin" / "static" / "tokens.css").read_text("utf-8")
    light_part, _, dark_part = text.partition(DARK)
    light_part, _, still_part = light_part.partition("@media (prefers-reduced-motion: reduce)")
    light, dark, still = _values(light_part), _values(dark_part), _values(still_part)
    return {
        name: Token(name, value, dark.get(name, value), still.get(name, value))
        for name, value in light.items()
    }


def _values(part: str) -> dict[str, str]:
    return {str(name): str(value).strip() for name, value in _RULE.findall(part)}


def rules_for(style: str, *, root: str = ":root", dark: str = "", without: Collection[str] = ()) -> str:
    """The tokens that ``style`` uses, as rules of its own, but those that its script sets (``without``). ``dark`` is
    the selector under which the dark ones stand; without one the reader's system decides."""
    used = set(_USED.findall(style)) - set(without)
    wanted = [token for name, token in tokens().items() if name in used]
    light = "".join(f"--{one.name}: {one.light};" for one in wanted)
    night = "".join(f"--{one.name}: {one.dark};" for one in wanted if one.dark != one.light)
    if dark:
        return f"{root} {{{light} color-scheme: light}} {dark} {{{night} color-scheme: dark}}"
    return f"{root} {{{light} color-scheme: light dark}} {DARK} {{{root} {{{night}}}}}"
