"""The intent classifier: a bidirectional LSTM with attention and max pooling over hashed subword embeddings.

Each token's embedding is its word's row plus the mean of its n-grams' rows (Bojanowski et al. 2017); the LSTM
(Hochreiter & Schmidhuber 1997, forget gate after Gers et al. 2000) reads forwards and backwards; the states
of the current message are pooled by additive attention (Lin et al. 2017, section 2) and by maximum (Conneau
et al. 2017); one linear layer scores the intents and, as the last class, "outside": trained on outliers
(Hendrycks et al. 2019), it says that a text asks for none of them. Beside it stands a linear model over the same
words and n-grams (Cheng et al. 2016, "Wide & Deep Learning"); the two logits are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from chatbot.errors import TrainingError
from chatbot.neural.batches import TextBatch, mask_of
from chatbot.neural.objectives import classification_loss
from chatbot.neural.recurrent_pooling import RecurrentPooling

WIDE_BUCKETS = 2  # times as many rows for n-grams in the linear model, where a row is narrow


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
    untaught_dropout: float | None = None  # of texts that the teacher cannot read; None: as of all others
    untaught_embedding_dropout: float | None = None  # likewise
    label_smoothing: float = 0.1
    temperature: float = 2.0  # of distillation
    teacher_weight: float = 0.85  # of the teacher's distribution against the label
    teacher_width: int = (
        0  # of the teacher's sentence vectors, which the pooled states learn to predict; 0: none
    )
    match_weight: float = 1.0  # of that prediction
    wide: bool = True  # a linear model over the same features beside the LSTM

    @property
    def wide_buckets(self) -> int:
        return WIDE_BUCKETS * self.buckets

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
        self.word = nn.Embedding(config.words, config.embedding, sparse=True)
        self.gram = nn.EmbeddingBag(config.buckets, config.embedding, mode="mean", sparse=True)
        self.context = nn.Parameter(torch.zeros(config.embedding))  # added to the tokens before the message
        self.pooling = RecurrentPooling(config.embedding, hidden=h, attention=config.attention)
        self.head = nn.Linear(4 * h, config.classes + 1)
        self.wide_word = nn.Embedding(config.words, config.classes + 1) if config.wide else None
        self.wide_gram = (
            nn.EmbeddingBag(config.wide_buckets, config.classes + 1, mode="sum") if config.wide else None
        )
        # in training only: from the pooled states to the teacher's sentence vector
        self.match = nn.Linear(4 * h, config.teacher_width) if config.teacher_width else None
        nn.init.normal_(self.word.weight, std=0.1)
        nn.init.normal_(self.gram.weight, std=0.1)
        if self.wide_word is not None and self.wide_gram is not None:
            # solved, not trained (chatbot/learning/linear_head.py): an optimum needs no optimiser beside it
            nn.init.zeros_(self.wide_word.weight).requires_grad_(False)
            nn.init.zeros_(self.wide_gram.weight).requires_grad_(False)
            self.register_buffer("word_rarity", torch.ones(config.words))
            self.register_buffer("gram_rarity", torch.ones(config.wide_buckets))

    def embed(self, batch: TextBatch) -> torch.Tensor:
        """→ [b, t, e], context tokens marked, padding zero."""
        words = batch.words
        if self.training and self.config.unknown_dropout:
            lost = torch.rand(words.shape, device=words.device) < self.config.unknown_dropout
            words = words.masked_fill(lost, 0)
        table = self.word(words) + self.gram(batch.grams % self.config.buckets, batch.offsets)  # [u, e]
        x = functional.embedding(batch.tokens, table)  # [b, t, e]
        width = x.shape[1]
        before = mask_of(batch.starts, width)  # [b, t]
        x = x + before[..., None] * self.context
        keep = mask_of(batch.lengths, width)
        if self.training and self.config.word_dropout:
            keep = keep & (torch.rand(keep.shape, device=x.device) >= self.config.word_dropout)
        if self.training and self.config.embedding_dropout:
            # one mask a message (Gal & Ghahramani 2016, section 4.2): a draw for each token costs a tenth of a step
            ones = x.new_ones(len(x), 1, x.shape[2])
            x = x * self._dropped(
                ones, batch, self.config.embedding_dropout, self.config.untaught_embedding_dropout
            )
        return x * keep[..., None]

    def features(self, batch: TextBatch) -> torch.Tensor:
        """→ pooled representation [b, 4h]."""
        pooled: torch.Tensor = self.pooling(self.embed(batch), batch.lengths, batch.starts)
        return pooled

    def forward(self, batch: TextBatch) -> torch.Tensor:
        """→ logits [b, classes + 1], the last one "outside": the mean of the LSTM's and the linear model's."""
        out: torch.Tensor = self.head(self.features(batch))
        if self.config.wide:
            out = (out + self.linear(batch)) / 2
        return out

    def linear(self, batch: TextBatch) -> torch.Tensor:
        """→ logits [b, classes + 1] of the linear model: over the message's words and n-grams, whatever their
        order.

        Each feature weighs as much as it is rare, and a text's features together weigh one (TF-IDF with unit
        length), so that long and short texts speak equally loud.
        """
        if self.wide_word is None or self.wide_gram is None:
            raise TrainingError("this network has no linear model", field="wide", value=False)
        word_rarity, gram_rarity = self.get_buffer("word_rarity"), self.get_buffer("gram_rarity")
        own, parts = word_rarity[batch.words], gram_rarity[batch.grams]  # [u], [g]
        table = self.wide_word(batch.words) * own[:, None] + self.wide_gram(
            batch.grams, batch.offsets, per_sample_weights=parts
        )  # [u, c]
        squares = own.square().index_add(0, _owners(batch), parts.square())  # [u]
        width = batch.tokens.shape[1]
        mask = mask_of(batch.lengths, width) & ~mask_of(batch.starts, width)
        each = functional.embedding(batch.tokens, table) * mask[..., None]  # [b, t, c]
        length = (squares[batch.tokens] * mask).sum(dim=1, keepdim=True).clamp(min=1e-6).sqrt()  # [b, 1]
        return each.sum(dim=1) / length

    def loss(self, batch: TextBatch) -> torch.Tensor:
        """The classification's loss; with a teacher also 1 - cosine to its sentence vectors.

        The LSTM is held to the labels by itself: trained on the sum with the linear model, it would be left with
        what that one has not learned, and their errors would not differ.
        """
        config = self.config
        features = self.features(batch)
        dropped = self._dropped(features, batch, config.dropout, config.untaught_dropout)
        loss = self._against(batch, self.head(dropped))
        if self.match is not None and batch.teacher_vectors is not None:
            predicted = self.match(functional.dropout(features, config.dropout / 2, self.training))
            distance = 1 - functional.cosine_similarity(predicted.float(), batch.teacher_vectors, dim=-1)
            taught = batch.teacher_vectors.any(dim=-1)  # of a text it cannot read, a teacher has none
            loss = loss + config.match_weight * (distance * taught).mean()
        return loss

    def _dropped(
        self, x: torch.Tensor, batch: TextBatch, rate: float, untaught: float | None
    ) -> torch.Tensor:
        """Dropout of x [b, …] at ``rate``, of texts that the teacher cannot read at ``untaught``: what it says of a
        text regularises by itself, and these have their labels alone."""
        if not self.training or untaught is None or batch.teacher is None:
            return functional.dropout(x, rate, self.training)
        rates = torch.where(batch.teacher.isnan().any(dim=-1), untaught, rate).to(x.dtype)  # [b]
        rates = rates.reshape(-1, *[1] * (x.dim() - 1))
        return x * (torch.rand_like(x) >= rates) / (1 - rates)

    def _against(self, batch: TextBatch, logits: torch.Tensor) -> torch.Tensor:
        config = self.config
        return classification_loss(
            logits,
            batch.targets,
            teacher=batch.teacher,
            label_smoothing=config.label_smoothing,
            temperature=config.temperature,
            teacher_weight=config.teacher_weight,
        )


def _owners(batch: TextBatch) -> torch.Tensor:
    """For each n-gram of the batch, the distinct token it belongs to [g]."""
    sizes = torch.diff(batch.offsets, append=batch.offsets.new_tensor([len(batch.grams)]))
    return torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
