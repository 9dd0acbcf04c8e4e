"""Attention that can copy: bilinear scores, plus a memory of what was copied so far, all steps at once.

The copy distribution is that of See, Liu & Manning 2017 (section 2.2), the score that of Luong et al. 2015
(section 3.1, "general"). What is added makes copying of whole phrases learnable in seconds instead of hours:
for every target step and source position it is known, from the ids alone, how many of the last target pieces
end right before that position (the *run*), and whether the position was copied already (hard coverage; See et
al., section 2.3, learn it from attention sums instead). Runs and coverage enter the score with weights that
depend on the decoder's state. They need no recurrence over attention, so training still computes all steps of
a reply in one matrix product.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LONGEST_RUN = 4


def copy_runs(source: Tensor, fed: Tensor) -> tuple[Tensor, Tensor]:
    """Runs and coverage for every step of a reply that is known (teacher forcing).

    source: int64 [batch, source]. fed: int64 [batch, target], what the decoder reads (the reply shifted
    right). Returns runs: uint8 [batch, target, source], 0..LONGEST_RUN: how many pieces before step t equal
    the pieces before position i. covered: bool, the same shape: position i was written by step t as part of a
    run of two or more.
    """
    same = F.pad(source, (1, 0), value=-1)[:, None, :-1] == fed[:, :, None]  # [batch, target, source]
    runs = same.to(torch.uint8)
    longer = same
    for _ in range(LONGEST_RUN - 1):
        longer = same & F.pad(longer, (1, 0, 1, 0))[:, :-1, :-1]
        runs = runs + longer
    written = F.pad(runs >= 2, (0, 1))[:, :, 1:]  # the piece at i was written if the run ends after it
    covered = written.to(torch.uint8).cummax(dim=1).values.bool()
    return runs, covered


def next_runs(source: Tensor, fed: Tensor, runs: Tensor, covered: Tensor) -> tuple[Tensor, Tensor]:
    """One step of ``copy_runs``, as serving needs it.

    source: int64 [1 or batch, source]. fed: int64 [batch]. runs, covered: float [batch, source] of the step
    before.
    """
    same = F.pad(source, (1, 0), value=-1)[:, :-1] == fed[:, None]  # [batch, source]
    grown = (F.pad(runs, (1, 0))[:, :-1] + 1).clamp(max=float(LONGEST_RUN))
    runs = torch.where(same, grown, torch.zeros_like(grown))
    written = F.pad((runs >= 2).to(covered.dtype), (0, 1))[:, 1:]
    return runs, torch.maximum(covered, written)


def sentence_starts(source: Tensor, ends: Tensor, opens: Tensor) -> Tensor:
    """Where a sentence begins: after a tag, or at an opening piece after one that ends a sentence.

    source: int64 [batch, source]. ends, opens: float [vocabulary], what each piece can do; a tag's ``ends`` is 2.
    Returns float [batch, source], 0 or 1.
    """
    before = F.pad(ends[source], (1, 0), value=2.0)[:, :-1]
    return ((before + opens[source]) >= 2).to(ends.dtype)


class CopyAttention(nn.Module):
    """Scores of decoder states against source positions, with copy runs, coverage and sentence starts."""

    def __init__(self, *, query: int, key: int) -> None:
        super().__init__()
        self.key = nn.Linear(key, query, bias=False)
        self.habits = nn.Linear(query, LONGEST_RUN + 2)  # weight of each run length, of coverage, of starts
        nn.init.zeros_(self.habits.weight)
        nn.init.zeros_(self.habits.bias)
        with torch.no_grad():
            self.habits.bias[:2] = 1.0
        self.scale = query**-0.5

    def keys(self, memory: Tensor) -> Tensor:
        """memory: [batch, source, key] → [batch, source, query], computed once a reply."""
        keys: Tensor = self.key(memory) * self.scale
        return keys

    def forward(
        self, states: Tensor, keys: Tensor, runs: Tensor, covered: Tensor, starts: Tensor, mask: Tensor
    ) -> Tensor:
        """Log attention [batch, target, source].

        states: [batch, target, query]. keys: [1 or batch, source, query]. runs, covered: [batch, target,
        source].
        starts: float [batch, target, source], 1 where a sentence of the reply and one of the sources begin.
        mask: bool [1 or batch, source], True at real positions.
        """
        scores = states @ keys.transpose(1, 2)  # [batch, target, source]
        habits = self.habits(states)  # [batch, target, runs + 2]
        for length in range(1, LONGEST_RUN + 1):
            scores = scores + habits[:, :, length - 1, None] * (runs >= length).to(scores.dtype)
        scores = scores + habits[:, :, LONGEST_RUN, None] * covered.to(scores.dtype)
        scores = scores + habits[:, :, LONGEST_RUN + 1, None] * starts
        scores = scores.masked_fill(~mask[:, None, :], -1e4)
        return F.log_softmax(scores, dim=-1)
