"""Lines in bold that stand for headings, as many writers make them who use no styles."""

from __future__ import annotations

import re

_BOLD_LINE = re.compile(
    r"\s{0,3}(?:\*\*|__)(?!\s)([^*_]*?[^*_\s.!,;:。！，；：…])\s*[:：]?\s*(?:\*\*|__)\s*[:：]?\s*"
)
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})")
_LONGEST = 100  # characters


def bold_headings(text: str) -> str:
    """The Markdown with its paragraphs of one bold line as the least of headings, where text follows them at once; one
    that ends as a sentence, and the last of several, stay."""
    lines = text.split("\n")
    fenced = False
    for at, line in enumerate(lines):
        fenced ^= bool(_FENCE.match(line))
        words = None if fenced else _heading(line)
        if words is None or (at and lines[at - 1].strip()) or (lines[at + 1 : at + 2] or [""])[0].strip():
            continue
        behind = next((other for other in lines[at + 1 :] if other.strip()), "")
        if behind and not behind.lstrip().startswith("#") and _heading(behind) is None:
            lines[at] = f"###### {words}"
    return "\n".join(lines)


def _heading(line: str) -> str | None:
    found = _BOLD_LINE.fullmatch(line)
    return found[1] if found and len(found[1]) <= _LONGEST else None
