"""From sources to a checked draft: the generator writes several replies, the best one that passes is the draft.

Best is the one that speaks most of what was asked, then the likeliest.

When none passes, the likeliest one is kept with the reasons against it: the trace shows what was not said, and why.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from chatbot.dialogue import grounding
from chatbot.dialogue.grounding import Check
from chatbot.dialogue.one_of_several import OneOfSeveral
from chatbot.dialogue.relevance import Encode, Wanted, plain
from chatbot.dialogue.sections import about_what_is_named, heading_of, unnamed
from chatbot.dialogue.trace import Draft, Hit, Message
from chatbot.dialogue.weighing import Candidate
from chatbot.dialogue.wording import sentences as statements
from chatbot.inference.generate import Candidate as Written
from chatbot.neural.source_layout import content_units, passage_source, sentences

BEAM = 6
LEAST_TOKENS = (
    70  # three sentences or so: one or two leave out what was asked, measured on held-back conversations
)
MAX_TOKENS = 90
PLAINLY_IN_SCOPE = 0.98
_ENDED = re.compile(r"[.!?](?=\s)|[。！？]")
_LAST_LATIN = 0x2E80
_OWN_WORDING = "no sentence of it stands in a passage"
_LIKELIHOOD = 0.1  # weight of the generator's score beside the question's words found in the draft


SOURCES = 3  # passages the generator reads


class Writer(Protocol):
    """What writes replies; chatbot.inference.generate.ResponseGenerator is one."""

    def generate(
        self,
        history: Sequence[Message],
        sources: Sequence[str],
        *,
        intent: str | None = None,
        lang: str = "en",
        beam: int = 1,
        max_tokens: int = 60,
        min_tokens: int = 2,
    ) -> list[Written]: ...


def sources_about(
    best: Candidate, hits: Sequence[Hit], passages_of: Callable[[str, str], Sequence[Hit]], lang: str
) -> list[Hit]:
    """The passages to write about ``best`` from: those of its article that were found, then its others.

    passages_of: an article's by slug and language, in reading order.
    """
    own = [hit for hit in hits if hit.article_slug == best.article_slug]
    own = own or ([best.hit] if best.hit is not None else [])
    seen = {hit.passage_id for hit in own}
    if best.article_slug is not None:
        own += [hit for hit in passages_of(best.article_slug, lang) if hit.passage_id not in seen]
    return own[:SOURCES]


def draft(
    writer: Writer,
    history: Sequence[Message],
    hits: Sequence[Hit],
    *,
    lang: str,
    intent: str | None = None,
    beam: int = BEAM,
    encode: Encode | None = None,
    general: bool = True,
    in_scope: float = 1.0,
) -> Draft | None:
    """The best checked reply to the last message of ``history`` from ``hits``, or None if nothing was written.

    history: redacted, oldest first, the message to answer last; its ``action`` turns (look-ups) are sources too.
    encode: of the search's encoder; with it a draft must be to the point too (chatbot/dialogue/relevance.py).
    general: that encoder has read more than the company's own texts.
    in_scope: probability that the message is about what the bot should know.
    """
    customer = [message.text for message in history if message.role == "customer"]
    hits = about_what_is_named(hits, customer[::-1])
    sources = [passage_source(hit.title_path or hit.title, hit.text) for hit in hits]
    written = writer.generate(
        history, sources, intent=intent, lang=lang, beam=beam, max_tokens=MAX_TOKENS, min_tokens=LEAST_TOKENS
    )
    lookups = [message.text for message in history if message.role == "action"]
    asked = _rarity(history, sources)
    passages = tuple(hit.passage_id for hit in hits)
    in_order = sorted(hits, key=lambda hit: hit.passage_id)  # as the article has them
    wanted = (
        Wanted(
            history[-1].text,
            sources=[hit.text for hit in in_order],
            headings=[heading_of(hit) for hit in in_order],
            encode=encode,
            lang=lang,
            general=general,
            aside=OneOfSeveral(
                sources,
                customer[::-1],
                titles=[hit.title for hit in hits],
                sections=unnamed(hits, customer[::-1]),
            ),
        )
        if encode is not None
        else None
    )
    best: Draft | None = None
    whole = [one if one.finished else replace(one, text=_to_its_last_end(one.text)) for one in written]
    # a look-up is no prose: what is said of it is the generator's own
    from_passages = not lookups
    known = [plain(part) for hit in hits for part in statements(hit.text)] if from_passages else []
    kept = {one.text: _unbroken(one.text, known) if from_passages else one.text for one in whole}
    phrased = {text for text, left in kept.items() if not left}  # wholly in words of the generator's own
    whole = [replace(one, text=_closed(kept[one.text]) or one.text) for one in whole]

    def rank(one: Written) -> tuple[bool, bool, float]:
        return one.finished, one.text not in phrased, _value(one, asked)

    def judge(text: str) -> Check:
        return grounding.check(text, sources=sources, customer=customer, lang=lang, lookups=lookups)

    def completed(text: str, check: Check) -> tuple[str, Check]:
        if wanted is None or not from_passages:
            return text, check
        for lacking in wanted.lacking(text):  # one that the check refuses keeps no other out
            fuller = _closed(_followed(text, [lacking]))
            rechecked = judge(fuller)
            if rechecked.passed:
                text, check = fuller, rechecked
        told = [_closed(statement) for statement in wanted.arranged(text)]
        rechecked = judge(_followed("", told))
        return (wanted.laid_out(told), rechecked) if rechecked.passed else (text, check)

    true: list[Written] = []  # and yet beside the point
    for candidate in sorted(whole, key=rank, reverse=True):
        text, check = candidate.text, judge(candidate.text)
        if text in phrased:
            check = replace(check, passed=False, reasons=(*check.reasons, _OWN_WORDING))
        beside = wanted.missed_by(text) if check.passed and wanted is not None else None
        if beside:
            true.append(candidate)
            check = replace(check, passed=False, reasons=(beside,))
        elif check.passed:
            text, check = completed(text, check)
        drafted = Draft(text, candidate.score, passages, check=check)
        if check.passed:
            return drafted
        if best is None or drafted.score > best.score:
            best = drafted
    # six drafts that all miss the point are a sign that the sources do not answer: the message itself must be plain
    if wanted is not None and from_passages and in_scope >= PLAINLY_IN_SCOPE:
        for candidate in true:  # said after what was asked for, it is to the point
            led = _followed("", [wanted.nearest, candidate.text])
            check = judge(led)
            if check.passed:
                text, check = completed(led, check)
                return Draft(text, candidate.score, passages, check=check)
    return best


def _to_its_last_end(text: str) -> str:
    """A reply that was cut at its longest, without the sentence in which that happened; one sentence stays as it is."""
    ends = [match.end() for match in _ENDED.finditer(text)]
    return text[: ends[-1]] if ends else text


def _unbroken(text: str, known: Sequence[str]) -> str:
    """The draft without the sentences that no source sentence has in one piece, from a clause's beginning to its end.

    known: the sources' sentences, each as ``plain`` has it.

    A small generator picks well and phrases badly: "We are still comes back, book a repair." is made of the source's
    words and passes for true, as does "My name is not sent to mainland China". So a draft of which nothing is kept is
    not sent; of 1,001 replies to the demo's tuning conversations six were such, and five of them read badly.
    """
    kept = [part for part in statements(text) if any(_stands_in(plain(part), one) for one in known)]
    return _followed("", kept)


def _closed(text: str) -> str:
    """The last line of a list, which a source ends with a semicolon, ends the reply."""
    return {";": f"{text[:-1]}.", "；": f"{text[:-1]}。"}.get(text[-1:], text)


def _followed(text: str, parts: Sequence[str]) -> str:
    """``text`` and then ``parts``, with a space where the script has one."""
    for part in parts:
        text += part if not text or ord(text[-1]) > _LAST_LATIN else f" {part}"
    return text


def _stands_in(part: str, source: str) -> bool:
    place = source.find(part) if part else -1
    if place < 0:
        return False
    before, after = source[:place].rstrip(), source[place + len(part) :].lstrip()
    return (not before or before[-1] in ";:；：") and (not after or after[0] in ";；")


def _value(candidate: Written, asked: dict[str, float]) -> float:
    """How much of the question the candidate speaks of, and how likely the generator finds it.

    Among replies that pass, the likeliest is often a true sentence about something else; measured on the demo, this
    order finds the right one a quarter more often.
    """
    spoken = content_units(candidate.text)
    return sum(weight for unit, weight in asked.items() if unit in spoken) + _LIKELIHOOD * candidate.score


def _rarity(history: Sequence[Message], sources: Sequence[str]) -> dict[str, float]:
    """The question's content, weighted by how few of the sources' sentences hold it."""
    question = next((message.text for message in reversed(history) if message.role == "customer"), "")
    held = [content_units(part) for source in sources for part in sentences(source)]
    return {
        unit: math.log(1 + len(held) / (1 + sum(unit in units for units in held)))
        for unit in sorted(content_units(question))
    }
