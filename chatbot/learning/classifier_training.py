"""A snapshot's examples → the ``classifier/`` folder of a bundle: trained, exported, calibrated, checked.

Everything after the training is done with the form that serves: the int8 graph is compared with the network
(parity), calibrated on the validation texts and on outliers, and measured on them.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.errors import FrontdeskError, TrainingError
from chatbot.inference.classifier_config import (
    ALL,
    PAIRS_FILE,
    VOCABULARY_FILE,
    Calibration,
    ClassifierConfig,
)
from chatbot.inference.classify import IntentClassifier, request_of
from chatbot.inference.scoring import RawScores
from chatbot.language.normalise import detect_language
from chatbot.language.tokens import Vocabulary
from chatbot.learning import warm_start
from chatbot.learning.calibration import (
    ENOUGH,
    auroc,
    calibrate,
    calibration_error,
    confidences,
    scope_probabilities,
)
from chatbot.learning.classifier_data import (
    Dataset,
    Example,
    Recipe,
    Split,
    Teacher,
    coherent,
    labels_of,
    read_examples,
    split_examples,
)
from chatbot.learning.parity import Parity, parity
from chatbot.learning.time_plan import seconds_left
from chatbot.learning.warm_start import carry_over
from chatbot.learning.wide_solving import LOUDNESS, balance, cost, solve_wide
from chatbot.neural.batches import Collator
from chatbot.neural.devices import resolve_device
from chatbot.neural.export import export_intents
from chatbot.neural.fit import fit
from chatbot.neural.fit_report import FitProgress, FitResult
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.intent_classifier import WIDE_BUCKETS, IntentConfig, IntentNetwork

log = logging.getLogger(__name__)

_COMPARED = 2000  # validation messages on which the served form is held against the trained one
# whether the graph is int8, whether the n-grams' vectors are int4: the smallest form that agrees is served
_FORMS = ((True, True), (True, False), (False, False))
_AFTER_HISTORY = (1.0, 0.7, 0.5, 0.35, 0.25, 0.1, 0.0)  # how much the linear model may count there
_ENOUGH_TO_WEIGH = 50  # validation messages


@dataclass(frozen=True)
class ClassifierReport:
    """What the training came to: ``metrics`` on validation (shares 0..1), ``parity`` of the served form."""

    metrics: dict[str, Any]
    parity: dict[str, Any]
    fit: FitResult = field(repr=False)


def train_classifier(
    examples: Iterable[Mapping[str, Any]],
    out_dir: Path,
    *,
    languages: Sequence[str],
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    export_within: bool = False,
    progress: Callable[[float], None] | None = None,
    recipe: Recipe | None = None,
    checkpoint_dir: Path | None = None,
    teacher: Teacher | None = None,
    unlabelled: Sequence[str] = (),
    taught: Collection[str] = (),
    start: Path | None = None,
) -> ClassifierReport:
    """Train the fast tier on rows of examples.jsonl and write it to ``out_dir``.

    start: folder of a classifier to learn on from (chatbot/learning/warm_start.py). budget_seconds: for the
    preparation and the network's steps; the export comes on top, or (export_within) has as long as the preparation
    took, since on a machine that is busy with other things both take longer.

    teacher: labels the messages, the ``unlabelled`` texts and made-up variants of both, for the network to
    imitate, as far as they are in the ``taught`` languages (empty: all). Raises TrainingError where fewer than two
    intents have an example to train on.
    """
    began = time.monotonic()
    recipe = recipe or (Recipe().with_teacher() if teacher else Recipe())
    split, empty = coherent(split_examples(read_examples(examples), seed=seed), seed=seed)
    labels = labels_of(split)
    if len(labels) < 2:
        raise TrainingError(
            "a classifier needs examples of at least two intents",
            field="examples",
            value=len(labels),
            remedy="label more messages, or import transcripts that carry tags",
        )
    torch.manual_seed(seed)
    target = resolve_device(device)
    spoken = tuple(sorted(set(languages) | {e.lang for e in split.train}))
    config = _config(split, labels, spoken, recipe)
    data = Dataset.prepare(split, labels, config, recipe, seed)
    if teacher:
        data.learn_from(teacher, unlabelled, taught)
    network = IntentNetwork(
        IntentConfig(
            words=len(data.vocabulary),
            classes=len(labels),
            buckets=recipe.buckets,
            embedding=recipe.embedding,
            hidden=recipe.hidden,
            dropout=recipe.dropout,
            embedding_dropout=recipe.embedding_dropout,
            untaught_dropout=recipe.untaught_dropout,
            untaught_embedding_dropout=recipe.untaught_embedding_dropout,
            label_smoothing=recipe.label_smoothing,
            teacher_width=data.lesson.vectors.shape[1] if data.lesson else 0,
        )
    )
    if network.config.wide:
        solve_wide(network, data)
    if recipe.encoder_vectors and "en" in spoken:
        start_from_encoder(network, data.vocabulary)
    carried = None
    if start is not None:
        carried = carry_over(network, data.vocabulary, labels, start)
        recipe = replace(
            recipe,
            steps=round(recipe.steps * warm_start.STEPS),
            least_epochs=max(1, round(recipe.least_epochs * warm_start.STEPS)),
            most_epochs=max(1, round(recipe.most_epochs * warm_start.STEPS)),
            learning_rate=recipe.learning_rate * warm_start.LEARNING_RATE,
        )
    if budget_seconds is not None and export_within:
        budget_seconds -= time.monotonic() - began
    steps = max(1, math.ceil(data.epoch_size / recipe.batch_size))
    epochs = min(recipe.most_epochs, max(recipe.least_epochs, round(recipe.steps / steps)))
    result = fit(
        network,
        data.batches,
        steps,
        data.validation(network, target),
        FitSettings(
            epochs=epochs,
            learning_rate=recipe.learning_rate,
            ema=recipe.ema,
            budget_seconds=seconds_left(budget_seconds, began),
            seed=seed,
        ),
        device=target,
        checkpoint_dir=checkpoint_dir,
        progress=_share_of(progress),
    )
    network = network.cpu().eval()
    loudness = balance(network, data)
    log.info("the linear model counts %.2f times the LSTM", loudness)
    report = _finish(network, data, config, out_dir, result)
    learned_on = {"learned_on": asdict(carried)} if carried else {}
    return replace(
        report, metrics={**report.metrics, "left_out_tags": [asdict(tag) for tag in empty], **learned_on}
    )


def untrained_network(
    rows: Iterable[Mapping[str, Any]], config: ClassifierConfig, *, recipe: Recipe | None = None
) -> tuple[IntentNetwork, Collator, list[NDArray[np.int64]], list[int]]:
    """A network of a trained classifier's sizes with its data, for measuring speed: collator, tokens,
    targets.
    """
    recipe = recipe or Recipe()
    index = {label: i for i, label in enumerate(config.labels)}
    examples = [e for e in read_examples(rows) if e.intent in index]
    requests = [request_of(e.text, (), max_tokens=config.max_tokens, context_tokens=0) for e in examples]
    vocabulary = Vocabulary.count([r.tokens for r in requests], buckets=WIDE_BUCKETS * config.buckets)
    network = IntentNetwork(
        IntentConfig(
            words=len(vocabulary),
            classes=len(config.labels),
            buckets=config.buckets,
            embedding=recipe.embedding,
            hidden=recipe.hidden,
        )
    )
    collator = Collator(vocabulary)
    return (
        network,
        collator,
        [collator.ids(r.tokens) for r in requests],
        [index[e.intent or ""] for e in examples],
    )


def _config(
    split: Split, labels: tuple[str, ...], languages: tuple[str, ...], recipe: Recipe
) -> ClassifierConfig:
    lengths = np.asarray([len(e.text) for e in split.train])
    tokens = np.asarray(
        [len(request_of(e.text, (), max_tokens=256, context_tokens=0).tokens) for e in split.train]
    )
    with_history = sum(bool(e.context) for e in split.train)
    return ClassifierConfig(
        labels=labels,
        languages=languages,
        buckets=recipe.buckets,
        max_tokens=int(np.clip(np.quantile(tokens, 0.99) * 1.5, 32, 160)),
        context_tokens=recipe.context_tokens if with_history >= 0.1 * len(split.train) else 0,
        long_characters=int(max(400, 4 * np.quantile(lengths, 0.999))),
    )


def start_from_encoder(network: IntentNetwork, vocabulary: Vocabulary) -> bool:
    """Give the word rows the packaged encoder's input embeddings; False where the package is not installed."""
    from chatbot.learning.encoders import packaged_folder
    from chatbot.learning.word_vectors import encoder_word_vectors

    try:
        folder = packaged_folder()
    except FrontdeskError as error:
        log.warning("word vectors start at random: %s", error.one_line())
        return False
    positions, vectors = encoder_word_vectors(vocabulary.words, folder, dimension=network.config.embedding)
    with torch.no_grad():
        network.word.weight[torch.from_numpy(positions) + 1] = torch.from_numpy(vectors)
    return True


def _share_of(progress: Callable[[float], None] | None) -> Callable[[FitProgress], None] | None:
    if progress is None:
        return None
    return lambda at: progress(at.share)


def _finish(
    network: IntentNetwork, data: Dataset, config: ClassifierConfig, out_dir: Path, result: FitResult
) -> ClassifierReport:
    """Export, decide about the history, calibrate, compare, measure, write."""
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / VOCABULARY_FILE).write_text("".join(f"{w}\n" for w in data.vocabulary.words), encoding="utf-8")
    np.save(out_dir / PAIRS_FILE, data.han_pairs())
    for int8, small_grams in _FORMS:
        export_intents(network, out_dir, int8=int8, small_grams=small_grams)
        served, raw, outside = _calibrated(data, config, out_dir)
        agreement = _parity(network, data, IntentClassifier.load(out_dir))
        if agreement.holds:
            break
        log.info("int8 %s with n-grams in four bits %s changes too much (%s)", int8, small_grams, agreement)
    else:
        log.warning("no smaller form agrees with the trained network: the largest is served")
    metrics = _metrics(data, served, raw, data.valid_targets(), outside, result)
    return ClassifierReport(metrics=metrics, parity=asdict(agreement), fit=result)


def _calibrated(
    data: Dataset, config: ClassifierConfig, out_dir: Path
) -> tuple[ClassifierConfig, RawScores, RawScores]:
    """What is served with the graphs in ``out_dir``, written there, and its scores of the validation texts and of
    outliers."""
    config.save(out_dir)
    classifier = IntentClassifier.load(out_dir)
    raw = raw_scores(classifier, data.split.valid)
    targets = data.valid_targets()
    by_language = _words_by_language(config, data, out_dir, raw)
    if by_language:
        config = replace(config, words_by_language=by_language)
        config.save(out_dir)
        raw = raw_scores(IntentClassifier.load(out_dir), data.split.valid)
    if config.context_tokens:
        config = replace(config, words_after_history=_words_after_history(config, data, out_dir, raw))
        config.save(out_dir)
        raw = raw_scores(IntentClassifier.load(out_dir), data.split.valid)
        alone = replace(config, context_tokens=0)
        alone.save(out_dir)
        without = raw_scores(IntentClassifier.load(out_dir), data.split.valid)
        if _accuracy(without, targets) > _accuracy(raw, targets):
            log.info("history does not help on the validation texts: the classifier reads messages alone")
            config, raw = alone, without
        config.save(out_dir)
        classifier = IntentClassifier.load(out_dir)
    outside_texts = data.pools.to_calibrate_with([e.text for e in data.split.outside_valid])
    outside = classifier.raw(outside_texts)
    config = replace(config, calibration=_calibrations(data, raw, targets, outside, outside_texts))
    config.save(out_dir)
    return config, raw, outside


def raw_scores(classifier: IntentClassifier, examples: Sequence[Example]) -> RawScores:
    return classifier.raw([e.text for e in examples], histories=[e.context for e in examples])


def _words_by_language(
    config: ClassifierConfig, data: Dataset, folder: Path, equal: RawScores
) -> dict[str, float]:
    """How much the linear model counts beside the LSTM in each language, where there are several: under it the
    validation messages of the language are likeliest. ``equal``: their scores where both count alike.

    A teacher that reads one of two languages makes the LSTM better there and worse in the other, in which the linear
    model stays as good as it was.
    """
    targets = data.valid_targets()
    spoken = np.asarray([detect_language(e.text) for e in data.split.valid])
    asked = (targets >= 0) & (equal.known >= 0)
    mine = {lang: asked & (spoken == lang) for lang in sorted(set(spoken.tolist()))}
    mine = {lang: rows for lang, rows in mine.items() if rows.sum() >= _ENOUGH_TO_WEIGH}
    if len(mine) < 2:
        return {}
    replace(config, words_by_language=dict.fromkeys(mine, 0.0)).save(folder)
    deep = raw_scores(IntentClassifier.load(folder), data.split.valid).logits
    config.save(folder)
    wide = 2 * equal.logits - deep
    return {lang: _best_count(LOUDNESS, deep[rows], wide[rows], targets[rows]) for lang, rows in mine.items()}


def _best_count(
    counts: Sequence[float],
    deep: NDArray[np.float32],
    wide: NDArray[np.float32],
    targets: NDArray[np.int64],
) -> float:
    """How much the linear model's logits [n, k + 1] count beside the LSTM's: under it the ``targets`` [n] are
    likeliest among the intents, each choice at its own best temperature. What is outside is calibrated by itself."""
    right = torch.from_numpy(targets)
    return min(counts, key=lambda one: cost(torch.from_numpy((deep + one * wide)[:, :-1] / (1 + one)), right))


def _words_after_history(config: ClassifierConfig, data: Dataset, folder: Path, equal: RawScores) -> float:
    """How much the linear model counts beside the LSTM where history was read: under it the validation messages that
    have some are likeliest, each choice at its own best temperature. ``equal``: their scores where both count alike."""
    targets = data.valid_targets()
    asked = np.asarray([bool(e.context) for e in data.split.valid], bool) & (targets >= 0)
    if asked.sum() < _ENOUGH_TO_WEIGH:
        return 1.0
    replace(config, words_after_history=0.0).save(folder)
    deep = raw_scores(IntentClassifier.load(folder), data.split.valid).logits[asked]
    alone = [config.words_count(detect_language(e.text), after_history=False) for e in data.split.valid]
    wide = (1 + np.asarray(alone, np.float32)[asked, None]) * equal.logits[asked] - deep
    return _best_count(_AFTER_HISTORY, deep, wide, targets[asked])


def _parity(network: IntentNetwork, data: Dataset, classifier: IntentClassifier) -> Parity:
    """Of both graphs that serve, the one that agrees less: for batches, and for one message at a time."""
    config = classifier.config
    everything = data.split.valid or data.split.train
    compared = everything[:: math.ceil(len(everything) / _COMPARED)]  # the rows stand by language
    raw = raw_scores(classifier, compared)
    readable = np.flatnonzero(raw.known >= 0)
    examples = [compared[i] for i in readable]
    trained = _trained_logits(network, data, config, examples)
    alone = [
        found[0] for e in examples if (found := classifier.scores(e.text, history=e.context)) is not None
    ]
    calibrations = [config.calibration.get(e.lang, config.calibration[ALL]) for e in examples]
    batched = parity(trained, raw.logits[readable], calibrations)
    one_by_one = parity(trained, np.asarray(alone), calibrations)
    return Parity(
        n=batched.n,
        same_top=min(batched.same_top, one_by_one.same_top),
        largest_confidence_gap=max(batched.largest_confidence_gap, one_by_one.largest_confidence_gap),
    )


def _trained_logits(
    network: IntentNetwork, data: Dataset, config: ClassifierConfig, examples: Sequence[Example]
) -> NDArray[np.float32]:
    """What the network says [n, classes + 1], the linear model counting as much behind a history as it does served."""
    requests = [
        request_of(e.text, e.context, max_tokens=config.max_tokens, context_tokens=config.context_tokens)
        for e in examples
    ]
    out = np.zeros((len(requests), len(config.labels) + 1), np.float32)
    for i in range(0, len(requests), 256):
        part = requests[i : i + 256]
        batch = data.batch_of(part, [0] * len(part))
        with torch.no_grad():
            logits = network.head(network.features(batch))
            if network.config.wide:
                counts = torch.tensor(
                    [
                        [config.words_count(detect_language(e.text), after_history=r.start > 0)]
                        for e, r in zip(examples[i : i + 256], part, strict=True)
                    ]
                )
                logits = (logits + counts * network.linear(batch)) / (1 + counts)
        out[i : i + 256] = logits.float().numpy()
    return out


def _accuracy(raw: RawScores, targets: NDArray[np.int64]) -> float:
    if not len(targets):
        return 0.0
    return float((raw.logits[:, :-1].argmax(axis=1) == targets).mean())


def _calibrations(
    data: Dataset,
    raw: RawScores,
    targets: NDArray[np.int64],
    outside: RawScores,
    outside_texts: Sequence[str],
) -> dict[str, Calibration]:
    """One over everything, and one for each language that has enough validation texts."""
    fit_on = (targets >= 0) & (raw.known >= 0)
    readable = outside.known >= 0
    calibrations = {
        ALL: calibrate(
            raw.logits[fit_on],
            targets[fit_on],
            raw.known[fit_on],
            outside.logits[readable],
            outside.known[readable],
        )
    }
    spoken = np.asarray([e.lang for e in data.split.valid])
    outside_spoken = np.asarray([detect_language(t) for t in outside_texts])
    for lang in sorted(set(spoken.tolist())):
        mine = fit_on & (spoken == lang)
        theirs = readable & ((outside_spoken == lang) | (outside_spoken == "und"))
        if mine.sum() >= ENOUGH and theirs.sum() >= ENOUGH // 2 and len(set(spoken)) > 1:
            calibrations[lang] = calibrate(
                raw.logits[mine],
                targets[mine],
                raw.known[mine],
                outside.logits[theirs],
                outside.known[theirs],
            )
    return calibrations


def _metrics(
    data: Dataset,
    config: ClassifierConfig,
    raw: RawScores,
    targets: NDArray[np.int64],
    outside: RawScores,
    result: FitResult,
) -> dict[str, Any]:
    """Figures for the model card, on the validation texts in the served form."""
    spoken = np.asarray([e.lang for e in data.split.valid])
    metrics: dict[str, Any] = {
        "n_train": data.n_inside,
        "n_valid": len(targets),
        "n_intents": len(data.labels),
        "epochs": result.steps / max(1, math.ceil(data.epoch_size / data.recipe.batch_size)),
        "train_seconds": result.seconds,
        "curve": result.curve(),
        "tokens_per_second": result.tokens_per_second,
        "device": result.device,
        "reads_history": bool(config.context_tokens),
        "languages": {},
    }
    if not len(targets):
        return metrics
    guesses = raw.logits[:, :-1].argmax(axis=1)
    calibrations = [config.calibration.get(lang, config.calibration[ALL]) for lang in spoken]
    confidence = confidences(raw.logits, calibrations)
    inside = scope_probabilities(raw, config.calibration[ALL])
    beyond = scope_probabilities(outside, config.calibration[ALL])
    metrics["accuracy"] = _accuracy(raw, targets)
    metrics["calibration_error"] = calibration_error(confidence, guesses == targets)
    metrics["outside_auroc"] = auroc(inside, beyond)
    for lang in sorted(set(spoken.tolist())):
        mine = spoken == lang
        metrics["languages"][lang] = {
            "n_valid": int(mine.sum()),
            "accuracy": float((guesses == targets)[mine].mean()),
            "calibration_error": calibration_error(confidence[mine], (guesses == targets)[mine]),
        }
    return metrics
