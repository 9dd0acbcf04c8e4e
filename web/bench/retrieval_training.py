"""What `bench retrieval --train` learns from: relevance rows or pair rows, as positives, as pairs, as questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.errors import FileError
from chatbot.inference.encode import SentenceEncoder
from chatbot.language.normalise import fold
from chatbot.learning.domain_encoder import Positive, fit_characters, write_encoder
from chatbot.learning.search_judging import SearchPair
from chatbot.retrieval.knowledge import PassageEntry, QuestionEntry

_MOSTLY = 0.5  # of the pair rows must be about our documents, for these to be what is fitted on


@dataclass(frozen=True, slots=True)
class GroupedPair:
    """A question with its article; ``group`` names the document or the cluster of pair rows it came from."""

    pair: SearchPair
    group: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """``passages``: what ``pairs`` point at: the documents themselves (``same_documents``), or others; then ``known``
    are the few questions that are about our documents all the same."""

    positives: tuple[Positive, ...]
    pairs: tuple[GroupedPair, ...]
    passages: tuple[PassageEntry, ...]
    same_documents: bool
    known: tuple[GroupedPair, ...] = ()

    @classmethod
    def empty(cls) -> Lesson:
        return cls((), (), (), True)

    def held_out(self, share: float, seed: int) -> frozenset[str]:
        """Names of what is kept from training, drawn by seed: whole groups where the documents searched are others
        than these; else single questions, for theirs will have other questions in the index as well."""
        names = sorted({self.name_of(pair) for pair in self.pairs})
        chosen = np.random.default_rng(seed).permutation(len(names))[: int(share * len(names))]
        return frozenset(names[place] for place in chosen)

    def name_of(self, pair: GroupedPair) -> str:
        """What the pair is held out by."""
        return f"question {fold(pair.pair.query)}" if self.same_documents else pair.group

    def without(self, names: Collection[str]) -> Lesson:
        return replace(
            self,
            positives=tuple(
                item
                for item in self.positives
                if item.group not in names
                and not {f"question {fold(text)}" for text in (item.first, item.second)} & set(names)
            ),
            pairs=tuple(pair for pair in self.pairs if self.name_of(pair) not in names),
        )

    def questions(self) -> list[QuestionEntry]:
        """The questions of the pairs, as other ways to ask for their articles."""
        return _questions(self.pairs)

    def known_questions(self) -> list[QuestionEntry]:
        """Those of ``known``, likewise."""
        return _questions(self.known)


def lesson_of(
    passages: Sequence[PassageEntry],
    numbers: Mapping[str, int],
    rows: Sequence[Mapping[str, Any]],
    train_documents: Sequence[Mapping[str, Any]],
    lang: str,
) -> Lesson:
    """Raises FileError where relevance rows point at no known document, or rows are of neither shape."""
    relevance = [row for row in rows if "query" in row and row.get("faq_id") is not None]
    alike = [row for row in rows if "text1" in row and "text2" in row]
    if not relevance and not alike:
        raise FileError(
            "The training rows are neither relevance rows nor pair rows",
            field="train",
            value=str(rows[0])[:80],
            remedy='Give {"query", "faq_id"} or {"text1", "text2", "label"}',
        )
    parts = []
    if relevance:
        parts.append(_from_relevance(passages, numbers, relevance, train_documents, lang))
    if alike:
        parts.append(_from_pairs(passages, alike, lang))
    lesson = parts[0]
    for other in parts[1:]:
        pairs, positives = lesson.pairs, lesson.positives + other.positives
        if other.same_documents == lesson.same_documents and lesson.same_documents:
            pairs += other.pairs
        lesson = replace(lesson, positives=positives, pairs=pairs)
    return lesson


def train_encoder(
    lesson: Lesson,
    passages: Sequence[PassageEntry],
    folder: Path,
    *,
    lang: str,
    seed: int,
    tell: Callable[[str, float], None],
) -> SentenceEncoder:
    """The domain encoder of a lesson; the documents searched add their vocabulary and their title–text pairs."""
    known = {entry.id: entry for entry in (*lesson.passages, *passages)}.values()
    positives = list(lesson.positives)
    positives += [
        Positive(entry.title, entry.text, f"document {entry.id}")
        for entry in passages
        if entry.title.strip() and entry.text.strip()
    ]
    texts = [text for entry in (*known, *passages) for text in (entry.title, entry.text) if text.strip()]
    tokenizer, table = fit_characters(
        positives, seed=seed, extra_texts=texts, progress=lambda share: tell("encoder", share)
    )
    write_encoder(folder, tokenizer, table, languages=(lang,))
    return SentenceEncoder.load(folder)


def _from_relevance(
    passages: Sequence[PassageEntry],
    numbers: Mapping[str, int],
    rows: Sequence[Mapping[str, Any]],
    train_documents: Sequence[Mapping[str, Any]],
    lang: str,
) -> Lesson:
    from web.bench.retrieval_setup import passages_of, queries_of

    same = all(row["faq_id"] in numbers for row in rows)
    if same and train_documents:
        titles = {
            str(row["id"]): str(row.get("question") or row.get("title") or "") for row in train_documents
        }
        by_number = {entry.id: entry.title for entry in passages}
        same = all(
            titles.get(name, by_number[number]) == by_number[number] for name, number in numbers.items()
        )
    if not same:
        if not train_documents:
            raise FileError(
                "The training rows point at other documents",
                field="train",
                remedy="Give those with --train-documents",
            )
        passages = passages_of(train_documents, lang)
        numbers = {str(row["id"]): number for number, row in enumerate(train_documents)}
    by_id = {entry.id: entry for entry in passages}
    positives, pairs = [], []
    for query in queries_of(rows, numbers):
        for article in sorted(query.right):
            entry, group = by_id[article], f"document {article}"
            positives.append(Positive(query.text, entry.title or entry.text, group))
            if entry.title and entry.text:
                positives.append(Positive(query.text, entry.whole, group))
        group = f"document {min(query.right)}"
        pairs.append(GroupedPair(SearchPair(query.text, lang, query.right, query.history), group))
    return Lesson(tuple(positives), tuple(pairs), tuple(passages), same)


def _from_pairs(passages: Sequence[PassageEntry], rows: Sequence[Mapping[str, Any]], lang: str) -> Lesson:
    """Pairs of label 1 joined into clusters; a cluster that holds a document's title is about that document."""
    same = [(str(row["text1"]), str(row["text2"])) for row in rows if row.get("label") in (1, "1", True)]
    clusters = _clusters(same)
    positives = tuple(Positive(one, other, clusters[fold(one)]) for one, other in same)
    members: dict[str, dict[str, None]] = defaultdict(dict)
    for pair in same:
        for text in pair:
            members[clusters[fold(text)]][text] = None
    by_title = {fold(entry.title): entry.id for entry in passages}
    known: list[GroupedPair] = []
    others: list[GroupedPair] = []
    documents: list[PassageEntry] = []
    for cluster, texts in members.items():
        articles = frozenset(by_title[fold(text)] for text in texts if fold(text) in by_title)
        if articles:
            known += [
                GroupedPair(SearchPair(text, lang, articles), cluster)
                for text in texts
                if fold(text) not in by_title
            ]
            continue
        document, *queries = texts  # the first seen stands for the cluster: not the shortest, nor the longest
        number = len(documents)
        documents.append(PassageEntry(number, number, lang, document, ""))
        others += [GroupedPair(SearchPair(text, lang, frozenset({number})), cluster) for text in queries]
    if len(known) >= _MOSTLY * (len(known) + len(others)):
        return Lesson(positives, tuple(known), tuple(passages), True)
    return Lesson(positives, tuple(others), tuple(documents), False, tuple(known))


def _questions(pairs: Sequence[GroupedPair]) -> list[QuestionEntry]:
    asked = [(pair.pair, article) for pair in pairs for article in sorted(pair.pair.articles)]
    return [QuestionEntry(n, article, pair.lang, pair.query) for n, (pair, article) in enumerate(asked)]


def _clusters(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Folded text → name of its connected component (union-find)."""
    parent: dict[str, str] = {}

    def root(text: str) -> str:
        while parent.setdefault(text, text) != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    for one, other in pairs:
        parent[root(fold(one))] = root(fold(other))
    return {text: f"cluster {root(text)}" for text in list(parent)}
