"""BM25 over one field (Robertson & Zaragoza 2009, *The Probabilistic Relevance Framework*), changed in place.

Our own instead of tantivy or bm25s, for three reasons. The fusion needs the exact score of *any* candidate in each
field (title, text, past questions), also of those that only the dense search found: tantivy gives the best k of a
query, bm25s cannot add or remove. A change is searchable at once, with exact document frequencies, and there is no
second store on disk that could disagree with the database after a crash. A query over 10,000 documents takes some
tens of microseconds: the postings of all its terms are scored in one numpy pass.

Postings live in two layers: a frozen one (arrays, sorted by term) and a growing one (lists) for what came since.
A removed document stays in the postings and is masked; when a quarter of the slots is masked or the growing layer
has as many postings as the frozen one, both are merged into a new frozen layer.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError

K1 = 1.2
B = 0.75
_MIN_MERGE = 20_000  # postings in the growing layer before a merge is worth its time

Scores = NDArray[np.float32]


class KeywordIndex:
    """One field of a set of documents, each an id (any int64) and its terms.

    Not thread-safe by itself: the Searcher holds its lock around changes and searches.
    """

    def __init__(self, *, k1: float = K1, b: float = B) -> None:
        self._k1, self._b = k1, b
        self._terms: dict[str, int] = {}
        self._slot_of: dict[int, int] = {}
        self._ids = _Growing(np.int64)
        self._lengths = _Growing(np.float32)
        self._alive = _Growing(np.bool_)
        self._total_length = 0.0
        # frozen: postings of term t are [starts[t], starts[t + 1])
        self._starts = np.zeros(1, dtype=np.int64)
        self._slots = np.empty(0, dtype=np.int32)
        self._counts = np.empty(0, dtype=np.float32)
        self._new: dict[int, tuple[list[int], list[int]]] = {}  # term -> slots, counts
        self._new_size = 0

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, identity: int) -> bool:
        return identity in self._slot_of

    @property
    def ids(self) -> list[int]:
        return list(self._slot_of)

    def add(self, documents: Iterable[tuple[int, Sequence[str]]]) -> None:
        """Add documents (id, terms); one whose id is there already is replaced."""
        for identity, terms in documents:
            if identity in self._slot_of:
                self.remove([identity])
            slot = len(self._ids)
            self._slot_of[identity] = slot
            self._ids.append(identity)
            self._lengths.append(len(terms))
            self._alive.append(True)
            self._total_length += len(terms)
            for term, count in Counter(terms).items():
                number = self._terms.get(term)
                if number is None:
                    number = self._terms[term] = len(self._terms)
                slots, counts = self._new.setdefault(number, ([], []))
                slots.append(slot)
                counts.append(count)
                self._new_size += 1
        if self._new_size > max(_MIN_MERGE, len(self._slots)):
            self._merge()

    def remove(self, ids: Iterable[int]) -> None:
        """Remove documents; ids that are not there are passed over."""
        gone = [slot for slot in (self._slot_of.pop(identity, None) for identity in ids) if slot is not None]
        if not gone:
            return
        self._alive.values[gone] = False
        self._total_length -= float(self._lengths.values[gone].sum())
        if 4 * len(self._slot_of) < 3 * len(self._ids) and len(self._ids) > 64:
            self._merge()

    def search(self, terms: Sequence[str], k: int) -> list[tuple[int, float]]:
        """The best ``k`` documents that share a term with the query, as (id, BM25 score), best first."""
        scores, _ = self.scores(terms)
        best = top(scores, k)
        return [(int(self._ids.values[slot]), float(scores[slot])) for slot in best if scores[slot] > 0]

    def scores(self, terms: Sequence[str]) -> tuple[Scores, float]:
        """BM25 of every slot, float32 [slots], 0 where no term is shared or the document was removed; and the most
        that any document could score for these terms, unknown ones counted as the rarest.

        A score divided by that ceiling is the share of the query's information that a document covers, 0 to 1:
        unlike the score itself it can be compared between queries.
        """
        size, total = len(self._ids), len(self._slot_of)
        places, counts, weights = [], [], []
        ceiling = 0.0
        for term, times in Counter(terms).items():
            slots, tally = self._postings(term)
            weight = times * math.log1p((total - len(slots) + 0.5) / (max(1, len(slots)) + 0.5))
            ceiling += weight * (self._k1 + 1)
            if len(slots):
                places.append(slots)
                counts.append(tally)
                weights.append(np.full(len(slots), weight, dtype=np.float32))
        if not places:
            return np.zeros(size, dtype=np.float32), ceiling
        where = np.concatenate(places)
        count = np.concatenate(counts)
        average = self._total_length / max(1, total) or 1.0
        saturation = self._k1 * (1 - self._b + (self._b / average) * self._lengths.values[where])
        gains = np.concatenate(weights) * count * (self._k1 + 1) / (count + saturation)
        return np.bincount(where, gains, minlength=size).astype(np.float32), ceiling

    def holding(self, term: str) -> list[int]:
        """The ids of the documents that have ``term``."""
        if term not in self._terms:
            return []
        found: list[int] = self.ids_of(self._postings(term)[0].astype(np.int64)).tolist()
        return found

    def slots(self, ids: Sequence[int]) -> NDArray[np.int64]:
        """Slot of each id, -1 for one that is not there."""
        return np.array([self._slot_of.get(identity, -1) for identity in ids], dtype=np.int64)

    def ids_of(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self._ids.values[slots]
        return found

    def dump(self) -> bytes:
        """The index as bytes (a numpy archive without objects)."""
        self._merge()
        words = "\n".join(self._terms)
        buffer = io.BytesIO()
        np.savez(
            buffer,
            ids=self._ids.values,
            lengths=self._lengths.values,
            starts=self._starts,
            slots=self._slots,
            counts=self._counts,
            terms=np.frombuffer(words.encode("utf-8"), dtype=np.uint8),
        )
        return buffer.getvalue()

    @classmethod
    def restore(cls, data: bytes, *, k1: float = K1, b: float = B) -> KeywordIndex:
        """Raises BundleError for bytes that are no index."""
        index = cls(k1=k1, b=b)
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                words = stored["terms"].tobytes().decode("utf-8")
                index._terms = (
                    {term: number for number, term in enumerate(words.split("\n"))} if words else {}
                )
                index._ids = _Growing(np.int64, stored["ids"])
                index._lengths = _Growing(np.float32, stored["lengths"])
                index._alive = _Growing(np.bool_, np.ones(len(stored["ids"]), dtype=np.bool_))
                index._starts, index._slots, index._counts = (
                    stored["starts"],
                    stored["slots"],
                    stored["counts"],
                )
        except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
            raise BundleError("The keyword index on disk is damaged", remedy="It is rebuilt") from error
        index._slot_of = {int(identity): slot for slot, identity in enumerate(index._ids.values)}
        index._total_length = float(index._lengths.values.sum())
        return index

    def _postings(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Slots and counts of the live documents that have ``term``."""
        number = self._terms.get(term, -1)
        slots, counts = self._slots[:0], self._counts[:0]
        if 0 <= number < len(self._starts) - 1:
            start, end = int(self._starts[number]), int(self._starts[number + 1])
            slots, counts = self._slots[start:end], self._counts[start:end]
        new = self._new.get(number)
        if new is not None:
            slots = np.concatenate([slots, np.array(new[0], dtype=np.int32)])
            counts = np.concatenate([counts, np.array(new[1], dtype=np.float32)])
        if len(self._slot_of) < len(self._ids):
            live = self._alive.values[slots]
            slots, counts = slots[live], counts[live]
        return slots, counts

    def _all_postings(self) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """Term, slot and count of every posting of a live document."""
        lengths = np.diff(self._starts)
        parts = [(np.repeat(np.arange(len(lengths)), lengths), self._slots, self._counts)]
        for number, (slots, counts) in self._new.items():
            parts.append(
                (
                    np.full(len(slots), number, dtype=np.int64),
                    np.array(slots, dtype=np.int32),
                    np.array(counts, dtype=np.float32),
                )
            )
        numbers, slots_, counts_ = (np.concatenate(column) for column in zip(*parts, strict=True))
        live = self._alive.values[slots_]
        return numbers[live], slots_[live], counts_[live]

    def _merge(self) -> None:
        """One frozen layer of the live documents, renumbered; terms that no document has are forgotten."""
        numbers, slots, counts = self._all_postings()
        live = np.flatnonzero(self._alive.values)
        slot_to = np.full(len(self._ids), -1, dtype=np.int32)
        slot_to[live] = np.arange(len(live), dtype=np.int32)
        used, numbers = np.unique(numbers, return_inverse=True)
        names = list(self._terms)
        self._terms = {names[old]: new for new, old in enumerate(used)}
        slots = slot_to[slots]
        order = np.lexsort((slots, numbers))
        self._slots, self._counts = slots[order], counts[order]
        frequency = np.bincount(numbers, minlength=len(used))
        self._starts = np.concatenate([[0], np.cumsum(frequency)]).astype(np.int64)
        self._ids = _Growing(np.int64, self._ids.values[live])
        self._lengths = _Growing(np.float32, self._lengths.values[live])
        self._alive = _Growing(np.bool_, np.ones(len(live), dtype=np.bool_))
        self._slot_of = {int(identity): slot for slot, identity in enumerate(self._ids.values)}
        self._new, self._new_size = {}, 0


class _Growing:
    """A numpy array that grows by doubling; ``values`` is a view of what is filled."""

    def __init__(self, dtype: type, values: NDArray[Any] | None = None) -> None:
        self._array: NDArray[Any] = (
            np.array(values, dtype=dtype) if values is not None else np.empty(16, dtype=dtype)
        )
        self._size = len(values) if values is not None else 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        return self._array[: self._size]

    def append(self, value: float) -> None:
        if self._size == len(self._array):
            grown = np.empty(max(16, 2 * self._size), dtype=self._array.dtype)
            grown[: self._size] = self._array
            self._array = grown
        self._array[self._size] = value
        self._size += 1


def top(scores: Scores, k: int) -> NDArray[np.int64]:
    """Places of the ``k`` highest scores, best first; equal scores in order of place."""
    if k < len(scores):
        places = np.argpartition(-scores, k - 1)[:k]
        # a partition keeps any of several equals at the cut: fine, but the order must not depend on it
        places = np.sort(places)
    else:
        places = np.arange(len(scores))
    order: NDArray[np.int64] = places[np.argsort(-scores[places], kind="stable")]
    return order
