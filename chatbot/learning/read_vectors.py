"""The sentence vectors that a training came by on the way, handed on to the search of the same release.

The accurate tier reads every message with the encoder that the search uses too. A message costs that encoder two
milliseconds, and a company has ten thousand of them: the search takes their vectors from here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from chatbot.errors import BundleError
from chatbot.inference.encode import EncoderConfig, SentenceEncoder

FOLDER = "read-vectors"  # of a bundle just trained; it does not belong to the release
TEXTS_FILE = "texts.json"
VECTORS_FILE = "vectors.safetensors"

Vectors = NDArray[np.float32]


class NotingEncoder(SentenceEncoder):
    """An encoder that keeps the vector of every text whose token states it was asked for, until they are saved."""

    def __init__(
        self, config: EncoderConfig, session: onnxruntime.InferenceSession, tokenizer: Tokenizer
    ) -> None:
        super().__init__(config, session, tokenizer)
        self.noted: dict[str, Vectors] = {}
        self._noting = True

    def encode_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, Vectors]]:
        found = super().encode_tokens(texts)
        if self._noting:
            self.noted.update((text, vector) for text, (_, vector) in zip(texts, found, strict=True))
        return found

    def save_noted(self, bundle: Path) -> None:
        """Write what was noted into the bundle, in half precision; from here on nothing is: what a teacher reads is
        made up, and nobody searches for it."""
        self._noting = False
        if not self.noted:
            return
        folder = bundle / FOLDER
        folder.mkdir()
        body = {"fingerprint": self.fingerprint, "texts": list(self.noted)}
        (folder / TEXTS_FILE).write_text(json.dumps(body, ensure_ascii=False) + "\n", encoding="utf-8")
        save_file({"vectors": np.stack(list(self.noted.values())).astype(np.float16)}, folder / VECTORS_FILE)


def take_noted(bundle: Path) -> tuple[str, dict[str, Vectors]]:
    """The encoder's fingerprint and the vectors by text that the bundle's training left; they are gone from it then.

    Nothing where it left none. Raises BundleError for files that do not fit each other.
    """
    folder = bundle / FOLDER
    if not folder.is_dir():
        return "", {}
    try:
        body = json.loads((folder / TEXTS_FILE).read_text(encoding="utf-8"))
        vectors = load_file(folder / VECTORS_FILE)["vectors"].astype(np.float32)
        noted = dict(zip(body["texts"], vectors, strict=True))
        fingerprint = str(body["fingerprint"])
    except Exception as error:  # safetensors raises its own kind
        raise BundleError(
            "The vectors in the bundle cannot be read", value=FOLDER, remedy="Retrain"
        ) from error
    shutil.rmtree(folder)
    return fingerprint, noted
