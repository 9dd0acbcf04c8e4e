"""Train the answer ranker on the same replies as the generator, and write ``ranker/`` of the bundle.

``ranker/``: config.json, situation.onnx, answer.onnx (int8), weights.safetensors, answers.jsonl (every past answer with
how often it was given, and in which language) and answers.npy (their vectors, half precision). Needs no database, web
or FAISS.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

from chatbot.errors import TrainingError
from chatbot.learning.generator_data import Sample
from chatbot.neural.answer_ranker import AnswerRankerNetwork, PairBatch, RankerConfig
from chatbot.neural.batches import length_buckets, pad
from chatbot.neural.devices import resolve_device
from chatbot.neural.export import quantise
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import FitProgress, FitResult, Score
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.generator_export import tower_graph
from chatbot.neural.response_generator import ResponseGeneratorNetwork
from chatbot.neural.source_layout import SourceLayout, lay_out
from chatbot.neural.tokenizer import SubwordTokenizer

_WORDS_FIRST = 0.7  # most of the budget in which the words alone are learned
FREQUENCY_BIAS = 0.5  # times log(1 + how often agents gave the answer)


@dataclass(frozen=True)
class RankerSettings:
    """Many small steps: after two minutes of one slow core on star the true reply came first of 100 in 62 % with
    batches of 128 at 2e-3, in 68 % with 48 at 4e-3 (64 at 3e-3: 65, 32 at 5e-3: 68, 24 at 8e-3: 64).

    words: first the embeddings' means alone learn, in batches of ``words_batch``, then the states join: what a few
    seconds of one core are enough for (docs/replies.md).
    """

    batch: int = 48
    epochs: int = 3
    learning_rate: float = 4e-3
    warmup: float = 0.15
    patience: int = 3
    dimension: int = 192
    words: bool = False
    words_batch: int = 192
    words_epochs: int = 12
    words_rate: float = 1e-2


@dataclass(frozen=True)
class RankerReport:
    """accuracy: share of validation situations whose answer came first in its batch, repeats counted as right."""

    accuracy: float
    answers: int
    fit: FitResult


def train_ranker(
    train: Sequence[Sample],
    valid: Sequence[Sample],
    tokenizer: SubwordTokenizer,
    generator: ResponseGeneratorNetwork,
    layout: SourceLayout,
    out: Path,
    *,
    answers: Mapping[str, int] | None = None,
    settings: RankerSettings | None = None,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[FitProgress], None] | None = None,
) -> RankerReport:
    """Train from the generator's encoder and write ``out``/ranker. Raises TrainingError for fewer than two answers.

    answers: what is to be ranked, with how often each was given; by default the replies of ``train``.
    """
    settings = settings or RankerSettings()
    times = Counter(answers if answers is not None else (sample.reply for sample in train))
    if len(times) < 2:
        raise TrainingError("the ranker needs at least two different answers", value=len(times))
    torch.manual_seed(seed)
    config = RankerConfig(
        vocabulary=tokenizer.size,
        embedding=generator.config.embedding,
        units=generator.config.encoder_units,
        dimension=settings.dimension,
        words=settings.words,
        pad=tokenizer.tags.pad,
    )
    network = AnswerRankerNetwork(config)
    network.start_from(generator)
    result = _fit(network, tokenizer, layout, train, valid, settings, device, seed, budget_seconds, progress)
    network = network.to("cpu").eval()
    languages = {sample.reply: sample.lang for sample in train}
    _write(network, tokenizer, layout, times, languages, out / "ranker")
    return RankerReport(result.best.value, len(times), result)


def _fit(
    network: AnswerRankerNetwork,
    tokenizer: SubwordTokenizer,
    layout: SourceLayout,
    train: Sequence[Sample],
    valid: Sequence[Sample],
    settings: RankerSettings,
    device: str,
    seed: int,
    budget_seconds: float | None,
    progress: Callable[[FitProgress], None] | None,
) -> FitResult:
    numbers = {text: number for number, text in enumerate(sorted({s.reply for s in (*train, *valid)}))}
    encoded = _Encoded.of(tokenizer, layout, train, numbers)
    target = resolve_device(device)
    checked = _Encoded.of(tokenizer, layout, valid[:1024] or train[:256], numbers)
    held = [batch.to(target) for batch in checked.batches(settings.batch, seed)(0)]

    def validate() -> Score:
        right = total = 0
        for batch in held:
            logits = network.situation(batch.situations) @ network.answer(batch.answers).T
            best = logits.argmax(dim=1)
            right += int((batch.numbers[best] == batch.numbers).sum())
            total += len(best)
        return Score("first of the batch", right / max(1, total))

    def learn(size: int, epochs: int, rate: float, seconds: float | None, tell: bool) -> FitResult:
        return fit(
            network,
            encoded.batches(size, seed),
            math.ceil(len(train) / size),
            validate,
            FitSettings(
                epochs=epochs,
                learning_rate=rate,
                warmup=settings.warmup,
                patience=settings.patience,
                budget_seconds=seconds,
                seed=seed,
            ),
            device=device,
            progress=progress if tell else None,
        )

    left = budget_seconds
    if settings.words:
        began = time.monotonic()
        network.read_order(False)
        seconds = None if left is None else left * _WORDS_FIRST
        learn(settings.words_batch, settings.words_epochs, settings.words_rate, seconds, False)
        network.read_order(True)
        if left is not None:
            left = max(1.0, left - (time.monotonic() - began))
    return learn(settings.batch, settings.epochs, settings.learning_rate, left, True)


@dataclass(frozen=True)
class _Encoded:
    """Situations and answers as ids, and the answers' numbers; a row each."""

    situations: list[list[int]]
    answers: list[list[int]]
    numbers: list[int]

    @classmethod
    def of(
        cls,
        tokenizer: SubwordTokenizer,
        layout: SourceLayout,
        samples: Sequence[Sample],
        numbers: Mapping[str, int],
    ) -> _Encoded:
        replies = tokenizer.encode_batch([sample.reply for sample in samples])
        return cls(
            [lay_out(tokenizer, layout, turns=sample.turns) for sample in samples],
            [ids[: layout.reply_tokens] for ids in replies],
            [numbers[sample.reply] for sample in samples],
        )

    def batches(self, size: int, seed: int) -> Callable[[int], Iterable[PairBatch]]:
        lengths = [len(row) for row in self.situations]

        def epoch_batches(epoch: int) -> Iterable[PairBatch]:
            # Buckets by the situation's length alone would make the answer's length a clue; a wide noise is in them.
            for bucket in length_buckets(lengths, size, seed=seed, epoch=epoch):
                places = bucket.tolist()
                yield PairBatch(
                    situations=pad([self.situations[i] for i in places])[0],
                    answers=pad([self.answers[i] for i in places])[0],
                    numbers=torch.tensor([self.numbers[i] for i in places]),
                    n_tokens=sum(len(self.situations[i]) + len(self.answers[i]) for i in places),
                )

        return epoch_batches


def _write(
    network: AnswerRankerNetwork,
    tokenizer: SubwordTokenizer,
    layout: SourceLayout,
    times: Counter[str],
    languages: Mapping[str, str],
    folder: Path,
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().float().numpy() for name, value in network.state_dict().items()}
    save_file(
        {name: np.ascontiguousarray(value) for name, value in state.items()}, folder / "weights.safetensors"
    )
    for name in ("situation", "answer"):
        graph = quantise(tower_graph(state, prefix=f"{name}."))
        (folder / f"{name}.onnx").write_bytes(graph.SerializeToString())
    texts = sorted(times)
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as file:
        for text in texts:
            row = {"text": text, "times": times[text], "lang": languages.get(text, "")}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    made = []
    with torch.no_grad():
        for start in range(0, len(texts), 256):
            ids = [
                row[: layout.reply_tokens] or [tokenizer.tags.end]
                for row in tokenizer.encode_batch(texts[start : start + 256])
            ]
            made.append(network.answer(pad(ids)[0]).numpy())
    np.save(folder / "answers.npy", np.concatenate(made).astype(np.float16), allow_pickle=False)
    config = {
        "format": 1,
        "scale": float(network.log_scale.detach().exp().clamp(max=60.0)),
        "bias": FREQUENCY_BIAS,
        "layout": {name: getattr(layout, name) for name in layout.__dataclass_fields__},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
