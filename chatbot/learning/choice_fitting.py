"""Fitting what each signal of a candidate reply is worth (chatbot/inference/reply_choice.py), on held-back turns.

The choice is drawn from the softmax of the weighed signals, and the log of what it is worth on average is made as
large as it can be: by the candidates' likeness to what the agent said, or, for ranking, by the one true reply among a
hundred (a conditional logit, McFadden 1974).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.inference.reply_choice import SIGNALS

_STEPS, _RATE = 300, 0.05
_RIDGE = 0.01
_SHARPNESS = 3.0  # of the softmax, so that the weights come out near one


def fit_weights(
    signals: Sequence[NDArray[np.float32]], worth: Sequence[NDArray[np.floating]]
) -> NDArray[np.float32]:
    """Candidates' signals [n, len(SIGNALS)] and their worth [n] (0..1), a pair for each turn → weights."""
    most = max(len(each) for each in signals)
    x = torch.zeros(len(signals), most, len(SIGNALS))
    absent = torch.full((len(signals), most), -1e9)
    gain = torch.zeros(len(signals), most)
    for place, (each, values) in enumerate(zip(signals, worth, strict=True)):
        x[place, : len(each)] = torch.from_numpy(each)
        absent[place, : len(each)] = 0
        gain[place, : len(each)] = torch.from_numpy(np.asarray(values, np.float32))
    weights = torch.zeros(len(SIGNALS), requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=_RATE)
    for _ in range(_STEPS):
        chosen = (_SHARPNESS * (x @ weights) + absent).softmax(dim=1)
        loss = -((chosen * gain).sum(dim=1) + 1e-9).log().mean() + _RIDGE * weights.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found: NDArray[np.float32] = weights.detach().numpy()
    return found
