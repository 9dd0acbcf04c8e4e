from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from chatbot.learning.linear_head import solve_linear


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
