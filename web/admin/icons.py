"""Icons of the staff's pages: Heroicons (MIT), out of the package of that name, written into the page.

Nothing is asked of another host, and the strict policy holds: an inline SVG has attributes only. Each icon is read from
the package's archive once in a process (three milliseconds).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from heroicons.jinja import heroicon_micro, heroicon_mini, heroicon_outline
from markupsafe import Markup

Style = Literal["outline", "mini", "micro"]
DRAWN = {"outline": heroicon_outline, "mini": heroicon_mini, "micro": heroicon_micro}


@lru_cache(maxsize=256)
def icon(name: str, style: Style = "outline", *, size: int = 0) -> Markup:
    """Beside words, which say the same: hidden from screen readers. ``size`` in pixels; 0: what the style is drawn for.

    Raises heroicons.IconDoesNotExist for a name that is none; every page is opened by a test.
    """
    pixels = size or {"outline": 20, "mini": 18, "micro": 16}[style]
    return Markup(DRAWN[style](name, size=pixels, **{"class": "icon"}))
