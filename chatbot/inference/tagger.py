"""Details that only the words around them give away (a city, a product, a colour), as they are found while serving:
onnxruntime and numpy, no torch.

The network (chatbot/neural/entity_tagger.py) gives each piece of a text (chatbot/language/entity_tags.py) a score for
each tag; the best sequence under the transitions that were learned with it (Viterbi; Lafferty, McCallum and Pereira
2001) has the entities, and the forward and backward sums say how likely each is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Tagged
from chatbot.errors import BundleError
from chatbot.inference.sessions import open_session
from chatbot.language.entity_tags import entities_of, features, spans, tags_of

FORMAT = 1
FOLDER = "entities"  # of the bundle


def padded(bags: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """[t, w], 0 where a piece has fewer features than another."""
    rows = np.zeros((len(bags), max(map(len, bags), default=1)), dtype=np.int64)
    for row, bag in zip(rows, bags, strict=True):
        row[: len(bag)] = bag
    return rows


class EntityTagger:
    """The tagger of one bundle (``entities/``). Safe to use from several threads."""

    def __init__(self, bundle: Path, *, threads: int = 1) -> None:
        folder = bundle / FOLDER
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            if config["format"] != FORMAT:
                raise BundleError("this entity tagger has another format", value=config["format"])
            self.kinds: tuple[str, ...] = tuple(config["kinds"])
            self._tags = tags_of(self.kinds)
            self._follow = np.array(config["transitions"], dtype=np.float64)
            self._begin = np.array(config["begin"], dtype=np.float64)
            if self._follow.shape != (len(self._tags), len(self._tags)):
                raise ValueError("transitions of another size")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"the entity tagger cannot be read: {error}", value=FOLDER, remedy="Retrain"
            ) from error
        self._session = open_session(folder / "tagger.onnx", threads=threads)

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1) -> EntityTagger:
        """bundle: the release's folder. Raises BundleError when a part is missing or damaged."""
        return cls(Path(bundle), threads=threads)

    def find(self, text: str, *, least: float = 0.0) -> list[Tagged]:
        """The entities in ``text`` in order, each with a confidence of at least ``least``."""
        places = spans(text)
        path, certainty = self._decoded(text, places)
        found = []
        for kind, first, last in entities_of([self._tags[tag] for tag in path]):
            start, end = places[first][0], places[last][1]
            sure = float(certainty[first : last + 1].min())
            if sure >= least:
                found.append(Tagged(kind, start, end, text[start:end], round(sure, 4)))
        return found

    def tags(self, text: str) -> list[str]:
        """The tag of each piece of ``text``."""
        return [self._tags[tag] for tag in self._decoded(text, spans(text))[0]]

    def _decoded(self, text: str, places: Sequence[tuple[int, int]]) -> tuple[list[int], NDArray[np.float64]]:
        if not places:
            return [], np.zeros(0)
        scores = self._session.run(["scores"], {"features": padded(features(text, places))})[0]
        return decode(scores.astype(np.float64), self._follow, self._begin)


def decode(
    scores: NDArray[np.float64], follow: NDArray[np.float64], begin: NDArray[np.float64]
) -> tuple[list[int], NDArray[np.float64]]:
    """The best tags [t] and the probability of each [t], from scores [t, k] and transitions [k, k] (from, to)."""
    length, count = scores.shape
    best = begin + scores[0]
    came = np.zeros((length, count), dtype=np.int64)
    forward = np.empty_like(scores)
    forward[0] = best
    for at in range(1, length):
        ways = best[:, None] + follow
        came[at] = ways.argmax(axis=0)
        best = ways.max(axis=0) + scores[at]
        forward[at] = _logsumexp(forward[at - 1][:, None] + follow) + scores[at]
    backward = np.zeros_like(scores)
    for at in range(length - 2, -1, -1):
        backward[at] = _logsumexp((follow + scores[at + 1] + backward[at + 1]).T)
    path = [int(best.argmax())]
    for at in range(length - 1, 0, -1):
        path.append(int(came[at, path[-1]]))
    path.reverse()
    whole = float(_logsumexp(forward[-1][:, None])[0])
    rows = np.arange(length)
    return path, np.exp(forward[rows, path] + backward[rows, path] - whole)


def _logsumexp(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the first axis."""
    top = values.max(axis=0)
    found: NDArray[np.float64] = top + np.log(np.exp(values - top).sum(axis=0))
    return found
