"""AdamW that touches only the rows of an embedding that a batch has read.

A batch of short messages reads some thousand of the tens of thousands of rows of a hashed table, and a dense update
costs as much as the LSTM itself. Rows with a sparse gradient are scaled by Adam's second moment (Kingma & Ba 2015,
algorithm 1), one a row instead of one a number (the mean of the row's squares, after Gupta et al. 2014, "Training
highly multiclass classifiers"), as it was when they were last read, without momentum and weight decay: to read and
write two more tables would be a fifth of a step. Every other parameter is AdamW's (Loshchilov & Hutter 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class RowAdamW(torch.optim.AdamW):
    """Takes the same arguments as AdamW."""

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
            state["exp_avg_sq"] = torch.zeros_like(parameter[:, :1])  # one a row
        state["step"] += 1
        decay = group["betas"][1]
        found = values.square().mean(dim=1, keepdim=True)  # [rows, 1]
        square = state["exp_avg_sq"].index_select(0, rows).lerp_(found, 1 - decay)
        state["exp_avg_sq"].index_copy_(0, rows, square)
        spread = square.div_(1 - decay ** float(state["step"])).sqrt_().add_(group["eps"])
        parameter.index_add_(0, rows, values.div(spread), alpha=-float(group["lr"]))
