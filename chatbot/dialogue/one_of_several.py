"""What holds for one of several products begins no reply to a customer who did not name it.

"How do I descale my machine?" is answered with what holds for every machine; "The Crane Mini has no descaling
programme" comes behind it. A statement is about one of several where it stands in a section about a product that was
not named (chatbot/dialogue/sections.py), or begins with such a name ("With the Crane Mini, …", Crane Mini 没有…). Names
of one family share their first word: Crane One, Crane Mini.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from chatbot.dialogue.wording import says_nothing
from chatbot.language.normalise import fold

_MEMBER = r"([A-Z][A-Za-z]+) ([A-Z0-9][\w-]*)"
# the word that begins an English sentence is written large whatever it is
_NAME = re.compile(rf"(?:(?<=[a-z,;:(] )|(?<=The )|(?<![A-Za-z0-9 ])(?=[^.!?]*[\u3400-\u9fff])){_MEMBER}")
_BEGINS = re.compile(rf"(?i:(?:(?:with|for|on|in|of|at|only)\s+)?(?:(?:the|an?|our)\s+)?)(?-i:{_MEMBER})")
_BEGINS_ZH = re.compile(rf"(?:使用|用|在|对于?|只有|仅)?\s*{_MEMBER}")
_MONTHS = frozenset(fold(name) for name in month_name if name)
_WORD = re.compile(r"[a-z0-9](?:[^\W\u3400-\u9fff]|-)*")


class OneOfSeveral:
    """Whether a statement is about one product of several that the customer did not name."""

    def __init__(
        self,
        texts: Sequence[str],
        said: Sequence[str],
        *,
        titles: Sequence[str] = (),
        sections: Collection[str] = (),
    ) -> None:
        """``texts``: of the passages, with their headings; ``said``: what the customer wrote, the newest first: the
        first message that names one of a family decides; ``titles``: of the articles, which name what all of them is
        about; ``sections``: headings of products that he did not name."""
        self._sections = frozenset(sections)
        self._families = _families(texts)
        said_of = next((found for text in said if (found := _named(self._families, text))), frozenset())
        self._named = said_of | _named(self._families, " ".join(titles))

    def __call__(self, statement: str, heading: str) -> bool:
        """``heading``: what the statement stands under; empty: nothing."""
        if heading in self._sections:
            return True
        begins = _BEGINS.match(statement) or _BEGINS_ZH.match(statement)
        family, member = (fold(begins[1]), fold(begins[2])) if begins else ("", "")
        members = self._families.get(family, frozenset())
        if member not in members or (family, member) in self._named:
            return False
        return not members <= set(_WORD.findall(fold(statement)))  # a comparison is about all of them


def _families(texts: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """By the first word of their names the others' second words, where there are several."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text in texts:
        for match in _NAME.finditer(text):
            found[fold(match[1])].add(fold(match[2]))
    return {
        family: frozenset(members)
        for family, members in found.items()
        if len(members) > 1 and family not in _MONTHS
    }


def _named(families: Mapping[str, frozenset[str]], text: str) -> frozenset[tuple[str, str]]:
    """The names in the text: whole, or by the second word alone ("the mini") where it is no common one."""
    words = _WORD.findall(fold(text))
    pairs = set(pairwise(words))
    return frozenset(
        (family, member)
        for family, members in families.items()
        for member in members
        if (family, member) in pairs
        or (member in words and member != "one" and not member.isdecimal() and not says_nothing(member))
    )
