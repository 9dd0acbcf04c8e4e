"""The accurate tier: an LSTM over a sentence encoder's token states, trained, exported and calibrated.

Frozen (default on a CPU for very many messages): every text is encoded once, in the int8 form
that serves, and the LSTM learns on the stored states. Tuned: the encoder learns along in torch, is exported
to int8, and the LSTM is then fitted once more on what the exported encoder says, so that the loss of
precision is trained away. With few examples of each intent (chatbot/learning/few_examples.py) a linear model over
the untuned encoder's sentence vector decides beside it; both encoders share their lower layers and are one graph.
The result also teaches the fast tier (`teacher_of`).
"""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from chatbot.dialogue.trace import Message
from chatbot.errors import TrainingError
from chatbot.inference.classifier_config import (
    ACCURATE_FOLDER,
    ALL,
    ENCODER_FOLDER,
    GRAPH_FILE,
    ClassifierConfig,
)
from chatbot.inference.classify_states import AccurateClassifier, encoder_text
from chatbot.inference.encode import SentenceEncoder
from chatbot.inference.sessions import open_session
from chatbot.learning.calibration import (
    auroc,
    calibrate,
    calibration_error,
    confidences,
    scope_probabilities,
)
from chatbot.learning.classifier_data import (
    Example,
    Lesson,
    Split,
    Teacher,
    coherent,
    labels_of,
    read_examples,
    split_examples,
    training_outliers,
)
from chatbot.learning.classifier_training import ClassifierReport
from chatbot.learning.few_examples import CONTRASTIVE, Rows, are_few, class_batches, named_examples
from chatbot.learning.linear_head import solve_linear
from chatbot.learning.outlier_texts import OutlierPools
from chatbot.learning.parity import parity
from chatbot.learning.time_plan import seconds_left
from chatbot.learning.tuned_encoder import export_tuned
from chatbot.neural.batches import length_buckets
from chatbot.neural.devices import resolve_device
from chatbot.neural.export import export_states
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import FitProgress, FitResult, Score
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.state_classifier import (
    PieceBatch,
    StateBatch,
    StateConfig,
    StateNetwork,
    TunedNetwork,
    load_encoder,
    vector_scale,
)

log = logging.getLogger(__name__)

Encoded = tuple[NDArray[np.float16], NDArray[np.float32]]  # states [t, width], unit vector [width]
_PIECES = 64  # word pieces of a text that training reads
_READ_A_SECOND = (
    250  # messages encoded for a second of training: reading more takes longer than learning from them
)
_FEW = 16_000  # messages up to which tuning takes a CPU of two cores about ten minutes
_EPOCHS = 6  # of tuning
_MANY = 1_000  # examples an intent from which _EPOCHS_OF_MANY teach more: noise in the labels is not learned by heart
_EPOCHS_OF_MANY = 2


@dataclass(frozen=True)
class AccurateRecipe:
    """``tune``: whether the encoder learns along; None: on a GPU, and on a CPU up to some thousand messages."""

    tune: bool | None = None
    epochs: int | None = None  # of tuning; None: by how many examples an intent has
    batch_size: int = 32
    learning_rate: float = 2e-3
    least_steps: int = 400
    head_epochs: int = 10  # of the LSTM over frozen states
    head_after_tuning: int = 3
    head_rate: float = 2e-3
    outlier_share: float = 0.2
    contrastive: float | None = None  # None: where there are few examples
    steady: bool | None = None  # a linear model over the untuned encoder beside a tuned one; None: likewise
    hidden: int = 128
    plain_strength: float = 30.0  # of the linear model over the sentence vectors: the inverse of its ridge


def train_accurate(
    examples: Iterable[Mapping[str, Any]],
    out_dir: Path,
    *,
    encoder: SentenceEncoder,
    weights: Path | None = None,
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
    recipe: AccurateRecipe | None = None,
) -> ClassifierReport:
    """Train the accurate tier on rows of examples.jsonl and write ``out_dir``/accurate.

    encoder: as it serves. weights: a folder with the same encoder's trained weights (model.safetensors,
    config.json, tokenizer.json), needed for tuning.
    Raises TrainingError where fewer than two intents have an example, or where tuning has no weights.
    """
    began = time.monotonic()
    recipe = recipe or AccurateRecipe()
    split, _ = coherent(split_examples(read_examples(examples), seed=seed), seed=seed)
    labels = labels_of(split)
    if len(labels) < 2:
        raise TrainingError("a classifier needs examples of at least two intents", value=len(labels))
    target = resolve_device(device)
    tune = recipe.tune
    if tune is None:
        tune = weights is not None and (target.type == "cuda" or len(split.train) <= _FEW)
    if tune and weights is None:
        raise TrainingError("tuning the encoder needs its trained weights", field="weights", value=None)
    context = sum(bool(e.context) for e in split.train) >= 0.1 * len(split.train)
    if budget_seconds is not None and not tune and target.type == "cpu":
        split = _evenly(split, int(budget_seconds * _READ_A_SECOND), seed=seed)
    pools = training_outliers(split, encoder.languages or ("en",), seed=seed)
    named = [*split.train, *named_examples(labels, split.train, encoder.languages)]
    train, valid = _rows(named, pools.train, labels, context), _rows(split.valid, (), labels, context)
    folder = out_dir / ACCURATE_FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    few = are_few(len(split.train), len(labels))
    contrastive = recipe.contrastive if recipe.contrastive is not None else CONTRASTIVE * few
    state = StateConfig(
        classes=len(labels),
        width=encoder.config.width,
        hidden=recipe.hidden,
        contrastive=contrastive,
        steady=tune and (few if recipe.steady is None else recipe.steady),
    )
    torch.manual_seed(seed)
    network, tuned_fit = StateNetwork(state), None
    if tune and weights is not None:
        tuned, tuned_fit = _tune(
            train,
            valid,
            weights,
            state,
            recipe,
            target,
            seed,
            seconds_left(budget_seconds, began),
            progress,
            by_class=few,
        )
        export_tuned(tuned, weights, encoder.config, folder / ENCODER_FOLDER)
        encoder = SentenceEncoder.load(folder / ENCODER_FOLDER)
        network = tuned.head
    head_fit = _fit_head(
        network, encoder, train, valid, recipe, target, seed, tuned=tuned_fit is not None,
        budget=seconds_left(budget_seconds, began), progress=None if tuned_fit else progress,
    )  # fmt: skip
    network = network.cpu().eval()
    lengths = np.asarray([len(e.text) for e in split.train])
    config = ClassifierConfig(
        labels=labels,
        languages=encoder.languages or ("en",),
        max_tokens=encoder.config.max_tokens,
        context_tokens=int(context),
        long_characters=int(max(400, 4 * np.quantile(lengths, 0.999))),
        tier="accurate",
        encoder="" if tuned_fit else encoder.fingerprint,
    )
    return _finish(network, encoder, split, pools, config, folder, tuned_fit or head_fit)


def teacher_of(out_dir: Path, *, encoder: SentenceEncoder | None = None) -> Teacher:
    """The trained accurate tier as a teacher of the fast one, read from ``out_dir``/accurate.

    Texts are read one by one (`SentenceEncoder.encode` says why), on as many threads as training has."""
    folder = out_dir / ACCURATE_FOLDER
    classifier = AccurateClassifier.load(folder, encoder=encoder)

    def teach(texts: Sequence[str], histories: Sequence[Sequence[Message]]) -> Lesson:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            said = list(pool.map(classifier.study, texts, histories))
        return Lesson(
            np.stack([logits for logits, _ in said]),
            np.stack([vector for _, vector in said]),
            classifier.labels,
        )

    return teach


def _evenly(split: Split, most: int, *, seed: int) -> Split:
    """At most ``most`` of the training messages: of each intent as many as of any other, as far as it has them."""
    if len(split.train) <= most:
        return split
    random_ = np.random.default_rng(seed)
    by_intent: dict[str | None, list[Example]] = {}
    for place in random_.permutation(len(split.train)):
        by_intent.setdefault(split.train[place].intent, []).append(split.train[place])
    left, kept = most, []
    for waiting, (_, found) in enumerate(sorted(by_intent.items(), key=lambda item: len(item[1]))):
        each = left // (len(by_intent) - waiting)  # what rare intents leave goes to the others
        kept += found[:each]
        left -= min(each, len(found))
    return replace(split, train=tuple(kept))


def _rows(examples: Sequence[Example], outliers: Sequence[str], labels: Sequence[str], context: bool) -> Rows:
    index = {label: i for i, label in enumerate(labels)}
    texts = [encoder_text(e.text, e.context, context=context) for e in examples]
    targets = [index.get(e.intent or "", -1) for e in examples] + [len(labels)] * len(outliers)
    return Rows(tuple(texts) + tuple(outliers), np.asarray(targets, np.int64), len(examples))


def _epoch(rows: Rows, share: float, repeats: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """Every message ``repeats`` times and some outliers, drawn anew."""
    random_ = np.random.default_rng((seed, epoch, 5))
    inside = np.tile(np.arange(rows.n_inside), repeats)
    outliers = np.arange(rows.n_inside, len(rows.texts))
    return np.concatenate([inside, random_.choice(outliers, min(len(outliers), int(share * len(inside))))])


def _tune(
    train: Rows,
    valid: Rows,
    weights: Path,
    state: StateConfig,
    recipe: AccurateRecipe,
    device: torch.device,
    seed: int,
    budget: float | None,
    progress: Callable[[float], None] | None,
    *,
    by_class: bool,
) -> tuple[TunedNetwork, FitResult]:
    """``by_class``: batches of several texts of some classes, for the contrastive term to have pairs."""
    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_PIECES)
    pieces = [e.ids for e in tokenizer.encode_batch(list(train.texts))]
    valid_pieces = [e.ids for e in tokenizer.encode_batch(list(valid.texts))]
    network = TunedNetwork(load_encoder(weights), state)
    size = recipe.batch_size
    many = train.n_inside >= _MANY * state.classes
    epochs = recipe.epochs or (_EPOCHS_OF_MANY if many else _EPOCHS)
    repeats = max(1, math.ceil(recipe.least_steps / epochs * size / max(1, train.n_inside)))
    steps = math.ceil(len(_epoch(train, recipe.outlier_share, repeats, seed=seed, epoch=0)) / size)
    if by_class:
        steps = math.ceil(recipe.least_steps / epochs)

    def chosen(epoch: int) -> Iterable[NDArray[np.int64]]:
        if by_class:
            yield from class_batches(train, recipe.outlier_share, steps, seed=seed, epoch=epoch)
            return
        order = _epoch(train, recipe.outlier_share, repeats, seed=seed, epoch=epoch)
        for part in length_buckets([len(pieces[i]) for i in order], size, seed=seed, epoch=epoch):
            yield order[part]

    def batches(epoch: int) -> Iterable[PieceBatch]:
        for picked in chosen(epoch):
            yield PieceBatch.of([pieces[i] for i in picked], train.targets[picked].tolist())

    def logits() -> NDArray[np.float32]:
        order = np.argsort([len(p) for p in valid_pieces], kind="stable")
        out = np.zeros((len(order), state.classes + 1), np.float32)
        for part in np.split(order, range(128, len(order), 128)):
            batch = PieceBatch.of([valid_pieces[i] for i in part], [0] * len(part)).to(device)
            out[part] = network(batch).float().cpu().numpy()
        return out

    result = fit(
        network,
        batches,
        steps,
        lambda: _score(logits(), valid.targets) if len(valid.targets) else Score("epoch", 0.0),
        FitSettings(
            epochs=epochs,
            learning_rate=recipe.learning_rate,
            seed=seed,
            warmup=0.15,
            budget_seconds=budget,
        ),
        device=device,
        progress=_share(progress),
    )
    return network.cpu().eval(), result


def _fit_head(
    network: StateNetwork,
    encoder: SentenceEncoder,
    train: Rows,
    valid: Rows,
    recipe: AccurateRecipe,
    device: torch.device,
    seed: int,
    *,
    tuned: bool,
    budget: float | None,
    progress: Callable[[float], None] | None,
) -> FitResult:
    """The LSTM over the encoder's states, as they come in the form that serves, and the linear model beside
    it.
    """
    encoded, checks = _encode(encoder, train.texts), _encode(encoder, valid.texts)
    vectors = np.stack([vector for _, vector in encoded])
    if not tuned:  # beside a tuned encoder it was learnt together with the vectors
        _solve_into(network.plain, vectors, train, recipe)
    if network.steady is not None:
        _solve_into(network.steady, vectors[:, network.config.width :], train, recipe)
    size = recipe.batch_size
    epochs = recipe.head_after_tuning if tuned else recipe.head_epochs
    repeats = 1 if tuned else max(1, math.ceil(recipe.least_steps / epochs * size / max(1, train.n_inside)))
    steps = math.ceil(len(_epoch(train, recipe.outlier_share, repeats, seed=seed, epoch=0)) / size)

    def batches(epoch: int) -> Iterable[StateBatch]:
        order = _epoch(train, recipe.outlier_share, repeats, seed=seed + 1, epoch=epoch)
        for part in length_buckets([len(encoded[i][0]) for i in order], size, seed=seed, epoch=epoch):
            picked = order[part]
            yield StateBatch.of([encoded[i] for i in picked], train.targets[picked].tolist())

    def validate() -> Score:
        if not checks:
            return Score("epoch", 0.0)
        out = np.zeros((len(checks), network.config.classes + 1), np.float32)
        for start in range(0, len(checks), 128):
            batch = StateBatch.of(checks[start : start + 128], [0] * len(checks[start : start + 128]))
            out[start : start + 128] = network(batch.to(device)).float().cpu().numpy()
        return _score(out, valid.targets)

    return fit(
        network,
        batches,
        steps,
        validate,
        FitSettings(
            epochs=epochs,
            learning_rate=recipe.head_rate / (4 if tuned else 1),
            seed=seed,
            budget_seconds=budget,
        ),
        device=device,
        progress=_share(progress),
    )


def _solve_into(
    linear: torch.nn.Linear, vectors: NDArray[np.float32], train: Rows, recipe: AccurateRecipe
) -> None:
    """A linear model over unit vectors [n, d] at its optimum; the LSTM then learns beside it.

    The outliers together weigh as much as an epoch shows of them.
    """
    outliers = len(train.texts) - train.n_inside
    weights = np.ones(len(train.texts), np.float32)
    if outliers:
        weights[train.n_inside :] = min(1.0, recipe.outlier_share * train.n_inside / outliers)
    weight, bias = solve_linear(
        vectors,
        train.targets,
        classes=linear.out_features,
        strength=recipe.plain_strength,
        weights=weights,
    )
    with torch.no_grad():
        linear.weight.copy_(weight / vector_scale(vectors.shape[1]))
        linear.bias.copy_(bias)
    linear.requires_grad_(False)


def _encode(encoder: SentenceEncoder, texts: Sequence[str]) -> list[Encoded]:
    """Half precision: the states of ten thousand messages are 100 MB so. Real outliers stand among the texts several
    times; each is read once."""

    def encode(text: str) -> Encoded:
        ((states, vector),) = encoder.encode_tokens([text])
        return states[:_PIECES].astype(np.float16), vector

    distinct = list(dict.fromkeys(texts))
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        read = dict(zip(distinct, pool.map(encode, distinct), strict=True))
    return [read[text] for text in texts]


def _score(logits: NDArray[np.float32], targets: NDArray[np.int64]) -> Score:
    intents = logits[:, :-1]
    top = intents.max(axis=1, keepdims=True)
    losses = np.log(np.exp(intents - top).sum(axis=1)) + top[:, 0] - intents[np.arange(len(targets)), targets]
    right = intents.argmax(axis=1) == targets
    return Score("accuracy", 100 * float(right.mean()) - 0.1 * float(losses[targets >= 0].mean()))


def _share(progress: Callable[[float], None] | None) -> Callable[[FitProgress], None] | None:
    if progress is None:
        return None
    return lambda at: progress(at.share)


def _finish(
    network: StateNetwork,
    encoder: SentenceEncoder,
    split: Split,
    pools: OutlierPools,
    config: ClassifierConfig,
    folder: Path,
    result: FitResult,
) -> ClassifierReport:
    valid = split.valid or split.train[:500]
    index = {label: i for i, label in enumerate(config.labels)}
    targets = np.asarray([index.get(e.intent or "", -1) for e in valid])
    known = targets >= 0
    texts = [encoder_text(e.text, e.context, context=bool(config.context_tokens)) for e in valid]
    encoded = encoder.encode_tokens(texts)
    with torch.no_grad():
        parts = [
            network(StateBatch.of(encoded[i : i + 128], [0] * len(encoded[i : i + 128])))
            for i in range(0, len(encoded), 128)
        ]
    trained = torch.cat(parts).float().numpy()
    outside_texts = pools.to_calibrate_with([e.text for e in split.outside_valid])
    for int8 in (True, False):  # the smaller form that agrees is served
        export_states(network, folder, int8=int8)
        classifier = AccurateClassifier(config, open_session(folder / GRAPH_FILE), encoder)
        raw = classifier.raw([e.text for e in valid], histories=[e.context for e in valid])
        outside = classifier.raw(outside_texts)
        calibration = calibrate(
            raw.logits[known], targets[known], raw.known[known], outside.logits, outside.known.clip(0, 1)
        )
        readable = raw.known >= 0
        agreement = parity(trained[readable], raw.logits[readable], [calibration] * int(readable.sum()))
        if agreement.holds:
            break
        log.info("int8 %s changes too much (%s)", int8, agreement)
    config = replace(config, calibration={ALL: calibration})
    config.save(folder)
    confidence = confidences(raw.logits, [calibration] * len(raw.logits))
    right = raw.logits[:, :-1].argmax(axis=1) == targets
    metrics = {
        "n_train": len(split.train),
        "n_valid": len(split.valid),
        "n_intents": len(config.labels),
        "accuracy": float(right.mean()),
        "calibration_error": calibration_error(confidence, right),
        "outside_auroc": auroc(
            scope_probabilities(raw, calibration), scope_probabilities(outside, calibration)
        ),
        "tuned": not config.encoder,
        "train_seconds": result.seconds,
        "curve": result.curve(),
        "device": result.device,
    }
    return ClassifierReport(metrics=metrics, parity=asdict(agreement), fit=result)
