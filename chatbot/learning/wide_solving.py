"""The fast tier's linear model: its optimum over the labelled messages, and how loud it speaks beside the LSTM."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from chatbot.learning.classifier_data import Dataset
from chatbot.learning.linear_head import SparseRows, solve_path
from chatbot.neural.batches import TextBatch
from chatbot.neural.intent_classifier import IntentNetwork

log = logging.getLogger(__name__)

# inverses of the ridge: few classes with noisy labels want the small ones
_STRENGTHS = (30.0, 10.0, 3.0, 1.0, 0.3)
_ENOUGH = 50  # validation messages
LOUDNESS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0, 22.0)
_PULL = 4.0  # messages
_TEMPERATURES = (0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.2, 3.3)


def solve_wide(network: IntentNetwork, data: Dataset) -> None:
    """Give the network's linear model the weights that are best for its labelled messages and outliers.

    The outliers together weigh as much as an epoch shows of them. How strongly the weights are held back is chosen by
    the validation messages, where there are some.
    """
    if network.wide_word is None or network.wide_gram is None:
        return
    word_rarity, gram_rarity = data.rarity()
    network.get_buffer("word_rarity").copy_(word_rarity)
    network.get_buffer("gram_rarity").copy_(gram_rarity)
    rarity = np.concatenate([word_rarity.numpy(), gram_rarity.numpy()])
    words, features, values = len(word_rarity), [], []
    for row in data.labelled_rows():
        own, grams = data.collator.features(row)
        found = np.concatenate([own, grams + words])
        value = rarity[found]
        features.append(found)
        values.append(value / max(1e-3, float(np.sqrt(np.square(value).sum()))))
    outliers = data.n_labelled - data.n_inside
    weights = np.ones(data.n_labelled, np.float32)
    if outliers:
        weights[data.n_inside :] = min(1.0, data.recipe.outlier_share * data.n_inside / outliers)
    checks = data.validation_batches() if _enough(data) else []
    best: tuple[float, torch.Tensor] | None = None
    strengths = _STRENGTHS if checks else _STRENGTHS[:1]
    path = solve_path(
        SparseRows(features, values, len(rarity)),
        data.targets[: data.n_labelled],
        classes=network.config.classes + 1,
        strengths=strengths,
        weights=weights,
    )
    for strength, solved in zip(strengths, path, strict=True):
        _set_wide(network, solved)
        loss = cost(*_linear_logits(network, checks)) if checks else 0.0
        log.info("the linear model at strength %g: log-loss %.4f", strength, loss)
        if best is not None and loss >= best[0]:
            break
        best = loss, solved
    assert best
    _set_wide(network, best[1])


@torch.no_grad()
def balance(network: IntentNetwork, data: Dataset) -> float:
    """Scale the linear model so that the mean of both fits the validation messages best; returns the factor.

    Each factor is judged at its own best temperature, as the calibration that follows will choose one.
    """
    if network.wide_word is None or network.wide_gram is None or not _enough(data):
        return 1.0
    checks = data.validation_batches()
    deep = [network.head(network.features(batch))[batch.targets >= 0] for batch in checks]
    by_lstm, (by_words, right) = torch.cat(deep), _linear_logits(network, checks)
    best = min(LOUDNESS, key=lambda factor: cost((by_lstm + factor * by_words) / 2, right))
    network.wide_word.weight.mul_(best)
    network.wide_gram.weight.mul_(best)
    return best


@torch.no_grad()
def _set_wide(network: IntentNetwork, weight: torch.Tensor) -> None:
    """Weight [words + n-grams, classes + 1] → the network's two tables."""
    if network.wide_word is None or network.wide_gram is None:
        return
    words = len(network.wide_word.weight)
    network.wide_word.weight.copy_(weight[:words])
    network.wide_gram.weight.copy_(weight[words:])


@torch.no_grad()
def _linear_logits(network: IntentNetwork, checks: Sequence[TextBatch]) -> tuple[torch.Tensor, torch.Tensor]:
    """The linear model's logits [n, classes + 1] of the messages in ``checks``, and their classes [n]."""
    logits = torch.cat([network.linear(batch) for batch in checks])
    targets = torch.cat([batch.targets for batch in checks])
    return logits[targets >= 0], targets[targets >= 0]


def _enough(data: Dataset) -> bool:
    """Whether there are validation messages enough to choose by."""
    return int((data.valid_targets() >= 0).sum()) >= _ENOUGH


def cost(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """The mean log-loss at the best temperature, which is pulled to 1 as `fit_temperature` does: some dozen messages
    that are all right are no reason for 0.05."""
    n = max(1, len(targets))
    return min(
        float(functional.cross_entropy(logits / t, targets)) + _PULL * math.log(t) ** 2 / n
        for t in _TEMPERATURES
    )
