"""A sequence of vectors → one vector: an LSTM in both directions, pooled by attention and by maximum.

Shared by both tiers of the intent classifier; the fast one reads its own embeddings, the accurate one the
token states of a sentence encoder. LSTM after Hochreiter & Schmidhuber 1997 with the forget gate of Gers et
al. 2000; additive attention after Lin et al. 2017, section 2; maximum after Conneau et al. 2017, section 3.2.
"""

from __future__ import annotations

import torch
from torch import nn

from chatbot.neural.batches import mask_of


class RecurrentPooling(nn.Module):
    """``width`` → ``4 * hidden``."""

    def __init__(self, width: int, *, hidden: int, attention: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(width, hidden, batch_first=True)
        self.backwards = nn.LSTM(width, hidden, batch_first=True)
        self.attend = nn.Linear(2 * hidden, attention)
        self.attend_score = nn.Linear(attention, 1, bias=False)
        for lstm in (self.forwards, self.backwards):
            for name, parameter in lstm.named_parameters():
                if name.startswith("weight_hh"):
                    nn.init.orthogonal_(parameter)
                elif name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(parameter)
                else:
                    nn.init.zeros_(parameter)
            # a forget gate that starts open lets gradients reach the beginning of a text (Gers et al. 2000)
            nn.init.ones_(lstm.get_parameter("bias_ih_l0")[hidden : 2 * hidden])

    def states(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """x [b, t, width] → states of both directions [b, t, 2h], exact whatever the padding.

        The backward direction reads each text mirrored within its own length: padding comes last for both.
        """
        steps = torch.arange(x.shape[1], device=x.device)
        mirrored = (lengths[:, None] - 1 - steps).where(steps < lengths[:, None], steps)[
            ..., None
        ]  # [b, t, 1]
        forwards, _ = self.forwards(x)
        backwards, _ = self.backwards(x.gather(1, mirrored.expand(-1, -1, x.shape[2])))
        backwards = backwards.gather(1, mirrored.expand(-1, -1, backwards.shape[2]))
        return torch.cat([forwards, backwards], dim=-1)

    def pool(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """States [b, t, 2h] under mask [b, t] → [b, 4h]: attention-weighted mean and maximum."""
        scores = self.attend_score(torch.tanh(self.attend(states))).squeeze(-1)  # [b, t]
        weights = scores.masked_fill(~mask, -1e9).softmax(dim=-1)
        attended = (weights[..., None] * states).sum(dim=1)  # [b, 2h]
        highest = states.masked_fill(~mask[..., None], -1e9).amax(dim=1)  # [b, 2h]
        return torch.cat([attended, highest], dim=-1)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        """x [b, t, width] → [b, 4h]; positions before ``starts`` are read and not pooled."""
        width = x.shape[1]
        return self.pool(self.states(x, lengths), mask_of(lengths, width) & ~mask_of(starts, width))
