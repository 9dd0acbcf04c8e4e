"""The lines of a PDF's page as they look: text, size and weight, which are all that tells a heading there.

A PDF (ISO 32000-1, 9.4) shows pieces of text, each under a matrix and in a font. pypdf puts them together to lines and
tells of each piece what it was shown with.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

_BOLD = re.compile(
    r"bold|black|heavy|demi|(?:sf|cm)bx|bd(?:mt)?$|hei(?:ti)?\b|simhei|yahei.?bd|gothic.?b\b", re.IGNORECASE
)
_FORCE_BOLD = 1 << 18  # ISO 32000-1, table 123, bit 19
_BOLD_WEIGHT = 600  # of 100 to 900
COLUMN = 120.0  # points between the left edges of two columns
_CHARACTER = 0.45  # times its font's size: how wide one is
_MOSTLY = 0.9  # of a line's letters

_Piece = tuple[str, float, bool, float, float]  # text, size, bold, height, left


@dataclass(frozen=True, slots=True)
class Line:
    """``size`` in points, to the half; 0 where it is not known. ``height`` above the page's foot and ``left`` from its
    left edge, in points."""

    text: str
    size: float = 0.0
    bold: bool = False
    height: float = 0.0
    left: float = 0.0


def page_lines(page: Any) -> list[Line]:
    """``page``: pypdf's. Its lines as its writer showed them; what stands in two columns is two of them."""
    pieces: list[_Piece] = []
    weights: dict[int, bool] = {}

    def visit(text: str, outer: Any, inner: Any, font: Any, size: float) -> None:
        if text:
            if id(font) not in weights:
                weights[id(font)] = _is_bold(font)
            height = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
            left = inner[4] * outer[0] + inner[5] * outer[2] + outer[4]
            pieces.append((text, round(2 * _scaled(size, inner, outer)) / 2, weights[id(font)], height, left))

    page.extract_text(visitor_text=visit)
    lines: list[Line] = []
    held: list[_Piece] = []
    for text, size, bold, height, left in pieces:
        first, *others = text.split("\n")
        if _begins_apart(held, height, left):
            lines.append(_line(held))
            held = []
        held.append((first, size, bold, height, left))
        for other in others:
            lines.append(_line(held))
            held = [(other, size, bold, height, left)]
    lines.append(_line(held))
    return lines


def _begins_apart(held: Sequence[_Piece], height: float, left: float) -> bool:
    """Whether a piece at that place stands in another column than the line that is ``held``."""
    told = [piece for piece in held if piece[0].strip()]
    if not told or told[-1][3] != height:
        return False
    text, size, _, _, begins = told[-1]
    return left - told[0][4] >= COLUMN and left - begins >= (_CHARACTER * len(text) + 1) * size


def in_rows(lines: Sequence[Line]) -> list[Line]:
    """The cells of a table's row, which some writers show one by one, as one line."""
    rows: list[Line] = []
    for line in lines:
        before = rows[-1] if rows else None
        if before and before.text.strip() and line.text.strip() and line.height == before.height:
            bold = before.bold and line.bold
            rows[-1] = replace(before, text=f"{before.text.rstrip()} {line.text.lstrip()}", bold=bold)
        else:
            rows.append(line)
    return rows


def _line(pieces: list[_Piece]) -> Line:
    sizes: Counter[float] = Counter()
    weight: Counter[bool] = Counter()
    for text, size, bold, *_ in pieces:
        letters = sum(map(str.isalnum, text))
        sizes[size] += letters
        weight[bold] += letters
    told = sizes.total()
    return Line(
        "".join(text for text, *_ in pieces),
        max(sizes, key=lambda size: sizes[size]) if told else 0.0,
        bool(told) and weight[True] >= _MOSTLY * told,
        next((height for text, _, _, height, _ in pieces if text.strip()), 0.0),
        next((left for text, *_, left in pieces if text.strip()), 0.0),
    )


def _scaled(size: float, inner: Any, outer: Any) -> float:
    """How large a font of ``size`` is on the page, under the text's matrix and the page's (9.4.4)."""
    c = inner[2] * outer[0] + inner[3] * outer[2]
    d = inner[2] * outer[1] + inner[3] * outer[3]
    return abs(size) * math.hypot(c, d)


def _is_bold(font: Any) -> bool:
    if font is None:
        return False
    described = font.get("/FontDescriptor")
    below = font.get("/DescendantFonts")
    if described is None and below:
        described = below.get_object()[0].get_object().get("/FontDescriptor")
    told = described.get_object() if described is not None else {}
    return bool(
        _BOLD.search(str(font.get("/BaseFont", "")))
        or int(told.get("/Flags", 0)) & _FORCE_BOLD
        or float(told.get("/FontWeight", 0)) >= _BOLD_WEIGHT
    )
