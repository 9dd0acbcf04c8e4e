"""The answer ranker as it serves: which past answer fits the situation best. onnxruntime and numpy, no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import BundleError
from chatbot.inference.sessions import open_session
from chatbot.neural.source_layout import SourceLayout, lay_out
from chatbot.neural.tokenizer import SubwordTokenizer


@dataclass(frozen=True)
class RankedAnswer:
    """score: cosine times the learned scale, plus the bias for answers that agents give often."""

    text: str
    score: float
    times: int
    lang: str = ""


class AnswerRanker:
    """The ranker of one bundle with its past answers and their vectors."""

    def __init__(self, bundle: Path, *, threads: int = 1) -> None:
        folder = bundle / "ranker"
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            self._layout = SourceLayout(**config["layout"])
            self.scale, self.bias = float(config["scale"]), float(config["bias"])
            rows = [
                json.loads(line)
                for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
                if line
            ]
            self.answers: tuple[str, ...] = tuple(row["text"] for row in rows)
            self.languages: tuple[str, ...] = tuple(row.get("lang", "") for row in rows)
            self.given = np.array([row["times"] for row in rows], dtype=np.float32)
            # half precision, read from the disk where a row is wanted
            self._stored: NDArray[np.float16] = np.load(
                folder / "answers.npy", allow_pickle=False, mmap_mode="r"
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(
                f"the answer ranker cannot be read: {error}",
                value="ranker",
                remedy="retrain, or roll back to another release",
            ) from error
        self._tokenizer = SubwordTokenizer.load(bundle / "tokenizer.json")
        self._situation = open_session(folder / "situation.onnx", threads=threads)
        self._answer = open_session(folder / "answer.onnx", threads=threads)
        self._known = {text: place for place, text in enumerate(self.answers)}

    @classmethod
    def load(cls, bundle: Path, *, threads: int = 1) -> AnswerRanker:
        """bundle: the release's folder. Raises BundleError when a part is missing or damaged."""
        return cls(Path(bundle), threads=threads)

    def situation(self, turns: Sequence[Message]) -> NDArray[np.float32]:
        """Unit vector [dimension] of the turns (the message to answer last)."""
        ids = lay_out(self._tokenizer, self._layout, turns=turns)
        found: NDArray[np.float32] = self._situation.run(["vector"], {"source": np.array([ids], np.int64)})[0]
        return found[0]

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [n, dimension] of answers; those of past answers are known."""
        made = []
        for text in texts:
            place = self._known.get(text)
            if place is not None:
                made.append(self._stored[place].astype(np.float32))
                continue
            ids = self._tokenizer.encode(text)[: self._layout.reply_tokens] or [self._tokenizer.tags.end]
            made.append(self._answer.run(["vector"], {"source": np.array([ids], np.int64)})[0][0])
        return np.stack(made)

    @property
    def biases(self) -> NDArray[np.float32]:
        """What each past answer's score gains by how often it was given, [n]."""
        gained: NDArray[np.float32] = (self.bias * np.log1p(self.given)).astype(np.float32)
        return gained

    def scores(self, turns: Sequence[Message], texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers, [n]; higher is better."""
        return self._score(self.situation(turns), self.vectors(texts), self.times(texts))

    def times(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """How often agents gave each answer, [n]."""
        places = [self._known.get(text) for text in texts]
        return np.array([0.0 if place is None else self.given[place] for place in places], dtype=np.float32)

    def search(self, turns: Sequence[Message], *, k: int = 5) -> list[RankedAnswer]:
        """The past answers that fit best, best first."""
        if not self.answers:
            return []
        scores = self._score(self.situation(turns), self.matrix, self.given)
        best = np.argsort(-scores, kind="stable")[:k]
        return [self.ranked(place, float(scores[place])) for place in best.tolist()]

    def ranked(self, place: int, score: float) -> RankedAnswer:
        """The answer of this number with a score."""
        return RankedAnswer(self.answers[place], score, int(self.given[place]), self.languages[place])

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """The vectors of all past answers, [n, dimension]."""
        return self._stored.astype(np.float32)

    def _score(
        self, situation: NDArray[np.float32], answers: NDArray[np.float32], times: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        return (self.scale * (answers @ situation) + self.bias * np.log1p(times)).astype(np.float32)
