"""Of an article with a section for each product, the sections about the one that was asked for.

"How do I descale my Crane One?" must not be told what to do with a Crane Mini, which the same article says a heading
further on. A section is another product's where its heading names one that the message does not, and another section's
heading one that it does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from chatbot.dialogue.trace import Hit
from chatbot.dialogue.wording import says_nothing
from chatbot.language.normalise import fold
from chatbot.neural.source_layout import read_lines
from chatbot.records.passages import PATH

_SMALL = re.compile(r"\b[a-z]{4,}")
_WORD = re.compile(r"[A-Za-z0-9][\w-]*")


@dataclass(frozen=True, slots=True)
class _Section:
    heading: str
    lines: tuple[str, ...]  # raw, the heading not among them
    inside: bool  # whether the heading stands in the text


def heading_of(hit: Hit) -> str:
    """What the passage's text stands under, apart from the article's title; empty: nothing."""
    _, path, heading = hit.title_path.rpartition(PATH)
    return heading if path else ""


def about_what_is_named(hits: Sequence[Hit], said: Sequence[str]) -> list[Hit]:
    """The passages without the sections of products that the customer did not name.

    said: what the customer wrote, the newest first; the first message that names one of the products decides.
    """
    whole = [_sections(hit) for hit in hits]
    headings = {section.heading for sections in whole for section in sections if section.heading}
    everything_large = not any(map(_SMALL.search, {*headings, *(hit.title for hit in hits)}))
    names = _names_in(headings, " ".join(hit.text for hit in hits), everything_large=everything_large)
    if len(names) < 2:
        return list(hits)
    shared = frozenset.intersection(*(frozenset(own) for own in names.values()))
    for message in said:
        meant = {heading for heading, own in names.items() if _named(own, message, shared)}
        if meant:
            foreign = names.keys() - meant
            kept = [
                replace(hit, text=_text([one for one in sections if one.heading not in foreign]))
                for hit, sections in zip(hits, whole, strict=True)
            ]
            return [hit for hit in kept if hit.text] or list(hits)
    return list(hits)


def _sections(hit: Hit) -> list[_Section]:
    found: list[_Section] = []
    lines: list[str] = []
    heading, inside = heading_of(hit), False
    for line in read_lines(hit.text):
        if line.heading:
            found.append(_Section(heading, tuple(lines), inside))
            heading, lines, inside = line.text, [], True
        else:
            lines.append(line.raw)
    found.append(_Section(heading, tuple(lines), inside))
    return [section for section in found if section.lines]


def _text(sections: Sequence[_Section]) -> str:
    return "\n".join(
        "\n".join([section.heading, *section.lines] if section.inside else section.lines)
        for section in sections
    )


def _names_in(headings: Collection[str], text: str, *, everything_large: bool) -> dict[str, dict[str, str]]:
    """The names in each heading that has any, each name with the word before it: what is written large inside a
    heading, in Chinese whatever is in Latin letters. Where every word of a title is (``everything_large``), a name is
    what the text, too, writes so inside a sentence."""
    found: dict[str, dict[str, str]] = {}
    for heading in headings:
        chinese = bool(re.search(r"[\u3400-\u9fff]", heading))
        words = _WORD.findall(heading)
        for place, word in enumerate(words):
            if not (word[0].isupper() or word[0].isdigit()) or not (place or chinese or everything_large):
                continue
            if everything_large and not chinese and not re.search(rf"[a-z,] {re.escape(word)}\b", text):
                continue
            found.setdefault(heading, {})[fold(word)] = fold(words[place - 1]) if place else ""
    return found


def _named(names: Mapping[str, str], message: str, shared: Collection[str]) -> bool:
    """Whether the message has one of the names that not all have (``shared``); a name that is a common word too ("One")
    needs the word before it."""
    words = [fold(word) for word in _WORD.findall(message)]
    pairs = set(pairwise(words))
    return any(
        (before, word) in pairs if says_nothing(word) or word == "one" else word in words
        for word, before in names.items()
        if word not in shared
    )
