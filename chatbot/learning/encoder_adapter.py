"""A pretrained sentence encoder adapted to a company: one square matrix behind it, trained on the company's questions.

The encoder stays as it is; its vectors v become (v + vA) / ‖v + vA‖, A starting at zero. Trained with the domain
encoder's loss (symmetric InfoNCE, texts of one article no negatives of each other) on cached vectors, this takes
seconds on a CPU: on held-out questions of covidfaq, flodial and feedbackqa it gains two to five points of recall@1
(docs/retrieval.md). The matrix is written into the ONNX graph, so the result serves like any other encoder.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import InputError
from chatbot.inference.encode import MODEL_FILE, TOKENIZER_FILE, EncoderConfig
from chatbot.learning.domain_encoder import Positive
from chatbot.learning.encoders import written_folder

_MIN_POSITIVES = 50


@dataclass(frozen=True, slots=True)
class AdapterSettings:
    """Chosen on the validation questions of covidfaq, flodial and feedbackqa."""

    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    dropout: float = 0.1
    temperature: float = 0.05
    batch_size: int = 128
    epochs: int = 10

    def __post_init__(self) -> None:
        for name in ("learning_rate", "temperature", "batch_size", "epochs"):
            if getattr(self, name) <= 0:
                raise InputError("Must be above 0", field=name, value=getattr(self, name))
        if not 0 <= self.dropout < 1:
            raise InputError("A share from 0 to below 1", field="dropout", value=self.dropout)


def fit_adapter(
    positives: Sequence[Positive],
    vectors: Mapping[str, NDArray[np.float32]],
    *,
    seed: int,
    settings: AdapterSettings | None = None,
    progress: Callable[[float], None] | None = None,
) -> NDArray[np.float32] | None:
    """The matrix I + A, float32 [dimension, dimension]; None where there are too few positives to learn from.

    ``vectors``: the unit vector [dimension] of every text of ``positives``.
    """
    import torch
    from torch.nn.functional import cross_entropy, dropout, normalize

    if len(positives) < _MIN_POSITIVES:
        return None
    settings = settings or AdapterSettings()
    tell = progress or (lambda share: None)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    numbers = {group: number for number, group in enumerate(dict.fromkeys(item.group for item in positives))}
    groups = torch.tensor([numbers[item.group] for item in positives])
    first = torch.from_numpy(np.stack([vectors[item.first] for item in positives]))  # [positives, dimension]
    second = torch.from_numpy(np.stack([vectors[item.second] for item in positives]))
    change = torch.nn.Parameter(torch.zeros(first.shape[1], first.shape[1]))
    optimiser = torch.optim.AdamW([change], lr=settings.learning_rate, weight_decay=settings.weight_decay)

    def adapted(rows: torch.Tensor) -> torch.Tensor:
        rows = dropout(rows, settings.dropout)
        return normalize(rows + dropout(rows, settings.dropout) @ change, dim=-1)

    total, step = settings.epochs * -(-len(positives) // settings.batch_size), 0
    for _ in range(settings.epochs):
        order = torch.from_numpy(rng.permutation(len(positives)))
        for batch in order.split(settings.batch_size):
            step += 1
            rate = min(1.0, 10 * step / total) * (1 - (step - 1) / total)
            optimiser.param_groups[0]["lr"] = settings.learning_rate * rate
            if len(batch) < 2:
                continue
            scores = adapted(first[batch]) @ adapted(second[batch]).T / settings.temperature  # [batch, batch]
            same = groups[batch][:, None] == groups[batch][None, :]
            same.fill_diagonal_(False)
            scores = scores.masked_fill(same, -1e4)
            targets = torch.arange(len(batch))
            loss = (cross_entropy(scores, targets) + cross_entropy(scores.T, targets)) / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        tell(step / total)
    matrix: NDArray[np.float32] = (torch.eye(len(change)) + change).detach().numpy()
    return matrix


def write_adapted(
    source: Path, matrix: NDArray[np.float32], folder: Path, *, languages: Sequence[str] | None = None
) -> Path:
    """The encoder at ``source`` with ``matrix`` behind it, as an encoder folder of its own.

    ``languages``: those it was adapted for; None: the source's. Token states stay the source's. Raises BundleError
    where ``source`` holds no encoder, InputError where the matrix does not fit it.
    """
    import onnx
    from onnx import helper, numpy_helper

    config = EncoderConfig.load(source)
    if matrix.shape != (config.dimension, config.dimension):
        raise InputError("The adapter does not fit the encoder", field="matrix", value=matrix.shape)
    model = onnx.load(str(source / MODEL_FILE))
    for node in model.graph.node:
        for place, name in enumerate(node.output):
            if name == "vector":
                node.output[place] = "vector_before"
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.ascontiguousarray(matrix, dtype=np.float32), "adapter"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "adapter_axis"),
            numpy_helper.from_array(np.array(1e-9, dtype=np.float32), "adapter_tiny"),
        ]
    )
    model.graph.node.extend(
        [
            helper.make_node("MatMul", ["vector_before", "adapter"], ["adapter_sum"]),
            helper.make_node("ReduceL2", ["adapter_sum", "adapter_axis"], ["adapter_norm"], keepdims=1),
            helper.make_node("Max", ["adapter_norm", "adapter_tiny"], ["adapter_divisor"]),
            helper.make_node("Div", ["adapter_sum", "adapter_divisor"], ["vector"]),
        ]
    )
    digest = hashlib.sha256(config.fingerprint.encode() + matrix.tobytes()).hexdigest()[:20]
    with written_folder(folder) as scratch:
        shutil.copyfile(source / TOKENIZER_FILE, scratch / TOKENIZER_FILE)
        onnx.save(model, str(scratch / MODEL_FILE))
        with_changes(
            config,
            name=f"{config.name} adapted",
            fingerprint=digest,
            languages=config.languages if languages is None else tuple(languages),
        ).save(scratch)
    return folder
