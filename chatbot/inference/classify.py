"""The intent classifier as it serves: text in, calibrated decision out, without torch.

A text is tokenised, each token's embedding is looked up (int8 rows, summed once and then remembered), and one
onnxruntime call gives the scores. Hard rules come before the network where its answer could only be a guess:
nothing to read, a script that no training text had, a paste far longer than any training text.
"""

from __future__ import annotations

import math
import threading
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
    ONE_GRAPH_FILE,
    PAIRS_FILE,
    VOCABULARY_FILE,
    ClassifierConfig,
)
from chatbot.inference.scoring import NOTHING, Judge, RawScores
from chatbot.inference.sessions import open_session
from chatbot.language.normalise import detect_language, has_letters
from chatbot.language.tokens import TokenFeatures, Vocabulary, tokenise

_REMEMBERED = 10_000  # tokens whose rows are kept summed up; about 1.5 kB each
_LOGITS = ["logits"]
_TOGETHER = 12  # messages read at once: more gain nothing, and the shorter ones wait for the longest


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


class _Memory:
    """What each token met brings, summed over its word and n-grams once: a row of a matrix, so that a message's rows
    are taken in one call.

    A row is the LSTM's input [e], the token's part in the linear model's logits [k + 1], the square of its part in the
    text's length, and how much of it was seen in training (0..1).
    """

    def __init__(self, width: int) -> None:
        self.places: dict[str, int] = {}  # written after the row: what is found here can be read
        self.rows = np.empty((_REMEMBERED, width), np.float32)


class IntentClassifier:
    """Thread-safe: a remembered row never changes, and a full memory is left to those who read it."""

    def __init__(
        self,
        config: ClassifierConfig,
        vocabulary: Vocabulary,
        session: onnxruntime.InferenceSession,
        tables: dict[str, NDArray[Any]],
        pairs: frozenset[int] | None = None,
        one: onnxruntime.InferenceSession | None = None,
    ) -> None:
        self.config = config
        self.labels = config.labels
        self._vocabulary = vocabulary
        self._session = session
        self._one = one
        self._tables = tables
        self._pairs = pairs
        self._wide = "wide_words" in tables
        self._width: int = tables["words"].shape[1]
        self._row = self._width + 2 + (len(config.labels) + 1 if self._wide else 0)
        self._memory = _Memory(self._row)
        self._learning = threading.Lock()
        self._judge = Judge(config)
        longest = config.max_tokens + config.context_tokens + 4
        self._starts = [np.asarray([start], np.int64) for start in range(longest + 1)]

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
        buckets = len(tables["gram_rarity"]) if "gram_rarity" in tables else config.buckets
        one = folder / ONE_GRAPH_FILE
        alone = open_session(one, threads=threads) if one.is_file() else None
        return cls(config, Vocabulary(words, buckets=buckets), session, tables, pairs, alone)

    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification:
        """The ranked intents of one message and whether it asks for any of them.

        A guess's confidence is the calibrated probability of the intent given that the message is in scope;
        the probability that it is right at all is that times ``in_scope``.

        ``history``: the turns before, oldest first. ``lang``: the conversation's language, when it is known.
        """
        found = self.scores(text, history=history)
        return NOTHING if found is None else self._judge.decide(text, *found, lang)

    def scores(
        self, text: str, *, history: Sequence[Message] = ()
    ) -> tuple[NDArray[np.float32], float] | None:
        """As `raw`, of one message: uncalibrated logits [k + 1] and the share of its tokens that are known; None where
        there is nothing to read."""
        if not has_letters(text):
            return None
        request = self._request(text, history)
        start = request.start
        if len(request.tokens) == start:
            return None
        rows = self._read(request.tokens)
        if self._one is not None:
            if start:
                rows[:start, : self._width] += self._tables["context"]
            feeds = {"x": rows[:, None, : self._width], "start": self._starts[start]}
            logits: NDArray[np.float32] = self._one.run(_LOGITS, feeds)[0][0]
        else:
            logits = self._session.run(_LOGITS, self._feeds([request], [rows]))[0][0]
        totals = np.add.reduce(rows[start:, self._width :])
        if self._wide:
            logits = self._mixed(logits, totals, self._words_count(text, start))
        return logits, float(totals[-1]) / (len(rows) - start)

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

    def classify_without(
        self,
        text: str,
        without: Sequence[str],
        *,
        history: Sequence[Message] = (),
        lang: str | None = None,
    ) -> tuple[Classification, list[Classification]]:
        """``text``, and the same text without one or another of its words."""
        whole = self.classify(text, history=history, lang=lang)
        return whole, self.classify_batch(without, histories=[history] * len(without), lang=lang)

    def raw(
        self,
        texts: Sequence[str],
        *,
        histories: Sequence[Sequence[Message]] | None = None,
        batch_size: int = _TOGETHER,
    ) -> RawScores:
        """Uncalibrated scores of many texts; ``known`` is -1 where there was nothing to read."""
        requests = [self._request(t, histories[i] if histories else ()) for i, t in enumerate(texts)]
        readable = [i for i, r in enumerate(requests) if len(r.tokens) > r.start and has_letters(texts[i])]
        readable.sort(key=lambda i: len(requests[i].tokens))
        logits = np.zeros((len(texts), len(self.labels) + 1), np.float32)
        features = np.zeros((len(texts), self._session.get_outputs()[1].shape[1]), np.float32)
        known = np.full(len(texts), -1.0)
        for begin in range(0, len(readable), batch_size):
            part = readable[begin : begin + batch_size]
            rows = [self._read(requests[i].tokens) for i in part]
            feeds = self._feeds([requests[i] for i in part], rows)
            logits[part], features[part] = self._session.run(["logits", "features"], feeds)
            for i, own in zip(part, rows, strict=True):
                start = requests[i].start
                totals = np.add.reduce(own[start:, self._width :])
                known[i] = float(totals[-1]) / (len(own) - start)
                if self._wide:
                    logits[i] = self._mixed(logits[i], totals, self._words_count(texts[i], start))
        return RawScores(logits, features, known)

    def _request(self, text: str, history: Sequence[Message]) -> Request:
        config = self.config
        return request_of(text, history, max_tokens=config.max_tokens, context_tokens=config.context_tokens)

    def _words_count(self, text: str, start: int) -> float:
        """How much the linear model counts, which sees the message alone, and "yes please" says nothing alone: less
        behind a history. Where a teacher has taught the LSTM one of two languages it counts more in the other."""
        if not self.config.words_by_language:
            return self.config.words_after_history if start else 1.0
        return self.config.words_count(detect_language(text), after_history=start > 0)

    def _mixed(
        self, logits: NDArray[np.float32], totals: NDArray[np.float32], counts: float
    ) -> NDArray[np.float32]:
        """The LSTM's logits [k + 1] with ``counts`` times those of the linear model, whose parts and square length
        ``totals`` sums up (and is overwritten)."""
        weight = counts / math.sqrt(max(1e-6, float(totals[-2])))
        mixed = totals[:-2]
        mixed *= weight
        mixed += logits
        mixed *= 1 / (1 + counts)
        return mixed

    def _feeds(
        self, requests: Sequence[Request], rows: Sequence[NDArray[np.float32]]
    ) -> dict[str, NDArray[Any]]:
        """``rows``: what the tokens of each request bring."""
        lengths = np.asarray([len(r.tokens) for r in requests], np.int32)
        width = int(lengths.max())
        x = np.zeros((len(requests), width, self._width), np.float32)
        mask = np.full((len(requests), width), -1e9, np.float32)
        for place, (request, brought) in enumerate(zip(requests, rows, strict=True)):
            x[place, : len(brought)] = brought[:, : self._width]
            x[place, : request.start] += self._tables["context"]
            mask[place, request.start : len(brought)] = 0
        return {"x": x, "lengths": lengths, "mask": mask}

    def _read(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """What the tokens bring [n, ``_row``], a copy."""
        memory = self._memory
        try:
            places = [memory.places[token] for token in tokens]
        except KeyError:
            return self._learn(tokens)
        return memory.rows.take(places, axis=0)

    def _learn(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """As ``_read``, after a look-up of those not met before.

        They are looked up together: a message of Chinese holds hardly one token that an earlier message held, and
        numpy's calls cost more than their work.
        """
        with self._learning:
            memory = self._memory
            new = [token for token in dict.fromkeys(tokens) if token not in memory.places]
            if len(memory.places) + len(new) > _REMEMBERED:
                memory, new = _Memory(self._row), list(dict.fromkeys(tokens))
            begin, end = len(memory.places), len(memory.places) + len(new)
            if new:  # else another thread met them meanwhile
                memory.rows[begin:end] = self._look_up(new)
                memory.places.update(zip(new, range(begin, end), strict=True))
            self._memory = memory
            return memory.rows.take([memory.places[token] for token in tokens], axis=0)

    def _look_up(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        tables = self._tables
        features = [self._vocabulary.features(token) for token in tokens]
        words = np.asarray([one.word for one in features], dtype=np.int64)
        grams = np.asarray([gram for one in features for gram in one.grams], dtype=np.int64)
        counts = [len(one.grams) for one in features]
        owned = np.zeros((len(tokens), len(grams)), np.float32)  # which token an n-gram belongs to
        owned[np.repeat(np.arange(len(tokens)), counts), np.arange(len(grams))] = 1
        shares = np.asarray([[1 / max(1, count)] for count in counts], np.float32)
        parts = [
            self._rows("word", words) + shares * (owned @ self._rows("gram", grams % self.config.buckets)),
            np.zeros((len(tokens), 1), np.float32),
            np.asarray([[self._known(one)] for one in features], np.float32),
        ]
        if self._wide:
            wide = self._rows("wide_word", words) + owned @ self._rows("wide_gram", grams)
            squares = tables["word_rarity"][words] ** 2 + owned @ (tables["gram_rarity"][grams] ** 2)
            parts[1:2] = [wide, squares[:, None]]
        return np.concatenate(parts, axis=1)

    def _rows(self, table: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Rows of a table of int8, or of int4 two a byte, with a scale each, float32 [n, width]."""
        tables = self._tables
        if (places := tables.get(f"{table}_rows")) is not None:  # rows without weight are left out
            rows = places[rows]
        numbers = tables[f"{table}s"][rows]
        if numbers.dtype == np.uint8:
            numbers = int4_rows(numbers)
        values: NDArray[np.float32] = numbers * tables[f"{table}_scales"][rows, None]
        return values

    def _known(self, token: TokenFeatures) -> float:
        """Whether the word is known; of a Han character, how many of the pairs that it forms here.

        Nearly every character is known, also in noise; its pairs are not.
        """
        if not token.word:
            return 0.0
        if not token.pairs or not self._pairs:
            return 1.0
        return sum([pair in self._pairs for pair in token.pairs]) / len(token.pairs)


def int4_rows(packed: NDArray[np.uint8]) -> NDArray[np.int8]:
    """[n, e / 2] bytes as chatbot/neural/export.py packs them → [n, e] numbers -7..7."""
    halves = np.concatenate([packed & 15, packed >> 4], axis=1).view(np.int8)
    numbers: NDArray[np.int8] = halves - np.int8(8)
    return numbers
