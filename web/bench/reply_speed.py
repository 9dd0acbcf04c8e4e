"""How fast replies are written, and how fast the loop that tutorials teach would train."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from web.bench.reply_combination import BEAM

if TYPE_CHECKING:
    from chatbot.inference.generate import ResponseGenerator
    from chatbot.learning.generator_data import Sample

_LATENCY_TOKENS = 30
_PLAIN_SECONDS = 6.0


def latency(test: Sequence[Sample], generator: ResponseGenerator) -> dict[str, Any]:
    """Beam 4, at most 30 pieces, one thread; the first streamed text. Milliseconds."""
    wall, cpu, first = [], [], []
    for sample in test:
        began, began_cpu = time.perf_counter(), time.process_time()
        generator.generate(
            sample.turns, sample.passages, lang=sample.lang, beam=BEAM, max_tokens=_LATENCY_TOKENS,
            min_tokens=_LATENCY_TOKENS, past_answers=sample.past_answers,
        )  # fmt: skip
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.process_time() - began_cpu))
        began_cpu = time.process_time()
        next(
            iter(
                generator.stream(
                    sample.turns, sample.passages, lang=sample.lang, past_answers=sample.past_answers
                )
            ),
            "",
        )
        first.append(1000 * (time.process_time() - began_cpu))
    wall.sort()
    return {
        "latency": {
            "p50": round(statistics.median(wall), 2),
            "p99": round(wall[min(len(wall) - 1, int(0.99 * len(wall)))], 2),
            "cpu_p50": round(statistics.median(cpu), 2),
        },
        "first_token": {"cpu_p50": round(statistics.median(first), 2)},
    }


def plain_tokens_per_second(encoded: Sequence[Any], vocabulary: int, device: str) -> float:
    """Real tokens a second of the encoder-decoder loop that tutorials teach: one step at a time, shuffled batches.

    The same LSTM sizes, a step-by-step attention decoder, batches of 16 padded to the longest row of the data.
    """
    import torch
    from torch import nn

    target = torch.device(device)
    longest = max(len(row.source) for row in encoded)
    widest = max(len(row.reply) for row in encoded) + 1
    embedding = nn.Embedding(vocabulary, 192, padding_idx=0).to(target)
    encoder = nn.LSTM(192, 128, batch_first=True, bidirectional=True).to(target)
    cell = nn.LSTMCell(192 + 256, 256).to(target)
    out = nn.Linear(512, vocabulary).to(target)
    parameters = [*embedding.parameters(), *encoder.parameters(), *cell.parameters(), *out.parameters()]
    optimizer = torch.optim.Adam(parameters)
    random = Random(1)
    tokens, began = 0, time.monotonic()
    while time.monotonic() - began < _PLAIN_SECONDS:
        rows = [random.choice(encoded) for _ in range(16)]
        source = torch.tensor([row.source + [0] * (longest - len(row.source)) for row in rows], device=target)
        reply = torch.tensor([row.reply + [0] * (widest - len(row.reply)) for row in rows], device=target)
        states, _ = encoder(embedding(source))  # [16, source, 256]
        hidden = memory = states.new_zeros(16, 256)
        fed = torch.full((16,), 2, device=target)
        loss = states.new_zeros(())
        for place in range(widest):
            weights = torch.softmax((states @ hidden[:, :, None]).squeeze(-1), dim=-1)
            context = (weights[:, None, :] @ states).squeeze(1)
            hidden, memory = cell(torch.cat([embedding(fed), context], dim=-1), (hidden, memory))
            logits = out(torch.cat([hidden, context], dim=-1))
            loss = loss + nn.functional.cross_entropy(
                logits, reply[:, place], ignore_index=0, reduction="sum"
            )
            fed = reply[:, place]
        optimizer.zero_grad()
        (loss / (reply != 0).sum()).backward()
        optimizer.step()
        tokens += sum(row.n_tokens for row in rows)
    return tokens / (time.monotonic() - began)
