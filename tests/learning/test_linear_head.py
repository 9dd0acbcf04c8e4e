from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from chatbot.learning.linear_head import SparseRows, solve_linear, solve_sparse


def directions(n: int = 240, classes: int = 4, width: int = 12) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    targets = np.arange(n) % classes
    vectors = random.normal(size=(classes, width))[targets] + random.normal(size=(n, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), targets


def test_the_solution_is_an_optimum():
    vectors, targets = directions()
    weight, bias = solve_linear(vectors, targets, classes=4, strength=3.0)
    weight.requires_grad_(True)
    x, y = torch.from_numpy(vectors).float(), torch.from_numpy(targets)
    loss = functional.cross_entropy(functional.linear(x, weight, bias), y, reduction="sum")
    (loss + weight.square().sum() / 6).backward()
    assert weight.grad is not None
    assert float(weight.grad.abs().max()) < 0.02 * len(targets) ** 0.5
    assert (functional.linear(x, weight, bias).argmax(1) == y).float().mean() > 0.8


def test_a_text_that_counts_nothing_changes_nothing():
    vectors, targets = directions()
    wrong = np.concatenate([targets, (targets + 1) % 4])
    weights = np.concatenate([np.ones(len(targets)), np.zeros(len(targets))])
    twice = np.concatenate([vectors, vectors])
    with_noise, _ = solve_linear(twice, wrong, classes=4, weights=weights, strength=3.0)
    without, _ = solve_linear(vectors, targets, classes=4, strength=3.0)
    assert torch.allclose(with_noise, without, atol=0.02)


def test_the_solution_over_sparse_rows_is_an_optimum_and_zero_for_features_that_never_occur():
    random = np.random.default_rng(5)
    dense = random.normal(size=(60, 7)) * (random.random((60, 7)) < 0.4)
    dense[:, 6] = 1.0
    targets = random.integers(0, 3, 60)
    features = [np.flatnonzero(row) for row in dense]
    rows = SparseRows(features, [row[found] for row, found in zip(dense, features, strict=True)], width=9)
    weight = solve_sparse(rows, targets, classes=3, strength=2.0)
    assert weight.shape == (9, 3)
    assert not weight[7:].any()
    weight = weight[:7].requires_grad_(True)
    x, y = torch.from_numpy(dense).float(), torch.from_numpy(targets)
    (functional.cross_entropy(x @ weight, y, reduction="sum") + weight.square().sum() / 4).backward()
    assert float(weight.grad.abs().max()) < 0.05
