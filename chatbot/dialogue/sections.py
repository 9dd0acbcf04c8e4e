"""Of an article with a section for each product, the sections about the one that was asked for.

"How do I descale my Crane One?" must not be told what to do with a Crane Mini, which the same article says a heading
further on. A section is another product's where its heading names one that the message does not, and another section's
heading one that it does. Who names none is told the article's opening before them, and those of all the products.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from chatbot.dialogue.trace import Hit
from chatbot.dialogue.wording import says_nothing
from chatbot.language.normalise import fold
from chatbot.neural.source_layout import read_lines
from chatbot.records.passages import PATH

_SMALL = re.compile(r"\b[a-z]{4,}")
_WORD = re.compile(r"[A-Za-z0-9](?:[^\W\u3400-\u9fff]|-)*")
_JOINED = re.compile(r"\band\b|[\s,&、和与]")
LONGEST = 1_200  # characters of all products' sections together; of more only the one that was found


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
    names = _products(hits)
    meant = _meant(names, said)
    if not meant:
        return list(hits)
    foreign = names.keys() - meant
    kept = [
        replace(hit, text=_text([one for one in sections if one.heading not in foreign]))
        for hit, sections in zip(hits, whole, strict=True)
    ]
    return [hit for hit in kept if hit.text] or list(hits)


def unnamed(hits: Sequence[Hit], said: Sequence[str]) -> frozenset[str]:
    """The headings that name products of which the customer named none; empty where he named one."""
    names = _products(hits)
    return frozenset() if _meant(names, said) else frozenset(_alike(names))


def as_asked(hit: Hit, passages_of: Callable[[], Sequence[Hit]], said: Sequence[str]) -> Hit:
    """The passage as it is, unless it speaks of a product that the customer did not name: then without that section, or
    the passage about the one that he did; where he named none, a passage that begins with such a section comes behind
    the article's opening, with those of the other products.

    passages_of: the article's, in reading order; asked only where the passage stands under a heading, or has some.
    """
    own = _sections(hit)
    if not any(section.heading for section in own):
        return hit
    passages = passages_of()
    products = _alike(_products(passages))
    if not any(section.heading in products for section in own):
        return hit
    meant = _meant(products, said)
    if meant:
        kept = about_what_is_named(passages, said)
        same = [one for one in kept if one.passage_id == hit.passage_id]
        about = [one for one in kept if any(section.heading in meant for section in _sections(one))]
        shown = (same or about or [hit])[0]
        return hit if shown.text == hit.text else shown
    return _behind_the_opening(hit, own, passages, products) if own[0].heading in products else hit


def _behind_the_opening(
    hit: Hit, own: Sequence[_Section], passages: Sequence[Hit], products: Collection[str]
) -> Hit:
    opening = next(iter(_sections(passages[0])), None)
    general = [opening] if opening is not None and opening.heading not in products else []
    of_all = [one for passage in passages for one in _sections(passage) if one.heading in products]
    told = of_all if sum(len(line) for one in of_all for line in one.lines) <= LONGEST else own
    parts: dict[str, list[str]] = {}
    for section in (*general, *told):
        parts.setdefault(section.heading, []).extend(section.lines)
    text = "\n\n".join("\n".join([*filter(None, [heading]), *lines]) for heading, lines in parts.items())
    return replace(hit, text=text, title_path=passages[0].title_path)


def _products(hits: Sequence[Hit]) -> dict[str, dict[str, str]]:
    """The names in each heading that has any; empty where fewer than two have."""
    headings = {section.heading for hit in hits for section in _sections(hit) if section.heading}
    everything_large = not any(map(_SMALL.search, {*headings, *(hit.title for hit in hits)}))
    names = _names_in(headings, " ".join(hit.text for hit in hits), everything_large=everything_large)
    return names if len(names) > 1 else {}


def _alike(names: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Of ``_products`` those that are so many of one kind: "Crane One" and "Crane Mini" share a word of their names,
    "The Basic plan" and "The Premium plan" all others. "Connect to WiFi" and "Set up the App" do not."""
    shared = _shared(names)
    own = {heading: of for heading, of in names.items() if of.keys() - shared}
    around = {_without(of, heading) for heading, of in own.items()}
    return own if len(own) > 1 and (shared or len(around) == 1) else {}


def _without(names: Collection[str], heading: str) -> str:
    """The heading's words but for the names, as they are compared."""
    return _JOINED.sub("", fold(_WORD.sub(lambda word: "" if fold(word[0]) in names else word[0], heading)))


def _shared(names: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    return frozenset.intersection(*(frozenset(own) for own in names.values())) if names else frozenset()


def _meant(names: Mapping[str, Mapping[str, str]], said: Sequence[str]) -> set[str]:
    """The headings of the products that the first message which names any names."""
    shared = _shared(names)
    found = ({heading for heading, own in names.items() if _named(own, one, shared)} for one in said)
    return next(filter(None, found), set())


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
