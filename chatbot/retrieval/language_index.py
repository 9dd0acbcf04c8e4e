"""The passages and questions of one language: keyword and dense indexes over three fields, and what they say
about a candidate.

A passage has two fields, its title path and its whole (title path and text: a text alone often does not say what it
is about); the questions of its article (alternative phrasings, past customers' questions) are the third and count
for every passage of that article, or for one passage where a person bound them to it. Separate fields matter: on
feedbackqa one weight for all costs four points.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError
from chatbot.retrieval.keyword_index import KeywordIndex, top
from chatbot.retrieval.knowledge import PassageEntry, QuestionEntry
from chatbot.retrieval.terms import terms
from chatbot.retrieval.vector_index import VectorIndex

# What is known of a candidate passage, in the order of the columns of `Candidates.features`.
FEATURES = (
    "title_cosine",  # query · title path
    "text_cosine",  # query · title path and text
    "question_cosine",  # query · the article's nearest question or the title
    "votes",  # log-sum-exp over the article's questions: many near questions count more than one
    "title_words",  # share of the query's information found in the title, 0..1 (BM25 / its ceiling)
    "text_words",
    "question_words",  # the same of the article's best question or the title
    "context_title_cosine",  # the turns before, where there are any; else 0
    "context_text_cosine",
    "context_words",
    "crowd_cosine",  # to its nearest among the other articles' candidates: near everything is near by chance
)
COLUMN = {name: place for place, name in enumerate(FEATURES)}

PER_CHANNEL = 32  # candidates each of the six searches proposes
QUESTIONS_READ = 128  # nearest questions looked at
PASSAGES_PER_ARTICLE = 12  # of an article that only its questions proposed
CROWD = 10  # nearest candidates that tell how crowded a passage's place is
_TEMPERATURE = 0.05  # of the votes

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the indexes read it. ``context`` is what was said before, empty for a first question."""

    terms: list[str]
    vector: Vectors  # [dimension]
    context_terms: list[str]
    context_vector: Vectors | None  # [dimension]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages worth ranking: ids and articles int64 [n], features float32 [n, len(FEATURES)]."""

    passages: NDArray[np.int64]
    articles: NDArray[np.int64]
    features: NDArray[np.float32]

    def only(self, kept: NDArray[np.bool_]) -> Candidates:
        """Those that ``kept`` [n] marks."""
        return Candidates(self.passages[kept], self.articles[kept], self.features[kept])

    def without(self, articles: Collection[int]) -> Candidates:
        """What would be left had these articles never been written."""
        return self.only(~np.isin(self.articles, list(articles)))


class LanguageIndex:
    """The indexes of one language under one encoder. Not thread-safe by itself (see Searcher)."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self.title_words, self.text_words, self.question_words = (KeywordIndex() for _ in range(3))
        self.titles, self.texts, self.questions = (VectorIndex(dimension) for _ in range(3))
        self._article_of: dict[int, int] = {}  # passage -> article
        self._passages_of: dict[int, dict[int, None]] = {}  # article -> passages, in order
        self._asked_for: dict[int, int] = {}  # question -> its target: article, or -passage

    def __len__(self) -> int:
        return len(self._article_of)

    @property
    def passage_ids(self) -> set[int]:
        return set(self._article_of)

    @property
    def question_ids(self) -> set[int]:
        return set(self._asked_for)

    def put_passages(self, entries: Sequence[PassageEntry], titles: Vectors, texts: Vectors) -> None:
        """Add or replace passages, with the vectors [n, dimension] of their titles and wholes."""
        ids = [entry.id for entry in entries]
        self._forget_articles_of(ids)
        for entry in entries:
            self._article_of[entry.id] = entry.article
            self._passages_of.setdefault(entry.article, {})[entry.id] = None
        self.title_words.add((entry.id, terms(entry.title)) for entry in entries)
        self.text_words.add((entry.id, terms(entry.whole)) for entry in entries)
        self.titles.add(ids, titles)
        self.texts.add(ids, texts)

    def put_questions(self, entries: Sequence[QuestionEntry], vectors: Vectors) -> None:
        """Add or replace questions, with their vectors [n, dimension]."""
        ids = [entry.id for entry in entries]
        self._asked_for.update(
            (entry.id, -entry.passage if entry.passage else entry.article) for entry in entries
        )
        self.question_words.add((entry.id, terms(entry.text)) for entry in entries)
        self.questions.add(ids, vectors)

    def remove_passages(self, ids: Iterable[int]) -> None:
        gone = [identity for identity in ids if identity in self._article_of]
        self._forget_articles_of(gone)
        for words in (self.title_words, self.text_words):
            words.remove(gone)
        for vectors in (self.titles, self.texts):
            vectors.remove(gone)

    def remove_questions(self, ids: Iterable[int]) -> None:
        gone = [identity for identity in ids if self._asked_for.pop(identity, None) is not None]
        self.question_words.remove(gone)
        self.questions.remove(gone)

    def candidates(self, query: Query) -> Candidates:
        """Every passage that one of the searches puts among its best, with all its features."""
        vector = query.vector[None]
        title_words, title_top = self.title_words.scores(query.terms)
        text_words, text_top = self.text_words.scores(query.terms)
        found: dict[int, None] = {}
        for vectors in (self.titles, self.texts):
            for asked in (vector,) if query.context_vector is None else (vector, query.context_vector[None]):
                found.update(
                    dict.fromkeys(i for i in vectors.search(asked, PER_CHANNEL)[1][0].tolist() if i >= 0)
                )
        for words, scores in ((self.title_words, title_words), (self.text_words, text_words)):
            best = top(scores, PER_CHANNEL)
            found.update(dict.fromkeys(words.ids_of(best[scores[best] > 0]).tolist()))
        context_words, context_top = np.zeros(0, dtype=np.float32), 0.0
        if query.context_terms:
            context_words, context_top = self.text_words.scores(query.context_terms)
            best = top(context_words, PER_CHANNEL)
            found.update(dict.fromkeys(self.text_words.ids_of(best[context_words[best] > 0]).tolist()))
        asked_cosines, votes = self._asked(vector)
        asked_words = self._asked_words(query.terms)
        for targets in (asked_cosines, asked_words):
            for target in list(targets)[:PER_CHANNEL]:
                found.update(dict.fromkeys(self._members(target)[:PASSAGES_PER_ARTICLE]))

        ids = np.sort(np.fromiter(found, dtype=np.int64, count=len(found)))  # equals: the older first
        owners = [self._article_of[int(identity)] for identity in ids]
        table = np.zeros((len(ids), len(FEATURES)), dtype=np.float32)
        if len(ids):
            title_vectors, text_vectors = self.titles.vectors(ids), self.texts.vectors(ids)  # [n, dimension]
            table[:, 0] = title_vectors @ query.vector
            table[:, 1] = text_vectors @ query.vector
            near, many = _by_owner(asked_cosines, owners, -1.0), _by_owner(votes, owners, -1.0)
            table[:, 2] = np.maximum(table[:, 0], near)
            table[:, 3] = _together(table[:, 0], many)
            table[:, 4] = _share(self.title_words, title_words, title_top, ids)
            table[:, 5] = _share(self.text_words, text_words, text_top, ids)
            table[:, 6] = np.maximum(table[:, 4], _by_owner(asked_words, owners, 0.0))
            if any(target < 0 for target in (*asked_cosines, *asked_words)):  # of single passages
                alone = (-ids).tolist()
                table[:, 2] = np.maximum(table[:, 2], _by_owner(asked_cosines, alone, -1.0))
                table[:, 3] = _together(table[:, 3], _by_owner(votes, alone, -1.0))
                table[:, 6] = np.maximum(table[:, 6], _by_owner(asked_words, alone, 0.0))
            if query.context_vector is not None:
                table[:, 7] = title_vectors @ query.context_vector
                table[:, 8] = text_vectors @ query.context_vector
            if query.context_terms:
                table[:, 9] = _share(self.text_words, context_words, context_top, ids)
            if query.vector.any():
                table[:, 10] = _crowd(text_vectors, np.array(owners))
        return Candidates(ids, np.array(owners, dtype=np.int64), table)

    def holding(self, term: str) -> list[int]:
        """The passages whose title or text has ``term``, an identifier as `terms` gives it."""
        return self.text_words.holding(term)

    def save(self, folder: Path) -> int:
        """Write every index of this language into ``folder``; the bytes written."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, words in self._keyword_fields():
            (folder / f"{name}.words.npz").write_bytes(words.dump())
        for name, vectors in self._vector_fields():
            vectors.save(folder / f"{name}.faiss")
        arrays: dict[str, Any] = {}
        for name, owner in (("passages", self._article_of), ("questions", self._asked_for)):
            arrays[f"{name}_ids"] = np.array(list(owner.keys()), dtype=np.int64)
            arrays[f"{name}_articles"] = np.array(list(owner.values()), dtype=np.int64)
        np.savez(folder / "articles.npz", **arrays)
        return sum(path.stat().st_size for path in folder.iterdir())

    @classmethod
    def load(cls, folder: Path) -> LanguageIndex:
        """Raises BundleError where a file is missing or damaged, or the files do not agree."""
        try:
            with (folder / "articles.npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
                owners = {
                    name: dict(
                        zip(stored[f"{name}_ids"].tolist(), stored[f"{name}_articles"].tolist(), strict=True)
                    )
                    for name in ("passages", "questions")
                }
            index = cls(VectorIndex.load(folder / "titles.faiss").dimension)
            for name, _ in index._keyword_fields():
                setattr(
                    index, f"{name}_words", KeywordIndex.restore((folder / f"{name}.words.npz").read_bytes())
                )
            for name, _ in index._vector_fields():
                setattr(index, name, VectorIndex.load(folder / f"{name}.faiss"))
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise BundleError("The index on disk cannot be read", value=folder.name) from error
        index._article_of, index._asked_for = owners["passages"], owners["questions"]
        for passage, article in index._article_of.items():
            index._passages_of.setdefault(article, {})[passage] = None
        if not index.is_consistent():
            raise BundleError("The parts of the index on disk do not agree", value=folder.name)
        return index

    def is_consistent(self) -> bool:
        """Whether every field holds exactly the passages, or questions, that it should."""
        passages, questions = sorted(self._article_of), sorted(self._asked_for)
        return all(
            sorted(field.ids) == expected
            for fields, expected in (
                ((self.title_words, self.text_words, self.titles, self.texts), passages),
                ((self.question_words, self.questions), questions),
            )
            for field in fields
        )

    def _keyword_fields(self) -> list[tuple[str, KeywordIndex]]:
        return [("title", self.title_words), ("text", self.text_words), ("question", self.question_words)]

    def _vector_fields(self) -> list[tuple[str, VectorIndex]]:
        return [("titles", self.titles), ("texts", self.texts), ("questions", self.questions)]

    def _asked(self, vector: Vectors) -> tuple[dict[int, float], dict[int, float]]:
        """Of the nearest questions' targets, best first: the highest cosine, and the votes."""
        best: dict[int, float] = {}
        sums: dict[int, float] = {}
        if len(self.questions):
            scores, ids = self.questions.search(vector, QUESTIONS_READ)
            weights = np.exp((scores[0].astype(np.float64) - 1.0) / _TEMPERATURE)
            for identity, score, weight in zip(
                ids[0].tolist(), scores[0].tolist(), weights.tolist(), strict=True
            ):
                if identity >= 0:
                    target = self._asked_for[identity]
                    best.setdefault(target, score)
                    sums[target] = sums.get(target, 0.0) + weight
        return best, {
            target: 1.0 + _TEMPERATURE * float(np.log(max(total, 1e-30))) for target, total in sums.items()
        }

    def _asked_words(self, query_terms: Sequence[str]) -> dict[int, float]:
        """Of the questions that share most words, their targets, best first, with the share."""
        scores, ceiling = self.question_words.scores(query_terms)
        best = top(scores, QUESTIONS_READ)
        best = best[scores[best] > 0]
        found: dict[int, float] = {}
        for identity, score in zip(
            self.question_words.ids_of(best).tolist(), scores[best].tolist(), strict=True
        ):
            found.setdefault(self._asked_for[identity], score / ceiling)
        return found

    def _members(self, target: int) -> list[int]:
        """The passages that a question's target stands for, in order."""
        if target < 0:
            return [-target] if -target in self._article_of else []
        return list(self._passages_of.get(target, ()))

    def _forget_articles_of(self, ids: Iterable[int]) -> None:
        for identity in ids:
            article = self._article_of.pop(identity, None)
            if article is not None:
                members = self._passages_of[article]
                del members[identity]
                if not members:
                    del self._passages_of[article]


def _by_owner(values: dict[int, float], owners: Sequence[int], missing: float) -> NDArray[np.float32]:
    return np.array([values.get(owner, missing) for owner in owners], dtype=np.float32)


def _together(cosines: Vectors, votes: Vectors) -> Vectors:
    """Log-sum-exp of cosines and votes at the votes' temperature."""
    summed: Vectors = np.logaddexp(cosines / _TEMPERATURE, votes / _TEMPERATURE) * _TEMPERATURE
    return summed


def _crowd(vectors: Vectors, owners: NDArray[np.int64]) -> Vectors:
    """Mean cosine of each row of ``vectors`` [n, dimension] to the `CROWD` nearest rows of other ``owners`` [n].

    Some texts are near to every question (hubs: Radovanović et al. 2010); compared with their own neighbours they lose
    that lead (CSLS: Conneau et al. 2018). The candidates are neighbours enough, and nothing need be kept for it.
    """
    cosines = vectors @ vectors.T  # [n, n]
    cosines[owners[:, None] == owners] = 0.0
    others = len(cosines) - min(CROWD, len(cosines))
    crowd: Vectors = np.partition(cosines, others, axis=1)[:, others:].mean(axis=1)
    return crowd


def _share(
    index: KeywordIndex, scores: NDArray[np.float32], ceiling: float, ids: NDArray[np.int64]
) -> NDArray[np.float32]:
    if ceiling <= 0:
        return np.zeros(len(ids), dtype=np.float32)
    found: NDArray[np.float32] = scores[index.slots(ids.tolist())] / np.float32(ceiling)
    return found
