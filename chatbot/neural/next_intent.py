"""What comes next in a conversation: an LSTM over its events (chatbot/inference/next_intent.py says what an event is).

Each step reads an event's embedding and the mean of its words' embeddings, and predicts the next event: a session-based
recommender (Hidasi et al. 2016) with words beside the items. It begins as what counting the followers of each name
says, so that a training of a second already knows as much, and learns what the words and the names before add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class NextIntentConfig:
    """``names``: classes, of which row 0 is the start and what is not known. ``buckets``: of hashed words."""

    names: int
    buckets: int
    embedding: int = 64
    words: int = 96
    units: int = 128
    dropout: float = 0.3
    word_dropout: float = 0.15  # share of events read without their words, so that names alone say something


@dataclass(frozen=True)
class EventBatch:
    """names [b, t] and wanted [b, t] (-100 where there is nothing to predict); words [b, t, w], 0 is padding."""

    names: Tensor
    words: Tensor
    wanted: Tensor
    n_tokens: int

    def to(self, device: torch.device) -> EventBatch:
        if self.names.device == device:
            return self
        return EventBatch(self.names.to(device), self.words.to(device), self.wanted.to(device), self.n_tokens)


class NextIntentNetwork(nn.Module):
    def __init__(self, config: NextIntentConfig) -> None:
        super().__init__()
        self.config = config
        self.names = nn.Embedding(config.names, config.embedding)
        self.words = nn.Embedding(config.buckets, config.words, padding_idx=0)
        self.lstm = nn.LSTM(config.embedding + config.words, config.units, batch_first=True)
        self.out = nn.Linear(config.units, config.names)
        self.dropout = nn.Dropout(config.dropout)
        self.counted: Tensor
        self.register_buffer("counted", torch.zeros(config.names, config.names))
        nn.init.normal_(self.names.weight, std=config.embedding**-0.5)
        nn.init.normal_(self.words.weight, std=config.words**-0.5)
        with torch.no_grad():
            self.words.weight[0].zero_()

    def begin_with(self, counted: Tensor) -> None:
        """counted [names, names]: the logarithm of how likely each name follows each, by counts. The rest says
        nothing yet."""
        self.counted.copy_(counted)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, names: Tensor, words: Tensor) -> Tensor:
        """names [b, t], words [b, t, w] → logits [b, t, names]."""
        count = (words != 0).sum(dim=-1, keepdim=True).clamp(min=1)  # [b, t, 1]
        said = self.words(words).sum(dim=2) / count.sqrt()  # [b, t, words]
        if self.training and self.config.word_dropout:
            said = said * (torch.rand_like(said[:, :, :1]) >= self.config.word_dropout)
        x = self.dropout(torch.cat([self.names(names), said], dim=-1))
        states, _ = self.lstm(x)  # [b, t, units]
        logits: Tensor = self.out(self.dropout(states)) + self.counted[names]
        return logits

    def loss(self, batch: EventBatch) -> Tensor:
        logits = self(batch.names, batch.words)
        return F.cross_entropy(
            logits.flatten(0, 1).float(), batch.wanted.flatten(), ignore_index=-100, label_smoothing=0.05
        )


def event_batch(rows: Sequence[tuple[list[int], list[list[int]], list[int]]]) -> EventBatch:
    """(names, words of each, wanted) of several conversations → one padded batch."""
    longest = max(len(names) for names, _, _ in rows)
    width = max(1, max(len(bag) for _, bags, _ in rows for bag in bags))
    names = torch.zeros(len(rows), longest, dtype=torch.long)
    words = torch.zeros(len(rows), longest, width, dtype=torch.long)
    wanted = torch.full((len(rows), longest), -100, dtype=torch.long)
    for place, (ids, bags, targets) in enumerate(rows):
        names[place, : len(ids)] = torch.tensor(ids)
        wanted[place, : len(targets)] = torch.tensor(targets)
        for step, bag in enumerate(bags):
            words[place, step, : len(bag)] = torch.tensor(bag, dtype=torch.long)
    return EventBatch(names, words, wanted, sum(len(ids) for ids, _, _ in rows))
