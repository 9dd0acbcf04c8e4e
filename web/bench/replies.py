"""``bench replies``: the agent's next turn, from past answers, ranked, written, and chosen among all of them.

Four systems answer the same turns of the test file, which is read after everything is trained and chosen:
*nearest* (the answer given in the likest past situation, BM25), *ranked* (the dual encoder over all past answers),
*generator* (the pointer LSTM, beam 4, which may copy from look-ups, or where there are none from the two nearest past
answers, and from documents), and
*combined* (the best of all their candidates by seven weighed signals, likelihood and ranking among them). How long the
generator writes is chosen and the weights are fitted on the validation file.
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
import numpy as np

from chatbot.errors import InputError
from chatbot.inference.reply_choice import SIGNALS
from chatbot.learning.writing import is_grounded
from web.bench.figures import json_option, write_figures
from web.bench.reply_combination import Tell, choose_weights, options_for, sample_signals
from web.bench.reply_measures import ReplyFigures, distinct_2, overlap, rouge_l
from web.bench.reply_speed import latency, plain_tokens_per_second
from web.bench.rows import no_reply, read_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chatbot.inference.generate import ResponseGenerator
    from chatbot.inference.past_answers import PastAnswers
    from chatbot.inference.rank import AnswerRanker
    from chatbot.learning.generator_data import Sample

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SYSTEMS = ("nearest", "ranked", "generator", "combined")
DISTRACTORS = 99
PAST = 2  # past answers the generator may copy from, where no look-up tells what to say (docs/replies.md)
_CHOOSING = 300  # validation turns that its weights are fitted on
_RANKED = 200  # likewise, each in a list of a hundred, for ranking
_LATENCY_TURNS = 60


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
@json_option
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
            read_rows(train_file, no_reply),
            read_rows(valid_file, no_reply),
            lambda: read_rows(test_file, no_reply),
            documents=read_rows(documents) if documents and not no_documents else [],
            pretrain=[]
            if no_pretraining
            else [row for file in pretrain for row in read_rows(file, no_reply)],
            lookups=not no_lookups,
            seconds=seconds,
            turns=turns,
            ranked_turns=ranked_turns,
            seed=seed,
            threads=threads,
            device=device,
            progress=progress,
        )
    write_figures(figures, json_file)
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
        choice = choose_weights(
            Random(seed).sample(valid, min(_CHOOSING, len(valid))), library.past, generator, ranker, tell
        )
        tell("reading", 1.0)
        test = whole = library.samples(read_test())
        if turns and turns < len(test):
            test = Random(seed).sample(test, turns)
        chinese = sum(sample.lang == "zh" for sample in test) * 2 > len(test)
        found: dict[str, list[str]] = {system: [] for system in SYSTEMS}
        written = []
        for number, sample in enumerate(test):
            options = options_for(sample, library.past, generator, ranker, length_power=choice.length_power)
            for system, text in choice.replies(options).items():
                found[system].append(text)
            written.append(options)
            if number % 20 == 0:
                tell("answering", number / len(test))
        pool = sorted({sample.reply for sample in whole})
        recall = _recall(valid, test, pool, library, generator, ranker, ranked_turns, seed, tell)
        figures = {
            "n_train": len(train),
            "n_test": len(test),
            "systems": {
                system: asdict(_figures(found[system], test, recall[system], chinese)) for system in SYSTEMS
            },
            "choice": {
                **{name: round(float(w), 3) for name, w in zip(SIGNALS, choice.weights.vector, strict=True)},
                "length_power": choice.length_power,
            },
            **trained,
            "copy_rate": round(100 * statistics.fmean(options.copied for options in written), 2),
            "perplexity": round(_perplexity(test, generator, chinese), 3),
            **latency(test[:_LATENCY_TURNS], generator),
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
    sources: int  # past answers among the generator's sources

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
        looked_up = any(turn.role == "action" for sample in plain for turn in sample.turns)
        library = cls([], past, PastAnswers(found) if found else None, lookups, 0 if looked_up else PAST)
        return replace(library, train=[library._with_sources(sample, own=True) for sample in plain])

    def samples(self, rows: Sequence[dict[str, Any]], *, own: bool = False) -> list[Sample]:
        return [self._with_sources(sample, own=own) for sample in _plain_samples(rows, lookups=self.lookups)]

    def _with_sources(self, sample: Sample, *, own: bool) -> Sample:
        """own: the sample may be one of the past answers, so its conversation is left out of the search."""
        group = sample.group if own else None
        near = self.past.search(sample.turns, k=self.sources, without=group) if self.sources else []
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
    layout = SourceLayout(past_answers=library.sources, last_tokens=110 if pairs else 48)
    settings = GeneratorSettings(layout=layout, batch=48, varied=False, clean=False, patience=3)
    settings = settings.within(seconds, device)
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
class _Lists:
    """The true reply of a turn (the first) among 99 other distinct replies of the same split, also where only some of
    its turns are measured."""

    samples: list[Sample]
    texts: list[list[str]]

    @classmethod
    def of(cls, samples: Sequence[Sample], pool: Sequence[str], n: int, seed: int) -> _Lists:
        """``pool``: the distinct replies of the split, in a fixed order."""
        if len(pool) <= DISTRACTORS:
            return cls([], [])
        random = Random(seed)
        chosen = random.sample(list(samples), min(n, len(samples)))
        texts = [
            [one.reply, *random.sample([reply for reply in pool if reply != one.reply], DISTRACTORS)]
            for one in chosen
        ]
        return cls(chosen, texts)

    def signals(
        self, library: _Library, generator: ResponseGenerator, ranker: AnswerRanker, stage: str, tell: Tell
    ) -> list[NDArray[np.float32]]:
        found = []
        for number, (sample, texts) in enumerate(zip(self.samples, self.texts, strict=True)):
            near = library.past.search(sample.turns, k=1)
            nearest = near[0].answer if near else ""
            found.append(sample_signals(sample, texts, nearest, generator, ranker))
            if number % 10 == 0:
                tell(stage, number / len(self.samples))
        return found


def _recall(
    valid: Sequence[Sample],
    test: Sequence[Sample],
    pool: Sequence[str],
    library: _Library,
    generator: ResponseGenerator,
    ranker: AnswerRanker,
    turns: int,
    seed: int,
    tell: Tell,
) -> dict[str, float | None]:
    """Share of turns whose true reply each system puts before 99 other distinct replies of the split.

    *combined* ranks with weights of its own, fitted on lists of validation turns: what makes a reply likelier than its
    rivals for the same turn is not what makes it likelier than replies to other turns.
    """
    from chatbot.learning.choice_fitting import fit_weights

    lists = _Lists.of(test, pool, turns, seed)
    if not lists.samples:
        return dict.fromkeys(SYSTEMS, None)
    replies = sorted({sample.reply for sample in valid})
    learned = _Lists.of(valid, replies, _RANKED, seed + 1).signals(
        library, generator, ranker, "learning to rank", tell
    )
    truth = np.eye(1, DISTRACTORS + 1, dtype=np.float32)[0]
    one = {name: np.eye(len(SIGNALS), dtype=np.float32)[place] for place, name in enumerate(SIGNALS)}
    plain = one["likelihood"] + one["rank"]
    weights = fit_weights(learned, [truth] * len(learned)) if learned else plain
    by_system = {
        "nearest": one["near"],
        "ranked": one["rank"] + ranker.bias / 5 * one["times"],
        "generator": one["likelihood"],
        "combined": weights,
    }
    right = dict.fromkeys(SYSTEMS, 0)
    for signals in lists.signals(library, generator, ranker, "ranking", tell):
        for system in SYSTEMS:
            values = signals @ by_system[system]
            right[system] += bool(values[0] > values[1:].max())
    return {system: round(100 * count / len(lists.samples), 2) for system, count in right.items()}


def _figures(
    replies: Sequence[str], test: Sequence[Sample], recall: float | None, chinese: bool
) -> ReplyFigures:
    from chatbot.dialogue import grounding

    truth = [sample.reply for sample in test]
    bleu, chrf = overlap(replies, truth, chinese=chinese)
    passed = grounded = 0
    for reply, sample in zip(replies, test, strict=True):
        looked_up = [turn.text for turn in sample.turns if turn.role == "action"]
        sources = [*sample.passages, *sample.past_answers]
        said = [turn.text for turn in sample.turns if turn.role == "customer"]
        held = grounding.check(reply, sources=sources, customer=said, lang=sample.lang, lookups=looked_up)
        if held.passed:
            passed += 1
            grounded += is_grounded(reply, "\n".join((*sources, *looked_up, *said)))
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
        total += mean * generator.lengths([sample.reply])[0]
        units += len("".join(sample.reply.split())) if chinese else len(sample.reply.split())
    return math.exp(min(50.0, -total / max(1, units)))


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
