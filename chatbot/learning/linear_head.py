"""Logistic regression over sentence vectors, solved rather than trained.

With few examples it is the classifier to beat (Tian et al. 2020, "Rethinking few-shot image classification: a
good embedding is all you need?", section 3), and stochastic steps stop well short of its optimum.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

_STEPS = 80


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
    y = torch.from_numpy(np.asarray(targets, dtype=np.int64))
    each = torch.ones(len(x)) if weights is None else torch.from_numpy(np.asarray(weights, np.float32))
    weight = torch.zeros(classes, x.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe", tolerance_grad=1e-5
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        errors = functional.cross_entropy(functional.linear(x, weight, bias), y, reduction="none")
        value = ((errors * each).sum() + weight.square().sum() / (2 * strength)) / len(x)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)
    return weight.detach(), bias.detach()
