"""A page in two columns of prose whose writer showed it row by row, read column by column.

A table looks alike: two texts stand at one height, far apart. What tells prose is that its lines run on from one to the
next below, on both sides; what tells a table is that its rows begin at the same height on both sides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingest.articles.pdf_lines import COLUMN, Line

_EDGE = 4.0  # points by which the lines of one column differ
_FEWEST = 5  # lines of a column
_SIDE_BY_SIDE = 0.5  # of the shorter column's lines, which follow one of the other at the same height
_RUN_ON = 0.25  # of a column's lines, at least
_LENGTH = 20.0  # characters of a line, a Chinese one counting two, in the middle
_STARTS = 0.6  # of the paragraphs of one side that begin where one of the other does: rows of a table
_GAP = 1.35  # times the usual distance of two lines, between two paragraphs
_WIDTH = 0.45  # of a character, in sizes of its font
_WIDE = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
_ENDED = re.compile(r"[.!?:;。！？：；]\s*$")


def in_columns(lines: Sequence[Line]) -> list[Line]:
    """``lines``: of a page, as its writer showed them. What stands over both columns parts them."""
    edges = _edges(lines)
    if edges is None:
        return list(lines)
    _, second = edges
    ordered: list[Line] = []
    sides: tuple[list[Line], list[Line]] = ([], [])
    seen: tuple[list[Line], list[Line]] = ([], [])
    for line in (line for line in lines if line.text.strip()):
        if line.left >= second - _EDGE:
            side = 1
        elif _right(line) <= second + _EDGE:
            side = 0
        else:
            ordered += sides[0] + sides[1]
            ordered.append(line)
            sides = ([], [])
            continue
        sides[side].append(line)
        seen[side].append(line)
    ordered += sides[0] + sides[1]
    beside = sum(
        one.height == other.height and one.left < second - _EDGE <= other.left
        for one, other in pairwise(lines)
    )
    prose = (
        min(map(len, seen)) >= _FEWEST
        and beside >= _SIDE_BY_SIDE * min(map(len, seen))
        and all(_is_prose(side) for side in seen)
        and not _in_step(*seen)
    )
    return ordered if prose else list(lines)


def _edges(lines: Sequence[Line]) -> tuple[float, float] | None:
    """The left edges of the two columns: where most lines begin, far enough from each other."""
    counted = Counter(round(line.left) for line in lines if line.text.strip()).most_common(2)
    if len(counted) < 2 or min(number for _, number in counted) < _FEWEST:
        return None
    first, second = sorted(float(edge) for edge, _ in counted)
    return (first, second) if second - first >= COLUMN else None


def _right(line: Line) -> float:
    return line.left + _WIDTH * line.size * _length(line)


def _length(line: Line) -> float:
    text = line.text.strip()
    return len(text) + len(_WIDE.findall(text))


def _is_prose(side: Sequence[Line]) -> bool:
    run_on = sum(
        not _ENDED.search(line.text)
        and (below.text.strip()[:1].islower() or bool(_WIDE.match(below.text.strip())))
        for line, below in pairwise(side)
    )
    return run_on >= _RUN_ON * len(side) and median(map(_length, side)) >= _LENGTH


def _in_step(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Whether paragraphs begin at the same heights on both sides."""
    ours, theirs = _starts(left), _starts(right)
    return len(ours & theirs) >= _STARTS * min(len(ours), len(theirs))


def _starts(side: Sequence[Line]) -> set[int]:
    """Heights of the lines with more room above them than usual, the first left out."""
    gaps = [line.height - below.height for line, below in pairwise(side)]
    usual = median(gaps)
    return {round(below.height) for gap, below in zip(gaps, side[1:], strict=True) if gap > _GAP * usual} or {
        -1
    }
