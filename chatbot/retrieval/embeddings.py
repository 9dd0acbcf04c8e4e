"""Vectors of texts that were encoded before, by content: a text is encoded once, whoever asks and however often.

One SQLite file an encoder (by its fingerprint) beside the index, shared by all processes of an installation: a restart
without a snapshot, a second process, a release that is rolled back to and a repair find the vectors there. It is a
cache and never a truth: whatever is wrong with it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

KEEP_DAYS = 90  # a vector that nobody asked for this long is forgotten
BATCH = 256  # texts encoded before their vectors are stored: an interrupted run goes on there
_DAY = 86_400
_AT_ONCE = 500  # keys in one statement

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


def base_of(encoder: Any) -> Any:
    """The encoder whose vectors are worth keeping: an adapted one's base, which outlives its matrix."""
    return getattr(encoder, "base", encoder)


def adapted(encoder: Any, vectors: Vectors) -> Vectors:
    """Vectors of ``base_of(encoder)`` as ``encoder`` has them."""
    turned: Vectors = encoder.adapt(vectors) if hasattr(encoder, "adapt") else vectors
    return turned


class EmbeddingCache:
    """The stored vectors of one encoder. Thread-safe; vectors are kept in half precision, as the index keeps them."""

    def __init__(
        self, folder: Path, fingerprint: str, dimension: int, *, clock: Callable[[], float] = time.time
    ) -> None:
        name = re.sub(r"[^\w.-]", "_", fingerprint)[:80]
        self._path = folder / f"{name}-{dimension}.db"
        self._dimension = dimension
        self._clock = clock
        self._lock = threading.Lock()

    def vectors(
        self, texts: Sequence[str], encode: Encode, *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """float32 [n, dimension] of ``texts``; only those that are not stored go through ``encode``.

        ``progress`` is told how many texts are done.
        """
        keys = [_key(text) for text in texts]
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        known = self._read(keys)
        missing: dict[bytes, list[int]] = {}
        for place, key in enumerate(keys):
            stored = known.get(key)
            if stored is None:
                missing.setdefault(key, []).append(place)
            else:
                rows[place] = stored
        done = len(texts) - sum(map(len, missing.values()))
        if progress and done:
            progress(done)
        fresh = list(missing)
        for start in range(0, len(fresh), BATCH):
            part = fresh[start : start + BATCH]
            made = encode([texts[missing[key][0]] for key in part]).astype(np.float16)
            self._write(part, made)
            for key, vector in zip(part, made.astype(np.float32), strict=True):
                rows[missing[key]] = vector
            done += sum(len(missing[key]) for key in part)
            if progress:
                progress(done)
        return rows

    def missing(self, texts: Iterable[str]) -> int:
        """How many different texts would have to be encoded."""
        keys = list({_key(text) for text in texts})
        return len(keys) - len(self._read(keys))

    def prune(self) -> None:
        """Forget what nobody has asked for in KEEP_DAYS."""
        try:
            with self._lock, closing(self._open()) as store, store:
                store.execute("DELETE FROM vectors WHERE day < ?", (self._today() - KEEP_DAYS,))
        except sqlite3.Error as error:
            self._failed(error)

    def forget(self) -> None:
        """Throw all stored vectors of this encoder away."""
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(f"{self._path.name}{ending}").unlink(missing_ok=True)

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        if not self._path.exists():
            return found
        today = self._today()
        try:
            with self._lock, closing(self._open()) as store:
                stale: list[tuple[int, bytes]] = []
                for start in range(0, len(keys), _AT_ONCE):
                    part = keys[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(part))
                    for key, vector, day in store.execute(
                        f"SELECT hash, vector, day FROM vectors WHERE hash IN ({marks})", part
                    ):
                        row = np.frombuffer(vector, dtype=np.float16).astype(np.float32)
                        if row.shape == (self._dimension,) and np.isfinite(row).all():
                            found[key] = row
                            if day < today - KEEP_DAYS // 3:
                                stale.append((today, key))
                if stale:
                    with store:
                        store.executemany("UPDATE vectors SET day = ? WHERE hash = ?", stale)
        except (sqlite3.Error, ValueError) as error:
            self._failed(error)
        return found

    def _write(self, keys: Sequence[bytes], vectors: NDArray[np.float16]) -> None:
        today = self._today()
        rows = [(key, vector.tobytes(), today) for key, vector in zip(keys, vectors, strict=True)]
        try:
            with self._lock, closing(self._open()) as store, store:
                store.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(self._path, timeout=5)
        try:
            store.execute("PRAGMA journal_mode = WAL")
            store.execute("PRAGMA synchronous = OFF")  # what a power cut takes is encoded again
            store.execute(
                "CREATE TABLE IF NOT EXISTS vectors "
                "(hash BLOB PRIMARY KEY, vector BLOB NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.Error:
            store.close()
            raise
        return store

    def _failed(self, error: Exception) -> None:
        log.warning("the stored vectors in %s cannot be used: %s", self._path.name, error)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self.forget()  # damaged: made anew

    def _today(self) -> int:
        return int(self._clock()) // _DAY


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
