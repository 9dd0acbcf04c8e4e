"""Nearest vectors by inner product; the only module that imports faiss.

Up to `FLAT_LIMIT` vectors every one is compared (half precision: on one core 50,000 of 384 dimensions take 1.0 ms,
against 2.8 ms in single precision, and the index is half as large). Above, an inverted file (IVF, Sivic & Zisserman
2003; Douze et al. 2024, *The Faiss library*, section 4) probes as many lists as it needs to find `RECALL` of the
exact neighbours of a sample of the stored vectors. Both kinds take additions and removals in place; HNSW cannot remove.
"""

from __future__ import annotations

import logging
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError, InputError

log = logging.getLogger(__name__)

FLAT_LIMIT = 120_000  # vectors; 3 ms a query on one core at 384 dimensions (frontdesk bench scale)
RECALL = 0.985  # of the exact ten nearest, measured on sampled vectors when the lists are made
_TRAIN_PER_LIST = 16  # sampled vectors
_LEADER = 0.75  # a leader is further from every other than this share of the usual nearest cosine
_LEADER_BLOCK = 2048
_SAMPLE = 200
_QUERY_COSINE = (
    0.75  # of a sampled query to the vector it was made from: as far as questions are from answers
)
_HASHED: Any = faiss.DirectMap.Hashtable  # type: ignore[attr-defined]  # removal by id in an inverted file

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]


class VectorIndex:
    """Vectors float32 [n, dimension] under int64 ids.

    Not thread-safe by itself: the Searcher holds its lock around changes and searches.
    """

    def __init__(self, dimension: int, *, flat_limit: int | None = None) -> None:
        if dimension < 1:
            raise InputError("A vector has at least one dimension", field="dimension", value=dimension)
        self.dimension = dimension
        self._flat_limit = FLAT_LIMIT if flat_limit is None else flat_limit
        self._ids: set[int] = set()
        self._index: Any = _flat(dimension)  # faiss's own annotations are wrong in places

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, identity: int) -> bool:
        return identity in self._ids

    @property
    def ids(self) -> list[int]:
        return sorted(self._ids)

    @property
    def kind(self) -> str:
        """``flat`` or ``ivf<lists>,nprobe<probed>``."""
        if isinstance(self._index, faiss.IndexIVF):
            return f"ivf{self._index.nlist},nprobe{self._index.nprobe}"
        return "flat"

    def add(self, ids: Sequence[int] | Ids, vectors: Vectors) -> None:
        """Add vectors float32 [n, dimension]; one whose id is there already is replaced.

        Raises InputError where the shapes do not fit, or a value is not finite.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        numbers = np.asarray(ids, dtype=np.int64)
        if vectors.shape != (len(numbers), self.dimension):
            raise InputError(
                f"Vectors of shape {(len(numbers), self.dimension)} expected", value=vectors.shape
            )
        if not np.isfinite(vectors).all():
            raise InputError("A vector holds a value that is not finite", field="vectors")
        if not len(numbers):
            return
        last = {int(identity): row for row, identity in enumerate(numbers)}  # of repeats the last counts
        if len(last) < len(numbers):
            rows = sorted(last.values())
            numbers, vectors = numbers[rows], vectors[rows]
        self.remove([identity for identity in last if identity in self._ids])
        if self._outgrown(len(self._ids) + len(numbers)):
            before = np.array(self.ids, dtype=np.int64)
            self._make(np.concatenate([before, numbers]), np.concatenate([self.vectors(before), vectors]))
        else:
            self._index.add_with_ids(vectors, numbers)
        self._ids.update(last)

    def remove(self, ids: Sequence[int]) -> None:
        """Remove vectors; ids that are not there are passed over."""
        gone = [identity for identity in ids if identity in self._ids]
        if gone:
            self._index.remove_ids(np.array(gone, dtype=np.int64))
            self._ids.difference_update(gone)

    def search(self, vectors: Vectors, k: int) -> tuple[Vectors, Ids]:
        """For queries float32 [m, dimension] the inner products float32 [m, k] and ids int64 [m, k], best first.

        Where fewer than ``k`` are found the id is -1 and the score minus infinity.
        """
        queries = np.ascontiguousarray(vectors, dtype=np.float32)
        k = min(k, max(1, len(self._ids)))
        # a second thread has nothing to do for one question, and burns its core waiting: 40 ms CPU instead of 2
        with threads(1 if len(queries) == 1 else faiss.omp_get_max_threads()):
            scores, ids = self._index.search(queries, k)
        return np.where(ids < 0, -np.inf, scores).astype(np.float32), ids

    def vectors(self, ids: Sequence[int] | Ids) -> Vectors:
        """The stored vectors of ``ids``, float32 [n, dimension]; zeros for an id that is not there."""
        numbers = np.asarray(ids, dtype=np.int64)
        wanted = numbers.tolist()
        if wanted and self._ids.issuperset(wanted):  # the usual case, in every search
            whole: Vectors = self._index.reconstruct_batch(numbers)
            return whole
        known = np.array([identity in self._ids for identity in wanted], dtype=bool)
        found = np.zeros((len(numbers), self.dimension), dtype=np.float32)
        if known.any():
            found[known] = self._index.reconstruct_batch(numbers[known])
        return found

    def rebuild(self) -> None:
        """Make the index anew in the kind that suits its size; the stored vectors stay what they are."""
        ids = np.array(self.ids, dtype=np.int64)
        self._make(ids, self.vectors(ids))

    def _make(self, ids: Ids, vectors: Vectors) -> None:
        if len(ids) <= self._flat_limit:
            self._index = _flat(self.dimension)
            self._index.add_with_ids(vectors, ids)
        else:
            self._index = _inverted(ids, vectors)
        log.info("vector index rebuilt: %d vectors, %s", len(ids), self.kind)

    def save(self, path: Path) -> None:
        """Write the index under a temporary name, fsync, and rename it to ``path``."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        os.close(handle)
        try:
            faiss.write_index(self._index, name)
            with open(name, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, *, flat_limit: int | None = None) -> VectorIndex:
        """Raises BundleError for a file that is missing or damaged."""
        try:
            stored: Any = faiss.read_index(str(path))
        except RuntimeError as error:
            raise BundleError("The vector index on disk cannot be read", value=path.name) from error
        index = cls(stored.d, flat_limit=flat_limit)
        if isinstance(stored, faiss.IndexIVF):
            lists: Any = stored.invlists
            parts = [
                faiss.rev_swig_ptr(lists.get_ids(place), lists.list_size(place))
                for place in range(stored.nlist)
                if lists.list_size(place)
            ]
            ids = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
            stored.set_direct_map_type(_HASHED)
        elif isinstance(stored, faiss.IndexIDMap2):
            ids = faiss.vector_to_array(stored.id_map)
        else:
            raise BundleError("The vector index on disk is of an unknown kind", value=type(stored).__name__)
        index._index = stored
        index._ids = set(ids.tolist())
        if len(index._ids) != stored.ntotal:
            raise BundleError("The vector index on disk holds an id twice", value=path.name)
        return index

    def _outgrown(self, size: int) -> bool:
        if not isinstance(self._index, faiss.IndexIVF):
            return size > self._flat_limit
        return size > int(self._index.nlist) ** 2  # lists four times as long as when they were made


def _flat(dimension: int) -> faiss.IndexIDMap2:
    codes = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap2(codes)


def _inverted(ids: Ids, vectors: Vectors) -> Any:
    """An inverted file over ``vectors`` whose number of probed lists was measured, not guessed."""
    count, dimension = vectors.shape
    random = np.random.default_rng(13)
    centres = _centres(vectors, random)
    lists = len(centres)
    coarse = faiss.IndexFlatIP(dimension)
    coarse.add(centres)
    index: Any = faiss.IndexIVFScalarQuantizer(
        coarse, dimension, lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    index.train(centres)  # the lists are given; this only readies the half-precision codes
    index.add_with_ids(vectors, ids)
    index.set_direct_map_type(_HASHED)
    queries = _moved(vectors[random.choice(count, min(count, _SAMPLE), replace=False)], random)
    exact = nearest(queries, vectors, ids, 10)
    for probes in (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256):
        index.nprobe = min(probes, lists)
        _, found = index.search(queries, 10)
        recall = float(np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)]))
        if recall >= RECALL or probes >= lists:
            break
    log.info("inverted file: %d lists, %d probed, recall@10 %.3f", lists, index.nprobe, recall)
    return index


def _centres(vectors: Vectors, random: np.random.Generator) -> Vectors:
    """Unit centres of the lists, float32 [lists, dimension]: leaders first, then two rounds of Lloyd's algorithm.

    Leaders (Hartigan 1975, chapter 3): sampled vectors in turn, each that is not near one already taken. Random
    starts, as k-means has them, leave many a small topic without a list of its own, and its vectors are scattered: with
    2,048 random starts over 10,000 topics 256 lists had to be probed for 96 % of the neighbours.
    """
    count = len(vectors)
    most = 2 ** round(math.log2(16 * math.sqrt(count)))
    sample = vectors[np.sort(random.choice(count, min(count, _TRAIN_PER_LIST * most), replace=False))]
    sample = sample / np.maximum(np.linalg.norm(sample, axis=1, keepdims=True), 1e-9)
    some = sample[random.choice(len(sample), min(len(sample), 500), replace=False)]
    neighbours, _ = faiss.knn(some, sample, 2, metric=faiss.METRIC_INNER_PRODUCT)
    near = _LEADER * float(np.median(neighbours[:, 1]))
    leaders = np.empty((most, vectors.shape[1]), dtype=np.float32)
    taken = 0
    for start in range(0, len(sample), _LEADER_BLOCK):
        block = sample[start : start + _LEADER_BLOCK]
        far = np.flatnonzero((block @ leaders[:taken].T).max(axis=1, initial=-1.0) < near)
        among = block[far] @ block[far].T
        chosen: list[int] = []
        for place in range(len(far)):
            if not chosen or among[place, chosen].max() < near:
                chosen.append(place)
        fresh = block[far[chosen]][: most - taken]
        leaders[taken : taken + len(fresh)] = fresh
        taken += len(fresh)
        if taken == most:
            break
    centres = leaders[:taken].copy()
    fewest = 2 ** round(math.log2(math.sqrt(count)))
    if taken < fewest:
        more = sample[random.choice(len(sample), min(len(sample), fewest - taken), replace=False)]
        centres = np.concatenate([centres, more])
    for _ in range(2):
        _, nearest_centre = faiss.knn(sample, centres, 1, metric=faiss.METRIC_INNER_PRODUCT)
        order = np.argsort(nearest_centre[:, 0], kind="stable")
        owners, starts = np.unique(nearest_centre[order, 0], return_index=True)
        sums = np.add.reduceat(sample[order], starts, axis=0)
        centres[owners] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(centres, dtype=np.float32)


def _moved(vectors: Vectors, random: np.random.Generator) -> Vectors:
    """Unit vectors at `_QUERY_COSINE` to the given ones: a stored vector itself would always be found."""
    noise = random.standard_normal(vectors.shape)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    noise -= (noise * unit).sum(axis=1, keepdims=True) * unit
    noise /= np.maximum(np.linalg.norm(noise, axis=1, keepdims=True), 1e-9)
    moved = _QUERY_COSINE * unit + math.sqrt(1 - _QUERY_COSINE**2) * noise
    return np.ascontiguousarray(moved, dtype=np.float32)


def nearest(queries: Vectors, vectors: Vectors, ids: Ids, k: int) -> Ids:
    """The exact ``k`` nearest ids int64 [m, k] by inner product, without an index."""
    _, rows = faiss.knn(queries, vectors, k, metric=faiss.METRIC_INNER_PRODUCT)
    found: Ids = ids[rows]
    return found


def plain_inverted_file(vectors: Vectors, *, probes: int = 16) -> Any:
    """What a reader of faiss's documentation would make, float32 and unmeasured: the benchmark's yardstick."""
    lists = 2 ** round(math.log2(math.sqrt(len(vectors))))
    coarse = faiss.IndexFlatIP(vectors.shape[1])
    index: Any = faiss.IndexIVFFlat(coarse, vectors.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    sample = np.random.default_rng(13).choice(len(vectors), min(len(vectors), 64 * lists), replace=False)
    index.train(vectors[np.sort(sample)])
    index.add(vectors)
    index.nprobe = probes
    return index


@contextmanager
def threads(count: int) -> Iterator[None]:
    """faiss's threads within the block."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
