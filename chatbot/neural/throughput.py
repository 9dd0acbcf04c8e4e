"""How fast the classifier trains here, against the tutorial recipe and against what the machine could do.

The tutorial recipe is what one finds first: batches of 16 shuffled texts, every text padded to 128 tokens.
The bound asks what the same arithmetic would cost at the machine's own speed: floating-point operations over
the speed of a large matrix product, or bytes moved over the speed of a large copy, whichever takes longer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.neural.batches import Collator, TextBatch, length_buckets
from chatbot.neural.devices import fast_bfloat16
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.intent_classifier import IntentNetwork
from chatbot.neural.parameters import clip_gradients, parameter_groups
from chatbot.neural.row_adamw import RowAdamW

PADDED = 128


@dataclass(frozen=True)
class Throughput:
    """Real tokens (without padding) a second in training."""

    ours: float
    tutorial: float
    bound: float


def measure_throughput(
    network: IntentNetwork,
    collator: Collator,
    rows: Sequence[NDArray[np.int64]],
    targets: Sequence[int],
    *,
    device: torch.device,
    batch_size: int = 64,
    seconds: float = 4.0,
) -> Throughput:
    """Train a while each way on the same texts (``network``'s weights change)."""
    network = network.to(device)
    lengths = [len(row) for row in rows]
    buckets = length_buckets(lengths, batch_size, seed=0, epoch=0)
    ours = [_batch(collator, rows, targets, part, None) for part in buckets]
    shuffled = np.random.default_rng(0).permutation(len(rows))
    tutorial = [
        _batch(collator, rows, targets, shuffled[i : i + 16], PADDED)
        for i in range(0, min(len(rows), 16 * 400), 16)
    ]
    return Throughput(
        ours=_pace(network, ours, device, seconds, half=device.type == "cuda" or fast_bfloat16()),
        tutorial=_pace(network, tutorial, device, seconds, half=False),
        bound=_bound(network, ours, device),
    )


def _batch(
    collator: Collator,
    rows: Sequence[NDArray[np.int64]],
    targets: Sequence[int],
    part: NDArray[np.int64],
    width: int | None,
) -> TextBatch:
    picked = [rows[i][:PADDED] for i in part]
    batch = collator.batch(picked, [0] * len(picked), [targets[i] for i in part])
    if width is None:
        return batch
    # the tutorial lets the network run over the padding: every text is 128 tokens long
    tokens = torch.zeros(len(picked), width, dtype=torch.long)
    tokens[:, : batch.tokens.shape[1]] = batch.tokens
    return TextBatch(
        **{**vars(batch), "tokens": tokens, "lengths": torch.full((len(picked),), width)},
    )


def _pace(
    network: IntentNetwork,
    batches: Sequence[TextBatch],
    device: torch.device,
    seconds: float,
    *,
    half: bool,
) -> float:
    settings = FitSettings()
    optimizer = RowAdamW(parameter_groups(network, settings), lr=1e-4, fused=True)
    network.train()
    tokens, began = 0, 0.0
    for turn in range(10**6):
        batch = batches[turn % len(batches)].to(device)
        if turn == 3:  # the first steps allocate
            _wait(device)
            tokens, began = 0, time.monotonic()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
            loss = network.loss(batch)
        loss.backward()
        clip_gradients(network, settings.clip)
        optimizer.step()
        tokens += batch.n_tokens
        if turn > 5 and time.monotonic() - began > seconds:
            break
    _wait(device)
    return tokens / (time.monotonic() - began)


def _bound(network: IntentNetwork, batches: Sequence[TextBatch], device: torch.device) -> float:
    """Tokens a second if only arithmetic, or only memory traffic, took time."""
    c = network.config
    a_token = 2 * (8 * c.hidden * (c.embedding + c.hidden) + 2 * c.hidden * c.attention)  # multiply and add
    a_text = 2 * 4 * c.hidden * (c.classes + 1)
    tokens = sum(batch.n_tokens for batch in batches)
    texts = sum(len(batch.lengths) for batch in batches)
    operations = 3 * (tokens * a_token + texts * a_text)  # backwards costs twice forwards
    parameters = sum(p.numel() for p in network.parameters())
    # AdamW reads weight, gradient and two moments and writes three; the gradient is cleared, written and
    # clipped
    moved = len(batches) * parameters * 4 * 11
    return tokens / max(operations / _matrix_speed(device), moved / _copy_speed(device))


def _matrix_speed(device: torch.device, size: int = 1024) -> float:
    """Floating-point operations a second of a square product."""
    a = torch.randn(size, size, device=device)
    best = float("inf")
    for _ in range(6):
        _wait(device)
        began = time.perf_counter()
        torch.mm(a, a)
        _wait(device)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def _copy_speed(device: torch.device, megabytes: int = 128) -> float:
    """Bytes a second, read and written both counted."""
    a = torch.ones(megabytes << 18, device=device)
    b = torch.empty_like(a)
    best = float("inf")
    for _ in range(6):
        _wait(device)
        began = time.perf_counter()
        b.copy_(a)
        _wait(device)
        best = min(best, time.perf_counter() - began)
    return 2 * 4 * a.numel() / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
