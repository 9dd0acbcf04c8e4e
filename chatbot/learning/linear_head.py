"""Logistic regression over sentence vectors or over words and n-grams, solved rather than trained.

With few examples it is the classifier to beat (Tian et al. 2020, "Rethinking few-shot image classification: a
good embedding is all you need?", section 3), and stochastic steps stop well short of its optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

_STEPS = 80
_STEPS_FROM_NEAR = 16


def solve_linear(
    vectors: NDArray[np.floating],
    targets: NDArray[np.integer],
    *,
    classes: int,
    strength: float = 30.0,
    weights: NDArray[np.floating] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit vectors [n, d] and their classes [n] → weight [classes, d] and bias [classes] of the logits.

    strength: inverse of the ridge on the weights (scikit-learn's ``C``). weights [n]: how much each text
    counts. L-BFGS on the whole set.
    """
    x = torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))
    begin = torch.zeros(x.shape[1], classes)
    weight, bias = _solve(
        lambda w: x @ w, lambda g: x.T @ g, begin, targets, strength, weights, steps=_STEPS, bias=True
    )
    return weight.T.contiguous(), bias


@dataclass(frozen=True)
class SparseRows:
    """Texts as sums of weighted features: row i holds ``features[i]`` with ``values[i]``."""

    features: Sequence[NDArray[np.integer]]
    values: Sequence[NDArray[np.floating]]
    width: int


def solve_sparse(
    rows: SparseRows,
    targets: NDArray[np.integer],
    *,
    classes: int,
    strength: float = 30.0,
    weights: NDArray[np.floating] | None = None,
) -> torch.Tensor:
    """As ``solve_linear``, over sparse rows and without a bias → weight [width, classes]; zero where a feature
    never occurs.
    """
    return next(solve_path(rows, targets, classes=classes, strengths=(strength,), weights=weights))


def solve_path(
    rows: SparseRows,
    targets: NDArray[np.integer],
    *,
    classes: int,
    strengths: Sequence[float],
    weights: NDArray[np.floating] | None = None,
) -> Iterator[torch.Tensor]:
    """``solve_sparse`` for several strengths, each when it is asked for and from the solution before, which needs a
    fifth of the steps (Friedman, Hastie & Tibshirani 2010, section 2.5).
    """
    counts = np.asarray([len(found) for found in rows.features])
    used, columns = np.unique(np.concatenate(rows.features), return_inverse=True)
    values = np.concatenate(rows.values).astype(np.float32)
    by_feature = np.argsort(columns, kind="stable")
    forward = _bags(columns, counts, values)
    backward = _bags(
        np.repeat(np.arange(len(counts)), counts)[by_feature], np.bincount(columns), values[by_feature]
    )
    weight, steps = torch.zeros(len(used), classes), _STEPS
    for strength in strengths:
        weight, _ = _solve(forward, backward, weight, targets, strength, weights, steps=steps, bias=False)
        steps = _STEPS_FROM_NEAR
        out = torch.zeros(rows.width, classes)
        out[torch.from_numpy(used)] = weight
        yield out


def _bags(
    members: NDArray[np.integer], counts: NDArray[np.integer], values: NDArray[np.floating]
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The product with a sparse matrix: ``counts`` members a row, each with its value."""
    places = torch.from_numpy(members.astype(np.int64))
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64))
    shares = torch.from_numpy(values)
    return lambda table: functional.embedding_bag(
        places, table, offsets, mode="sum", per_sample_weights=shares
    )


def _solve(
    forward: Callable[[torch.Tensor], torch.Tensor],
    backward: Callable[[torch.Tensor], torch.Tensor],
    begin: torch.Tensor,
    targets: NDArray[np.integer],
    strength: float,
    weights: NDArray[np.floating] | None,
    *,
    steps: int,
    bias: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """L-BFGS with the gradient written out: a sparse product needs no record of what it was made from.

    forward: weight [width, classes] → logits [n, classes]; backward: their gradient → the weight's.
    """
    y = torch.from_numpy(np.asarray(targets, dtype=np.int64))
    n = len(y)
    each = torch.ones(n) if weights is None else torch.from_numpy(np.asarray(weights, np.float32))
    weight, shift = begin.clone(), torch.zeros(begin.shape[1])
    optimizer = torch.optim.LBFGS(
        [weight, shift], max_iter=steps, line_search_fn="strong_wolfe", tolerance_grad=1e-5
    )

    def loss() -> float:
        logp = functional.log_softmax(forward(weight) + shift, dim=-1)
        errors = -logp.gather(1, y[:, None])[:, 0]
        blame = logp.exp()
        blame[torch.arange(n), y] -= 1
        blame *= each[:, None] / n
        weight.grad = backward(blame) + weight / (strength * n)
        shift.grad = blame.sum(0) if bias else torch.zeros_like(shift)
        return float((errors * each).sum() / n + weight.square().sum() / (2 * strength * n))

    with torch.no_grad():
        optimizer.step(loss)
    return weight, shift
