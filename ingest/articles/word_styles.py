"""Which of a Word document's own styles are headings: those made from a built-in one, or with an outline level.

A company's template calls its headings by names of its own ("Velaro H1", 公司标题). What makes them headings stands in
styles.xml (ECMA-376, 17.7.4.3 basedOn, 17.3.1.20 outlineLvl), of which mammoth reads the names alone.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading ([1-6])", re.IGNORECASE)
_DEEPEST = 20  # styles above a style


def heading_styles(path: Path) -> str:
    """Lines of mammoth's style map: each further heading style to its level. Raises what zipfile and expat raise."""
    with zipfile.ZipFile(path) as archive:
        if "word/styles.xml" not in archive.namelist():
            return ""
        root = ElementTree.fromstring(archive.read("word/styles.xml"))
    styles = {
        str(style.get(f"{_W}styleId")): style
        for style in root.iter(f"{_W}style")
        if style.get(f"{_W}type") == "paragraph"
    }
    lines = []
    for style in styles.values():
        name = _value(style, "name")
        level = next(filter(None, map(_level, _with_those_above(style, styles))), 0)
        if level and name and not _HEADING.fullmatch(name) and name.lower() not in ("title", "subtitle"):
            told = name.replace("\\", "\\\\").replace("'", "\\'")
            lines.append(f"p[style-name='{told}'] => h{level}:fresh")
    return "\n".join(lines)


def _with_those_above(
    style: ElementTree.Element, styles: dict[str, ElementTree.Element]
) -> Iterator[ElementTree.Element]:
    found: ElementTree.Element | None = style
    for _ in range(_DEEPEST):
        if found is None:
            return
        yield found
        found = styles.get(_value(found, "basedOn"))


def _level(style: ElementTree.Element) -> int:
    """1 to 6, or 0 where the style itself says nothing of it."""
    heading = _HEADING.fullmatch(_value(style, "name"))
    if heading:
        return int(heading[1])
    outline = style.find(f"{_W}pPr/{_W}outlineLvl")
    told = outline.get(f"{_W}val", "") if outline is not None else ""
    return int(told) + 1 if told in ("0", "1", "2", "3", "4", "5") else 0


def _value(style: ElementTree.Element, name: str) -> str:
    element = style.find(f"{_W}{name}")
    return "" if element is None else element.get(f"{_W}val", "")
