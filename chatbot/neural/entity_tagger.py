"""A tagger of entities: bidirectional LSTM, and a conditional random field over its scores (Huang, Xu and Yu 2015;
Lample et al. 2016, section 2). Pieces and features: chatbot/language/entity_tags.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from chatbot.language.entity_tags import SHAPE, allowed

_NEVER = -1e4  # the score of a transition that cannot be


@dataclass(frozen=True)
class TaggerConfig:
    """``tags``: OUTSIDE first. ``buckets``: of hashed features."""

    tags: tuple[str, ...]
    buckets: int
    embedding: int = 64
    units: int = 64  # of each direction
    dropout: float = 0.3
    word_dropout: float = 0.3  # share of pieces of which the shape alone is read: the words around have to do


@dataclass(frozen=True)
class TaggedBatch:
    """features [b, t, w] (0 is padding), lengths [b], tags [b, t]."""

    features: Tensor
    lengths: Tensor
    tags: Tensor
    n_tokens: int

    def to(self, device: torch.device) -> TaggedBatch:
        if self.features.device == device:
            return self
        return TaggedBatch(
            self.features.to(device), self.lengths.to(device), self.tags.to(device), self.n_tokens
        )


class EntityNetwork(nn.Module):
    cannot_follow: Tensor
    cannot_begin: Tensor

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__()
        self.config = config
        count = len(config.tags)
        self.features = nn.Embedding(config.buckets, config.embedding, padding_idx=0)
        self.lstm = nn.LSTM(config.embedding, config.units, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * config.units, count)
        self.dropout = nn.Dropout(config.dropout)
        self.follow = nn.Parameter(torch.zeros(count, count))  # from, to
        self.begin = nn.Parameter(torch.zeros(count))
        follows, begins = allowed(config.tags)
        self.register_buffer("cannot_follow", ~torch.tensor(follows))
        self.register_buffer("cannot_begin", ~torch.tensor(begins))
        nn.init.normal_(self.features.weight, std=0.1)  # a feature never met says next to nothing
        with torch.no_grad():
            self.features.weight[0].zero_()

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """features [b, t, w], lengths [b] → scores of each tag [b, t, k]."""
        count = (features != 0).sum(dim=-1, keepdim=True).clamp(min=1)  # [b, t, 1]
        if self.training and self.config.word_dropout:
            known = torch.rand(features.shape[:2], device=features.device) >= self.config.word_dropout
            shape = features[:, :, SHAPE : SHAPE + 1]
            features = features * known[:, :, None]
            features = torch.cat([features[:, :, :SHAPE], shape, features[:, :, SHAPE + 1 :]], dim=-1)
        x = self.dropout(self.features(features).sum(dim=2) / count.sqrt())
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=features.shape[1]
        )
        scores: Tensor = self.out(self.dropout(states))
        return scores

    def transitions(self) -> tuple[Tensor, Tensor]:
        """From tag to tag [k, k], and into the first piece's tag [k]; what cannot be is as good as never."""
        return (
            self.follow.masked_fill(self.cannot_follow, _NEVER),
            self.begin.masked_fill(self.cannot_begin, _NEVER),
        )

    def loss(self, batch: TaggedBatch) -> Tensor:
        """Negative log-likelihood of the tags, a piece."""
        scores = self(batch.features, batch.lengths).float()
        follow, begin = self.transitions()
        mask = torch.arange(scores.shape[1], device=scores.device) < batch.lengths[:, None]  # [b, t]
        said = scores.gather(2, batch.tags[:, :, None])[:, :, 0]  # [b, t]
        gold = begin[batch.tags[:, 0]] + (said * mask).sum(dim=1)
        gold = gold + (follow[batch.tags[:, :-1], batch.tags[:, 1:]] * mask[:, 1:]).sum(dim=1)
        total = begin + scores[:, 0]  # [b, k]
        for at in range(1, scores.shape[1]):
            further = torch.logsumexp(total[:, :, None] + follow, dim=1) + scores[:, at]
            total = torch.where(mask[:, at, None], further, total)
        return (torch.logsumexp(total, dim=1) - gold).sum() / batch.lengths.sum()


def tagged_batch(rows: Sequence[tuple[Sequence[Sequence[int]], Sequence[int]]]) -> TaggedBatch:
    """(features of each piece, its tag) of several texts → one padded batch."""
    longest = max(len(tags) for _, tags in rows)
    width = max(len(bag) for bags, _ in rows for bag in bags)
    features = np.zeros((len(rows), longest, width), dtype=np.int64)
    tags = np.zeros((len(rows), longest), dtype=np.int64)
    for place, (bags, told) in enumerate(rows):
        tags[place, : len(told)] = told
        for at, bag in enumerate(bags):
            features[place, at, : len(bag)] = bag
    lengths = [len(told) for _, told in rows]
    return TaggedBatch(
        torch.from_numpy(features), torch.tensor(lengths), torch.from_numpy(tags), sum(lengths)
    )
