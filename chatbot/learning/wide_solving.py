"""The fast tier's linear model: its optimum over the labelled messages, and how loud it speaks beside the LSTM."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from chatbot.learning.classifier_data import Dataset
from chatbot.learning.linear_head import SparseRows, solve_sparse
from chatbot.neural.intent_classifier import IntentNetwork

_STRENGTH = 30.0  # the inverse of the ridge
_LOUDNESS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6)
_TEMPERATURES = (0.3, 0.45, 0.7, 1.0, 1.5, 2.2, 3.3)


def solve_wide(network: IntentNetwork, data: Dataset) -> None:
    """Give the network's linear model the weights that are best for its labelled messages and outliers.

    The outliers together weigh as much as an epoch shows of them.
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
    solved = solve_sparse(
        SparseRows(features, values, len(rarity)),
        data.targets[: data.n_labelled],
        classes=network.config.classes + 1,
        strength=_STRENGTH,
        weights=weights,
    )
    with torch.no_grad():
        network.wide_word.weight.copy_(solved[:words])
        network.wide_gram.weight.copy_(solved[words:])


@torch.no_grad()
def balance(network: IntentNetwork, data: Dataset) -> float:
    """Scale the linear model so that the mean of both fits the validation messages best; returns the factor.

    Each factor is judged at its own best temperature, as the calibration that follows will choose one.
    """
    targets = data.valid_targets()
    if network.wide_word is None or network.wide_gram is None or len(targets[targets >= 0]) < 50:
        return 1.0
    deep, wide, wanted = [], [], []
    for batch in data.validation_batches():
        known = batch.targets >= 0
        deep.append(network.head(network.features(batch))[known])
        wide.append(network.linear(batch)[known])
        wanted.append(batch.targets[known])
    by_lstm, by_words, right = torch.cat(deep), torch.cat(wide), torch.cat(wanted)

    def cost(factor: float) -> float:
        mixed = (by_lstm + factor * by_words) / 2
        return min(float(functional.cross_entropy(mixed / t, right)) for t in _TEMPERATURES)

    best = min(_LOUDNESS, key=cost)
    network.wide_word.weight.mul_(best)
    network.wide_gram.weight.mul_(best)
    return best
