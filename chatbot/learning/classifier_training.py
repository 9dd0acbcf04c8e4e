"""A snapshot's examples → the ``classifier/`` folder of a bundle: trained, exported, calibrated, checked.

Everything after the training is done with the form that serves: the int8 graph is compared with the network
(parity), calibrated on the validation texts and on outliers, and measured on them.
"""

from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import FrontdeskError, TrainingError
from chatbot.inference.classifier_config import ALL, VOCABULARY_FILE, Calibration, ClassifierConfig
from chatbot.inference.classify import IntentClassifier, Request, request_of
from chatbot.inference.scoring import RawScores
from chatbot.language.normalise import detect_language, fold
from chatbot.language.tokens import Vocabulary
from chatbot.learning.augmentation import augment
from chatbot.learning.calibration import ENOUGH, auroc, calibrate, calibration_error, scope_probabilities
from chatbot.learning.outlier_texts import OutlierPools, outlier_pools
from chatbot.neural.batches import Collator, TextBatch, length_buckets
from chatbot.neural.export import Parity, export_intents, parity
from chatbot.neural.fit import FitProgress, FitResult, FitSettings, Score, fit, resolve_device
from chatbot.neural.intent_classifier import IntentConfig, IntentNetwork

log = logging.getLogger(__name__)

OUT_OF_SCOPE = "oos"
_SAME_TOP = 0.995  # of the texts must keep their top intent in int8, else the float graph is shipped
_CONFIDENCE_GAP = 0.02


@dataclass(frozen=True)
class Example:
    """One labelled message. ``intent`` None: out of scope."""

    text: str
    intent: str | None
    lang: str
    context: tuple[Message, ...] = ()
    split: str = "train"
    group: str = ""


@dataclass(frozen=True)
class Recipe:
    """How the fast tier is trained; the defaults are for some thousand messages."""

    batch_size: int = 64
    steps: int = 1500  # aimed at, between ``least_epochs`` and ``most_epochs``
    least_epochs: int = 8
    most_epochs: int = 40
    learning_rate: float = 3e-3
    ema: float = 0.0
    outlier_share: float = 0.2  # outliers seen for each message
    context_dropout: float = 0.5  # how often a message that has history is read without it
    embedding: int = 256
    hidden: int = 128
    buckets: int = 16_384
    dropout: float = 0.5
    embedding_dropout: float = 0.3
    label_smoothing: float = 0.1
    context_tokens: int = 32
    encoder_vectors: bool = True
    augmented: int = 40_000  # texts made for a teacher to label
    lessons_share: float = 2.0  # of them seen an epoch, for each message

    def with_teacher(self) -> Recipe:
        """A teacher's distribution regularises by itself: a wider network, less dropout, more steps."""
        return replace(
            self, steps=4500, hidden=192, dropout=0.3, embedding_dropout=0.15, label_smoothing=0.05
        )


@dataclass(frozen=True)
class ClassifierReport:
    """What the training came to: ``metrics`` on validation (shares 0..1), ``parity`` of the served form."""

    metrics: dict[str, Any]
    parity: dict[str, Any]
    fit: FitResult = field(repr=False)


@dataclass(frozen=True)
class Split:
    """Examples to train on and to validate with; the out-of-scope ones apart."""

    train: tuple[Example, ...]
    valid: tuple[Example, ...]
    outside_train: tuple[Example, ...]
    outside_valid: tuple[Example, ...]


@dataclass(frozen=True)
class Lesson:
    """What a teacher says of n texts: logits [n, k + 1] over the sorted intents and "outside", vectors [n,
    d].
    """

    logits: NDArray[np.float32]
    vectors: NDArray[np.float32]


Teacher = Callable[[Sequence[str]], Lesson]


def read_examples(rows: Iterable[Mapping[str, Any]]) -> list[Example]:
    """Rows of examples.jsonl. A row without an intent is unlabelled and left out; ``oos`` means outside."""
    examples = []
    for row in rows:
        intent = row.get("intent")
        if not intent or not str(row.get("text", "")).strip():
            continue
        context = tuple(Message(turn["role"], turn["text"]) for turn in row.get("context") or ())
        examples.append(
            Example(
                text=row["text"],
                intent=None if intent == OUT_OF_SCOPE else intent,
                lang=row.get("lang") or detect_language(row["text"]),
                context=context,
                split=row.get("split") or "train",
                group=str(row.get("group") or ""),
            )
        )
    return examples


def split_examples(examples: Sequence[Example], *, seed: int, share: float = 0.1) -> Split:
    """The rows' own train/valid split; where there is no valid part, groups of ``share`` of the rows are held
    out.

    Rows of the test part are never read. Each intent keeps at least one group for training.
    """
    usable = [e for e in examples if e.split in ("train", "valid")]
    held = {id(e) for e in usable if e.split == "valid"}
    if not any(e.intent is not None for e in usable if id(e) in held):
        groups: dict[str, dict[str, list[Example]]] = {}
        for example in usable:
            group = example.group or fold(example.text)
            groups.setdefault(example.intent or OUT_OF_SCOPE, {}).setdefault(group, []).append(example)
        random_ = random.Random(seed)
        taken: set[str] = set()
        for intent in sorted(groups):
            names = sorted(groups[intent])
            random_.shuffle(names)
            wanted = max(1, round(share * len(names))) if len(names) > 2 else 0
            taken.update(names[:wanted])
        held = {id(e) for e in usable if (e.group or fold(e.text)) in taken}
    inside = [e for e in usable if e.intent is not None]
    outside = [e for e in usable if e.intent is None]
    return Split(
        train=tuple(e for e in inside if id(e) not in held),
        valid=tuple(e for e in inside if id(e) in held),
        outside_train=tuple(e for e in outside if id(e) not in held),
        outside_valid=tuple(e for e in outside if id(e) in held),
    )


def train_classifier(
    examples: Iterable[Mapping[str, Any]],
    out_dir: Path,
    *,
    languages: Sequence[str],
    device: str = "auto",
    seed: int = 13,
    budget_seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
    recipe: Recipe | None = None,
    checkpoint_dir: Path | None = None,
    teacher: Teacher | None = None,
    unlabelled: Sequence[str] = (),
) -> ClassifierReport:
    """Train the fast tier on rows of examples.jsonl and write it to ``out_dir``.

    teacher: labels the messages, the ``unlabelled`` texts and made-up variants of both, for the network to
    imitate. Raises TrainingError where fewer than two intents have an example to train on.
    """
    recipe = recipe or (Recipe().with_teacher() if teacher else Recipe())
    split = split_examples(read_examples(examples), seed=seed)
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
    data = _Dataset.prepare(split, labels, config, recipe, seed)
    if teacher:
        data.learn_from(teacher, unlabelled)
    network = IntentNetwork(
        IntentConfig(
            words=len(data.vocabulary),
            classes=len(labels),
            buckets=recipe.buckets,
            embedding=recipe.embedding,
            hidden=recipe.hidden,
            dropout=recipe.dropout,
            embedding_dropout=recipe.embedding_dropout,
            label_smoothing=recipe.label_smoothing,
            teacher_width=data.lesson.vectors.shape[1] if data.lesson else 0,
        )
    )
    if recipe.encoder_vectors and "en" in spoken:
        start_from_encoder(network, data.vocabulary)
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
            budget_seconds=budget_seconds,
            seed=seed,
        ),
        device=target,
        checkpoint_dir=checkpoint_dir,
        progress=_share_of(progress),
    )
    return _finish(network, data, config, out_dir, result)


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
    vocabulary = Vocabulary.count([r.tokens for r in requests], buckets=config.buckets)
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


def labels_of(split: Split) -> tuple[str, ...]:
    """The intents with a training example, sorted: the order of every network's classes."""
    return tuple(sorted({e.intent for e in split.train if e.intent}))


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
    return lambda at: progress(at.step / max(1, at.total_steps))


@dataclass
class _Dataset:
    """The tokenised examples, and the batches of each epoch."""

    split: Split
    pools: OutlierPools
    labels: tuple[str, ...]
    vocabulary: Vocabulary
    collator: Collator
    config: ClassifierConfig
    recipe: Recipe
    seed: int
    bare: list[Request] = field(default_factory=list)  # each training message without its history
    full: list[Request] = field(default_factory=list)  # and with it
    targets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    lesson: Lesson | None = None  # of all rows, the made-up ones last
    n_labelled: int = 0  # rows before the made-up ones: messages, then outliers

    @classmethod
    def prepare(
        cls,
        split: Split,
        labels: tuple[str, ...],
        config: ClassifierConfig,
        recipe: Recipe,
        seed: int,
    ) -> _Dataset:
        index = {label: i for i, label in enumerate(labels)}
        pools = training_outliers(split, config.languages, seed=seed)

        def read(text: str, history: Sequence[Message], context_tokens: int) -> Request:
            return request_of(text, history, max_tokens=config.max_tokens, context_tokens=context_tokens)

        full = [read(e.text, e.context, config.context_tokens) for e in split.train]
        bare = [read(e.text, (), 0) if e.context else r for e, r in zip(split.train, full, strict=True)]
        at_least = 1 if len(split.train) < 500 else 2
        vocabulary = Vocabulary.count([r.tokens for r in full], buckets=config.buckets, at_least=at_least)
        outliers = [read(text, (), 0) for text in pools.train]
        return cls(
            split=split,
            pools=pools,
            labels=labels,
            vocabulary=vocabulary,
            collator=Collator(vocabulary),
            config=config,
            recipe=recipe,
            seed=seed,
            bare=bare + outliers,
            full=full + outliers,
            targets=np.asarray([index[e.intent or ""] for e in split.train] + [len(labels)] * len(outliers)),
            n_labelled=len(full) + len(outliers),
        )

    def learn_from(self, teacher: Teacher, unlabelled: Sequence[str]) -> None:
        """Add unlabelled and made-up texts, and have the teacher judge every row."""
        own = [e.text for e in self.split.train] + list(self.pools.train)
        real = list(dict.fromkeys(unlabelled))
        pool = [e.text for e in self.split.train] + real
        made = augment(pool, self.recipe.augmented, seed=self.seed, neighbours=_neighbours(self.vocabulary))
        self.lesson = teacher([*own, *real, *made])
        requests = [
            request_of(text, (), max_tokens=self.config.max_tokens, context_tokens=0)
            for text in (*real, *made)
        ]
        self.bare, self.full = self.bare + requests, self.full + requests
        self.targets = np.concatenate([self.targets, np.full(len(requests), -1)])
        # words that only made-up texts have come from the encoder's table, with a vector to start from
        counted = [r.tokens for r in self.full if r.tokens]
        self.vocabulary = Vocabulary.count(counted, buckets=self.config.buckets, at_least=3, most=12_000)
        self.collator = Collator(self.vocabulary)

    @property
    def n_inside(self) -> int:
        return len(self.split.train)

    @property
    def epoch_size(self) -> int:
        return len(self._order(0))

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Which rows an epoch sees: every message once, rare intents more often, outliers drawn anew.

        Few examples are repeated so that an epoch is never shorter than 32 batches.
        """
        random_ = np.random.default_rng((self.seed, epoch, 7))
        inside = np.arange(self.n_inside)
        counts = Counter(self.targets[: self.n_inside].tolist())
        mean = self.n_inside / len(counts)
        extra = []
        for target, n in counts.items():
            wanted = round(n**0.6 * mean**0.4) - n
            if wanted > 0:
                extra.append(random_.choice(inside[self.targets[: self.n_inside] == target], wanted))
        rows = np.concatenate([inside, *extra])
        least = 32 * self.recipe.batch_size
        if len(rows) < least:
            rows = np.tile(rows, math.ceil(min(least, 40 * len(rows)) / len(rows)))
        outliers = random_.choice(
            np.arange(self.n_inside, self.n_labelled), int(self.recipe.outlier_share * len(rows))
        )
        made = np.arange(self.n_labelled, len(self.targets))
        wanted = min(len(made), int(self.recipe.lessons_share * len(rows)))
        return np.concatenate([rows, outliers, random_.choice(made, wanted, replace=False)])

    def batches(self, epoch: int) -> Iterable[TextBatch]:
        random_ = np.random.default_rng((self.seed, epoch, 11))
        order = self._order(epoch)
        drop = random_.random(len(order)) < self.recipe.context_dropout
        picked = [(self.bare if d else self.full)[i] for i, d in zip(order.tolist(), drop, strict=True)]
        lengths = [len(r.tokens) for r in picked]
        for part in length_buckets(lengths, self.recipe.batch_size, seed=self.seed, epoch=epoch):
            requests = [picked[i] for i in part]
            yield self.batch_of(requests, self.targets[order[part]].tolist(), rows=order[part])

    def batch_of(
        self, requests: Sequence[Request], targets: Sequence[int], *, rows: NDArray[np.int64] | None = None
    ) -> TextBatch:
        """``rows``: which of the dataset's rows they are, to add what the teacher said of them."""
        lesson = self.lesson if rows is not None else None
        return self.collator.batch(
            [self.collator.ids(r.tokens) for r in requests],
            [r.start for r in requests],
            targets,
            teacher=torch.from_numpy(lesson.logits[rows]) if lesson else None,
            teacher_vectors=torch.from_numpy(lesson.vectors[rows]) if lesson else None,
        )

    def valid_targets(self) -> NDArray[np.int64]:
        """Class of each validation example, -1 for an intent that has no training example."""
        index = {label: i for i, label in enumerate(self.labels)}
        return np.asarray([index.get(e.intent or "", -1) for e in self.split.valid], dtype=np.int64)

    def validation_batches(self) -> list[TextBatch]:
        """The validation messages with their history; the training messages stand in where there are none."""
        targets = self.valid_targets()
        rows = [
            request_of(
                e.text,
                e.context,
                max_tokens=self.config.max_tokens,
                context_tokens=self.config.context_tokens,
            )
            for e in self.split.valid
        ]
        if not len(rows):
            rows, targets = self.full[: self.n_inside], self.targets[: self.n_inside]
        order = np.argsort([len(r.tokens) for r in rows], kind="stable")
        return [
            self.batch_of([rows[i] for i in part], targets[part].tolist())
            for part in np.split(order, range(256, len(order), 256))
        ]

    def validation(self, network: IntentNetwork, device: torch.device) -> Callable[[], Score]:
        """Accuracy over the intents in points, less a tenth of the mean log-loss, which breaks ties."""
        batches = [batch.to(device) for batch in self.validation_batches()]

        def score() -> Score:
            right, loss, n = 0.0, 0.0, 0
            for batch in batches:
                logits = network(batch)[:, :-1].float()
                known = batch.targets >= 0
                right += float((logits.argmax(-1) == batch.targets)[known].sum())
                if known.any():
                    loss += float(
                        torch.nn.functional.cross_entropy(
                            logits[known], batch.targets[known], reduction="sum"
                        )
                    )
                n += len(batch.targets)
            return Score("accuracy", 100 * right / n - 0.1 * loss / n)

        return score


def training_outliers(split: Split, languages: Sequence[str], *, seed: int) -> OutlierPools:
    """Made-up outliers, and the snapshot's own out-of-scope rows so often that they are about half of the
    pool.
    """
    texts = [e.text for e in split.train]
    pools = outlier_pools(texts, languages, seed=seed, size=max(300, len(texts) // 2))
    real = tuple(e.text for e in split.outside_train)
    return replace(pools, train=pools.train + real * _repeats(pools.train, real))


def _neighbours(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Near words from the packaged encoder's table; none where it is not installed."""
    from chatbot.learning.encoders import packaged_folder
    from chatbot.learning.word_vectors import encoder_neighbours

    try:
        return encoder_neighbours(vocabulary.words, packaged_folder())
    except FrontdeskError:
        return {}


def _repeats(made: Sequence[str], real: Sequence[str]) -> int:
    """How often real out-of-scope rows stand among made-up outliers, so that they are about half of what is
    drawn.
    """
    return min(20, max(1, round(len(made) / len(real)))) if real else 1


def _finish(
    network: IntentNetwork, data: _Dataset, config: ClassifierConfig, out_dir: Path, result: FitResult
) -> ClassifierReport:
    """Export, compare, decide about the history, calibrate, measure, write."""
    network = network.cpu().eval()
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / VOCABULARY_FILE).write_text("".join(f"{w}\n" for w in data.vocabulary.words), encoding="utf-8")
    texts = [e.text for e in data.split.valid] or [e.text for e in data.split.train]
    for int8 in (True, False):
        export_intents(network, out_dir, int8=int8)
        config.save(out_dir)
        agreement = _parity(network, data, IntentClassifier.load(out_dir), texts)
        if agreement.same_top >= _SAME_TOP and agreement.largest_confidence_gap <= _CONFIDENCE_GAP:
            break
        log.warning("int8 %s changes too much (%s)", int8, agreement)
    classifier = IntentClassifier.load(out_dir)
    raw = raw_scores(classifier, data.split.valid)
    targets = data.valid_targets()
    if config.context_tokens:
        alone = replace(config, context_tokens=0)
        alone.save(out_dir)
        without = raw_scores(IntentClassifier.load(out_dir), data.split.valid)
        if _accuracy(without, targets) > _accuracy(raw, targets):
            log.info("history does not help on the validation texts: the classifier reads messages alone")
            config, raw = alone, without
        config.save(out_dir)
        classifier = IntentClassifier.load(out_dir)
    outside_texts = [e.text for e in data.split.outside_valid]
    if len(outside_texts) < 20:
        outside_texts += data.pools.held
    outside = classifier.raw(outside_texts)
    calibration = _calibrations(data, raw, targets, outside, outside_texts)
    config = replace(config, calibration=calibration)
    config.save(out_dir)
    metrics = _metrics(data, config, raw, targets, outside, result)
    return ClassifierReport(metrics=metrics, parity=asdict(agreement), fit=result)


def raw_scores(classifier: IntentClassifier, examples: Sequence[Example]) -> RawScores:
    return classifier.raw([e.text for e in examples], histories=[e.context for e in examples])


def _parity(
    network: IntentNetwork, data: _Dataset, classifier: IntentClassifier, texts: Sequence[str]
) -> Parity:
    texts = texts[:2000]
    requests = [request_of(t, (), max_tokens=data.config.max_tokens, context_tokens=0) for t in texts]
    with torch.no_grad():
        parts = [
            network(data.batch_of(requests[i : i + 256], [0] * len(requests[i : i + 256])))
            for i in range(0, len(requests), 256)
        ]
    raw = classifier.raw(texts)
    readable = raw.known >= 0
    return parity(torch.cat(parts)[torch.from_numpy(readable)], raw.logits[readable])


def _accuracy(raw: RawScores, targets: NDArray[np.int64]) -> float:
    if not len(targets):
        return 0.0
    return float((raw.logits[:, :-1].argmax(axis=1) == targets).mean())


def _calibrations(
    data: _Dataset,
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
    data: _Dataset,
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
        "tokens_per_second": result.tokens_per_second,
        "device": result.device,
        "reads_history": bool(config.context_tokens),
        "languages": {},
    }
    if not len(targets):
        return metrics
    guesses = raw.logits[:, :-1].argmax(axis=1)
    calibrations = [config.calibration.get(lang, config.calibration[ALL]) for lang in spoken]
    scaled = raw.logits[:, :-1] / np.asarray([c.temperature for c in calibrations])[:, None]
    confidence = 1 / np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1)
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
