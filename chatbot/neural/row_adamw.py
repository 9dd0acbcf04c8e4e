"""AdamW that touches only the rows of an embedding that a batch has read.

A batch of short messages reads some hundred of the tens of thousands of rows of a hashed table, and a dense update
costs as much as the LSTM itself. Rows with a sparse gradient get Adam's update (Kingma & Ba 2015, algorithm 1) with
the moments they had when they were last read ("lazy" Adam, as torch.optim.SparseAdam does), without weight decay; every
other parameter is AdamW's (Loshchilov & Hutter 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class RowAdamW(torch.optim.AdamW):
    """Takes the same arguments as AdamW; its state has the same slots, whichever way a parameter is updated."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.grad.is_sparse:
                    self._update_rows(parameter, group)
                    parameter.grad = None  # so that AdamW passes it over
        return super().step(closure)

    def _update_rows(self, parameter: torch.Tensor, group: dict[str, Any]) -> None:
        gradient = parameter.grad.coalesce()  # type: ignore[union-attr]
        rows, values = gradient.indices()[0], gradient.values()
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        step = float(state["step"])
        first, second = group["betas"]
        mean = state["exp_avg"][rows].lerp_(values, 1 - first)
        square = state["exp_avg_sq"][rows].mul_(second).addcmul_(values, values, value=1 - second)
        state["exp_avg"][rows] = mean
        state["exp_avg_sq"][rows] = square
        spread = square.sqrt_().div_((1 - second**step) ** 0.5).add_(group["eps"])
        parameter.index_add_(0, rows, mean.div_(spread), alpha=-float(group["lr"]) / (1 - first**step))
