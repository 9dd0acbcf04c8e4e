"""The text of a PDF's pages without what its layout adds: running heads and feet, page numbers, radicals for words.

Some writers of PDF name a Chinese character by the radical that looks like it (最⻓ for 最长). NFKC (UAX 15) maps the
Kangxi radicals back, but not the CJK Radicals Supplement; whole texts are not normalised, since that would change
their punctuation.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_SUPPLEMENT = dict(
    zip(
        "⺟⺠⻁⻄⻅⻆⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
        "母民虎西见角贝车長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
_COMPATIBLE = {
    chr(code): unicodedata.normalize("NFKC", chr(code))
    for code in (*range(0x2F00, 0x2FD6), *range(0xFB00, 0xFB07))
}
_WORDS = str.maketrans(_SUPPLEMENT | _COMPATIBLE)
_EDGE = 2  # lines at the top and at the bottom of a page that may run
_FEWEST = 3  # pages that a running line needs
_NUMBER = re.compile(
    r"(?:(?:page|seite|页|第)\s*)?[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*页)?"
    r"(?:\s*(?:/|of|von|共|，共)\s*(?:共\s*)?\d{1,4}\s*页?)?",
    re.IGNORECASE,
)


def pages_text(pages: Sequence[str]) -> str:
    """``pages``: each page's text, its lines from top to bottom. Gives the pages' text, an empty line between two."""
    read = [page.translate(_WORDS).split("\n") for page in pages]
    seen = Counter(key for lines in read for key in {_key(lines[at]) for at in _edges(lines)})
    least = max(_FEWEST, math.floor(len(read) / 2) + 1)
    running = {key for key, count in seen.items() if count >= least and re.search(r"[^\W\d_]", key)}
    return "\n\n".join("\n".join(_without(lines, running, several=len(read) > 1)) for lines in read)


def _edges(lines: Sequence[str]) -> list[int]:
    filled = [at for at, line in enumerate(lines) if line.strip()]
    return sorted({*filled[:_EDGE], *filled[-_EDGE:]})


def _without(lines: Sequence[str], running: set[str], *, several: bool) -> list[str]:
    edges = _edges(lines)
    left_out = {at for at in edges if _key(lines[at]) in running}
    if several:
        left_out |= {at for at in (edges[:1] + edges[-1:]) if _NUMBER.fullmatch(lines[at].strip())}
    return [line for at, line in enumerate(lines) if at not in left_out]


def _key(line: str) -> str:
    """What stays of a running line from page to page: all but its numbers."""
    return re.sub(r"\d+", "#", " ".join(line.split()))
