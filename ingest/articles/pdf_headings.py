"""Which lines of a PDF are its headings: larger than its text or all bold, short, and followed by what they head.

A PDF says of no line what it is. Wrong headings do harm: a heading's words stand in no passage of their own. So a line
is one only where text, or a smaller heading, stands below it; and where much of a document looks like headings, nothing
is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.articles.pdf_lines import Line

_LARGER = 1.12  # times the text's size
_LONGEST = 120  # characters of a heading, a Chinese one counting two
_LEADING = 1.45  # times its size from line to line, at most, within a heading
_LINES = 3  # of one heading
_ABOVE = 80  # characters above a document's title
_SHARE = 0.3  # of a document's characters that headings have at most
_ENDED = re.compile(r"[.!,;，。！；、…]$")
_LETTER = re.compile(r"[^\W\d_]")
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\uffef]")
_ITEM = re.compile(r"^\s*(?:[-•*·▪●○◦]|\(?[a-z]\))\s", re.IGNORECASE)

_NUMBERED = re.compile(
    r"\s*(?:(\d{1,2}(?:\.\d{1,2})*)[.)]?\s+\S|第[\d一二三四五六七八九十百]+[章节条]|[一二三四五六七八九十]+、)"
)

Style = tuple[float, bool, int]  # points, bold, how deep its number is ("2.1" is -2): the larger stands above


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of text (``level`` 0) or a heading, which is one line."""

    level: int
    lines: tuple[str, ...]


def parts_of(lines: Sequence[Line]) -> list[Part]:
    """The document in order, each heading with its level: 1 for the title alone, which nothing stands above."""
    lines = [line for line in lines if line.text.strip()]
    found = list(_runs(lines))
    heads = {at: lines[first] for at, (first, _, heading) in enumerate(found) if heading}
    if _too_much(heads.keys(), found, lines):
        heads = {}
    styles = {at: (line.size, line.bold, -_depth(line.text)) for at, line in heads.items()}
    for at in [at for at in styles if _is_subtitle(at, styles)]:
        del styles[at]
    # a logo's words or a date may stand above the title
    begins = sum(len(line.text) for line in lines[: found[min(styles)][0]]) <= _ABOVE if styles else False
    levels = _levels(styles, begins)
    while empty := [at for at in levels if not _heads_something(at, levels, len(found))]:
        for at in empty:
            del levels[at], styles[at]
        levels = _levels(styles, begins)
    parts: list[Part] = []
    for at, (first, last, _) in enumerate(found):
        texts = tuple(line.text for line in lines[first:last])
        if at in levels:
            parts.append(Part(levels[at], (_joined(texts),)))
        elif parts and not parts[-1].level:
            parts[-1] = Part(0, (*parts[-1].lines, *texts))
        else:
            parts.append(Part(0, texts))
    return parts


def _runs(lines: Sequence[Line]) -> Iterator[tuple[int, int, bool]]:
    """(first, behind the last, whether it looks like a heading) of the lines that belong together."""
    size, bold = _of_text(lines)
    at = 0
    while at < len(lines):
        end = at + 1
        if not _stands_out(lines[at], size, bold):
            while end < len(lines) and not _stands_out(lines[end], size, bold):
                end += 1
            yield at, end, False
        else:
            style = lines[at].size, lines[at].bold
            while end < len(lines) and (lines[end].size, lines[end].bold) == style:
                if _NUMBERED.match(lines[end].text) or _apart(lines[end - 1], lines[end]):
                    break  # another heading, right below this one
                end += 1
            yield (
                at,
                end,
                end - at <= _LINES and _reads_as_heading(_joined([line.text for line in lines[at:end]])),
            )
        at = end


def _apart(line: Line, below: Line) -> bool:
    """Whether more than the space of a line stands between two, or they are no neighbours on the page."""
    return not 0 <= line.height - below.height <= _LEADING * max(line.size, 1.0)


def _depth(text: str) -> int:
    number = _NUMBERED.match(text)
    return number[1].count(".") + 1 if number and number[1] else 1


def _of_text(lines: Sequence[Line]) -> tuple[float, bool]:
    """Size and weight of what most of the document is written in."""
    seen: Counter[tuple[float, bool]] = Counter()
    for line in lines:
        seen[line.size, line.bold] += len(line.text.strip())
    return max(seen, key=lambda style: seen[style], default=(0.0, False))


def _stands_out(line: Line, size: float, bold: bool) -> bool:
    if not line.size:
        return False
    return line.size >= _LARGER * size or (line.bold and not bold and line.size >= size)


def _reads_as_heading(text: str) -> bool:
    return (
        len(_LETTER.findall(text)) >= 2 - bool(_WIDE.search(text))
        and len(text) + len(_WIDE.findall(text)) <= _LONGEST
        and not (_ENDED.search(text) or _ITEM.match(text))
    )


def _joined(texts: Sequence[str]) -> str:
    """The lines of one heading as one."""
    told = ""
    for text in (" ".join(text.split()) for text in texts):
        glue = "" if not told or (_WIDE.match(told[-1]) and _WIDE.match(text)) else " "
        told += glue + text
    return told


def _too_much(heads: object, found: Sequence[tuple[int, int, bool]], lines: Sequence[Line]) -> bool:
    counts = [sum(len(line.text.strip()) for line in lines[first:last]) for first, last, _ in found]
    heading = sum(count for count, (_, _, is_one) in zip(counts, found, strict=True) if is_one)
    return heading > _SHARE * sum(counts)


def _is_subtitle(at: int, styles: dict[int, Style]) -> bool:
    """Right below the title, in a style of its own while there are others: a subtitle, a date, an author."""
    styled, first = list(styles.values()), min(styles)
    return (
        at == first + 1
        and len(styled) > 2
        and styles[at] < styles[first]
        and (styled.count(styles[first]), styled.count(styles[at])) == (1, 1)
    )


def _levels(styles: dict[int, Style], begins: bool) -> dict[int, int]:
    """The largest is 1 where the document begins with it and has it once; else it is 2, below the file's own title. So
    is a first line that another one of its size follows at once: a title that looks like its chapters."""
    if not styles:
        return {}
    ranks, first = sorted(set(styles.values()), reverse=True), min(styles)
    titled = begins and styles[first] == ranks[0]
    alone = titled and list(styles.values()).count(ranks[0]) == 1
    levels = {at: min(ranks.index(style) + (1 if alone else 2), 6) for at, style in styles.items()}
    if titled and (alone or styles.get(first + 1) == ranks[0]):
        levels[first] = 1
    return levels


def _heads_something(at: int, levels: dict[int, int], count: int) -> bool:
    return at + 1 < count and levels.get(at + 1, 7) > levels[at]
