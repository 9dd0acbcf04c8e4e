"""The intent classifier as it serves: text in, calibrated decision out, without torch.

A text is tokenised, each token's embedding is looked up (int8 rows, summed once and then remembered), and one
onnxruntime call gives the scores. Hard rules come before the network where its answer could only be a guess:
nothing to read, a script that no training text had, a paste far longer than any training text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors.numpy import load_file

from chatbot.dialogue.trace import Classification, Message
from chatbot.errors import BundleError
from chatbot.inference.classifier_config import (
    EMBEDDINGS_FILE,
    GRAPH_FILE,
    PAIRS_FILE,
    VOCABULARY_FILE,
    ClassifierConfig,
)
from chatbot.inference.scoring import NOTHING, Judge, RawScores
from chatbot.inference.sessions import open_session
from chatbot.language.normalise import has_letters
from chatbot.language.tokens import Vocabulary, han_pairs, tokenise

_REMEMBERED = 10_000  # tokens whose rows are kept summed up; about 1.5 kB each


@dataclass(frozen=True, slots=True)
class Request:
    """A text as the network reads it."""

    tokens: tuple[str, ...]  # context first
    start: int  # where the message begins


def request_of(text: str, history: Sequence[Message], *, max_tokens: int, context_tokens: int) -> Request:
    """Tokens of the last customer turn and of what was said since, each under its role's mark, then the
    message's.

    The one place that decides how history is laid out; training uses it too.
    """
    message = tokenise(text, limit=max_tokens)
    if not context_tokens or not history:
        return Request(tuple(message), 0)
    context: list[str] = []
    for turn in [turn for turn in history if turn.role != "action"][-2:]:
        mark = "[customer]" if turn.role == "customer" else "[agent]"
        context += [mark, *tokenise(turn.text, limit=context_tokens // 2 - 1)]
    return Request((*context, "[now]", *message), len(context) + 1)


@dataclass(frozen=True, slots=True)
class _Token:
    """What a token brings, summed over its word and n-grams once."""

    vector: NDArray[np.float32]  # [e], the LSTM's input
    wide: NDArray[np.float32]  # [k + 1], its part in the linear model's logits
    square: float  # of its part in the length of the text
    known: float  # 0..1, how much of it was seen in training


class IntentClassifier:
    """Thread-safe: the remembered embeddings are only ever added, and a lost addition is computed again."""

    def __init__(
        self,
        config: ClassifierConfig,
        vocabulary: Vocabulary,
        session: onnxruntime.InferenceSession,
        tables: dict[str, NDArray[Any]],
        pairs: frozenset[int] | None = None,
    ) -> None:
        self.config = config
        self.labels = config.labels
        self._vocabulary = vocabulary
        self._session = session
        self._tables = tables
        self._pairs = pairs
        self._remembered: dict[str, _Token] = {}
        self._wide = "wide_words" in tables
        self._judge = Judge(config)
        self._zeros = np.zeros((1, config.max_tokens + config.context_tokens + 4), np.float32)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> IntentClassifier:
        """Raises BundleError where something is missing or damaged."""
        config = ClassifierConfig.load(folder)
        try:
            words = (folder / VOCABULARY_FILE).read_text(encoding="utf-8").split("\n")[:-1]
            tables = load_file(folder / EMBEDDINGS_FILE)
            seen = folder / PAIRS_FILE
            pairs = frozenset(np.load(seen, allow_pickle=False).tolist()) if seen.is_file() else None
        except Exception as error:  # safetensors raises its own kind
            raise BundleError(
                f"the classifier's embeddings cannot be read: {error}", field="folder", value=folder.name
            ) from error
        session = open_session(folder / GRAPH_FILE, threads=threads)
        buckets = len(tables["wide_grams"]) if "wide_grams" in tables else config.buckets
        return cls(config, Vocabulary(words, buckets=buckets), session, tables, pairs)

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification:
        """The ranked intents of one message and whether it asks for any of them.

        A guess's confidence is the calibrated probability of the intent given that the message is in scope;
        the probability that it is right at all is that times ``in_scope``.

        ``history``: the turns before, oldest first. ``lang``: the conversation's language, when it is known.
        """
        if not has_letters(text):
            return NOTHING
        request = self._request(text, history)
        if len(request.tokens) == request.start:
            return NOTHING
        tokens = [self._token(token) for token in request.tokens]
        x = np.asarray([token.vector for token in tokens])[None]
        n = len(request.tokens)
        mask = self._zeros[:, :n]
        if request.start:
            x[0, : request.start] += self._tables["context"]
            mask = mask.copy()
            mask[0, : request.start] = -1e9
        feeds = {"x": x, "lengths": np.asarray([n], np.int32), "mask": mask}
        logits = self._session.run(["logits"], feeds)[0][0]
        if self._wide:
            counts = self._words_count(request)
            logits = (logits + counts * _linear(tokens[request.start :])) / (1 + counts)
        return self._judge.decide(text, logits, _share_known(tokens[request.start :]), lang)

    def classify_batch(
        self,
        texts: Sequence[str],
        *,
        histories: Sequence[Sequence[Message]] | None = None,
        lang: str | None = None,
    ) -> list[Classification]:
        """Many messages at once, in batches of like length; same answers as ``classify`` one by one."""
        raw = self.raw(texts, histories=histories)
        return [
            self._judge.decide(text, raw.logits[i], float(raw.known[i]), lang)
            if raw.known[i] >= 0
            else NOTHING
            for i, text in enumerate(texts)
        ]

    def raw(
        self,
        texts: Sequence[str],
        *,
        histories: Sequence[Sequence[Message]] | None = None,
        batch_size: int = 64,
    ) -> RawScores:
        """Uncalibrated scores of many texts; ``known`` is -1 where there was nothing to read."""
        requests = [self._request(t, histories[i] if histories else ()) for i, t in enumerate(texts)]
        readable = [i for i, r in enumerate(requests) if len(r.tokens) > r.start and has_letters(texts[i])]
        readable.sort(key=lambda i: len(requests[i].tokens))
        width = self._session.get_outputs()[1].shape[1]
        logits = np.zeros((len(texts), len(self.labels) + 1), np.float32)
        features = np.zeros((len(texts), width), np.float32)
        known = np.full(len(texts), -1.0)
        for begin in range(0, len(readable), batch_size):
            part = readable[begin : begin + batch_size]
            read = [[self._token(token) for token in requests[i].tokens] for i in part]
            feeds = self._feeds([requests[i] for i in part], read)
            logits[part], features[part] = self._session.run(["logits", "features"], feeds)
            if self._wide:
                linear = [_linear(own[requests[i].start :]) for i, own in zip(part, read, strict=True)]
                counts = np.asarray([[self._words_count(requests[i])] for i in part], np.float32)
                logits[part] += counts * np.asarray(linear, np.float32)
                logits[part] /= 1 + counts
            known[part] = [_share_known(own[requests[i].start :]) for i, own in zip(part, read, strict=True)]
        return RawScores(logits, features, known)

    def _request(self, text: str, history: Sequence[Message]) -> Request:
        config = self.config
        return request_of(text, history, max_tokens=config.max_tokens, context_tokens=config.context_tokens)

    def _words_count(self, request: Request) -> np.float32:
        """The linear model against the LSTM: it sees the message alone, and "yes please" says nothing alone."""
        return np.float32(self.config.words_after_history if request.start else 1.0)

    def _feeds(
        self, requests: Sequence[Request], tokens: Sequence[Sequence[_Token]]
    ) -> dict[str, NDArray[Any]]:
        lengths = np.asarray([len(r.tokens) for r in requests], np.int32)
        width = int(lengths.max())
        x = np.zeros((len(requests), width, self._tables["words"].shape[1]), np.float32)
        mask = np.full((len(requests), width), -1e9, np.float32)
        for row, request in enumerate(requests):
            x[row, : lengths[row]] = [token.vector for token in tokens[row]]
            x[row, : request.start] += self._tables["context"]
            mask[row, request.start : lengths[row]] = 0
        return {"x": x, "lengths": lengths, "mask": mask}

    def _token(self, token: str) -> _Token:
        remembered = self._remembered.get(token)
        if remembered is not None:
            return remembered
        tables, features = self._tables, self._vocabulary.features(token)
        rows = np.asarray(features.grams, dtype=np.int64)
        vector = self._row("word", features.word)
        if len(rows):
            vector += self._rows("gram", rows % self.config.buckets) / np.float32(len(rows))
        wide: NDArray[np.float32] = np.zeros(0, np.float32)
        square = 0.0
        if self._wide:
            wide = self._row("wide_word", features.word) + self._rows("wide_gram", rows)
            square = float(
                tables["word_rarity"][features.word] ** 2 + (tables["gram_rarity"][rows] ** 2).sum()
            )
        found = _Token(vector.astype(np.float32), wide.astype(np.float32), square, self._known(token))
        if len(self._remembered) >= _REMEMBERED:
            self._remembered = {}
        self._remembered[token] = found
        return found

    def _row(self, table: str, row: int) -> NDArray[np.float32]:
        scale = self._tables[f"{table}_scales"][row]
        values: NDArray[np.float32] = self._tables[f"{table}s"][row].astype(np.float32) * scale
        return values

    def _rows(self, table: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The sum of several rows."""
        total: NDArray[np.float32] = self._tables[f"{table}_scales"][rows] @ self._tables[f"{table}s"][
            rows
        ].astype(np.float32)
        return total

    def _known(self, token: str) -> float:
        """Whether the word is known; of a Han character, how many of the pairs that it forms here.

        Nearly every character is known, also in noise; its pairs are not.
        """
        if not self._vocabulary.knows(token):
            return 0.0
        pairs = han_pairs(token)
        return sum(pair in self._pairs for pair in pairs) / len(pairs) if pairs and self._pairs else 1.0


def _share_known(tokens: Sequence[_Token]) -> float:
    return sum(token.known for token in tokens) / len(tokens)


def _linear(tokens: Sequence[_Token]) -> NDArray[np.float32]:
    """Logits [k + 1] of the linear model over the message's tokens."""
    total = np.asarray([token.wide for token in tokens]).sum(axis=0)
    logits: NDArray[np.float32] = total / math.sqrt(max(1e-6, sum(token.square for token in tokens)))
    return logits
