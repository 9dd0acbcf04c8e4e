"""The examples of a snapshot as the fast tier trains on them: split, tokenised, sampled, in batches."""

from __future__ import annotations

import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from chatbot.dialogue.trace import Message
from chatbot.errors import FrontdeskError
from chatbot.inference.classifier_config import ClassifierConfig
from chatbot.inference.classify import Request, request_of
from chatbot.language.normalise import detect_language, fold
from chatbot.language.tokens import Vocabulary, han_pairs
from chatbot.learning.augmentation import augment
from chatbot.learning.label_quality import Incoherent, incoherent_intents
from chatbot.learning.outlier_texts import OutlierPools, outlier_pools
from chatbot.neural.batches import Collator, TextBatch, length_buckets
from chatbot.neural.fit_report import Score
from chatbot.neural.intent_classifier import WIDE_BUCKETS, IntentNetwork

log = logging.getLogger(__name__)

OUT_OF_SCOPE = "oos"
_PLAINLY = 6.0  # how far "outside" stands above the other logits of what means nothing
MOST_OUTLIERS = (
    3_000  # made up: an epoch draws anew from them, and more take longer to prepare than they teach
)


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
    steps: int = 3000  # aimed at, between ``least_epochs`` and ``most_epochs``
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
    untaught_dropout: float | None = None  # of messages that a teacher cannot read
    untaught_embedding_dropout: float | None = None
    label_smoothing: float = 0.1
    context_tokens: int = 32
    encoder_vectors: bool = True
    augmented: int = 40_000  # texts made for a teacher to label
    lessons_share: float = 2.0  # of them seen an epoch, for each message

    def with_teacher(self) -> Recipe:
        """A teacher's distribution regularises by itself: less dropout, more steps.

        A wider network learns no more from it, and takes longer to answer (docs/measured.md).
        """
        return replace(
            self,
            steps=4500,
            dropout=0.3,
            embedding_dropout=0.15,
            untaught_dropout=self.dropout,
            untaught_embedding_dropout=self.embedding_dropout,
            label_smoothing=0.05,
        )


@dataclass(frozen=True)
class Split:
    """Examples to train on and to validate with; the out-of-scope ones apart."""

    train: tuple[Example, ...]
    valid: tuple[Example, ...]
    outside_train: tuple[Example, ...]
    outside_valid: tuple[Example, ...]

    def without(self, intents: Collection[str]) -> Split:
        """The same without the examples of some intents."""
        return replace(
            self,
            train=tuple(e for e in self.train if e.intent not in intents),
            valid=tuple(e for e in self.valid if e.intent not in intents),
        )


@dataclass(frozen=True)
class Lesson:
    """What a teacher says of n texts: logits [n, k + 1] over its ``intents`` (empty: the student's) and "outside",
    vectors [n, d]. Of a text that it cannot read: NaN, and zeros."""

    logits: NDArray[np.float32]
    vectors: NDArray[np.float32]
    intents: tuple[str, ...] = ()

    def over(self, labels: tuple[str, ...]) -> Lesson:
        """The same over a student's ``labels``; one that the teacher has no examples of is the least likely."""
        if self.intents in ((), labels):
            return self
        own = {intent: column for column, intent in enumerate(self.intents)}
        logits = np.repeat(self.logits.min(axis=1, keepdims=True), len(labels) + 1, axis=1)
        logits[:, -1] = self.logits[:, -1]
        for column, label in enumerate(labels):
            if label in own:
                logits[:, column] = self.logits[:, own[label]]
        return replace(self, logits=logits, intents=labels)

    def among(self, known: NDArray[np.bool_]) -> Lesson:
        """These n as rows of ``known`` [m], where that is true; the others are texts that it cannot read."""
        logits = np.full((len(known), self.logits.shape[1]), np.nan, np.float32)
        vectors = np.zeros((len(known), self.vectors.shape[1]), np.float32)
        logits[known], vectors[known] = self.logits, self.vectors
        return replace(self, logits=logits, vectors=vectors)


Teacher = Callable[[Sequence[str], Sequence[Sequence[Message]]], Lesson]  # texts, what was said before each


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


def coherent(split: Split, *, seed: int) -> tuple[Split, list[Incoherent]]:
    """The split without the tags that mean nothing, and those tags."""
    empty = incoherent_intents(
        [e.text for e in split.train], [e.intent or "" for e in split.train], seed=seed
    )
    for tag in empty:
        log.warning("%s stands on messages of every kind (%d of them): not learnt", tag.intent, tag.n)
    return split.without({tag.intent for tag in empty}), empty


def labels_of(split: Split) -> tuple[str, ...]:
    """The intents with a training example, sorted: the order of every network's classes."""
    return tuple(sorted({e.intent for e in split.train if e.intent}))


@dataclass
class Dataset:
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
    taught_share: float = 1.0  # of the messages that are in a language of the teacher
    # a request's tokens as the collator's numbers, by its identity, and the request, whose identity must not be reused
    _numbers: dict[int, tuple[Request, NDArray[np.int64]]] = field(default_factory=dict, repr=False)

    @classmethod
    def prepare(
        cls,
        split: Split,
        labels: tuple[str, ...],
        config: ClassifierConfig,
        recipe: Recipe,
        seed: int,
    ) -> Dataset:
        index = {label: i for i, label in enumerate(labels)}
        pools = training_outliers(split, config.languages, seed=seed)

        def read(text: str, history: Sequence[Message], context_tokens: int) -> Request:
            return request_of(text, history, max_tokens=config.max_tokens, context_tokens=context_tokens)

        full = [read(e.text, e.context, config.context_tokens) for e in split.train]
        bare = [read(e.text, (), 0) if e.context else r for e, r in zip(split.train, full, strict=True)]
        at_least = 1 if len(split.train) < 500 else 2
        buckets = WIDE_BUCKETS * config.buckets
        vocabulary = Vocabulary.count([r.tokens for r in full], buckets=buckets, at_least=at_least)
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

    def learn_from(
        self, teacher: Teacher, unlabelled: Sequence[str], languages: Collection[str] = ()
    ) -> None:
        """Add unlabelled and made-up texts, and have the teacher judge every row in its ``languages`` (empty: all)."""

        def reads(lang: str) -> bool:
            return not languages or lang in languages

        taught = [e.text for e in self.split.train if reads(e.lang)]
        own = [e.text for e in self.split.train] + list(self.pools.train)
        spoken = [e.lang for e in self.split.train] + [detect_language(text) for text in self.pools.train]
        real = [text for text in dict.fromkeys(unlabelled) if not languages or reads(detect_language(text))]
        made = augment(
            [*taught, *real], self.recipe.augmented, seed=self.seed, neighbours=_neighbours(self.vocabulary)
        )
        texts = [*own, *real, *made]
        known = np.asarray([*map(reads, spoken), *[True] * (len(real) + len(made))])
        before = [e.context for e in self.split.train] + [()] * (len(texts) - len(self.split.train))
        lesson = teacher(
            [text for text, read in zip(texts, known, strict=True) if read],
            [history for history, read in zip(before, known, strict=True) if read],
        )
        lesson = lesson.over(self.labels).among(known)
        self.lesson = _noise_outside(lesson, texts[: self.n_labelled], self.pools.trained_noise)
        self.taught_share = len(taught) / max(1, self.n_inside)
        requests = [
            request_of(text, (), max_tokens=self.config.max_tokens, context_tokens=0)
            for text in (*real, *made)
        ]
        self.bare, self.full = self.bare + requests, self.full + requests
        self.targets = np.concatenate([self.targets, np.full(len(requests), -1)])
        # words that only made-up texts have come from the encoder's table, with a vector to start from
        counted = [r.tokens for r in self.full if r.tokens]
        self.vocabulary = Vocabulary.count(counted, buckets=self.vocabulary.buckets, at_least=3, most=8_000)
        self.collator = Collator(self.vocabulary)
        self._numbers = {}

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
        wanted = min(len(made), int(self.recipe.lessons_share * self.taught_share * len(rows)))
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
            [self._numbers_of(r) for r in requests],
            [r.start for r in requests],
            targets,
            teacher=torch.from_numpy(lesson.logits[rows]) if lesson else None,
            teacher_vectors=torch.from_numpy(lesson.vectors[rows])
            if lesson and lesson.vectors.size
            else None,
        )

    def rarity(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Inverse document frequencies of words and n-grams over the training messages."""
        rows = [self._numbers_of(r) for r in self.bare[: self.n_inside] if r.tokens]
        return self.collator.rarity(rows, words=len(self.vocabulary), buckets=self.vocabulary.buckets)

    def han_pairs(self) -> NDArray[np.uint32]:
        """Hashes of the pairs of Han characters in the training messages, sorted."""
        tokens = {token for request in self.bare[: self.n_inside] for token in request.tokens}
        return np.unique(np.asarray([pair for token in tokens for pair in han_pairs(token)], np.uint32))

    def labelled_rows(self) -> list[NDArray[np.int64]]:
        """Token numbers of every labelled message and outlier, without history."""
        return [self._numbers_of(r) for r in self.bare[: self.n_labelled]]

    def _numbers_of(self, request: Request) -> NDArray[np.int64]:
        """The collator's numbers of its tokens: a training message is read again in every epoch."""
        known = self._numbers.get(id(request))
        if known is None:
            known = self._numbers[id(request)] = (request, self.collator.ids(request.tokens))
        return known[1]

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
    size = min(MOST_OUTLIERS, max(300, len(texts) // 2))
    pools = outlier_pools(texts, languages, seed=seed, size=size)
    real = tuple(e.text for e in split.outside_train)
    return replace(pools, train=pools.train + real * _repeats(pools.train, real))


def _noise_outside(lesson: Lesson, texts: Sequence[str], noise: Collection[str]) -> Lesson:
    """The lesson with what means nothing outside, whatever the teacher takes it for."""
    logits = lesson.logits.copy()
    rows = [row for row, text in enumerate(texts) if text in noise and not np.isnan(logits[row, -1])]
    logits[rows, -1] = logits[rows].max(axis=1) + _PLAINLY
    return replace(lesson, logits=logits)


def _neighbours(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    """Near English words from the packaged encoder's table; none where it is not installed."""
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
