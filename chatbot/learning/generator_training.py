"""Train the response generator on a snapshot and write its part of the bundle: tokenizer.json and generator/.

Needs torch, numpy, tokenizers, onnx and safetensors; no database, web or FAISS.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from chatbot.errors import FrontdeskError, TrainingError
from chatbot.inference.generate import FORMAT, ResponseGenerator
from chatbot.learning.generator_data import (
    Passage,
    Sample,
    names_in,
    passage_samples,
    read_passages,
    read_samples,
    vary,
)
from chatbot.learning.generator_start import LEARNING_RATE, Start, carry_over
from chatbot.neural.batches import length_buckets, pad
from chatbot.neural.devices import resolve_device
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import FitProgress, FitResult, Score
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.generator_export import WEIGHTS_FILE, export_generator
from chatbot.neural.response_generator import GeneratorConfig, ReplyBatch, ResponseGeneratorNetwork
from chatbot.neural.source_layout import SourceLayout, lay_out, readable_lookup
from chatbot.neural.tokenizer import SubwordTokenizer, train_tokenizer

log = logging.getLogger(__name__)

_VALIDATED = (
    256  # replies of the validation split that choose the weights: more would only take time from training
)
_REPLIES_A_SECOND = 100  # twice as many as a processor's core learns from
_MINUTES = (
    600.0  # seconds up to which more steps, and larger ones, come further (chosen on held-back replies)
)
_PREPARED = (
    2048  # replies varied and encoded at a time, so that the first step does not wait for a whole epoch
)


@dataclass(frozen=True)
class GeneratorSettings:
    """How a company's generator is trained. ``least_steps``: small logs are seen more often, up to ``epochs``."""

    vocabulary: int = 6000
    batch: int = 32
    epochs: int = 12
    least_steps: int = 600
    learning_rate: float = 3e-3
    warmup: float = 0.15
    patience: int = 4
    label_smoothing: float = 0.05
    scheduled_sampling: float = 0.0
    dropout: float = 0.1
    embedding: int = 192
    encoder_units: int = 128
    decoder_units: int = 256
    past_dropout: float = 0.0  # share of replies learned without the past answers: else they alone are copied
    ungrounded_share: float = 0.25  # most replies without any source, of those with one
    varied: bool = True
    clean: bool = True
    layout: SourceLayout = field(default_factory=SourceLayout)

    def within(self, budget_seconds: float | None, device: str) -> GeneratorSettings:
        """These settings for a budget: minutes on a CPU come further by more steps, and larger ones.

        After four minutes of one slow core (2.5 million pieces) sgd's validation replies had a loss of 2.52 a piece by
        them and 3.29 in batches of 48 at 3e-3.
        """
        if budget_seconds is None or budget_seconds > _MINUTES or resolve_device(device).type != "cpu":
            return self
        return replace(self, batch=16, learning_rate=8e-3)


@dataclass(frozen=True)
class GeneratorReport:
    """What the training came to. ``metrics``: figures for the model card; ``parity``: of the served form."""

    metrics: dict[str, Any]
    parity: dict[str, Any]
    fit: FitResult = field(repr=False)
    afresh: str = ""  # why a training that should have learned on began afresh


@dataclass(frozen=True)
class Encoded:
    """One reply as ids."""

    source: list[int]
    first: int
    reply: list[int]
    intent: int
    whole: bool = True  # False: cut at the layout's reply_tokens, so nothing is learned about where it ends

    @property
    def n_tokens(self) -> int:
        return len(self.source) + len(self.reply) + self.whole


def train_generator(
    dialogues: Iterable[Mapping[str, Any]],
    passages: Iterable[Mapping[str, Any]],
    out: Path,
    *,
    examples: Iterable[Mapping[str, Any]] | None = None,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
    settings: GeneratorSettings | None = None,
    checkpoint_dir: Path | None = None,
    start: Path | None = None,
) -> GeneratorReport:
    """Train on the snapshot's rows and write ``out``/tokenizer.json and ``out``/generator/.

    dialogues, passages, examples: rows of the snapshot's files (docs/architecture.md). Dialogues of the ``test``
    split are never read; those of ``valid`` choose the best weights, or a tenth of the replies where there are none.
    examples: their texts only widen the tokenizer's vocabulary.
    budget_seconds: for everything, preparation and export included. progress: told the share done, 0..1.
    start: a bundle whose generator to learn on from (chatbot/learning/generator_start.py); where that cannot be, the
    training begins afresh, and the report's ``afresh`` says why.

    Raises TrainingError when there is nothing to learn from.
    """
    began = time.monotonic()
    settings = settings or GeneratorSettings()
    rows = [row for row in dialogues if row.get("split") != "test"]
    settings = settings.within(budget_seconds, device)
    if budget_seconds is not None and resolve_device(device).type == "cpu":
        rows = _enough(rows, int(budget_seconds * _REPLIES_A_SECOND), Random(seed))
    known = read_passages(passages)
    train, valid, from_passages = _samples(rows, known, settings, Random(seed))
    if not train:
        raise TrainingError(
            "there is no agent's reply and no passage to learn from",
            field="dialogues",
            value=len(rows),
            remedy="import past conversations, or articles with text",
        )
    intents = tuple(sorted({sample.intent for sample in train if sample.intent}))
    begun, afresh = None, ""
    if start is not None:
        try:
            begun = _learning_on(start, intents, settings, device=device, seed=seed)
            settings = replace(settings, learning_rate=LEARNING_RATE * settings.learning_rate)
        except FrontdeskError as error:
            afresh = error.one_line()
    if begun is None:
        extra = (str(row["text"]) for row in examples or () if row.get("split") != "test")
        tokenizer = train_tokenizer(_texts(rows, known.values(), extra), vocabulary=settings.vocabulary)
        network = new_network(tokenizer, intents, settings, device=device, seed=seed)
    else:
        tokenizer, network = begun
    left = None
    if budget_seconds is not None:
        left = max(
            5.0, budget_seconds - (time.monotonic() - began) - 6.0
        )  # the export and its check need a few
    result = fit_generator(
        network, tokenizer, train, valid, settings=settings, device=device, seed=seed, budget_seconds=left,
        progress=_shares(progress), checkpoint_dir=checkpoint_dir,
    )  # fmt: skip
    write_generator(network, tokenizer, settings.layout, out)
    same = parity(network, tokenizer, out, (valid or train)[:24], settings.layout)
    report = GeneratorReport(
        metrics={
            "replies": len(train) - from_passages,
            "grounded_replies": sum(bool(sample.passages) for sample in train) - from_passages,
            "from_passages": from_passages,
            "valid_replies": len(valid),
            "vocabulary": tokenizer.size,
            "perplexity_a_piece": round(math.exp(min(20.0, result.best.value)), 3),
            "steps": result.steps,
            "tokens_per_second": round(result.tokens_per_second),
            "seconds": round(time.monotonic() - began, 1),
            "stopped": result.stopped,
            "learnt_on_from": start.name if start is not None and begun is not None else None,
        },
        parity=same,
        fit=result,
        afresh=afresh,
    )
    log.info("response generator: %s %s", report.metrics, report.parity)
    return report


def _learning_on(
    bundle: Path, intents: tuple[str, ...], settings: GeneratorSettings, *, device: str, seed: int
) -> tuple[SubwordTokenizer, ResponseGeneratorNetwork]:
    """The tokenizer of ``bundle`` and a network that begins with its weights. Raises FrontdeskError where it cannot."""
    start = Start(SubwordTokenizer.load(bundle / "tokenizer.json"), load_network(bundle))
    network = new_network(start.tokenizer, intents, settings, device=device, seed=seed)
    carry_over(network, start)
    return start.tokenizer, network


def new_network(
    tokenizer: SubwordTokenizer,
    intents: tuple[str, ...],
    settings: GeneratorSettings,
    *,
    device: str = "auto",
    seed: int = 13,
) -> ResponseGeneratorNetwork:
    """An untrained network for this tokenizer, its start fixed by the seed."""
    torch.manual_seed(seed)
    ends, opens = tokenizer.boundaries()
    return ResponseGeneratorNetwork(
        GeneratorConfig(
            vocabulary=tokenizer.size,
            intents=intents,
            embedding=settings.embedding,
            encoder_units=settings.encoder_units,
            decoder_units=settings.decoder_units,
            dropout=settings.dropout,
            label_smoothing=settings.label_smoothing,
            scheduled_sampling=settings.scheduled_sampling,
            pad=tokenizer.tags.pad,
        ),
        ends=torch.tensor(ends),
        opens=torch.tensor(opens),
    )


def fit_generator(
    network: ResponseGeneratorNetwork,
    tokenizer: SubwordTokenizer,
    train: Sequence[Sample],
    valid: Sequence[Sample],
    *,
    settings: GeneratorSettings,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[FitProgress], None] | None = None,
    checkpoint_dir: Path | None = None,
) -> FitResult:
    """Teacher forcing on ``train``; the weights with the lowest loss on ``valid`` stay in ``network``."""
    rows = {name: row for row, name in enumerate(network.config.intents, start=1)}
    names = names_in(passage for sample in train for passage in sample.passages) if settings.varied else []
    target, end = resolve_device(device), tokenizer.tags.end
    shown = Random(seed).sample(valid, min(len(valid), _VALIDATED)) if valid else train[:64]
    checked = encode_samples(tokenizer, settings.layout, shown, rows)
    held = [batch.to(target) for batch in reply_batches(checked, settings.batch, end=end, seed=seed, epoch=0)]
    steps = sum(
        math.ceil(min(_PREPARED, len(train) - start) / settings.batch)
        for start in range(0, len(train), _PREPARED)
    )
    varying = settings.varied and any(sample.passages for sample in train)

    def batches(epoch: int) -> Iterable[ReplyBatch]:
        random = Random(seed * 100_003 + epoch)
        order = random.sample(train, len(train))
        for start in range(0, len(order), _PREPARED):
            part = order[start : start + _PREPARED]
            if settings.past_dropout:
                part = [
                    replace(sample, past_answers=()) if random.random() < settings.past_dropout else sample
                    for sample in part
                ]
            if varying:
                part = [vary(sample, random, names=names) for sample in part]
            encoded = encode_samples(tokenizer, settings.layout, part, rows)
            yield from reply_batches(encoded, settings.batch, end=end, seed=seed + start, epoch=epoch)

    def validate() -> Score:
        total = count = 0.0
        for batch in held:
            losses, real = network.token_losses(batch)
            total, count = total + float((losses * real).sum()), count + float(real.sum())
        return Score("loss a piece", total / max(1.0, count), higher_is_better=False)

    epochs = max(settings.epochs, min(60, math.ceil(settings.least_steps / steps)))
    return fit(
        network,
        batches,
        steps,
        validate,
        FitSettings(
            epochs=epochs,
            learning_rate=settings.learning_rate,
            warmup=settings.warmup,
            patience=settings.patience,
            budget_seconds=budget_seconds,
            seed=seed,
        ),
        device=device,
        checkpoint_dir=checkpoint_dir,
        progress=progress,
    )


def encode_samples(
    tokenizer: SubwordTokenizer, layout: SourceLayout, samples: Sequence[Sample], intents: Mapping[str, int]
) -> list[Encoded]:
    """Samples as ids; a reply is cut at the layout's ``reply_tokens``."""
    replies = tokenizer.encode_batch([sample.reply for sample in samples])
    return [
        Encoded(
            lay_out(
                tokenizer,
                layout,
                turns=sample.turns,
                passages=sample.passages,
                past_answers=sample.past_answers,
            ),
            tokenizer.tags.reply(sample.lang),
            reply[: layout.reply_tokens],
            intents.get(sample.intent, 0),
            whole=len(reply) <= layout.reply_tokens,
        )
        for sample, reply in zip(samples, replies, strict=True)
    ]


def reply_batches(
    encoded: Sequence[Encoded], size: int, *, end: int, seed: int, epoch: int
) -> Iterable[ReplyBatch]:
    """Batches of like length. The end tag is added here, and the reply is shifted for teacher forcing."""
    lengths = [len(row.source) + 2 * len(row.reply) for row in encoded]
    for bucket in length_buckets(lengths, size, seed=seed, epoch=epoch):
        yield reply_batch([encoded[int(place)] for place in bucket], end=end)


def reply_batch(rows: Sequence[Encoded], *, end: int) -> ReplyBatch:
    """Rows → one padded batch. ``end``: the end tag's id."""
    wanted = [[*row.reply, end] if row.whole else row.reply for row in rows]
    return ReplyBatch(
        source=pad([row.source for row in rows])[0],
        fed=pad([[row.first, *ids[:-1]] for row, ids in zip(rows, wanted, strict=True)])[0],
        wanted=pad(wanted)[0],
        intent=torch.tensor([row.intent for row in rows]),
        n_tokens=sum(row.n_tokens for row in rows),
    )


def write_generator(
    network: ResponseGeneratorNetwork, tokenizer: SubwordTokenizer, layout: SourceLayout, out: Path
) -> None:
    """Write ``out``/tokenizer.json and ``out``/generator/{config.json, encoder.onnx, step.onnx, weights}."""
    folder = out / "generator"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(out / "tokenizer.json")
    export_generator(network, folder)
    config = {"format": FORMAT, "network": asdict(network.config), "layout": asdict(layout)}
    (folder / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False), encoding="utf-8")


def load_network(out: Path) -> ResponseGeneratorNetwork:
    """The network as ``write_generator`` left it in ``out``. Raises TrainingError where there is none."""
    folder = out / "generator"
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))["network"]
        state = load_file(folder / WEIGHTS_FILE)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise TrainingError("There is no generator to start from", value=out.name) from error
    ends, opens = SubwordTokenizer.load(out / "tokenizer.json").boundaries()
    network = ResponseGeneratorNetwork(
        GeneratorConfig(**(config | {"intents": tuple(config["intents"])})),
        ends=torch.tensor(ends),
        opens=torch.tensor(opens),
    )
    network.load_state_dict(state)
    return network


def parity(
    network: ResponseGeneratorNetwork,
    tokenizer: SubwordTokenizer,
    bundle: Path,
    samples: Sequence[Sample],
    layout: SourceLayout,
) -> dict[str, float]:
    """The served form (int8, onnxruntime) against the trained form: how likely each finds known replies.

    ``within_0.1_nats``: share of replies whose mean log-probability a piece differs by less; ``largest_gap``: the most
    it differs.
    """
    served = ResponseGenerator.load(bundle)
    rows = {name: row for row, name in enumerate(network.config.intents, start=1)}
    network = network.to("cpu").eval()
    gaps = []
    for sample, encoded in zip(samples, encode_samples(tokenizer, layout, samples, rows), strict=True):
        with torch.no_grad():
            losses, real = network.token_losses(reply_batch([encoded], end=tokenizer.tags.end))
        trained = -float((losses * real).sum() / real.sum())
        other = served.score(
            sample.turns,
            sample.passages,
            [sample.reply],
            intent=sample.intent,
            lang=sample.lang,
            past_answers=sample.past_answers,
        )
        gaps.append(abs(trained - other[0]))
    return {
        "n": len(gaps),
        "within_0.1_nats": sum(gap < 0.1 for gap in gaps) / max(1, len(gaps)),
        "largest_gap": round(max(gaps, default=0.0), 4),
    }


def _shares(progress: Callable[[float], None] | None) -> Callable[[FitProgress], None] | None:
    if progress is None:
        return None
    return lambda at: progress(at.share)


def _enough(rows: list[Mapping[str, Any]], replies: int, random: Random) -> list[Mapping[str, Any]]:
    """So many of the dialogues that they hold ``replies``: reading what is never come to takes time from training.

    Of those of the validation split no more than give the replies that choose the weights.
    """
    wanted = {
        True: 4 * _VALIDATED,
        False: replies,
    }  # validation or not; some replies are left out in the reading
    taken = []
    for row in random.sample(rows, len(rows)):
        held = row.get("split") == "valid"
        if wanted[held] > 0:
            wanted[held] -= sum(turn["role"] == "agent" for turn in row["turns"])
            taken.append(row)
    return taken


def _samples(
    rows: Sequence[Mapping[str, Any]],
    passages: Mapping[str, Passage],
    settings: GeneratorSettings,
    random: Random,
) -> tuple[list[Sample], list[Sample], int]:
    """Training and validation samples, and how many of the former come from passages alone."""
    train = read_samples(rows, passages, splits=("train",), clean=settings.clean)
    valid = read_samples(rows, passages, splits=("valid",), clean=settings.clean)
    grounded = [sample for sample in train if sample.passages]
    bare = [sample for sample in train if not sample.passages]
    if grounded:  # the generator is asked only when there is something to say it from
        bare = random.sample(bare, min(len(bare), int(settings.ungrounded_share * len(grounded))))
        valid = [sample for sample in valid if sample.passages] or valid
    train = grounded + bare
    if not valid and len(train) >= 10:
        random.shuffle(train)
        cut = max(1, len(train) // 10)
        valid, train = train[:cut], train[cut:]
    taught = passage_samples(passages.values()) if settings.clean else []
    return train + taught, valid, len(taught)


def _texts(
    rows: Iterable[Mapping[str, Any]], passages: Iterable[Passage], extra: Iterable[str]
) -> Iterable[str]:
    for row in rows:
        for turn in row["turns"]:
            text = str(turn.get("text") or "")
            yield readable_lookup(text) if turn["role"] == "action" else text
    for passage in passages:
        yield passage.title
        yield passage.text
    yield from extra
