"""Whole numbers in what others send: a form, a header, a field of another program's."""

from __future__ import annotations

MOST_DIGITS = 18  # fits a row's id and a time in any unit


def whole(text: str) -> int | None:
    """The number that ``text`` is, without a sign; None for everything else.

    ``str.isdigit`` alone takes ² for a digit, which ``int`` does not, and ``int`` refuses thousands of digits.
    """
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
