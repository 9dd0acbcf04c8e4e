"""A model's parameters before a step: which of them decay, and how long their gradient may be."""

from __future__ import annotations

from typing import Any

from torch import nn

from chatbot.neural.fit_settings import FitSettings


def parameter_groups(model: nn.Module, settings: FitSettings) -> list[dict[str, Any]]:
    """Two groups: matrices with weight decay; embeddings, biases and norms (all vectors) without.

    A model with its own ``parameter_groups(settings)`` (layer-wise learning rates) is asked instead; its
    groups' ``lr`` are peaks of the schedule.
    """
    own = getattr(model, "parameter_groups", None)
    if callable(own):
        return list(own(settings))
    embedded = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag)
        for parameter in module.parameters()
    }
    decayed: list[nn.Parameter] = []
    plain: list[nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            (plain if parameter.ndim < 2 or id(parameter) in embedded else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def clip_gradients(model: nn.Module, limit: float) -> None:
    """Scale the gradients down to the norm ``limit`` (Pascanu et al. 2013, section 3.2); of an embedding's rows Adam
    bounds each step by itself.
    """
    dense = [p for p in model.parameters() if p.grad is not None and not p.grad.is_sparse]
    nn.utils.clip_grad_norm_(dense, limit)
