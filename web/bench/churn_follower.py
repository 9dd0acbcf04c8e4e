"""A process that serves the search for ``bench churn``: it follows the database by itself once a second, as a web
process does, and answers one JSON command a line.

The encoder is made of words (each a fixed direction), so that the dense half of the search is there without a model.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.records.database import Database
from chatbot.retrieval.search import Searcher
from chatbot.retrieval.terms import terms
from web.serving import LOOK_SECONDS, look

DIMENSION = 384


class WordEncoder:
    """Each term a fixed random direction, a text the sum of its terms', unit length."""

    fingerprint = "words-384"
    dimension = DIMENSION
    languages: tuple[str, ...] = ()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                rows[row] += _direction(term)
        unit: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return unit


@lru_cache(maxsize=100_000)
def _direction(term: str) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest(), "big")
    return np.random.default_rng(seed).standard_normal(DIMENSION, dtype=np.float32)


class Follower:
    def __init__(self, url: str, index: Path) -> None:
        self.database = Database(url)
        began = time.monotonic()
        self.searcher = Searcher.open(self.database, {"*": WordEncoder()}, index=index)
        self.opened = time.monotonic() - began
        self.errors: list[str] = []
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        while True:
            try:
                if look(self.database).knowledge != self.searcher.revision:
                    self.searcher.refresh()
            except Exception as error:  # told with the next answer: a bench must not swallow it
                self.errors.append(repr(error))
            time.sleep(LOOK_SECONDS)

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if command["do"] == "search":
            hits: list[list[str]] = []
            wall, cpu = [], []
            for query in command["queries"]:
                wall_began, cpu_began = time.perf_counter(), time.thread_time()
                found = self.searcher.search(query, lang="en", k=5)
                wall.append(1000 * (time.perf_counter() - wall_began))
                cpu.append(1000 * (time.thread_time() - cpu_began))
                hits.append([hit.text for hit in found])
            told = {"hits": hits, "wall": wall, "cpu": cpu}
        elif command["do"] == "refresh":
            self.searcher.refresh()
        elif command["do"] == "save":
            self.searcher.save()
        elif command["do"] == "check":
            self.searcher.refresh()
            told = {
                "differences": len(self.searcher.check()),
                "passages": len(self.searcher),
                "consistent": all(
                    self.searcher.part(lang).is_consistent() for lang in self.searcher.languages
                ),
            }
        return told | {"errors": self.errors, "revision": self.searcher.revision}


def main(url: str, index: str) -> None:
    follower = Follower(url, Path(index))
    _say({"ready": True, "opened": follower.opened, "passages": len(follower.searcher)})
    for line in sys.stdin:
        _say(follower.answer(json.loads(line)))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
