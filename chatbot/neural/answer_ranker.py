"""A dual encoder over situations and answers: which of many past answers fits here?

Two bidirectional LSTMs, one for the situation (turns and look-ups, laid out as for the generator), one for the answer;
mean and maximum of their states, and where it is asked for the mean of the pieces' embeddings, projected to one
space. Trained with in-batch negatives (Henderson et al. 2017, section 3.4: every other answer of the batch is wrong),
both ways round; answers that repeat in the batch are all right. Starts from the response generator's encoder, which
has read the same texts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from chatbot.neural.response_generator import ResponseGeneratorNetwork


@dataclass(frozen=True)
class RankerConfig:
    vocabulary: int
    embedding: int = 192
    units: int = 128  # a direction
    dimension: int = 192
    dropout: float = 0.1
    words: bool = False  # the mean of the pieces' embeddings, beside the states: it learns in fewer steps
    scale: float = 16.0  # cosines are multiplied by this at the start; it is learned
    pad: int = 0


@dataclass(frozen=True)
class PairBatch:
    """Situations with the answers that were given, a row each; equal answers have equal numbers."""

    situations: Tensor  # int64 [batch, source]
    answers: Tensor  # int64 [batch, target]
    numbers: Tensor  # int64 [batch]
    n_tokens: int

    def to(self, device: torch.device) -> PairBatch:
        if self.situations.device == device:
            return self
        return PairBatch(
            self.situations.to(device), self.answers.to(device), self.numbers.to(device), self.n_tokens
        )


class Tower(nn.Module):
    """Ids [batch, length] → unit vectors [batch, dimension]."""

    def __init__(self, config: RankerConfig) -> None:
        super().__init__()
        self.pad = config.pad
        self.embedding = nn.Embedding(config.vocabulary, config.embedding, padding_idx=config.pad)
        self.encoder = nn.LSTM(config.embedding, config.units, batch_first=True, bidirectional=True)
        self.words = config.words
        self.reads_order = True  # False: the states count for nothing, and are not computed
        own = config.embedding if config.words else 0
        self.project = nn.Linear(4 * config.units + own, config.dimension)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, ids: Tensor) -> Tensor:
        real = (ids != self.pad)[:, :, None]
        read = self.embedding(ids)  # [batch, length, embedding]
        length = real.sum(dim=1).clamp(min=1)
        if self.reads_order:
            states, _ = self.encoder(self.dropout(read))  # [batch, length, 2 * units]
            mean = (states * real).sum(dim=1) / length
            parts = [mean, states.masked_fill(~real, -1.0).amax(dim=1)]  # [batch, 2 * units] each
        else:
            parts = [read.new_zeros(len(ids), 4 * self.encoder.hidden_size)]
        if self.words:
            parts.append((read * real).sum(dim=1) / length * read.shape[-1] ** 0.5)  # [batch, embedding]
        pooled = self.dropout(torch.cat(parts, dim=-1))
        return F.normalize(self.project(pooled).float(), dim=-1)


class AnswerRankerNetwork(nn.Module):
    def __init__(self, config: RankerConfig) -> None:
        super().__init__()
        self.config = config
        self.situation = Tower(config)
        self.answer = Tower(config)
        self.log_scale = nn.Parameter(torch.tensor(config.scale).log())

    def start_from(self, generator: ResponseGeneratorNetwork) -> None:
        """Take over the generator's embeddings and encoder. Their shapes must be this config's.

        Where words are read beside the states, the states' share of the projection begins at zero and both towers
        begin with one, so that what shares words lies near from the first step on.
        """
        if self.config.words:
            with torch.no_grad():
                self.situation.project.weight[:, : 4 * self.config.units] = 0.0
            self.answer.project.load_state_dict(self.situation.project.state_dict())
        for tower in (self.situation, self.answer):
            tower.embedding.load_state_dict(generator.embedding.state_dict())
            tower.encoder.load_state_dict(generator.encoder.state_dict())

    def read_order(self, on: bool) -> None:
        """Whether the encoders are run; without them (``config.words`` only) a step takes a tenth of the time."""
        for tower in (self.situation, self.answer):
            tower.reads_order = on

    def loss(self, batch: PairBatch) -> Tensor:
        situations, answers = self.situation(batch.situations), self.answer(batch.answers)
        with torch.autocast(situations.device.type, enabled=False):  # the scale would magnify what is rounded
            logits = (
                situations.float() @ answers.float().T * self.log_scale.exp().clamp(max=60.0)
            )  # [batch, batch]
        right = batch.numbers[:, None] == batch.numbers[None, :]
        # Of equal answers every column is the right one: leave the others out instead of calling them wrong.
        own = torch.eye(len(right), dtype=torch.bool, device=right.device)
        logits = logits.masked_fill(right & ~own, -1e4)
        target = torch.arange(len(right), device=right.device)
        return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
