"""The past answers of a release in a FAISS index: which were given in situations like this one.

The score is an inner product of one dimension more: the situation's vector times the learned scale, with 1; the
answer's vector, with what it gains by how often it was given. Read when first asked for; half precision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.inference.rank import AnswerRanker, RankedAnswer
from chatbot.inference.reply_choice import ChoiceWeights
from chatbot.retrieval.vector_index import VectorIndex

_REACH = 32  # found before those of other languages go


class PastAnswerIndex:
    """A release's past answers, searched by situation. Nothing in it changes."""

    def __init__(self, ranker: AnswerRanker, weights: ChoiceWeights) -> None:
        self.weights = weights
        self._ranker = ranker
        vectors = np.concatenate([ranker.matrix, ranker.biases[:, None]], axis=1)  # [n, dimension + 1]
        del ranker.matrix  # the index has them
        self._index = VectorIndex(vectors.shape[1])
        self._index.add(np.arange(len(vectors)), vectors)
        self._lock = Lock()

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1) -> PastAnswerIndex:
        """bundle: the release's folder. Raises BundleError when a part is missing or damaged."""
        return cls(AnswerRanker.load(bundle, threads=threads), ChoiceWeights.load(bundle))

    def __len__(self) -> int:
        return len(self._index)

    def search(self, turns: Sequence[Message], *, lang: str, k: int) -> list[RankedAnswer]:
        """At most ``k`` past answers of the language that fit the turns (the message to answer last), best first."""
        if not len(self):
            return []
        query = np.append(self._ranker.scale * self._ranker.situation(turns), 1.0).astype(np.float32)
        with self._lock:
            scores, places = self._index.search(query[None], max(k, _REACH))
        found = [
            self._ranker.ranked(place, score)
            for place, score in zip(places[0].tolist(), scores[0].tolist(), strict=True)
            if place >= 0
        ]
        return [one for one in found if one.lang in ("", lang) and one.score >= self.weights.least][:k]

    def scores(self, turns: Sequence[Message], texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers, [n]; a text that no agent gave gains nothing by frequency."""
        return self._ranker.scores(turns, texts)

    def times(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """How often agents gave each text, [n]."""
        return self._ranker.times(texts)

    @property
    def bias(self) -> float:
        """What a score gains by the logarithm of how often the text was given."""
        return self._ranker.bias


class LazyPastAnswers:
    """The index, read at the first call; the same one from then on. Safe to call from several threads."""

    def __init__(self, load: Callable[[], PastAnswerIndex]) -> None:
        self._load = load
        self._loaded: PastAnswerIndex | None = None
        self._lock = Lock()

    def __call__(self) -> PastAnswerIndex:
        """Raises BundleError where a part is missing or damaged."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded
