"""Sentences with values in them, which the database keeps in English, in the language of whoever reads.

Reasons of the gate and of the policy, what failed in a check, what an import has to report: they are written down where
they arise, in English, and read by anybody later. A catalogue (``texts/<language>.sentences.json``) holds them as
templates: ``"{title} has {share} ≥ {floor}"``. What fills a gap is translated in turn, and a sentence of several
clauses clause by clause; what no template knows stays as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from web.language import catalogue, gettext, page_language

_GAP = re.compile(r"\{(\w+)\}")
_CLAUSES = {"zh": "；"}  # between clauses that English parts with "; "
_JOINTS = ("; ", " (got ")  # between two sentences, and between an error and its value: no gap holds both
_DEEPEST = 4  # templates within templates
KIND_WORDS = {  # of a reply
    "approved": "Approved answer",
    "passage": "From the articles",
    "generated": "Written by the bot",
    "choices": "Did you mean",
    "ask": "Asked back",
    "person": "To a person",
    "unknown": "Did not know",
    "smalltalk": "Small talk",
    "notice": "Notice",
}
MOST_CLAUSES = 40  # of a sentence of ours, each of which is looked up inside the one before
LONGEST = 2000  # characters of a sentence that is looked up; longer ones are no sentences of ours


@dataclass(frozen=True, slots=True)
class Template:
    head: str  # before the first gap
    tail: str  # after the last one
    pattern: re.Pattern[str]
    text: str

    def gaps_in(self, text: str) -> dict[str, str] | None:
        """What fills the gaps where ``text`` is such a sentence. Its two ends are looked at first: most are not."""
        if not (text.startswith(self.head) and text.endswith(self.tail)):
            return None
        match = self.pattern.fullmatch(text)
        return match.groupdict() if match else None


@lru_cache(maxsize=4)
def _templates(language: str) -> tuple[dict[str, str], tuple[Template, ...]]:
    """(whole sentences, those with gaps: the more fixed text, the earlier)."""
    path = files("web") / "texts" / f"{language}.sentences.json"
    if not path.is_file():
        return {}, ()
    told: dict[str, str] = json.loads(path.read_text("utf-8"))
    gaps = [text for text in told if _GAP.search(text)]
    ordered = sorted(gaps, key=lambda text: -len(_GAP.sub("", text)))
    return told, tuple(_template(text, told[text]) for text in ordered)


def _template(english: str, text: str) -> Template:
    pieces = _GAP.split(english)  # fixed, name, fixed, name, …, fixed
    found = [f"(?P<{piece}>.+?)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)]
    return Template(pieces[0], pieces[-1], re.compile("".join(found), re.DOTALL), text)


def in_words(text: str | None, language: str | None = None) -> str:
    """``text`` in the reader's language, as far as it is known there."""
    language = language or page_language()
    return "" if not text else _said(text, language, _DEEPEST)


def _filled(template: str, gaps: dict[str, str]) -> str:
    return _GAP.sub(lambda gap: gaps.get(gap[1], gap[0]), template)


def _said(text: str, language: str, depth: int) -> str:
    whole, templates = _templates(language)
    known = catalogue(language).get(text) or whole.get(text)
    if known or not depth or len(text) > LONGEST:
        return known or text
    for template in templates:
        gaps = template.gaps_in(text)
        if gaps is not None and not any(joint in value for value in gaps.values() for joint in _JOINTS):
            told = {name: _said(value, language, depth - 1) for name, value in gaps.items()}
            return _filled(template.text, told)
    if language not in _CLAUSES or text.count("; ") + text.count(". ") > MOST_CLAUSES:
        return text
    if text.endswith(".") and not text.endswith(".."):
        told_before = _said(text[:-1], language, depth)
        return text if told_before == text[:-1] else f"{told_before}。"
    for mark, joint in ((". ", "。"), ("; ", _CLAUSES[language])):
        first, found, rest = text.partition(mark)
        if found:
            both = _said(first, language, depth), _said(rest, language, depth)
            return text if both == (first, rest) else joint.join(both)
    return text


def reason_in_words(reason: str | None) -> str | None:
    """Why a conversation was handed over, by the stored name; one that no catalogue knows is shown as it is."""
    if not reason:
        return None
    named = gettext(f"reason_{reason}")
    return reason.replace("_", " ") if named.startswith("reason_") else named


CHANNELS = {"widget": "Widget", "api": "API", "chatwoot": "Chatwoot", "rasa": "Rasa"}


def channel_in_words(name: str) -> str:
    """Where a conversation is held, as people call it; another channel's name stands for itself."""
    return gettext(CHANNELS.get(name, name))
