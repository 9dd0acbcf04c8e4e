"""``bench replies``: the agent's next turn, from past answers, ranked, written, and chosen among all of them.

Four systems answer the same turns of the test file, which is read after everything is trained and chosen:
*nearest* (the answer given in the likest past situation, BM25), *ranked* (the dual encoder over all past answers),
*generator* (the pointer LSTM, beam 4, which may copy from look-ups, documents and the two nearest past answers), and
*combined* (the best of all their candidates by likelihood and ranking; weights chosen on the validation file).
"""

from __future__ import annotations

import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import click

from chatbot.errors import InputError
from web.bench.reply_measures import ReplyFigures, distinct_2, is_grounded, likeness, overlap, rouge_l
from web.bench.rows import read_rows

if TYPE_CHECKING:
    from chatbot.inference.generate import ResponseGenerator
    from chatbot.inference.past_answers import PastAnswers
    from chatbot.inference.rank import AnswerRanker
    from chatbot.learning.generator_data import Sample

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SYSTEMS = ("nearest", "ranked", "generator", "combined")
BEAM = 4
MOST_TOKENS = 60
DISTRACTORS = 99
PAST = 2  # past answers the generator may copy from
_CANDIDATES = 4  # of each kind that the combination chooses among
_CHOOSING = 300  # validation turns that choose its weights
_LATENCY_TURNS = 60
_LATENCY_TOKENS = 30
_PLAIN_SECONDS = 6.0

Tell = Callable[[str, float], None]


@click.command("replies")
@click.option("--train", "train_file", type=FILE, required=True, help="Dialogue or pair rows to train on.")
@click.option("--valid", "valid_file", type=FILE, required=True, help="Rows to choose on.")
@click.option("--test", "test_file", type=FILE, required=True, help="Rows to measure on, read last.")
@click.option("--documents", type=FILE, help="FAQ rows the agent could look into.")
@click.option("--no-documents", is_flag=True, help="Hide the documents.")
@click.option("--no-lookups", is_flag=True, help="Hide the results of look-ups.")
@click.option("--pretrain", type=FILE, multiple=True, help="Further rows to train on first.")
@click.option("--no-pretraining", is_flag=True, help="Train on --train alone.")
@click.option(
    "--seconds", type=click.IntRange(min=5), default=600, show_default=True, help="Training budget."
)
@click.option(
    "--turns", type=click.IntRange(min=1), help="Measure so many turns, drawn by seed; default: all."
)
@click.option("--ranked-turns", type=click.IntRange(min=1), default=500, show_default=True,
              help="Turns for recall_at_1_of_100.")  # fmt: skip
@click.option("--seed", type=int, default=13, show_default=True)
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Training threads; 0: all cores.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--samples", type=click.Path(dir_okay=False, path_type=Path), help="Write every reply as JSON lines."
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures."
)
def command(
    train_file: Path,
    valid_file: Path,
    test_file: Path,
    documents: Path | None,
    no_documents: bool,
    no_lookups: bool,
    pretrain: tuple[Path, ...],
    no_pretraining: bool,
    seconds: int,
    turns: int | None,
    ranked_turns: int,
    seed: int,
    threads: int,
    device: str,
    samples: Path | None,
    json_file: Path | None,
) -> None:
    """Measure replies: past answers, ranked, written, and combined."""
    from web.terminal import TerminalProgress

    with TerminalProgress() as progress:
        figures, replies = measure(
            read_rows(train_file),
            read_rows(valid_file),
            lambda: read_rows(test_file),
            documents=read_rows(documents) if documents and not no_documents else [],
            pretrain=[] if no_pretraining else [row for file in pretrain for row in read_rows(file)],
            lookups=not no_lookups,
            seconds=seconds,
            turns=turns,
            ranked_turns=ranked_turns,
            seed=seed,
            threads=threads,
            device=device,
            progress=progress,
        )
    if json_file:
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if samples:
        lines = (json.dumps(row, ensure_ascii=False) for row in replies)
        samples.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _print(figures)


def measure(
    train_rows: Sequence[dict[str, Any]],
    valid_rows: Sequence[dict[str, Any]],
    read_test: Callable[[], Sequence[dict[str, Any]]],
    *,
    documents: Sequence[dict[str, Any]] = (),
    pretrain: Sequence[dict[str, Any]] = (),
    lookups: bool = True,
    seconds: float = 600,
    turns: int | None = None,
    ranked_turns: int = 500,
    seed: int = 13,
    threads: int = 0,
    device: str = "auto",
    progress: Tell | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Train all systems and measure their served forms → figures (MEASURES: bench replies), and every reply."""
    import torch

    from chatbot.inference.generate import ResponseGenerator
    from chatbot.inference.rank import AnswerRanker

    tell = progress or (lambda stage, share: None)
    torch.set_num_threads(threads or os.cpu_count() or 1)
    tell("reading", 0.0)
    library = _Library.of(train_rows, documents, lookups=lookups)
    train = library.train
    valid = library.samples(valid_rows)
    with tempfile.TemporaryDirectory() as name:
        bundle = Path(name)
        trained = _train(
            library, valid, library.samples(pretrain, own=True), bundle, seconds, seed, device, tell
        )
        generator, ranker = ResponseGenerator.load(bundle), AnswerRanker.load(bundle)
        choice = _choose_weights(
            Random(seed).sample(valid, min(_CHOOSING, len(valid))), library, generator, ranker, tell
        )
        tell("reading", 1.0)
        test = library.samples(read_test())
        if turns and turns < len(test):
            test = Random(seed).sample(test, turns)
        chinese = sum(sample.lang == "zh" for sample in test) * 2 > len(test)
        found: dict[str, list[str]] = {system: [] for system in SYSTEMS}
        written = []
        for number, sample in enumerate(test):
            options = _options(sample, library, generator, ranker)
            for system, text in choice.replies(options).items():
                found[system].append(text)
            written.append(options)
            if number % 20 == 0:
                tell("answering", number / len(test))
        recall = _recall(test, library, generator, ranker, choice, ranked_turns, seed, tell)
        figures = {
            "n_train": len(train),
            "n_test": len(test),
            "systems": {
                system: asdict(_figures(found[system], test, recall[system], chinese)) for system in SYSTEMS
            },
            "choice": {"likelihood": 1.0, **choice.weights},
            **trained,
            "copy_rate": round(100 * statistics.fmean(options.copied for options in written), 2),
            "perplexity": round(_perplexity(test, generator, chinese), 3),
            **_latency(test[:_LATENCY_TURNS], library, generator),
        }
        replies = [
            {"turns": [[turn.role, turn.text] for turn in sample.turns[-4:]], "truth": sample.reply,
             **{system: found[system][place] for system in SYSTEMS}}
            for place, sample in enumerate(test)
        ]  # fmt: skip
        tell("answering", 1.0)
    return figures, replies


@dataclass(frozen=True)
class _Library:
    """What every system may draw on: past situations and documents, with the training replies made from them."""

    train: list[Sample]
    past: PastAnswers
    documents: PastAnswers | None
    lookups: bool

    @classmethod
    def of(
        cls, rows: Sequence[dict[str, Any]], documents: Sequence[dict[str, Any]], *, lookups: bool
    ) -> _Library:
        from chatbot.dialogue.trace import Message
        from chatbot.inference.past_answers import PastAnswers, Situation
        from chatbot.neural.source_layout import passage_source

        plain = _plain_samples(rows, lookups=lookups)
        if not plain:
            raise InputError("there is no agent's turn to train on", field="train")
        past = PastAnswers([Situation(sample.turns, sample.reply, sample.group) for sample in plain])
        sources = [
            passage_source(
                str(row.get("question") or row.get("title") or ""),
                str(row.get("answer") or row.get("body") or ""),
            )
            for row in documents
        ]
        found = [Situation((Message("customer", source),), source) for source in sources if source.strip()]
        library = cls([], past, PastAnswers(found) if found else None, lookups)
        return replace(library, train=[library._with_sources(sample, own=True) for sample in plain])

    def samples(self, rows: Sequence[dict[str, Any]], *, own: bool = False) -> list[Sample]:
        return [self._with_sources(sample, own=own) for sample in _plain_samples(rows, lookups=self.lookups)]

    def _with_sources(self, sample: Sample, *, own: bool) -> Sample:
        """own: the sample may be one of the past answers, so its conversation is left out of the search."""
        near = self.past.search(sample.turns, k=PAST, without=sample.group if own else None)
        said = [turn for turn in sample.turns if turn.role == "customer"][-1:]
        passages = self.documents.search(said, k=2) if self.documents else []
        return replace(
            sample,
            past_answers=tuple(found.answer for found in near),
            passages=tuple(found.answer for found in passages),
        )


def _plain_samples(rows: Sequence[dict[str, Any]], *, lookups: bool) -> list[Sample]:
    """Rows as replies to learn or to predict, each agent turn as it was said."""
    from chatbot.dialogue.trace import Message
    from chatbot.learning.generator_data import Sample, read_samples

    samples: list[Sample] = []
    dialogues = []
    for number, row in enumerate(rows):
        if "response" in row:
            turns = (Message("customer", str(row["context"])),)
            samples.append(
                Sample(turns, (), str(row["response"]), str(row.get("lang") or "en"), group=f"pair {number}")
            )
        else:
            kept = [turn for turn in row["turns"] if lookups or turn["role"] != "action"]
            dialogues.append({**row, "turns": kept, "split": "train"})
    return samples + read_samples(dialogues, {}, splits=("train",), clean=False)


def _train(
    library: _Library,
    valid: Sequence[Sample],
    pretrain: Sequence[Sample],
    bundle: Path,
    seconds: float,
    seed: int,
    device: str,
    tell: Tell,
) -> dict[str, Any]:
    """Tokenizer, generator and ranker into ``bundle`` → figures of the training."""
    from chatbot.learning.generator_training import (
        GeneratorSettings,
        encode_samples,
        fit_generator,
        new_network,
        parity,
        write_generator,
    )
    from chatbot.learning.ranker_training import train_ranker
    from chatbot.neural.source_layout import SourceLayout, readable_lookup
    from chatbot.neural.tokenizer import train_tokenizer

    pairs = all(len(sample.turns) == 1 for sample in library.train)
    layout = SourceLayout(past_answers=PAST, last_tokens=110 if pairs else 48)
    settings = GeneratorSettings(layout=layout, batch=48, varied=False, clean=False, patience=3)
    texts = (
        text
        for sample in (*library.train, *pretrain)
        for text in (sample.reply, *(readable_lookup(turn.text) for turn in sample.turns[-2:]))
    )
    tokenizer = train_tokenizer(texts, vocabulary=settings.vocabulary)
    network = new_network(tokenizer, (), settings, device=device, seed=seed)
    began = time.monotonic()
    if pretrain:
        fit_generator(
            network, tokenizer, pretrain, valid[:200], settings=settings, device=device, seed=seed,
            budget_seconds=0.35 * seconds, progress=lambda state: tell("pretraining", state.step / state.total_steps),
        )  # fmt: skip
    left = (0.65 if pretrain else 1.0) * seconds
    result = fit_generator(
        network, tokenizer, library.train, valid[:600], settings=settings, device=device, seed=seed,
        budget_seconds=0.75 * left, progress=lambda state: tell("generator", state.step / state.total_steps),
    )  # fmt: skip
    write_generator(network, tokenizer, layout, bundle)
    tell("ranker", 0.0)
    ranked = train_ranker(
        library.train, valid, tokenizer, network, layout, bundle, device=device, seed=seed,
        budget_seconds=0.25 * left,
    )  # fmt: skip
    tell("throughput", 0.0)
    encoded = encode_samples(tokenizer, layout, library.train[:4000], {})
    plain = plain_tokens_per_second(encoded, tokenizer.size, str(result.device))
    return {
        "train_seconds": round(time.monotonic() - began, 1),
        "tokens_per_second": round(result.tokens_per_second),
        "plain_tokens_per_second": round(plain),
        "ranker": {"first_of_batch": round(100 * ranked.accuracy, 2), "answers": ranked.answers},
        "parity": parity(network, tokenizer, bundle, valid[:24], layout),
        "device": result.device,
        "model_bytes": sum(file.stat().st_size for file in (bundle / "generator").glob("*.onnx")),
    }


@dataclass(frozen=True)
class _Options:
    """The candidates for one turn, with what is known of each."""

    texts: list[str]
    likelihood: list[float]  # mean log-probability a piece
    rank: list[float]
    near: list[float]  # likeness to the nearest past answer
    nearest: str
    ranked: str
    written: str
    copied: float


@dataclass(frozen=True)
class _Choice:
    """Weights of the combination, beside the likelihood's 1."""

    weights: dict[str, float]

    def value(self, likelihood: float, rank: float, near: float, text: str, written: bool) -> float:
        weights = self.weights
        bonus = weights["written"] if written else 0.0
        return likelihood + weights["rank"] * rank + weights["near"] * near + bonus

    def replies(self, options: _Options) -> dict[str, str]:
        values = [
            self.value(options.likelihood[i], options.rank[i], options.near[i], text, text == options.written)
            for i, text in enumerate(options.texts)
        ]
        best = options.texts[max(range(len(values)), key=values.__getitem__)] if values else options.nearest
        return {
            "nearest": options.nearest,
            "ranked": options.ranked,
            "generator": options.written,
            "combined": best,
        }


def _options(
    sample: Sample, library: _Library, generator: ResponseGenerator, ranker: AnswerRanker
) -> _Options:
    near = library.past.search(sample.turns, k=_CANDIDATES)
    ranked = ranker.search(sample.turns, k=_CANDIDATES)
    written = generator.generate(
        sample.turns, sample.passages, lang=sample.lang, beam=BEAM, max_tokens=MOST_TOKENS,
        past_answers=sample.past_answers,
    )  # fmt: skip
    texts = list(
        dict.fromkeys([*(c.text for c in written), *(f.answer for f in near), *(r.text for r in ranked)])
    )
    nearest = near[0].answer if near else ""
    likelihood = generator.score(
        sample.turns, sample.passages, texts, lang=sample.lang, past_answers=sample.past_answers
    )
    return _Options(
        texts=texts,
        likelihood=likelihood,
        rank=[float(value) for value in ranker.scores(sample.turns, texts)] if texts else [],
        near=[likeness(text, nearest) for text in texts],
        nearest=nearest,
        ranked=ranked[0].text if ranked else "",
        written=written[0].text if written else "",
        copied=written[0].copied if written else 0.0,
    )


def _choose_weights(
    valid: Sequence[Sample], library: _Library, generator: ResponseGenerator, ranker: AnswerRanker, tell: Tell
) -> _Choice:
    """The weights whose replies have the best corpus BLEU on validation turns."""
    options = []
    for number, sample in enumerate(valid):
        options.append(_options(sample, library, generator, ranker))
        if number % 20 == 0:
            tell("choosing", number / len(valid))
    chinese = sum(sample.lang == "zh" for sample in valid) * 2 > len(valid)
    truth = [sample.reply for sample in valid]
    best, weights = -1.0, {"rank": 0.0, "near": 0.0, "written": 0.0}
    for rank in (0.0, 0.01, 0.03, 0.06, 0.12):
        for near in (0.0, 0.2, 0.5):
            for bonus in (0.0, 0.15, 0.4, 0.8):
                tried = _Choice({"rank": rank, "near": near, "written": bonus})
                replies = [tried.replies(option)["combined"] for option in options]
                value = overlap(replies, truth, chinese=chinese)[0]
                if value > best + 1e-9:
                    best, weights = value, tried.weights
    return _Choice(weights)


def _recall(
    test: Sequence[Sample],
    library: _Library,
    generator: ResponseGenerator,
    ranker: AnswerRanker,
    choice: _Choice,
    turns: int,
    seed: int,
    tell: Tell,
) -> dict[str, float | None]:
    """Share of turns whose true reply each system puts before 99 other distinct replies of the split."""
    pool = sorted({sample.reply for sample in test})
    if len(pool) <= DISTRACTORS:
        return dict.fromkeys(SYSTEMS, None)
    random = Random(seed)
    chosen = random.sample(list(test), min(turns, len(test)))
    right = dict.fromkeys(SYSTEMS, 0)
    for number, sample in enumerate(chosen):
        others = random.sample([reply for reply in pool if reply != sample.reply], DISTRACTORS)
        texts = [sample.reply, *others]
        near = library.past.search(sample.turns, k=1)
        alike = [likeness(text, near[0].answer) if near else 0.0 for text in texts]
        rank = [float(value) for value in ranker.scores(sample.turns, texts)]
        likelihood = generator.score(
            sample.turns, sample.passages, texts, lang=sample.lang, past_answers=sample.past_answers
        )
        combined = [
            choice.value(likelihood[i], rank[i], alike[i], text, written=False)
            for i, text in enumerate(texts)
        ]
        for system, values in zip(SYSTEMS, (alike, rank, likelihood, combined), strict=True):
            right[system] += values[0] > max(values[1:])
        if number % 10 == 0:
            tell("ranking", number / len(chosen))
    return {system: round(100 * count / len(chosen), 2) for system, count in right.items()}


def _figures(
    replies: Sequence[str], test: Sequence[Sample], recall: float | None, chinese: bool
) -> ReplyFigures:
    from chatbot.dialogue import grounding

    truth = [sample.reply for sample in test]
    bleu, chrf = overlap(replies, truth, chinese=chinese)
    passed = grounded = 0
    for reply, sample in zip(replies, test, strict=True):
        looked_up = [turn.text for turn in sample.turns if turn.role == "action"]
        sources = [*sample.passages, *sample.past_answers, *looked_up]
        said = [turn.text for turn in sample.turns if turn.role == "customer"]
        if grounding.check(reply, sources=sources, customer=said, lang=sample.lang).passed:
            passed += 1
            grounded += is_grounded(reply, "\n".join((*sources, *said)))
    return ReplyFigures(
        bleu=round(bleu, 2),
        chrf=round(chrf, 2),
        rouge_l=round(rouge_l(replies, truth), 2),
        distinct_2=round(distinct_2(replies), 2),
        grounded_rate=round(100 * grounded / passed, 2) if passed else None,
        passed_check=round(100 * passed / len(test), 2) if test else None,
        recall_at_1_of_100=recall,
    )


def _perplexity(test: Sequence[Sample], generator: ResponseGenerator, chinese: bool) -> float:
    """Of the true replies: a word in English, a character in Chinese (white space does not count)."""
    total, units = 0.0, 0
    for sample in test[:1000]:
        mean = generator.score(
            sample.turns, sample.passages, [sample.reply], lang=sample.lang, past_answers=sample.past_answers
        )[0]
        pieces = min(len(generator.tokenizer.encode(sample.reply)), generator.layout.reply_tokens) + 1
        total += mean * pieces
        units += len("".join(sample.reply.split())) if chinese else len(sample.reply.split())
    return math.exp(min(50.0, -total / max(1, units)))


def _latency(test: Sequence[Sample], library: _Library, generator: ResponseGenerator) -> dict[str, Any]:
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


def _print(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from web.terminal import out

    names = ("bleu", "chrf", "rouge_l", "distinct_2", "passed_check", "grounded_rate", "recall_at_1_of_100")
    table = Table(title=f"Next agent turn, {figures['n_test']} turns")
    table.add_column("system")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for system, values in figures["systems"].items():
        table.add_row(system, *("–" if values[name] is None else f"{values[name]:.1f}" for name in names))
    out().print(table)
    latency = figures["latency"]
    out().print(
        f"perplexity {figures['perplexity']:.2f} · copied {figures['copy_rate']:.0f} % · "
        f"30 pieces, beam 4: {latency['cpu_p50']:.1f} ms CPU · "
        f"first text {figures['first_token']['cpu_p50']:.1f} ms CPU\n"
        f"trained {figures['train_seconds']:.0f} s on {figures['device']}, {figures['tokens_per_second']:,} tokens a "
        f"second (plain loop: {figures['plain_tokens_per_second']:,})"
    )


if __name__ == "__main__":
    command()
