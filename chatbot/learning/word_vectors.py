"""What the packaged sentence encoder knows about single words: vectors to start from, and neighbours.

A word's vector is the mean of its word pieces' rows in the encoder's input table, reduced to the wanted
dimension by principal components. On BANKING77 this start is worth about one point (it knows that "cash" and
"money" are near each other before it has seen either in training). Words of other scripts keep their random
start.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

log = logging.getLogger(__name__)

_WORD = re.compile(r"[a-z]{3,}")


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
    table, tokenizer = _table(folder), _tokenizer(folder)
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


def encoder_neighbours(
    words: Sequence[str], folder: Path, *, most: int = 8, least_cosine: float = 0.35
) -> dict[str, tuple[str, ...]]:
    """For each word that is one piece of the encoder's: the nearest whole-word pieces, nearest first."""
    table, tokenizer = _table(folder), _tokenizer(folder)
    pieces = {piece: row for piece, row in tokenizer.get_vocab().items() if _WORD.fullmatch(piece)}
    names = sorted(pieces)
    rows = table[[pieces[name] for name in names]]
    rows = rows - rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    place = {name: i for i, name in enumerate(names)}
    asked = [word for word in dict.fromkeys(words) if word in place]
    found: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(asked), 512):
        part = asked[start : start + 512]
        cosines = rows[[place[word] for word in part]] @ rows.T  # [n, vocabulary]
        best = np.argpartition(-cosines, most + 1, axis=1)[:, : most + 1]
        for word, row, columns in zip(part, cosines, best, strict=True):
            ranked = sorted((c for c in columns if names[c] != word), key=lambda c: -row[c])
            near = tuple(names[c] for c in ranked if row[c] >= least_cosine)
            if near:
                found[word] = near
    return found


def _table(folder: Path) -> NDArray[np.float32]:
    with safe_open(str(folder / "model.safetensors"), framework="np") as weights:
        name = next(key for key in weights.keys() if key.endswith("word_embeddings.weight"))  # noqa: SIM118
        table: NDArray[np.float32] = weights.get_tensor(name).astype(np.float32)
    return table


def _tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return tokenizer
