"""A code that nothing here explains is not one that an article does: E-1203 is no E-4012.

To an encoder, and to a classifier that has met E-4012 alone, the two are nearly one text. So what explains other codes
of that form does not answer, and the customer is told that this one is not known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.dialogue.weighing import Candidate
from chatbot.retrieval.terms import is_identifier, terms

_WRITTEN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")


def without_other_codes(
    request: str, ranked: Sequence[Candidate], *, sure: float
) -> tuple[list[Candidate], str | None]:
    """Where titles among the candidates name other codes of the form that the message asks for, and none has that one:
    the others that reach ``sure`` (a probability), and the code as it was written. Else all of them, and None."""
    asked = {term: code for code in _WRITTEN.findall(request) for term in _codes(code)}
    if not asked:
        return list(ranked), None
    named = [_codes(f"{one.title} {one.hit.title_path if one.hit else ''}") for one in ranked]
    if any(
        asked.keys() & (names | _codes(one.hit.text))
        for names, one in zip(named, ranked, strict=True)
        if one.hit
    ):
        return list(ranked), None
    forms = {_form(term): code for term, code in asked.items()}
    other = [forms.keys() & {_form(name) for name in names} for names in named]
    code = next((forms[form] for found in other for form in found), None)
    if code is None:
        return list(ranked), None
    kept = [one for one, found in zip(ranked, other, strict=True) if not found and one.probability >= sure]
    return kept, code


def _codes(text: str) -> set[str]:
    return {term for term in terms(text) if is_identifier(term)}


def _form(code: str) -> str:
    """Its letters, and a 0 for each figure: E-4012 and E-1203 are of one form, KC-204817 is of another."""
    return re.sub(r"\d", "0", code)
