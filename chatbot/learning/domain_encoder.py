"""A sentence encoder of our own, trained in seconds on a company's articles and questions, with no download.

It makes dense search work where no pretrained model is at hand: for Chinese first of all. A text is the sum of its
characters' vectors (Han characters; whole words in other scripts), scaled to unit length. Each vector starts as a
random direction as long as the character is informative, so that the untrained encoder already compares texts by
their rare characters; training then moves characters that customers use for the same thing together. The loss is a
symmetric InfoNCE over the batch (van den Oord et al. 2018; Henderson et al. 2017, arXiv:1705.00652, section 4) with
texts of the same article left out of each other's negatives. Unit length makes the vector blind to how long a text
is, which matters where the right entry is always the shorter one.

The loop is not chatbot/neural/fit.py's: the gradients are sparse, and a run takes a few
hundred steps of a millisecond or two.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from chatbot.errors import InputError, TrainingError
from chatbot.inference.encode import MODEL_FILE, TOKENIZER_FILE, EncoderConfig
from chatbot.learning.encoders import DOMAIN, sha256_of, written_folder
from chatbot.learning.table_graph import write_table_graph
from chatbot.learning.time_plan import seconds_left
from chatbot.neural.schedule import Pace

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_NOT_A_WORD = r"[^\p{L}\p{N}]+"
_UNKNOWN = "[UNK]"
_MIN_PAIRS_TO_MEASURE = 200
_HELD_OUT = 300
_PAIRS_TO_SPARE = 4000
_LOOK_EVERY = 10  # steps between two looks at the clock


@dataclass(frozen=True, slots=True)
class DomainEncoderSettings:
    """Chosen on held-out documents of bq_zh and atec_zh (docs/retrieval.md)."""

    dimension: int = 256
    learning_rate: float = 0.01
    temperature: float = 0.05
    batch_size: int = 256
    epochs: int = 8
    min_steps: int = (
        60  # a small company's few pairs are gone over more often, but 38 times cost three points
    )
    max_epochs: int = 30
    max_tokens: int = 256

    def __post_init__(self) -> None:
        for name in ("dimension", "learning_rate", "temperature", "batch_size", "epochs", "max_tokens"):
            if getattr(self, name) <= 0:
                raise InputError("Must be above 0", field=name, value=getattr(self, name))


@dataclass(frozen=True, slots=True)
class Positive:
    """Two texts that mean the same. ``group`` names what they are about: texts of one group are no negatives."""

    first: str
    second: str
    group: str


def train_domain_encoder(
    passages: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
    folder: Path,
    *,
    languages: Sequence[str],
    seed: int = 13,
    settings: DomainEncoderSettings | None = None,
    budget_seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Train on a snapshot's rows and write the encoder folder; the run's figures.

    ``passages``: ``{"article", "title_path", "text", …}``; ``pairs``: ``{"query", "article", …}``. With enough pairs a
    tenth, at most 300, is held out to measure (``held_out_recall_at_1``: the article found by the dense search alone).
    The encoder that is kept is then trained on all, unless there are thousands. Where ``budget_seconds`` ends before,
    the schedule is shortened, and ``cut`` says by how much. Raises TrainingError where there are
    no texts.
    """
    tell = progress or (lambda share: None)
    known = {str(row["article"]) for row in passages}
    asked = [(str(row["query"]), str(row["article"])) for row in pairs if str(row["article"]) in known]
    figures: dict[str, Any] = {"pairs": len(asked), "passages": len(passages), "languages": list(languages)}
    enough = len(asked) >= _MIN_PAIRS_TO_MEASURE
    held = set(
        np.random.default_rng(seed).permutation(len(asked))[: min(_HELD_OUT, len(asked) // 10)].tolist()
    )
    once = (
        len(asked) >= _PAIRS_TO_SPARE
    )  # what is held out is not missed: the encoder that was measured is kept
    started = time.monotonic()
    if enough:
        kept = [pair for place, pair in enumerate(asked) if place not in held]
        tokenizer, table = fit_characters(
            positives_of(passages, kept),
            seed=seed,
            settings=settings,
            budget_seconds=budget_seconds if once or budget_seconds is None else budget_seconds / 2,
            progress=lambda share: tell(share if once else share / 2),
            cut=figures,
        )
        tested = [pair for place, pair in enumerate(asked) if place in held]
        figures["held_out_recall_at_1"] = round(100 * _recall(tokenizer, table, passages, tested), 1)
        figures["held_out"] = len(tested)
    if not (enough and once):
        tokenizer, table = fit_characters(
            positives_of(passages, asked),
            seed=seed,
            settings=settings,
            budget_seconds=seconds_left(budget_seconds, started),
            progress=lambda share: tell(0.5 + share / 2),
            cut=figures,
        )
    figures |= {"seconds": round(time.monotonic() - started, 2), "characters": len(table)}
    write_encoder(folder, tokenizer, table, languages=languages, settings=settings)
    tell(1.0)
    return figures


def positives_of(passages: Sequence[Mapping[str, Any]], asked: Sequence[tuple[str, str]]) -> list[Positive]:
    """What should be near what: a title and its text, a question and its article's titles and texts, and two
    questions for the same article."""
    titles: dict[str, list[str]] = defaultdict(list)
    wholes: dict[str, list[str]] = defaultdict(list)
    positives = []
    for row in passages:
        article, title, text = str(row["article"]), str(row["title_path"]), str(row["text"])
        if title not in titles[article]:
            titles[article].append(title)
        wholes[article].append(f"{title}. {text}")
        positives.append(Positive(title, text, article))
    last: dict[str, str] = {}
    for query, article in asked:
        positives += [Positive(query, title, article) for title in titles[article][:1]]
        positives += [Positive(query, whole, article) for whole in wholes[article][:4]]
        if article in last:
            positives.append(Positive(query, last[article], article))
        last[article] = query
    return [item for item in positives if item.first.strip() and item.second.strip()]


def fit_characters(
    positives: Sequence[Positive],
    *,
    seed: int,
    settings: DomainEncoderSettings | None = None,
    extra_texts: Sequence[str] = (),
    budget_seconds: float | None = None,
    progress: Callable[[float], None] | None = None,
    cut: dict[str, Any] | None = None,
) -> tuple[Tokenizer, NDArray[np.float32]]:
    """The tokenizer and the characters' vectors float32 [characters, dimension]; row 0 (unknown) is zero.

    ``extra_texts`` add to the characters known and their frequencies. ``cut``: where it is written under this name that
    ``budget_seconds`` shortened the training. Raises TrainingError where there are no texts.
    """
    import torch

    settings = settings or DomainEncoderSettings()
    texts = list(
        dict.fromkeys([text for item in positives for text in (item.first, item.second)] + list(extra_texts))
    )
    tokenizer = character_tokenizer(texts)
    if tokenizer.get_vocab_size() < 2:
        raise TrainingError("There are no texts to train an encoder on", remedy="Ingest articles first")
    tokenizer.enable_truncation(settings.max_tokens)
    ids = {text: row.ids for text, row in zip(texts, tokenizer.encode_batch_fast(texts), strict=True)}
    items = [item for item in positives if ids[item.first] and ids[item.second]]
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(tokenizer.get_vocab_size(), settings.dimension, generator=generator)
    start *= torch.from_numpy(_informativeness(ids.values(), len(start)))[:, None] / settings.dimension**0.5
    rows = torch.nn.Embedding.from_pretrained(start, freeze=False, sparse=True)
    if len(items) >= 2:
        pace = _train(rows, items, ids, settings, seed, progress or (lambda share: None), budget_seconds)
        if pace.total < pace.asked and cut is not None:
            cut["cut"] = f"time ran out after {pace.total} of {pace.asked} planned steps"
    table = rows.weight.detach().numpy().astype(np.float32)
    table[0] = 0.0
    return tokenizer, table


def _train(
    table: torch.nn.Embedding,
    items: Sequence[Positive],
    ids: Mapping[str, list[int]],
    settings: DomainEncoderSettings,
    seed: int,
    tell: Callable[[float], None],
    budget_seconds: float | None,
) -> Pace:
    import torch
    from torch.nn.functional import cross_entropy, normalize

    held = {text: np.unique(row, return_counts=True) for text, row in ids.items() if row}

    def vectors(texts: Sequence[str]) -> torch.Tensor:
        """[texts, dimension]. How often each text holds each character, times the characters' vectors: a passage has
        hundreds of characters and few different ones, and a gradient for each of them would be most of a step."""
        found = [held[text] for text in texts]
        distinct, columns = np.unique(np.concatenate([row for row, _ in found]), return_inverse=True)
        counts = np.zeros((len(texts), len(distinct)), np.float32)
        owners = np.repeat(np.arange(len(texts)), [len(row) for row, _ in found])
        counts[owners, columns] = np.concatenate([times for _, times in found])
        return normalize(torch.from_numpy(counts) @ table(torch.from_numpy(distinct)), dim=-1)

    numbers = {group: number for number, group in enumerate(dict.fromkeys(item.group for item in items))}
    groups = np.array([numbers[item.group] for item in items])
    size = min(settings.batch_size, len(items))
    per_epoch = -(-len(items) // size)
    epochs = min(settings.max_epochs, max(settings.epochs, -(-settings.min_steps // per_epoch)))
    optimiser = torch.optim.SparseAdam(table.parameters(), lr=settings.learning_rate)
    rng = np.random.default_rng(seed)
    pace, step, began = Pace(epochs * per_epoch, budget_seconds), 0, time.monotonic()
    while step < pace.total:
        order = rng.permutation(len(items))
        for begin in range(0, len(order), size):
            if step >= pace.total:
                break
            batch = order[begin : begin + size]
            before = pace.progress(step)
            step += 1
            rate = min(1.0, 10 * pace.progress(step)) * (1 - before)  # a tenth to warm up, then down to 0
            optimiser.param_groups[0]["lr"] = settings.learning_rate * rate
            if len(batch) < 2:
                continue
            texts = [items[place].first for place in batch] + [items[place].second for place in batch]
            first, second = vectors(texts).split(len(batch))
            scores = first @ second.T / settings.temperature  # [batch, batch]
            group = torch.from_numpy(groups[batch])
            same = group[:, None] == group[None, :]
            same.fill_diagonal_(False)
            scores = scores.masked_fill(same, -1e4)
            targets = torch.arange(len(batch))
            loss = (cross_entropy(scores, targets) + cross_entropy(scores.T, targets)) / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if step % _LOOK_EVERY == 0:
                pace.replan(step, time.monotonic() - began)
        tell(step / pace.total)
    return pace


def character_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """Han characters one by one, other scripts by words, case and width folded; what was not seen is id 0."""
    fold = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_HAN), "isolated"),
            pre_tokenizers.Split(Regex(_NOT_A_WORD), "removed"),
        ]
    )
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(piece for piece, _ in split.pre_tokenize_str(fold.normalize_str(text)))
    vocabulary = {_UNKNOWN: 0} | {piece: number for number, piece in enumerate(sorted(counts), start=1)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=_UNKNOWN))
    tokenizer.normalizer = fold
    tokenizer.pre_tokenizer = split
    return tokenizer


def write_encoder(
    folder: Path,
    tokenizer: Tokenizer,
    table: NDArray[np.float32],
    *,
    languages: Sequence[str],
    settings: DomainEncoderSettings | None = None,
) -> Path:
    """The encoder folder that SentenceEncoder loads; its fingerprint is the content's hash."""
    settings = settings or DomainEncoderSettings()
    with written_folder(folder) as scratch:
        tokenizer.save(str(scratch / TOKENIZER_FILE))
        write_table_graph(scratch / MODEL_FILE, table)
        digest = hashlib.sha256()
        for name in (TOKENIZER_FILE, MODEL_FILE):
            digest.update(sha256_of(scratch / name).encode())
        EncoderConfig(
            name=DOMAIN,
            fingerprint=digest.hexdigest()[:20],
            dimension=table.shape[1],
            width=table.shape[1],
            max_tokens=settings.max_tokens,
            languages=tuple(languages),
        ).save(scratch)
    return folder


def _informativeness(rows: Any, size: int) -> NDArray[np.float32]:
    """log(texts / texts with the character), at least 0.1; 0 for the unknown character."""
    seen = np.ones(size)
    count = 1
    for row in rows:
        count += 1
        seen[list(set(row))] += 1
    weights = np.maximum(np.log(count / seen), 0.1).astype(np.float32)
    weights[0] = 0.0
    return weights


def _recall(
    tokenizer: Tokenizer,
    table: NDArray[np.float32],
    passages: Sequence[Mapping[str, Any]],
    asked: Sequence[tuple[str, str]],
) -> float:
    """Share of the questions whose nearest passage, by title or whole, is one of their article."""

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        sums = np.stack([table[row.ids].sum(axis=0) for row in tokenizer.encode_batch_fast(list(texts))])
        found: NDArray[np.float32] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
        return found

    articles = np.array([str(row["article"]) for row in passages])
    questions = vectors([query for query, _ in asked])
    titles = vectors([str(row["title_path"]) for row in passages])
    wholes = vectors([f"{row['title_path']}. {row['text']}" for row in passages])
    nearest = np.maximum(questions @ titles.T, questions @ wholes.T).argmax(axis=1)
    return float(np.mean(articles[nearest] == np.array([article for _, article in asked])))
