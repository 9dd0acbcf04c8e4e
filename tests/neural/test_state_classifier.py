from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from chatbot.neural import state_classifier
from chatbot.neural.state_classifier import PieceBatch, StateConfig, TunedNetwork


class Listening(nn.Module):
    """An encoder that notes whether it was asked to compute in half precision."""

    def __init__(self) -> None:
        super().__init__()
        self.states = nn.Embedding(10, 8)
        self.half: list[bool] = []

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        self.half.append(torch.is_autocast_enabled("cpu"))
        return SimpleNamespace(last_hidden_state=self.states(input_ids))


@pytest.mark.parametrize("native", [True, False])
def test_the_encoder_computes_in_bfloat16_only_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    monkeypatch.setattr(state_classifier, "fast_bfloat16", lambda: native)
    encoder = Listening()
    network = TunedNetwork(encoder, StateConfig(classes=2, width=8, hidden=4))
    network(PieceBatch.of([[1, 2, 3], [4]], [0, 1]))
    assert encoder.half == [native]
