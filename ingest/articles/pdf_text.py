"""The text of a PDF's pages without what its layout adds: running heads and feet, page numbers, contents, radicals.

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
from dataclasses import replace

from ingest.articles.pdf_lines import Line

Key = tuple[str, float]  # words of a line and their size in points

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
_NEAR = 4  # pages from the first to the third of them, where it does not run through all: left and right pages differ
_NUMBER_AT_END = re.compile(r"^\s*\d{1,4}\b|\b\d{1,4}\s*$")
_LEADER = re.compile(r"(?:(?:\.\s?){4,}|…{2,}|·{4,})\s*(?:\d{1,4}|[ivxl]+)\s*$")  # "Fees ...... 12"
_CONTENTS = re.compile(r"(?:table of )?contents|inhalt(?:sverzeichnis)?|sommaire|目\s*录", re.IGNORECASE)
_PRINTED = re.compile(  # what a browser prints around a page
    r"\d{1,4}[/.]\d{1,2}[/.]\d{2,4}, \d{1,2}:\d{2}(?: ?[AP]M)?\b.*|(?:https?|file)://\S+(?:\s+\d+/\d+)?"
)
_NUMBER = re.compile(
    r"(?:(?:page|seite|页|第)\s*)?[-–—]?\s*\d{1,4}\s*[-–—]?(?:\s*页)?"
    r"(?:\s*(?:/|of|von|共|，共)\s*(?:共\s*)?\d{1,4}\s*页?)?",
    re.IGNORECASE,
)


def running_left_out(pages: Sequence[Sequence[Line]]) -> list[Line]:
    """``pages``: each page's lines from top to bottom. Gives those of the text, page after page, without empty ones and
    without a table of contents."""
    read = [_words(page) for page in pages]
    seen = Counter(key for lines in read for key in {_key(lines[at]) for at in _edges(lines)})
    least = max(_FEWEST, math.floor(len(read) / 2) + 1)
    running = {key for key, count in seen.items() if count >= least and re.search(r"[^\W\d_]", key[0])}
    chapters = _running_for_some_pages(read)
    text = [
        line
        for number, lines in enumerate(read)
        for line in _without(lines, running | chapters[number], several=len(read) > 1)
    ]
    return [
        line
        for line, below in zip(text, [*text, Line("")][1:], strict=True)
        if not (
            _LEADER.search(line.text)
            or (_LEADER.search(below.text) and _CONTENTS.fullmatch(line.text.strip()))
        )
    ]


def _words(page: Sequence[Line]) -> list[Line]:
    lines = (replace(line, text=line.text.translate(_WORDS)) for line in page)
    return [line for line in lines if line.text.strip()]


def _edges(lines: Sequence[Line]) -> list[int]:
    every = range(len(lines))
    return sorted({*every[:_EDGE], *every[-_EDGE:]})


def _running_for_some_pages(pages: Sequence[Sequence[Line]]) -> list[set[Key]]:
    """What runs over a chapter alone: the same words at the edge of three pages close to each other. Of each page."""
    found: list[set[Key]] = [set() for _ in pages]
    for edge in (0, -1):
        places: dict[Key, list[int]] = {}
        for number, lines in enumerate(pages):
            if lines and (words := _NUMBER_AT_END.sub("", lines[edge].text).strip()):
                places.setdefault((words, lines[edge].size), []).append(number)
        for numbers in places.values():
            near = [
                part
                for part in zip(numbers, numbers[1:], numbers[2:], strict=False)
                if part[-1] - part[0] <= _NEAR
            ]
            for number in {number for part in near for number in part}:
                found[number].add(_key(pages[number][edge]))
    return found


def _without(lines: Sequence[Line], running: set[Key], *, several: bool) -> list[Line]:
    edges = _edges(lines)
    left_out = {at for at in edges if _key(lines[at]) in running}
    left_out |= {at for at in edges if _PRINTED.fullmatch(lines[at].text.strip())}
    if several:
        left_out |= {at for at in (edges[:1] + edges[-1:]) if _NUMBER.fullmatch(lines[at].text.strip())}
    return [line for at, line in enumerate(lines) if at not in left_out]


def _key(line: Line) -> Key:
    """What stays of a running line from page to page: all but its numbers. The title itself is set larger."""
    return re.sub(r"\d+", "#", " ".join(line.text.split())), line.size
