"""The intent classifier as it serves: text in, calibrated decision out, without torch.

A text is tokenised, each token's embedding is looked up (int8 rows, summed once and then remembered), and one
onnxruntime call gives the scores. Hard rules come before the network where its answer could only be a guess:
nothing to read, a script that no training text had, a paste far longer than any training text.
"""

from __future__ import annotations

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
    VOCABULARY_FILE,
    ClassifierConfig,
)
from chatbot.inference.scoring import NOTHING, Judge, RawScores
from chatbot.inference.sessions import open_session
from chatbot.language.normalise import has_letters
from chatbot.language.tokens import Vocabulary, tokenise

_REMEMBERED = 20_000  # token embeddings kept; about 1 kB each


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


class IntentClassifier:
    """Thread-safe: the remembered embeddings are only ever added, and a lost addition is computed again."""

    def __init__(
        self,
        config: ClassifierConfig,
        vocabulary: Vocabulary,
        session: onnxruntime.InferenceSession,
        tables: dict[str, NDArray[Any]],
    ) -> None:
        self.config = config
        self.labels = config.labels
        self._vocabulary = vocabulary
        self._session = session
        self._tables = tables
        self._remembered: dict[str, NDArray[np.float32]] = {}
        self._judge = Judge(config)
        self._zeros = np.zeros((1, config.max_tokens + config.context_tokens + 4), np.float32)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> IntentClassifier:
        """Raises BundleError where something is missing or damaged."""
        config = ClassifierConfig.load(folder)
        try:
            words = (folder / VOCABULARY_FILE).read_text(encoding="utf-8").split("\n")[:-1]
            tables = load_file(folder / EMBEDDINGS_FILE)
        except Exception as error:  # safetensors raises its own kind
            raise BundleError(
                f"the classifier's embeddings cannot be read: {error}", field="folder", value=folder.name
            ) from error
        session = open_session(folder / GRAPH_FILE, threads=threads)
        return cls(config, Vocabulary(words, buckets=config.buckets), session, tables)

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
        x = np.stack([self._embedding(token) for token in request.tokens])[None]
        n = len(request.tokens)
        mask = self._zeros[:, :n]
        if request.start:
            x[0, : request.start] += self._tables["context"]
            mask = mask.copy()
            mask[0, : request.start] = -1e9
        feeds = {"x": x, "lengths": np.asarray([n], np.int32), "mask": mask}
        logits = self._session.run(["logits"], feeds)[0][0]
        return self._judge.decide(text, logits, self._known(request), lang)

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
            feeds = self._feeds([requests[i] for i in part])
            logits[part], features[part] = self._session.run(["logits", "features"], feeds)
            known[part] = [self._known(requests[i]) for i in part]
        return RawScores(logits, features, known)

    def _request(self, text: str, history: Sequence[Message]) -> Request:
        config = self.config
        return request_of(text, history, max_tokens=config.max_tokens, context_tokens=config.context_tokens)

    def _feeds(self, requests: Sequence[Request]) -> dict[str, NDArray[Any]]:
        lengths = np.asarray([len(r.tokens) for r in requests], np.int32)
        width = int(lengths.max())
        x = np.zeros((len(requests), width, self._tables["words"].shape[1]), np.float32)
        mask = np.full((len(requests), width), -1e9, np.float32)
        for row, request in enumerate(requests):
            x[row, : lengths[row]] = [self._embedding(token) for token in request.tokens]
            x[row, : request.start] += self._tables["context"]
            mask[row, request.start : lengths[row]] = 0
        return {"x": x, "lengths": lengths, "mask": mask}

    def _embedding(self, token: str) -> NDArray[np.float32]:
        """The token's word row plus the mean of its n-gram rows, [e]."""
        known = self._remembered.get(token)
        if known is not None:
            return known
        tables, features = self._tables, self._vocabulary.features(token)
        vector = tables["words"][features.word].astype(np.float32) * tables["word_scales"][features.word]
        if features.grams:
            rows = np.asarray(features.grams)
            vector = vector + tables["gram_scales"][rows] @ tables["grams"][rows].astype(np.float32) / len(
                rows
            )
        if len(self._remembered) >= _REMEMBERED:
            self._remembered = {}
        vector = vector.astype(np.float32)
        self._remembered[token] = vector
        return vector

    def _known(self, request: Request) -> float:
        message = request.tokens[request.start :]
        knows = self._vocabulary.knows
        return sum(map(knows, message)) / len(message)
