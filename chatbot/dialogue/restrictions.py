"""A restriction that a sentence adds to what its source states: "only", 只, 仅. Those of figures are part of the fact.

"Returns are free in the Netherlands" says nothing of other countries; "only in the Netherlands" does.
"""

from __future__ import annotations

import re

from chatbot.dialogue.facts import canonical

_ONLY = re.compile(
    r"\b(?<!not )(?<!if )(?:only|solely|exclusively|nothing but|no one but)\b"
    r"|(?<![\d一二三四五六七八九十百千两几半每这那船])只(?!要|需|是|好|不过|管|身)|(?<!不)仅|唯一|限于"
)
_ONLY_IN = re.compile(rf"{_ONLY.pattern}|\bif only\b|\bnot only\b|只|仅|\bsole\b|\bno other|除.{{1,12}}外|限")


def added_restriction(statement: str, place: str) -> str:
    """A word of ``statement`` that leaves everything else out, which nothing in ``place`` does; or nothing."""
    found = _ONLY.search(canonical(statement))
    return found.group() if found and not _ONLY_IN.search(canonical(place)) else ""
