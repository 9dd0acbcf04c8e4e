"""The accurate tier: a bidirectional LSTM with attention over a sentence encoder's token states.

The encoder (a small BERT; Reimers & Gurevych 2019) reads the text; an LSTM over its token states, pooled by
attention and maximum, and the encoder's own sentence vector decide together. The encoder stays as it is
(`StateNetwork` alone, on stored states) or learns along, lower layers more slowly (`TunedNetwork`; layer-wise
rates after Howard & Ruder 2018, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from chatbot.errors import TrainingError
from chatbot.neural.batches import mask_of, pad
from chatbot.neural.devices import fast_bfloat16
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.objectives import classification_loss, supervised_contrastive
from chatbot.neural.recurrent_pooling import RecurrentPooling

VECTOR_SCALE = 0.5  # times sqrt(width): brings the unit vector to the size of the other features


@dataclass(frozen=True)
class StateConfig:
    """``classes`` counts the intents, without "outside"; ``width`` is the encoder's."""

    classes: int
    width: int = 384
    hidden: int = 128
    attention: int = 64
    dropout: float = 0.3
    state_dropout: float = 0.1
    label_smoothing: float = 0.1
    contrastive: float = 0.0  # weight of the supervised contrastive term on the sentence vector
    contrastive_temperature: float = 0.1
    encoder_rate: float = 2e-4  # peak learning rate of the encoder's last layer
    layer_decay: float = 0.9  # each layer below learns this much more slowly
    steady: bool = False  # a linear model over the sentence vector of the untuned encoder decides, too

    def __post_init__(self) -> None:
        if self.classes < 2:
            raise TrainingError(
                "a classifier needs at least two intents", field="classes", value=self.classes
            )


@dataclass(frozen=True)
class StateBatch:
    """Texts as the encoder gave them: states [b, t, width], lengths [b], vector [b, width] (unit; where there is a
    steady linear model with the untuned encoder's behind it, [b, 2 · width]), targets [b].
    """

    states: torch.Tensor
    lengths: torch.Tensor
    vector: torch.Tensor
    targets: torch.Tensor
    teacher: torch.Tensor | None = None

    @property
    def n_tokens(self) -> int:
        return int(self.lengths.sum())

    def to(self, device: torch.device) -> StateBatch:
        moved = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, torch.Tensor)}
        return replace(self, **moved)

    @classmethod
    def of(
        cls,
        encoded: Sequence[tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]],
        targets: Sequence[int],
    ) -> StateBatch:
        """(states [t, width], vector [width]) of each text → one padded batch."""
        lengths = [len(states) for states, _ in encoded]
        out = np.zeros((len(encoded), max(lengths), encoded[0][0].shape[1]), np.float32)
        for row, (states, _) in zip(out, encoded, strict=True):
            row[: len(states)] = states
        return cls(
            states=torch.from_numpy(out),
            lengths=torch.tensor(lengths),
            vector=torch.from_numpy(np.stack([vector for _, vector in encoded]).astype(np.float32)),
            targets=torch.tensor(list(targets)),
        )


@dataclass(frozen=True)
class PieceBatch:
    """Texts as word pieces: ids [b, t], lengths [b], targets [b], teacher logits [b, c] or None."""

    ids: torch.Tensor
    lengths: torch.Tensor
    targets: torch.Tensor
    teacher: torch.Tensor | None = None
    real_tokens: int = 0

    @property
    def n_tokens(self) -> int:
        return self.real_tokens

    def to(self, device: torch.device) -> PieceBatch:
        moved = {k: v.to(device) for k, v in vars(self).items() if isinstance(v, torch.Tensor)}
        return replace(self, **moved)  # type: ignore[arg-type]

    @classmethod
    def of(
        cls, pieces: Sequence[Sequence[int]], targets: Sequence[int], *, teacher: torch.Tensor | None = None
    ) -> PieceBatch:
        ids, lengths = pad(pieces)
        return cls(ids, lengths, torch.tensor(list(targets)), teacher, int(lengths.sum()))


def vector_scale(width: int) -> float:
    return VECTOR_SCALE * width**0.5


class StateNetwork(nn.Module):
    """Over stored states."""

    def __init__(self, config: StateConfig) -> None:
        super().__init__()
        self.config = config
        self.pooling = RecurrentPooling(config.width, hidden=config.hidden, attention=config.attention)
        self.head = nn.Linear(4 * config.hidden + config.width, config.classes + 1)
        self.plain = nn.Linear(config.width, config.classes + 1)  # over the sentence vector alone
        self.steady = (
            nn.Linear(config.width, config.classes + 1).requires_grad_(False) if config.steady else None
        )

    def both(
        self, states: torch.Tensor, lengths: torch.Tensor, vector: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [b, classes + 1] of the LSTM's head, and of the linear model over the sentence vector.

        states [b, t, width], lengths [b], unit vector [b, width or more].
        """
        vector = vector[:, : self.config.width]
        x = functional.dropout(states, self.config.state_dropout, self.training)
        pooled = self.pooling(x, lengths, torch.zeros_like(lengths))
        scaled = vector * vector_scale(self.config.width)
        features = functional.dropout(torch.cat([pooled, scaled], dim=-1), self.config.dropout, self.training)
        return self.head(features), self.plain(scaled)

    def classify(self, states: torch.Tensor, lengths: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        """The mean of both [b, classes + 1]: with few examples the linear one is better, with many the LSTM.

        Tuning on few examples bends the encoder towards them; what it knew before errs elsewhere, and the mean with the
        steady model errs less than either. It needs the untuned encoder's vector behind the other one.
        """
        head, plain = self.both(states, lengths, vector)
        before = vector[:, self.config.width :]
        if self.steady is None or not before.shape[1]:
            return (head + plain) / 2
        return (head + plain) / 4 + self.steady(before * vector_scale(self.config.width)) / 2

    def forward(self, batch: StateBatch) -> torch.Tensor:
        return self.classify(batch.states, batch.lengths, batch.vector)

    def loss(self, batch: StateBatch) -> torch.Tensor:
        return self.loss_of(batch.states, batch.lengths, batch.vector, batch.targets, batch.teacher)

    def loss_of(
        self,
        states: torch.Tensor,
        lengths: torch.Tensor,
        vector: torch.Tensor,
        targets: torch.Tensor,
        teacher: torch.Tensor | None,
    ) -> torch.Tensor:
        """Each of the two is held to the labels by itself."""
        smoothing = self.config.label_smoothing
        head, plain = self.both(states, lengths, vector)
        return classification_loss(
            head, targets, teacher=teacher, label_smoothing=smoothing
        ) + classification_loss(plain, targets, teacher=teacher, label_smoothing=smoothing)


class TunedNetwork(nn.Module):
    """The encoder and the network over its states, learning together.

    ``kept``: lower layers of the encoder that stay as they are. Half of them do where the untuned encoder's vector is
    needed beside the tuned one's: both then share them, and reading a text twice takes one and a half times as long.
    """

    def __init__(self, encoder: nn.Module, config: StateConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = StateNetwork(config)
        self.config = config
        layers = 1 + max(_layer(name) for name, _ in encoder.named_parameters())
        self.kept = layers // 2 if config.steady else 0
        for name, parameter in encoder.named_parameters():
            # the word embeddings hold what the encoder knows of words that no training text has
            parameter.requires_grad_("embeddings" not in name and _layer(name) >= self.kept)

    def parameter_groups(self, settings: FitSettings) -> list[dict[str, Any]]:
        """The head at the full rate; each encoder layer more slowly the lower it lies."""
        groups: list[dict[str, Any]] = []
        for vectors in (False, True):
            head = [p for p in self.head.parameters() if (p.ndim < 2) == vectors]
            groups.append({"params": head, "weight_decay": 0.0 if vectors else settings.weight_decay})
        layers = sorted({_layer(name) for name, p in self.encoder.named_parameters() if p.requires_grad})
        for layer in layers:
            rate = self.config.encoder_rate * self.config.layer_decay ** (layers[-1] - layer)
            own = [
                p for name, p in self.encoder.named_parameters() if p.requires_grad and _layer(name) == layer
            ]
            groups.append({"params": [p for p in own if p.ndim > 1], "lr": rate, "weight_decay": 0.01})
            groups.append({"params": [p for p in own if p.ndim < 2], "lr": rate, "weight_decay": 0.0})
        return groups

    def encode(self, batch: PieceBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """→ states [b, t, width] and unit vectors [b, width].

        On a CPU that multiplies bfloat16 the encoder computes in it: twice the speed, and the head stays exact; one
        that does not would take ten times as long. A GPU's mixed precision is the training loop's business.
        """
        mask = mask_of(batch.lengths, batch.ids.shape[1])
        half = batch.ids.device.type == "cpu" and fast_bfloat16()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            states = self.encoder(input_ids=batch.ids, attention_mask=mask.long()).last_hidden_state
        states = states.float()
        mean = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return states, functional.normalize(mean, dim=-1)

    def forward(self, batch: PieceBatch) -> torch.Tensor:
        states, vector = self.encode(batch)
        return self.head.classify(states, batch.lengths, vector)

    def loss(self, batch: PieceBatch) -> torch.Tensor:
        config = self.config
        states, vector = self.encode(batch)
        loss = self.head.loss_of(states, batch.lengths, vector, batch.targets, batch.teacher)
        if config.contrastive:
            inside = batch.targets.masked_fill(batch.targets == config.classes, -1)
            loss = loss + config.contrastive * supervised_contrastive(
                vector, inside, temperature=config.contrastive_temperature
            )
        return loss


def _layer(name: str) -> int:
    """``encoder.layer.3.…`` → 3."""
    parts = name.split(".")
    return int(parts[parts.index("layer") + 1]) if "layer" in parts else 0


def load_encoder(folder: Path) -> nn.Module:
    """A BERT-like encoder from a folder of published weights, for fine-tuning."""
    import logging

    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    # eager attention: at a dozen tokens it is twice as fast on a CPU as the fused kernel
    model: nn.Module = AutoModel.from_pretrained(
        str(folder), attn_implementation="eager", add_pooling_layer=False, local_files_only=True
    )
    return model
