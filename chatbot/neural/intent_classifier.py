"""The intent classifier: a bidirectional LSTM with attention and max pooling over hashed subword embeddings.

Each token's embedding is its word's row plus the mean of its n-grams' rows (Bojanowski et al. 2017); the LSTM
(Hochreiter & Schmidhuber 1997, forget gate after Gers et al. 2000) reads forwards and backwards; the states
of the current message are pooled by additive attention (Lin et al. 2017, section 2) and by maximum (Conneau
et al. 2017); one linear layer scores the intents and, as the last class, "outside": trained on outliers
(Hendrycks et al. 2019), it says that a text asks for none of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from chatbot.errors import TrainingError
from chatbot.neural.batches import TextBatch, mask_of


@dataclass(frozen=True)
class IntentConfig:
    """Sizes and regularisation. ``classes`` counts the intents, without "outside"."""

    words: int
    classes: int
    buckets: int = 16_384
    embedding: int = 256
    hidden: int = 128  # a direction
    attention: int = 64
    dropout: float = 0.5
    embedding_dropout: float = 0.3
    word_dropout: float = 0.1  # a token vanishes
    unknown_dropout: float = 0.1  # a token keeps its n-grams and loses its word row
    label_smoothing: float = 0.1
    temperature: float = 2.0  # of distillation
    teacher_weight: float = 0.85  # of the teacher's distribution against the label
    outlier_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise TrainingError(
                "a classifier needs at least two intents",
                field="classes",
                value=self.classes,
                remedy="label examples of at least two intents",
            )


class IntentNetwork(nn.Module):
    def __init__(self, config: IntentConfig) -> None:
        super().__init__()
        self.config = config
        h = config.hidden
        self.word = nn.Embedding(config.words, config.embedding)
        self.gram = nn.EmbeddingBag(config.buckets, config.embedding, mode="mean")
        self.context = nn.Parameter(torch.zeros(config.embedding))  # added to the tokens before the message
        self.forwards = nn.LSTM(config.embedding, h, batch_first=True)
        self.backwards = nn.LSTM(config.embedding, h, batch_first=True)
        self.attend = nn.Linear(2 * h, config.attention)
        self.attend_score = nn.Linear(config.attention, 1, bias=False)
        self.head = nn.Linear(4 * h, config.classes + 1)
        nn.init.normal_(self.word.weight, std=0.1)
        nn.init.normal_(self.gram.weight, std=0.1)
        for lstm in (self.forwards, self.backwards):
            for name, parameter in lstm.named_parameters():
                if name.startswith("weight_hh"):
                    nn.init.orthogonal_(parameter)
                elif name.startswith("weight_ih"):
                    nn.init.xavier_uniform_(parameter)
                else:
                    nn.init.zeros_(parameter)
            # a forget gate that starts open lets gradients reach the beginning of a text (Gers et al. 2000)
            nn.init.ones_(lstm.get_parameter("bias_ih_l0")[h : 2 * h])

    def embed(self, batch: TextBatch) -> torch.Tensor:
        """→ [b, t, e], context tokens marked, padding zero."""
        words = batch.words
        if self.training and self.config.unknown_dropout:
            lost = torch.rand(words.shape, device=words.device) < self.config.unknown_dropout
            words = words.masked_fill(lost, 0)
        table = self.word(words) + self.gram(batch.grams, batch.offsets)  # [u, e]
        x = functional.embedding(batch.tokens, table)  # [b, t, e]
        width = x.shape[1]
        before = mask_of(batch.starts, width)  # [b, t]
        x = x + before[..., None] * self.context
        keep = mask_of(batch.lengths, width)
        if self.training and self.config.word_dropout:
            keep = keep & (torch.rand(keep.shape, device=x.device) >= self.config.word_dropout)
        x = functional.dropout(x, self.config.embedding_dropout, self.training)
        return x * keep[..., None]

    def states(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Embedded tokens [b, t, e] → states of both directions [b, t, 2h], exact whatever the padding."""
        width = x.shape[1]
        steps = torch.arange(width, device=x.device)
        mirrored = (lengths[:, None] - 1 - steps).where(steps < lengths[:, None], steps)  # [b, t]
        mirrored = mirrored[..., None]
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

    def features(self, batch: TextBatch) -> torch.Tensor:
        """→ pooled representation [b, 4h]."""
        states = self.states(self.embed(batch), batch.lengths)
        width = states.shape[1]
        mask = mask_of(batch.lengths, width) & ~mask_of(batch.starts, width)
        return self.pool(states, mask)

    def forward(self, batch: TextBatch) -> torch.Tensor:
        """→ logits [b, classes + 1], the last one "outside"."""
        pooled = functional.dropout(self.features(batch), self.config.dropout, self.training)
        out: torch.Tensor = self.head(pooled)
        return out

    def loss(self, batch: TextBatch) -> torch.Tensor:
        """Cross-entropy with the labels; with a teacher, mostly KL to its softened distribution (Hinton et
        al. 2015).
        """
        config = self.config
        logits = self(batch).float()
        outside = batch.targets == config.classes
        weight = torch.where(outside, config.outlier_weight, 1.0)
        labelled = batch.targets >= 0
        hard = functional.cross_entropy(
            logits, batch.targets, reduction="none", ignore_index=-1, label_smoothing=config.label_smoothing
        )
        if batch.teacher is None:
            return (hard * weight).sum() / (weight * labelled).sum().clamp(min=1)
        t = config.temperature
        soft = functional.kl_div(
            (logits / t).log_softmax(-1), (batch.teacher / t).softmax(-1), reduction="none"
        ).sum(-1) * (t * t)
        share = torch.where(labelled, config.teacher_weight, 1.0)
        return ((share * soft + (1 - share) * hard) * weight).sum() / weight.sum()
