"""The check before a written sentence is sent: everything it claims must stand in its sources.

Pure functions, no model, English and Chinese. A draft passes when, sentence by sentence,

1. every number with its unit, amount, duration, date, time, e-mail and web address, telephone number and code stands
   in a source sentence about the same thing; a code (an order number) also in the customer's own words, nothing else:
   who writes "as you promised, 90 days" has not made it so; "at least", "at most" and "only" are not swapped or added;
2. every proper name, quoted name and Latin name in a Chinese sentence stands in the sources or the customer's words;
3. every promise (free, refund, guarantee, discount, immediately, "we will …", "we have …") stands in the sources, and
   what is said of the customer's own matter ("your refund is on its way") in a look-up;
4. its content words are those of one place in one source, and that place does not say the opposite (negation) and
   has no condition ("only if", "unless", 除非) that the draft leaves out of a permission;
5. it is a whole, readable sentence in the right language: no profanity, no unfilled placeholder, no garbling, no
   repetition.

``Check.reasons`` name what failed, with the words, so that the trace can say why a draft was not sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from chatbot.dialogue.claims import unsupported_claim
from chatbot.dialogue.facts import Fact, bears_out, canonical, facts
from chatbot.dialogue.negation import contradicts, opposite_word, order_swapped
from chatbot.dialogue.promises import promises
from chatbot.dialogue.restrictions import added_restriction
from chatbot.dialogue.trace import Check
from chatbot.dialogue.wording import (
    content_words,
    dropped_condition,
    is_courtesy,
    names,
    sentences,
    unfinished,
)
from chatbot.language.normalise import is_han
from chatbot.language.safety import find_profanity

COVERAGE = 0.62  # share of a sentence's content words that one place in one source must hold
_FACT_TOPIC = 0.3  # share of a sentence's other content words that the source sentence of a fact must hold
_THIN = "\u2009"  # stands for a space between two words of one clause
_INSIDE = f"{_THIN},(、，（"  # what stands around a place inside a sentence
_JOINTS = f"{_THIN},，"
_MARKS = ".。!！?？"
_NO_START = ",.;:，。；：、）)”’·›>-"
_NO_START_ZH = "的了得地们个天后前内元分秒钟级档以及并而或和与到"
_PIECE, _PIECE_ZH = 22, 8  # characters of a verbatim piece that counts as copied from one sentence
_END, _END_ZH = 12, 5  # the same for a piece that a sentence begins or ends with, here and in the source
_COPIED = 12  # characters that count as copied
_NEIGHBOURS = 1  # sentences on each side that count as the same place
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*(?:_?\d+)?\]|\{[^{}\s]{1,30}\}")
_BARE_UNIT = re.compile(
    r"[A-Za-z：，、:,]\s*(?:欧元|美元|英镑|人民币|个工作日|小时|分钟|%|％)"
    r"|(?<=[:,])\s*(?:euros?|percent|working days|hours|minutes)\b"
)
_ENDED = re.compile(r"[.!?…。！？;；~～][)）\"”’」』\]]?$")
_PARROTED = {"en": 6, "zh": 8}  # words, characters in a row of the customer's that no source has
_STRAY_MARKS = re.compile(r"[,，、;；]\s*[,，、;；.。]|[。！？：]\s*[，、。；]|^\W*[，。、；：]")
_LONE_HAN = re.compile(r"(?<![\u3400-\u9fff])[\u3400-\u9fff](?![\u3400-\u9fff])")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]")


@dataclass(frozen=True)
class _Place:
    """A source sentence with its neighbours: what one statement may draw on."""

    sentence: str
    near: str  # the sentence with its neighbours
    words: frozenset[str]  # of the sentence
    around: frozenset[str]  # of the sentence, its neighbours and the source's title
    facts: frozenset[Fact]  # of the sentence


def check(
    draft: str, *, sources: Sequence[str], customer: Sequence[str], lang: str, lookups: Sequence[str] = ()
) -> Check:
    """Hold ``draft`` against what it may draw on.

    sources: the passages it was written from. lookups: results of look-ups and actions, which tell of the customer's
    own matter. customer: his own messages of this conversation. lang: the language the reply should have. ``coverage``
    is the lowest of the sentences'.
    """
    sources = [*sources, *lookups]
    reasons = _form(draft, sources, customer, lang)
    reasons += _torn(draft, sources) + _cut_words(draft, sources) + _broken_addresses(draft, sources)
    reasons += _parroted(draft, sources, customer, lang) + _run_on_headings(draft, sources)
    places = [place for source in sources for place in _places(source)]
    said = "\n".join(customer)
    statements = [
        part for part in sentences(draft) if any(ch.isalnum() for ch in part) and not is_courtesy(part)
    ]
    if not statements:
        reasons.append("says nothing")
    coverage = 1.0
    reasons += [
        f"joins two sentences: …{joint}…" for part in statements if (joint := _spliced(part, sources))
    ]
    for statement in statements:
        found, share = _statement(statement, places, sources, said, lang)
        reasons += found
        coverage = min(coverage, share)
        if claim := unsupported_claim(statement, [place.sentence for place in places], lookups):
            reasons.append(f"claims what no look-up tells: {claim}")
    reasons = list(dict.fromkeys(reasons))
    return Check(not reasons, tuple(reasons), round(coverage if statements else 0.0, 3))


def _form(draft: str, sources: Sequence[str], customer: Sequence[str], lang: str) -> list[str]:
    """What is wrong with the draft as a text, whatever it says."""
    text = draft.strip()
    reasons = []
    if sum(ch.isalnum() for ch in text) < (4 if lang == "zh" else 8):
        reasons.append("too short")
    stray = _STRAY_MARKS.search(text) or (lang == "en" and _LONE_HAN.search(text))
    bare = _BARE_UNIT.search(text)
    if bare is not None and not any(_spaceless(bare[0]) in _spaceless(source) for source in sources):
        reasons.append(f"unit without its number: {bare[0].strip()}")
    if stray or "\ufffd" in text or re.search(r"[\ue000-\uf8ff]|<\w+>|\\u[0-9a-f]{4}", text):
        reasons.append("garbled text")
    filled = {match for message in customer for match in _PLACEHOLDER.findall(message)}
    reasons += [f"unfilled placeholder: {hole}" for hole in _PLACEHOLDER.findall(text) if hole not in filled]
    if lang == "en" and re.match(r"\W*[a-z]+(?:[\s,.]|$)", text):
        reasons.append("begins in lower case")
    opening = sentences(text)[0] if text else ""
    if re.fullmatch(r"\W*[A-Za-z-]+\W*", opening) and not is_courtesy(opening):
        reasons.append("begins with a fragment")
    if len(_HAN.findall(opening)) == len(re.findall(r"\w", opening)) < 3 and not is_courtesy(opening):
        reasons.append("begins with a fragment")
    whole = {fact.value for fact in facts(text) if fact.kind in ("email", "url")}
    if any(not any(found in canonical(word) for found in whole) for word in re.findall(r"\S*@\S*", text)):
        reasons.append("broken address")
    if _thrice(text) or _repeats(text):
        reasons.append("repeats itself")
    reasons += [f"profanity: {word}" for word in find_profanity(text)]
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    if (lang == "zh" and han < 2) or (lang == "en" and han > 0.1 * (han + latin)):
        reasons.append(f"not in the customer's language ({lang})")
    if unfinished(text) or not (_ENDED.search(text) or _ends_a_line(text, sources)):
        reasons.append("unfinished sentence")
    return reasons


def _ends_a_line(text: str, sources: Sequence[str]) -> bool:
    """Whether a line of a list, which has no end mark, ends as the text does."""
    tail = text[-_COPIED:]
    return any(line.rstrip().endswith(tail) for source in sources for line in source.splitlines())


def _parroted(draft: str, sources: Sequence[str], customer: Sequence[str], lang: str) -> list[str]:
    """A question handed back: a stretch of the customer's own wording that no source has."""
    between = "" if lang == "zh" else " "

    def units(text: str) -> list[str]:
        return list(_spaceless(text)) if lang == "zh" else re.findall(r"\w+", text.casefold())

    length = _PARROTED.get(lang, 6)
    said = [f"{between}{between.join(units(text))}{between}" for text in customer]
    known = [f"{between}{between.join(units(text))}{between}" for text in sources]
    own = units(draft)
    for start in range(len(own) - length + 1):
        stretch = f"{between}{between.join(own[start : start + length])}{between}"
        if any(stretch in text for text in said) and not any(stretch in text for text in known):
            return [f"repeats the customer: {stretch.strip()}"]
    return []


def _run_on_headings(draft: str, sources: Sequence[str]) -> list[str]:
    """A source's title, which has no end mark, with a sentence right behind it."""
    found = []
    for source in sources:
        title = source.partition("\n")[0].strip()
        if len(title) < _COPIED or not title[-1].isalnum():
            continue
        after = draft.partition(title)[2]
        if after[:1] not in ("", "\n") and after.lstrip()[:1].isalnum():
            found.append(f"heading run into a sentence: {title[:60]}")
    return found


def _torn(draft: str, sources: Sequence[str]) -> list[str]:
    """A draft that begins or ends in the middle of a sentence it copied."""
    text, known = _spaceless(draft), [_spaceless(source) for source in sources]
    if not text:
        return []
    reasons = []
    head, tail = text[:_COPIED], text[-_COPIED:]
    starts = any(source.startswith(head) for source in known)
    before = [source[place - 1] for source in known for place in _all(head, source) if place > 0]
    inside = bool(before) and not starts and all(ch.isalnum() or ch in _INSIDE for ch in before)
    first = draft.strip()[0]
    torn = (
        first.islower()
        or first in _NO_START_ZH
        or all((is_han(ch) and ch != "的") or ch.isdigit() or ch == "、" for ch in before)
    )
    if text[0] in _NO_START or (inside and torn):
        reasons.append("begins in the middle of a sentence")
    after = [
        source[place + len(tail)]
        for source in known
        for place in _all(tail, source)
        if place + len(tail) < len(source)
    ]
    ended = any(source.endswith(tail) for source in known)
    if after and not ended and text[-1].isalnum() and all(ch.isalnum() or ch in _INSIDE for ch in after):
        reasons.append("ends in the middle of a sentence")
    return reasons


def _cut_words(draft: str, sources: Sequence[str]) -> list[str]:
    """Latin words at the end of a sentence that are only the beginning of the word that the source has there.

    Looked for where the source says the most of the sentence: "the pre-order it" is torn from "the pre-order item",
    though another sentence may end in "pre-order it".
    """
    whole = "\n".join(["", *map(_spaceless, sources), ""])
    found = []
    for part in sentences(draft):
        text = _spaceless(part).rstrip(_MARKS)
        size = _longest_suffix(text, len(text), whole)
        if size < _COPIED or not _LATIN.match(text[-1]):
            continue
        if all(_LATIN.match(whole[place + size]) for place in _all(text[-size:], whole)):
            found.append(f"ends in the middle of a word: …{text[-_COPIED:].replace(_THIN, ' ')}")
    return found


def _spliced(statement: str, sources: Sequence[str]) -> str:
    """Where a statement jumps from the middle of one copied sentence into another one, or nothing.

    Two verbatim pieces that touch without punctuation and that no single source sentence holds in this order: the
    result reads well and may say what neither sentence says. Leaving words out of one sentence is no splice, unless
    a figure is among them and the clause already has one: what follows belongs to the figure that was left out.
    """
    text = _spaceless(statement).rstrip(_MARKS)
    known = [_spaceless(part).rstrip(_MARKS) for source in sources for part in sentences(source)]
    whole = "\n".join(["", *known, ""])
    place, piece = 0, ""  # ``piece``: the verbatim piece that ends at ``place``
    while place < len(text):
        end = place + _longest_prefix(text, place, whole)
        while place < end < len(text) and text[end - 1].isdigit() and text[end].isdigit():
            end -= 1  # 58 does not begin as 51 does
        start = (
            place - (_longest_suffix(text, end, whole) - (end - place)) if piece and end > place else place
        )
        found = text[start:end]  # from the left as far as the source goes on: it may overlap the piece before
        if end == place or not _counts_as_copied(found, whole, start == 0, end == len(text)):
            place, piece = place + 1, ""
            continue
        touching = piece and all(ch.isalnum() or ch in _JOINTS for ch in (text[place - 1], text[place]))
        if touching and not any(_holds_both(part, piece, text[place:end], found) for part in known):
            return text[max(0, place - 6) : place + 6].replace(_THIN, " ")
        place, piece = end, found
    return ""


def _counts_as_copied(piece: str, known: str, first: bool, last: bool) -> bool:
    """Whether a piece is long enough to have come from one place; less will do at a sentence's beginning or end."""
    han = sum(map(is_han, piece)) > len(piece) / 2
    if len(piece) >= (_PIECE_ZH if han else _PIECE):
        return True
    if len(piece) < (_END_ZH if han else _END):
        return False
    return (first and f"\n{piece}" in known) or (last and f"{piece}\n" in known)


def _holds_both(part: str, piece: str, rest: str, found: str) -> bool:
    """Whether one source sentence says ``piece`` and then ``rest``, with no other figure for ``rest`` left out."""
    first = part.find(piece)
    if first < 0:
        return False
    after = first + len(piece)
    next_place = part.find(found, first)
    if next_place < 0:
        return False
    figure = any(ch.isdigit() for ch in re.split(r"[,，、;；:：]", piece)[-1])  # in the clause that goes on
    left_out = part[after : next_place + len(found) - len(rest)]
    return not (figure and any(ch.isdigit() for ch in left_out))


def _longest_suffix(text: str, end: int, known: str) -> int:
    """Length of the longest piece of ``text`` that ends at ``end`` and stands in ``known``."""
    low, high = 0, end
    while low < high:
        middle = (low + high + 1) // 2
        if text[end - middle : end] in known:
            low = middle
        else:
            high = middle - 1
    return low


def _longest_prefix(text: str, start: int, known: str) -> int:
    """Length of the longest piece of ``text`` from ``start`` that stands in ``known``."""
    low, high = 0, len(text) - start
    while low < high:
        middle = (low + high + 1) // 2
        if text[start : start + middle] in known:
            low = middle
        else:
            high = middle - 1
    return low


def _spaceless(text: str) -> str:
    """Case-folded words with one space; Han text without any; line ends kept, since they end sentences."""
    text = re.sub(r"[ \t]+", " ", text.strip().casefold())
    return re.sub(r"(?<=[a-z0-9]) (?=[a-z0-9])", _THIN, text).replace(" ", "")


def _all(part: str, text: str) -> list[int]:
    return [match.start() for match in re.finditer(re.escape(part), text)]


def _broken_addresses(draft: str, sources: Sequence[str]) -> list[str]:
    """Words that end a sentence here and are the beginning of a web or mail address in the sources."""
    known = canonical("\n".join(sources))
    found = []
    for match in re.finditer(r"([a-z][a-z0-9-]{2,})\.(?![a-z0-9])", canonical(draft)):
        word = rf"(?<![a-z0-9.]){re.escape(match[1])}"
        if re.search(word + r"\.[a-z]{2}", known) and not re.search(word + r"(?:\.?\s|\.?$)", known):
            found.append(f"broken address: {match[1]}")
    return found


def _thrice(text: str) -> bool:
    """Whether three characters or more stand three times in a row, with nothing but spaces, commas and full stops
    between: ``(.{3,}?)(?:[\\s,.，。]*\\1){2,}``, which took longer than all other checks of a draft together."""
    places: dict[str, list[int]] = {}
    for at in range(len(text) - 2):
        places.setdefault(text[at : at + 3], []).append(at)
    for found in places.values():
        for place, first in enumerate(found if len(found) > 2 else ()):
            for second in found[place + 1 :]:
                between = second  # what parts the two belongs to the piece, or does not
                while between > first and _parts(text[between - 1]):
                    between -= 1
                for end in range(max(first + 3, between), second + 1):
                    piece = text[first:end]
                    third = second + len(piece)
                    if not text.startswith(piece, second):
                        continue
                    while not (stands := text.startswith(piece, third)) and _parts(text[third : third + 1]):
                        third += 1
                    if stands:
                        return True
    return False


def _parts(mark: str) -> bool:
    return mark.isspace() or (mark != "" and mark in ",.，。")


def _repeats(text: str) -> bool:
    parts = [canonical(part) for part in sentences(text)]
    if len(set(parts)) < len(parts):
        return True
    words = re.findall(r"[a-z']+|\d+|[\u3400-\u9fff]", canonical(text))
    runs = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    return len(runs) - len(set(runs)) > max(2, len(runs) // 5)


def _statement(
    statement: str, places: Sequence[_Place], sources: Sequence[str], said: str, lang: str
) -> tuple[list[str], float]:
    """Reasons against one sentence, and how much of it its best place covers."""
    words = frozenset(word for word in content_words(statement) if not any(ch.isdigit() for ch in word))
    ranked = sorted(places, key=lambda place: (-_share(words, place.words), -_share(words, place.around)))
    reasons = _unsupported_facts(statement, words, places, said)
    known = "\n".join((*sources, said))
    reasons += [f"name not in the sources: {name}" for name in names(statement, known, lang)]
    top = _share(words, ranked[0].words) if ranked else 0.0
    nearest = [place for place in ranked[:4] if _share(words, place.words) >= top - 0.1]
    promised = {kind for place in nearest for kind in promises(place.near)}
    reasons += [f"promise not in the sources: {kind}" for kind in promises(statement) if kind not in promised]
    if not words:
        return reasons, 1.0
    around = max((_share(words, place.around) for place in places), default=0.0)
    own = content_words(said)
    # The customer's words may be taken up, but they are no source: half of the sentence must come from one place.
    taken_up = max(
        (_share(words, place.around | own) for place in places if _share(words, place.around) >= 0.5),
        default=0.0,
    )
    coverage = max(around, taken_up)
    if coverage < COVERAGE:
        best = ranked[0].around if ranked else frozenset()
        missing = sorted(words - best - own)[:5]
        reasons.append(f"not covered by a source ({coverage:.0%}): {', '.join(missing)}")
        return reasons, coverage
    if any(contradicts(statement, place.sentence) for place in nearest):
        reasons.append("says the opposite of its source")
    turned = opposite_word(statement, nearest[0].sentence)
    if turned:
        reasons.append(f"says the opposite of its source: {turned}")
    swapped = order_swapped(statement, nearest[0].sentence)
    if swapped:
        reasons.append(f"before and after are swapped: {swapped}")
    only = added_restriction(statement, "\n".join(place.near for place in nearest))
    if only:
        reasons.append(f"adds a restriction: {only}")
    condition = dropped_condition(statement, nearest[0].sentence)
    if condition:
        reasons.append(f"leaves out the condition: {condition}")
    return reasons, coverage


def _unsupported_facts(
    statement: str, words: frozenset[str], places: Sequence[_Place], said: str
) -> list[str]:
    own = facts(said)
    reasons = []
    for fact in sorted(facts(statement), key=str):
        holding = [place for place in places if any(_supports(other, fact) for other in place.facts)]
        if any(_about(words, place) for place in holding):
            continue
        if fact.kind == "code" and any(_supports(other, fact) for other in own):
            continue  # their own order number, repeated to them
        where = "stands in the sources about something else" if holding else f"{fact.kind} not in the sources"
        reasons.append(f"{where}: {fact}")
    return reasons


def _about(words: frozenset[str], place: _Place) -> bool:
    """Whether a source sentence speaks of what the draft's sentence speaks of, so that its fact may be taken."""
    own = _share(words, place.words)
    return not words or own >= _FACT_TOPIC or (own > 0 and _share(words, place.around) >= 2 * _FACT_TOPIC)


def _supports(source: Fact, fact: Fact) -> bool:
    """Whether a source's fact carries the draft's: the same value and unit, and no other bound."""
    if (source.kind, source.value) != (fact.kind, fact.value):
        return False
    if source.unit != fact.unit and not (fact.unit == "" and source.unit in ("", "item", "time", "point")):
        return False
    return bears_out(source.bound, fact.bound)


@lru_cache(maxsize=256)
def _places(source: str) -> tuple[_Place, ...]:
    parts = sentences(source)
    found = []
    bags = [content_words(part) for part in parts]
    title = bags[0] if "\n" in source else frozenset()
    for number, part in enumerate(parts):
        near = bags[max(0, number - _NEIGHBOURS) : number + _NEIGHBOURS + 1]
        window = "\n".join(parts[max(0, number - _NEIGHBOURS) : number + _NEIGHBOURS + 1])
        found.append(_Place(part, window, bags[number], frozenset().union(*near, title), facts(part)))
    return tuple(found)


def _share(words: frozenset[str], grounds: frozenset[str]) -> float:
    return len(words & grounds) / len(words) if words else 0.0
