"""The sentence encoder as it serves: text in, unit vectors out, through onnxruntime alone.

A folder of the encoder store (written by chatbot/learning/encoders.py or chatbot/learning/domain_encoder.py) holds

``config.json``     an EncoderConfig
``model.onnx``      inputs ``input_ids``, ``attention_mask`` (int64 [batch, length]); outputs ``states``
                    (float32 [batch, length, width]) and ``vector`` (float32 [batch, dimension], unit length)
``tokenizer.json``  a `tokenizers` file
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from chatbot.errors import BundleError

FORMAT = 1
CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE = "config.json", "model.onnx", "tokenizer.json"
ANY_LANGUAGE = "*"  # in a mapping from languages to encoders: those that it does not name

Vectors = NDArray[np.float32]

# Joined into one operator, adding and normalising a layer takes 34 µs a dozen tokens; apart, 13: a tenth of the time.
_SLOWER = ["SkipLayerNormFusion"]


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """What a stored encoder is. Two encoders with the same ``fingerprint`` give the same vectors."""

    name: str
    fingerprint: str
    dimension: int
    width: int  # of a token state
    max_tokens: int
    languages: tuple[str, ...]  # those it was trained for; empty: any
    cased: bool = False
    format: int = FORMAT

    def save(self, folder: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)
        (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> EncoderConfig:
        """Raises BundleError where the folder holds no encoder of a known format."""
        path = folder / CONFIG_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {field.name for field in fields(cls)}
            config = cls(**{key: value for key, value in values.items() if key in known})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise BundleError(
                "No sentence encoder in this folder", value=folder, remedy="Export it again, or retrain"
            ) from error
        if config.format != FORMAT:
            raise BundleError("The encoder's format is not known", field="format", value=config.format)
        object.__setattr__(config, "languages", tuple(config.languages))
        return config


class SentenceEncoder:
    """Texts to unit vectors, and to token states for models that read whole sentences.

    Thread-safe: an onnxruntime session may run in several threads at once, and nothing else is written.
    """

    def __init__(
        self, config: EncoderConfig, session: onnxruntime.InferenceSession, tokenizer: Tokenizer
    ) -> None:
        self.config = config
        self._session = session
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """Raises BundleError where a file is missing, damaged, or does not fit the others."""
        folder = Path(folder)
        config = EncoderConfig.load(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # without this a waiting thread burns its core between two messages
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
            session = onnxruntime.InferenceSession(
                str(folder / MODEL_FILE),
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=_SLOWER,
            )
        except Exception as error:  # tokenizers and onnxruntime raise bare Exceptions of their own
            raise BundleError(
                "The encoder's files cannot be read", value=folder, remedy="Export it again, or retrain"
            ) from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(config.max_tokens)
        encoder = cls(config, session, tokenizer)
        dimension = encoder.encode(["?"]).shape[1]
        if dimension != config.dimension:
            raise BundleError("The encoder's dimension is not the stated one", value=dimension)
        return encoder

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def fingerprint(self) -> str:
        return self.config.fingerprint

    @property
    def dimension(self) -> int:
        return self.config.dimension

    @property
    def languages(self) -> tuple[str, ...]:
        return self.config.languages

    @cached_property
    def dictionary(self) -> dict[str, int]:
        """The whole words in small letters that its tokenizer knows, each with its place by frequency, from 1. Empty
        for a tokenizer whose pieces do not tell words from beginnings of some (all but WordPiece, Wu et al. 2016)."""
        if type(self._tokenizer.model).__name__ != "WordPiece":
            return {}
        vocabulary = self._tokenizer.get_vocab()
        words = (word for word in vocabulary if len(word) > 1 and word.isascii() and word.isalpha())
        return {word: place for place, word in enumerate(sorted(words, key=vocabulary.__getitem__), start=1)}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors float32 [n, dimension], in the order of ``texts``.

        Each text is run by itself. Int8 activations share one scale over a whole batch, so in a batch a text's
        vector depends on its neighbours (cosine 0.96 to itself at worst) and on one thread a batch gains nothing:
        6.1 ms a 128-token text alone, 6.1 to 7.2 ms in batches of 8 to 32.
        """
        vectors = np.empty((len(texts), self.config.dimension), dtype=np.float32)
        for row, inputs in enumerate(self._inputs(texts)):
            vectors[row] = self._session.run(["vector"], inputs)[0][0]
        return vectors

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, Vectors]]:
        """For each text its token states [tokens, width] and its unit vector [dimension].

        The states include the tokenizer's special tokens, as the encoder itself reads them.
        """
        results = []
        for inputs in self._inputs(texts):
            states, vector = self._session.run(
                ["states", "vector"], inputs
            )  # [1, tokens, width], [1, dimension]
            results.append((states[0], vector[0]))
        return results

    def encode_alike(self, texts: Sequence[str]) -> tuple[Vectors, Vectors, NDArray[np.int32]]:
        """Texts that differ in a word from each other, in one run: token states [n, t, width], unit vectors
        [n, dimension] and how many tokens each text has [n].

        Several short texts cost little more than one. Each is nearly what it is alone: texts that resemble each other
        would have nearly the same scale of their own.
        """
        ids = [self._tokenizer.encode(text).ids or [0] for text in texts]
        lengths = np.asarray([len(row) for row in ids], np.int32)
        padded = np.zeros((len(ids), lengths.max(initial=1)), np.int64)
        for row, own in enumerate(ids):
            padded[row, : len(own)] = own
        mask = (np.arange(padded.shape[1]) < lengths[:, None]).astype(np.int64)
        states, vectors = self._session.run(
            ["states", "vector"], {"input_ids": padded, "attention_mask": mask}
        )
        return states, vectors, lengths

    def vectors_alike(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of such texts, in one run on one thread or two of halves on two, whichever the machine has."""
        workers = max(1, min(2, os.cpu_count() or 1, len(texts) // 2))
        vectors = np.empty((len(texts), self.config.dimension), dtype=np.float32)
        parts = [texts[start::workers] for start in range(workers)]
        with ThreadPoolExecutor(workers) as pool:
            for start, (_, found, _) in enumerate(pool.map(self.encode_alike, parts)):
                vectors[start::workers] = found
        return vectors

    def _inputs(self, texts: Sequence[str]) -> Iterator[dict[str, NDArray[np.int64]]]:
        """Ids and mask, int64 [1, tokens]; a text without tokens is read as one token 0 (padding or unknown)."""
        for text in texts:
            ids = np.array([self._tokenizer.encode(text).ids or [0]], dtype=np.int64)
            yield {"input_ids": ids, "attention_mask": np.ones_like(ids)}


class RememberingEncoder(SentenceEncoder):
    """An encoder for a piece of work that asks for the same texts again and again; it keeps every vector it made."""

    def __init__(
        self, config: EncoderConfig, session: onnxruntime.InferenceSession, tokenizer: Tokenizer
    ) -> None:
        super().__init__(config, session, tokenizer)
        self._known: dict[str, Vectors] = {}
        self.workers = (
            1  # threads that encode beside each other; a session's own gain nothing on a short text
        )
        # where vectors are kept beyond this piece of work (chatbot/retrieval/embeddings.py): texts, encode → vectors
        self.store: Callable[[Sequence[str], Callable[[Sequence[str]], Vectors]], Vectors] | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            made = self.store(new, self._encode_new) if self.store is not None else self._encode_new(new)
            self._known.update(zip(new, made, strict=True))
        vectors = [self._known[text] for text in texts]
        return np.stack(vectors) if vectors else super().encode(texts)

    def _encode_new(self, texts: Sequence[str]) -> Vectors:
        if self.workers == 1 or len(texts) < 2 * self.workers:
            return super().encode(texts)
        parts = [texts[start :: self.workers] for start in range(self.workers)]
        vectors = np.empty((len(texts), self.config.dimension), dtype=np.float32)
        with ThreadPoolExecutor(self.workers) as pool:
            for start, found in enumerate(pool.map(super().encode, parts)):
                vectors[start :: self.workers] = found
        return vectors


class Base(Protocol):
    """What can stand before a matrix."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class AdaptedEncoder:
    """An encoder with one matrix behind it, which was trained on a company's questions
    (chatbot/learning/encoder_adapter.py).

    ``base`` encodes and ``adapt`` turns: who keeps vectors keeps the base's, which outlive the matrix.
    """

    def __init__(self, base: Base, matrix: Vectors, *, lang: str) -> None:
        """Raises BundleError where the matrix does not fit the encoder."""
        if matrix.shape != (base.dimension, base.dimension) or not np.isfinite(matrix).all():
            raise BundleError(
                "The adapter does not fit the encoder", field="shape", value=matrix.shape, remedy="Retrain"
            )
        self.base = base
        self.matrix = np.ascontiguousarray(matrix, dtype=np.float32)
        self.dimension = base.dimension
        self.languages = (lang,)
        digest = hashlib.sha256(base.fingerprint.encode() + self.matrix.tobytes())
        self.fingerprint = digest.hexdigest()[:20]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors float32 [n, dimension], in the order of ``texts``."""
        return self.adapt(self.base.encode(texts))

    def adapt(self, vectors: Vectors) -> Vectors:
        """Vectors of the base, float32 [n, dimension], as this encoder has them."""
        turned = vectors @ self.matrix
        turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
        return turned
