"""The response generator: an LSTM that reads what the reply may draw on, and writes or copies piece by piece.

One bidirectional LSTM reads the laid-out sources (look-ups, passages, past answers, turns: chatbot.neural
.source_layout), an LSTM decoder (Hochreiter & Schmidhuber 1997; Gers et al. 2000) starts from their mean and
maximum, attends to all of them and mixes a softmax over the vocabulary with a copy distribution (See et al.
2017, equation 9). Input and output embeddings are one matrix (Press & Wolf 2017). Every source piece is in
the vocabulary, so no extended vocabulary is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from chatbot.errors import TrainingError
from chatbot.neural.pointer import CopyAttention, copy_runs, next_runs, sentence_starts


@dataclass(frozen=True)
class GeneratorConfig:
    """Shape of the network and of its loss. ``intents`` names the intent embedding's rows after row 0 (none)."""

    vocabulary: int
    intents: tuple[str, ...] = ()
    embedding: int = 192
    encoder_units: int = 128  # a direction
    decoder_units: int = 256
    dropout: float = 0.1
    label_smoothing: float = 0.0
    scheduled_sampling: float = 0.0  # share of fed pieces that are the model's own (Bengio et al. 2015)
    intent_dropout: float = 0.3  # share of replies trained without their intent
    pad: int = 0

    def __post_init__(self) -> None:
        for name in ("vocabulary", "embedding", "encoder_units", "decoder_units"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} must be positive", field=name, value=getattr(self, name))
        for name in ("dropout", "label_smoothing", "scheduled_sampling", "intent_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} must lie in [0, 1)", field=name, value=getattr(self, name))


@dataclass(frozen=True)
class ReplyBatch:
    """Replies of about one length with what they draw on; padded with the pad id on the right."""

    source: Tensor  # int64 [batch, source]
    fed: Tensor  # int64 [batch, target]: the reply's language tag, then the reply without its last piece
    wanted: Tensor  # int64 [batch, target]: the reply, then the end tag
    intent: Tensor  # int64 [batch], 0 = not known
    n_tokens: int  # real pieces, source and reply

    def to(self, device: torch.device) -> ReplyBatch:
        if self.source.device == device:
            return self
        source, fed, wanted, intent = (
            tensor.to(device, non_blocking=True)
            for tensor in (self.source, self.fed, self.wanted, self.intent)
        )
        return ReplyBatch(source, fed, wanted, intent, self.n_tokens)


class Memory(NamedTuple):
    """What the encoder leaves for the decoder."""

    values: Tensor  # [batch, source, 2 * encoder_units]
    keys: Tensor  # [batch, source, decoder_units]
    hidden: Tensor  # [batch, decoder_units]
    cell: Tensor  # [batch, decoder_units]


class ResponseGeneratorNetwork(nn.Module):
    """The trained form. ``chatbot.neural.generator_export`` writes its two served halves."""

    def __init__(
        self, config: GeneratorConfig, *, ends: Tensor | None = None, opens: Tensor | None = None
    ) -> None:
        """ends, opens: float [vocabulary], which pieces end and open a sentence (``sentence_starts``)."""
        super().__init__()
        self.config = config
        nothing = torch.zeros(config.vocabulary)
        self.ends: Tensor
        self.opens: Tensor
        self.register_buffer("ends", nothing.clone() if ends is None else ends.float())
        self.register_buffer("opens", nothing.clone() if opens is None else opens.float())
        wide = 2 * config.encoder_units
        self.embedding = nn.Embedding(config.vocabulary, config.embedding, padding_idx=config.pad)
        self.intent_embedding = nn.Embedding(len(config.intents) + 1, config.decoder_units, padding_idx=0)
        self.encoder = nn.LSTM(config.embedding, config.encoder_units, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(config.embedding, config.decoder_units, batch_first=True)
        self.start_hidden = nn.Linear(2 * wide, config.decoder_units)
        self.start_cell = nn.Linear(2 * wide, config.decoder_units)
        self.attention = CopyAttention(query=config.decoder_units, key=wide)
        self.combine = nn.Linear(config.decoder_units + wide, config.embedding)
        self.gate = nn.Linear(config.decoder_units + wide + config.embedding + 1, 1)
        self.output_bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.embedding.weight, std=config.embedding**-0.5)
        nn.init.normal_(self.intent_embedding.weight, std=0.02)
        with torch.no_grad():
            self.embedding.weight[config.pad].zero_()
            self.intent_embedding.weight[0].zero_()
            for name, parameter in [*self.encoder.named_parameters(), *self.decoder.named_parameters()]:
                if name.startswith("bias_ih"):  # forget gate open at the start (Jozefowicz et al. 2015)
                    quarter = parameter.shape[0] // 4
                    parameter[quarter : 2 * quarter] += 1.0

    def encode(self, source: Tensor, intent: Tensor) -> Memory:
        """source: int64 [batch, source]; intent: int64 [batch]."""
        mask = source != self.config.pad
        read = self.embedding(source)  # [batch, source, embedding]
        # one mask a source (Gal & Ghahramani 2016, section 4.2): a draw for each piece costs a twelfth of a step
        read = read * self.dropout(read.new_ones(len(read), 1, read.shape[2]))
        values, _ = self.encoder(read)  # [batch, source, 2 * encoder_units]
        real = mask[:, :, None]
        mean = (values * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)
        highest = values.masked_fill(~real, -1.0).amax(dim=1)  # LSTM outputs lie in (-1, 1)
        pooled = torch.cat([mean, highest], dim=-1)  # [batch, 4 * encoder_units]
        hidden = torch.tanh(self.start_hidden(pooled) + self.intent_embedding(intent))
        return Memory(values, self.attention.keys(values), hidden, self.start_cell(pooled))

    def mixture(
        self,
        states: Tensor,
        fed: Tensor,
        memory: Memory,
        runs: Tensor,
        covered: Tensor,
        starts: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the decoder's states say about the next piece.

        states: [batch, target, decoder_units]; fed: embeddings [batch, target, embedding].
        Returns what ``write`` makes a piece of [batch, target, embedding], log attention [batch, target, source], and
        the gate's logit [batch, target]: positive means write, negative means copy.
        """
        attention = self.attention(states, memory.keys, runs, covered, starts, mask)
        weights = attention.exp()
        context = weights @ memory.values  # [batch, target, 2 * encoder_units]
        going_on = (weights * (runs >= 2).to(weights.dtype)).sum(dim=-1, keepdim=True)
        both = torch.cat([states, context], dim=-1)
        gate = self.gate(torch.cat([both, fed, going_on], dim=-1)).squeeze(-1)  # [batch, target]
        out = self.dropout(torch.tanh(self.combine(both)))  # [batch, target, embedding]
        return out, attention, gate

    def write(self, out: Tensor) -> Tensor:
        """[…, embedding] → logits […, vocabulary]."""
        return F.linear(out, self.embedding.weight, self.output_bias)

    def token_losses(self, batch: ReplyBatch) -> tuple[Tensor, Tensor]:
        """Negative log-likelihood of every wanted piece under teacher forcing, and whether it is real.

        Returns float32 [batch, target] and bool [batch, target].
        """
        nll, _, real = self._losses(batch, batch.fed)
        return nll, real

    def loss(self, batch: ReplyBatch) -> Tensor:
        """Mean loss over the real wanted pieces, with label smoothing and scheduled sampling after the
        config.
        """
        config = self.config
        intent = batch.intent
        if self.training and config.intent_dropout and config.intents:
            intent = intent * (torch.rand_like(intent, dtype=torch.float) >= config.intent_dropout)
        batch = ReplyBatch(batch.source, batch.fed, batch.wanted, intent, batch.n_tokens)
        fed = batch.fed
        if self.training and config.scheduled_sampling:
            fed = self._own_words(batch)
        nll, spread, real = self._losses(batch, fed)
        loss = nll
        if self.training and config.label_smoothing:
            loss = (1 - config.label_smoothing) * nll + config.label_smoothing * spread
        return (loss * real).sum() / real.sum().clamp(min=1)

    def _losses(self, batch: ReplyBatch, fed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        memory = self.encode(batch.source, batch.intent)
        out, attention, gate = self._decode(memory, batch.source, fed)
        wanted = batch.wanted
        real = wanted != self.config.pad
        # half of a batch is padding, and the vocabulary is the dearest thing to compute: real pieces only
        chances = F.log_softmax(self.write(out[real]).float(), dim=-1)  # [real pieces, vocabulary]
        written = self._placed(chances.gather(-1, wanted[real][:, None]).squeeze(-1), real)
        spread = self._placed(-chances.mean(dim=-1), real)  # cross-entropy against the uniform distribution
        here = wanted[:, :, None] == batch.source[:, None, :]  # [batch, target, source]
        copied = torch.logsumexp(attention.float().masked_fill(~here, -1e4), dim=-1)
        write, copy = F.logsigmoid(gate.float()), F.logsigmoid(-gate.float())
        likelihood = torch.logaddexp(write + written, copy + copied)
        return -likelihood, spread, real

    @staticmethod
    def _placed(values: Tensor, real: Tensor) -> Tensor:
        """values [real pieces] → [batch, target], zero at padding."""
        return values.new_zeros(real.shape).masked_scatter(real, values)

    def _decode(self, memory: Memory, source: Tensor, fed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        embedded = self.embedding(fed)
        states, _ = self.decoder(self.dropout(embedded), (memory.hidden[None], memory.cell[None]))
        runs, covered = copy_runs(source, fed)
        starts = self.starts(source, fed)
        mask = source != self.config.pad
        return self.mixture(self.dropout(states), embedded, memory, runs, covered, starts, mask)

    def starts(self, source: Tensor, fed: Tensor) -> Tensor:
        """source: int64 [1 or batch, source], fed: int64 [batch, target] → float [batch, target, source]."""
        begins = (self.ends[fed] >= 1).to(
            self.ends.dtype
        )  # the piece before ends a sentence, or is the first tag
        return begins[:, :, None] * sentence_starts(source, self.ends, self.opens)[:, None, :]

    @torch.no_grad()
    def _own_words(self, batch: ReplyBatch) -> Tensor:
        """``fed`` with a share of its pieces replaced by what the model would have written there.

        Scheduled sampling with two parallel passes (Mihaylova & Martins 2019) instead of one step at a time.
        """
        memory = self.encode(batch.source, batch.intent)
        out, attention, gate = self._decode(memory, batch.source, batch.fed)
        best_written = self.write(out).argmax(dim=-1)  # [batch, target]
        best_place = attention.argmax(dim=-1)
        best_copied = batch.source.gather(1, best_place)
        guess = torch.where(gate > 0, best_written, best_copied)
        shifted = torch.cat([batch.fed[:, :1], guess[:, :-1]], dim=1)
        swap = torch.rand(shifted.shape, device=shifted.device) < self.config.scheduled_sampling
        swap[:, 0] = False
        return torch.where(swap & (batch.fed != self.config.pad), shifted, batch.fed)


class DecoderStep(nn.Module):
    """One decoder step for several beams or replies: the reference for the served graph.

    fed int64 [beams]; hidden, cell [beams, decoder_units]; runs, covered float [beams, source];
    source int64, values, keys: as ``encode`` leaves them, with batch 1 (shared by the beams) or one for each
    → scores and ids of the best pieces [beams, best] (log-probabilities), hidden, cell, runs, covered, and
    ``copied`` [beams], the share of the next piece's probability that comes from copying.
    """

    def __init__(self, network: ResponseGeneratorNetwork, *, best: int = 16) -> None:
        super().__init__()
        self.network = network
        self.best = min(best, network.config.vocabulary)

    def forward(
        self, fed: Tensor, hidden: Tensor, cell: Tensor, runs: Tensor, covered: Tensor,
        source: Tensor, values: Tensor, keys: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        network = self.network
        embedded = network.embedding(fed)  # [beams, embedding]
        hidden, cell = _lstm_step(network.decoder, embedded, hidden, cell)
        runs, covered = next_runs(source, fed, runs, covered)
        memory = Memory(values, keys, hidden, cell)
        mask = source != network.config.pad
        out, attention, gate = network.mixture(
            hidden[:, None],
            embedded[:, None],
            memory,
            runs[:, None],
            covered[:, None],
            network.starts(source, fed[:, None]),
            mask,
        )
        written = torch.softmax(network.write(out[:, 0]), dim=-1) * torch.sigmoid(gate)  # [beams, vocabulary]
        copied = attention[:, 0].exp() * torch.sigmoid(-gate)  # [beams, source]
        both = written.scatter_add(1, source.expand(fed.shape[0], -1), copied)
        scores, ids = torch.topk(both, self.best, dim=-1)
        return scores.clamp(min=1e-12).log(), ids, hidden, cell, runs, covered, torch.sigmoid(-gate)[:, 0]


def _lstm_step(lstm: nn.LSTM, x: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """The gate equations of one step: input, forget, candidate, output (the order of torch's weights)."""
    weights = dict(lstm.named_parameters())
    gates = F.linear(x, weights["weight_ih_l0"], weights["bias_ih_l0"])  # [beams, 4 * decoder_units]
    gates = gates + F.linear(hidden, weights["weight_hh_l0"], weights["bias_hh_l0"])
    let_in, forget, candidate, out = gates.chunk(4, dim=-1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(let_in) * torch.tanh(candidate)
    return torch.sigmoid(out) * torch.tanh(cell), cell
