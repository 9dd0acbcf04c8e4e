"""Starting values for word embeddings: the input embeddings of the packaged sentence encoder.

A word's vector is the mean of its word pieces' rows, reduced to the wanted dimension by principal components.
On BANKING77 this start is worth about one point (and it knows that "cash" and "money" are neighbours before
it has seen either in training). Words of other scripts keep their random start.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

log = logging.getLogger(__name__)


def encoder_word_vectors(
    words: Sequence[str], folder: Path, *, dimension: int, norm: float = 1.6
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Positions in ``words`` that have a vector [n], and the vectors [n, dimension] of mean length ``norm``.

    folder: a BERT-like encoder's (model.safetensors, tokenizer.json). Only words of Latin letters are looked
    up.
    """
    positions = [i for i, word in enumerate(words) if word[0].isalpha() and word.isascii()]
    if len(positions) <= 2:
        return np.zeros(0, np.int64), np.zeros((0, dimension), np.float32)
    with safe_open(str(folder / "model.safetensors"), framework="np") as weights:
        name = next(key for key in weights.keys() if key.endswith("word_embeddings.weight"))  # noqa: SIM118
        table = weights.get_tensor(name).astype(np.float32)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    encodings = tokenizer.encode_batch([words[i] for i in positions], add_special_tokens=False)
    rows = np.stack([table[encoding.ids].mean(axis=0) for encoding in encodings])
    rows -= rows.mean(axis=0)
    if dimension < rows.shape[1]:
        # components of the word pieces' table itself, so that few words do not bend them
        centred = table - table.mean(axis=0)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        rows = rows @ vectors[:, ::-1][:, :dimension]
    elif dimension > rows.shape[1]:
        rows = np.pad(rows, ((0, 0), (0, dimension - rows.shape[1])))
    rows *= norm / (np.linalg.norm(rows, axis=1).mean() + 1e-9)
    return np.asarray(positions), rows.astype(np.float32)
