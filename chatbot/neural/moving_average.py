"""The weights of a model averaged over its training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class MovingAverage:
    """Exponential moving average of the weights, faster at the start (min(decay, (1 + t) / (10 + t)))."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self.updates += 1
        weight = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        pairs = [
            (self.shadow[name], p.detach()) for name, p in model.named_parameters() if name in self.shadow
        ]
        torch._foreach_lerp_([average for average, _ in pairs], [value for _, value in pairs], weight)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """The model with the averaged weights, for validation; its own come back at the end."""
        own = {name: p.detach().clone() for name, p in model.named_parameters() if name in self.shadow}
        _assign(model, self.shadow)
        try:
            yield
        finally:
            _assign(model, own)


@torch.no_grad()
def _assign(model: nn.Module, values: dict[str, torch.Tensor]) -> None:
    for name, parameter in model.named_parameters():
        if name in values:
            parameter.copy_(values[name])
