"""What is searched: passages and the questions that lead to them, and where their truth is kept.

The search indexes are derived from a `Knowledge`: the conversation database when serving, plain lists in a
benchmark. Every hit is read back from it before anyone sees it, so that a deleted passage cannot appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PassageEntry:
    """A passage as the indexes take it in. ``title`` is its whole title path."""

    id: int
    article: int
    lang: str
    title: str
    text: str

    @property
    def whole(self) -> str:
        """Title path and text, as one text to search."""
        return f"{self.title}. {self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class QuestionEntry:
    """Another way customers ask for an article, or for one ``passage`` of it alone."""

    id: int
    article: int
    lang: str
    text: str
    passage: int | None = None


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as it may be shown now: enabled, its article live and within its period."""

    passage_id: int
    article_id: int
    article_slug: str
    title: str
    title_path: str
    url: str
    text: str
    lang: str


class Knowledge(Protocol):
    """Where the truth about passages is kept."""

    def read(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """The passages among ``ids`` that may be shown at this moment."""
        ...


class ListedKnowledge:
    """Passages held in memory, each its own article unless said otherwise; for benchmarks and calibration."""

    def __init__(self, passages: Iterable[PassageEntry], *, slugs: dict[int, str] | None = None) -> None:
        self._slugs = slugs or {}
        self._passages = {entry.id: entry for entry in passages}

    def read(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        return {
            entry.id: StoredPassage(
                passage_id=entry.id,
                article_id=entry.article,
                article_slug=self._slugs.get(entry.article, str(entry.article)),
                title=entry.title,
                title_path=entry.title,
                url="",
                text=entry.text,
                lang=entry.lang,
            )
            for identity in ids
            if (entry := self._passages.get(identity)) is not None
        }
