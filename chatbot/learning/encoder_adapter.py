"""A pretrained sentence encoder adapted to a company: one square matrix behind it, trained on the company's questions.

The encoder stays as it is; its vectors v become (v + vA) / ‖v + vA‖, A starting at zero. Trained with the domain
encoder's loss (symmetric InfoNCE, texts of one article no negatives of each other) on vectors that are there already,
in numpy with the gradient written out: a retraining pays one or two seconds for it, and no torch in the process that
holds the index. It serves as `chatbot.inference.encode.AdaptedEncoder`; vectors are stored as the encoder made them,
so that another matrix (every retraining brings one) encodes no text again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import InputError
from chatbot.learning.domain_encoder import Positive

MIN_POSITIVES = 50
_MASKED = -1e4

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """Chosen on held-out questions of covidfaq, flodial, feedbackqa and bq_zh (docs/retrieval.md)."""

    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    many: int = 20_000  # positives, from which on they hold the matrix back themselves
    dropout_of_many: float = 0.1
    temperature: float = 0.05
    batch_size: int = 128
    epochs: int = 10
    max_steps: int = 400  # of some 5 ms at 384 dimensions

    def __post_init__(self) -> None:
        for name in ("learning_rate", "temperature", "batch_size", "epochs", "max_steps"):
            if getattr(self, name) <= 0:
                raise InputError("Must be above 0", field=name, value=getattr(self, name))
        for name in ("dropout", "dropout_of_many"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError("A share from 0 to below 1", field=name, value=getattr(self, name))


def fit_adapter(
    positives: Sequence[Positive],
    vectors: Mapping[str, Vectors],
    *,
    seed: int,
    settings: AdapterSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> Vectors | None:
    """The matrix I + A, float32 [dimension, dimension]; None where there are too few positives to learn from.

    ``vectors``: the unit vector [dimension] of every text of ``positives``.
    """
    if len(positives) < MIN_POSITIVES:
        return None
    settings = settings or AdapterSettings()
    tell = progress or (lambda share: None)
    numbers = {group: number for number, group in enumerate(dict.fromkeys(item.group for item in positives))}
    groups = np.array([numbers[item.group] for item in positives])
    first = np.stack([vectors[item.first] for item in positives])  # [positives, dimension]
    second = np.stack([vectors[item.second] for item in positives])
    rng = np.random.default_rng(seed)
    many = len(positives) >= settings.many
    kept = np.float32(1 - (settings.dropout_of_many if many else settings.dropout))

    def dropped(rows: Vectors) -> Vectors:
        result: Vectors = rows * (rng.random(rows.shape, dtype=np.float32) < kept) / kept
        return result

    dimension = first.shape[1]
    change, mean, square = (np.zeros((dimension, dimension), dtype=np.float32) for _ in range(3))
    total = min(settings.max_steps, settings.epochs * -(-len(positives) // settings.batch_size))
    step = 0
    while step < total:
        order = rng.permutation(len(positives))
        for begin in range(0, len(order), settings.batch_size):
            batch = order[begin : begin + settings.batch_size]
            if step == total:
                break
            step += 1
            if len(batch) < 2:
                continue
            one, other = dropped(first[batch]), dropped(second[batch])
            one_in, other_in = dropped(one), dropped(other)
            gradient = _gradient(
                (one, one_in), (other, other_in), change, groups[batch], settings.temperature
            )
            rate = settings.learning_rate * min(1.0, 10 * step / total) * (1 - (step - 1) / total)
            # AdamW (Loshchilov & Hutter 2019)
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            change *= np.float32(1 - rate * settings.weight_decay)
            change -= np.float32(rate / (1 - 0.9**step)) * mean / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        tell(step / total)
    matrix: Vectors = np.eye(dimension, dtype=np.float32) + change
    return matrix


def _gradient(
    one: tuple[Vectors, Vectors],
    other: tuple[Vectors, Vectors],
    change: Vectors,
    groups: NDArray[np.int64],
    temperature: float,
) -> Vectors:
    """Of the loss by A, float32 [dimension, dimension]. ``one`` and ``other``: the batch's rows and what of them A
    sees, float32 [batch, dimension] each."""
    u, u_length = _unit(one[0] + one[1] @ change)
    v, v_length = _unit(other[0] + other[1] @ change)
    scores = u @ v.T / temperature  # [batch, batch]
    same = groups[:, None] == groups[None, :]
    np.fill_diagonal(same, False)
    scores[same] = _MASKED
    by_row = np.exp(scores - scores.max(axis=1, keepdims=True))
    by_row /= by_row.sum(axis=1, keepdims=True)
    by_column = np.exp(scores - scores.max(axis=0, keepdims=True))
    by_column /= by_column.sum(axis=0, keepdims=True)
    pull = (by_row + by_column) / 2
    pull[np.diag_indices(len(pull))] -= 1
    pull /= len(pull) * temperature
    to_u, to_v = pull @ v, pull.T @ u  # [batch, dimension]
    to_u = (to_u - (to_u * u).sum(axis=1, keepdims=True) * u) / u_length  # through the scaling to unit length
    to_v = (to_v - (to_v * v).sum(axis=1, keepdims=True) * v) / v_length
    gradient: Vectors = one[1].T @ to_u + other[1].T @ to_v
    return gradient


def _unit(rows: Vectors) -> tuple[Vectors, Vectors]:
    """The rows at unit length, and their lengths [batch, 1]."""
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    return rows / lengths, lengths
