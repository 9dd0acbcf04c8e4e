"""Long lists in pages: the page that an address asks for, of a list that was ranked as a whole.

What is listed by age goes on at an id instead (``before``), so that what comes meanwhile moves nothing; macros.html has
the links of both kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

Line = TypeVar("Line")


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Line]):
    """``page`` counts from 1 and is one that there is: who works through the last one comes to the one before."""

    lines: Sequence[Line]
    page: int
    pages: int
    total: int


def leaf(lines: Sequence[Line], *, size: int, asked: int | None = None) -> Leaf[Line]:
    """The part that the address's ``page`` asks for, the first where it asks for none."""
    asked = request.args.get("page", type=int) if asked is None else asked
    pages = max(1, -(-len(lines) // size))
    page = min(max(1, asked or 1), pages)
    return Leaf(lines[(page - 1) * size : page * size], page, pages, len(lines))


def asked_page() -> int | None:
    """The number in the address, for the way back to the same page."""
    return request.args.get("page", type=int)
