"""``bench retrieval``: index a set of FAQ documents, search them with a set of questions, and say how well and how
fast.

Everything is measured on the served form: the same indexes, int8 encoders, calibrated scores and floors under them as
in a release. The question file is opened last; what can be chosen is chosen on ``--train`` and ``--valid``.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.bench.figures import json_option, write_figures
from web.bench.paired import Comparison, compared
from web.bench.rows import joined, read_rows

if TYPE_CHECKING:
    from chatbot.learning.encoders import Precision
    from web.bench.retrieval_setup import Found, Prepared

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TAKEN_AWAY = 0.2  # of the questions lose their right document, and must be refused
WRONG = 0.1  # of what is answered may be wrong
SURE = 0.5  # stated probability from which `false_answer_rate` counts an answer
_TIMED = 1000
_DRAWS = 100  # of answers as the stated probabilities have them


@click.command("retrieval")
@click.option("--documents", type=FILE, required=True, help="FAQ rows to search.")
@click.option("--queries", type=FILE, required=True, help="Relevance rows to measure on, read last.")
@click.option(
    "--train", "train_files", type=FILE, multiple=True, help="Relevance or pair rows to learn from."
)
@click.option("--train-documents", type=FILE, multiple=True, help="FAQ rows of --train, where they differ.")
@click.option("--valid", "valid_file", type=FILE, help="Relevance rows to choose and calibrate on.")
@click.option(
    "--encoder",
    help="packaged (that of the documents' language), domain, or a sentence-transformers model. Default: packaged "
    "for English and Chinese, domain else.",
)
@click.option(
    "--mode", type=click.Choice(["keyword", "dense", "hybrid"]), default="hybrid", show_default=True
)
@click.option(
    "--encoder-store",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps exported encoders for the next run.",
)
@click.option(
    "--join-questions",
    is_flag=True,
    help="Take rows of one wording as one question, which any of their documents answers.",
)
@click.option(
    "--float",
    "single",
    is_flag=True,
    help="Also search with the encoder in single precision, fitted alike, and report what int8 loses. Needs the "
    "model itself (its package, a folder or a hub) and about four times as long.",
)
@click.option(
    "--seed",
    type=int,
    default=13,
    show_default=True,
    help="Of the folds, of what is trained, and of the questions that lose their document.",
)
@json_option
def command(
    documents: Path,
    queries: Path,
    train_files: tuple[Path, ...],
    train_documents: tuple[Path, ...],
    valid_file: Path | None,
    encoder: str | None,
    mode: str,
    encoder_store: Path | None,
    join_questions: bool,
    single: bool,
    seed: int,
    json_file: Path | None,
) -> None:
    """Measure the search: recall, refusal, calibration, speed.

    Keyword and dense search are measured alone as well, and the two together are compared with the better of them,
    question by question.
    """
    from web.terminal import TerminalProgress

    with TerminalProgress() as progress:
        figures = measure(
            read_rows(documents),
            lambda: read_rows(queries),
            train=[row for path in train_files for row in read_rows(path)],
            train_documents=[row for path in train_documents for row in read_rows(path)],
            valid=read_rows(valid_file) if valid_file else [],
            encoder=encoder,
            mode=mode,
            store=encoder_store,
            join_questions=join_questions,
            single=single,
            seed=seed,
            progress=progress,
        )
    write_figures(figures, json_file)
    _print(figures)


def measure(
    documents: Sequence[dict[str, Any]],
    read_queries: Callable[[], Sequence[dict[str, Any]]],
    *,
    train: Sequence[dict[str, Any]] = (),
    train_documents: Sequence[dict[str, Any]] = (),
    valid: Sequence[dict[str, Any]] = (),
    encoder: str | None = None,
    mode: str = "hybrid",
    store: Path | None = None,
    join_questions: bool = False,
    single: bool = False,
    seed: int = 13,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Build, fit, then read the queries and measure (percent, milliseconds, bytes).

    ``hybrid_against_part``: both searches together against the one that finds more by itself. ``single``: the same
    with the encoder in single precision; ``float`` has its recall, and what int8 gains and loses against it. Raises
    InputError as `prepare` does.
    """
    from web.bench.retrieval_setup import prepare, queries_of

    tell = progress or (lambda stage, share: None)
    read: Callable[[Sequence[dict[str, Any]]], Sequence[dict[str, Any]]]
    read = joined if join_questions else list
    with tempfile.TemporaryDirectory() as work:

        def built(precision: Precision) -> Prepared:
            return prepare(
                documents,
                train=read(train),
                train_documents=train_documents,
                valid=read(valid),
                encoder=encoder,
                seed=seed,
                work=Path(work),
                store=store,
                precision=precision,
                tell=tell,
            )

        def searched(prepared: Prepared) -> list[Found]:
            found = []
            for place, query in enumerate(asked):
                found.append(prepared.find(query))
                tell("search", (place + 1) / len(asked))
            return found

        exact = built("float32") if single else None
        prepared = built("int8")
        asked = queries_of(read(read_queries()), prepared.numbers)
        found = searched(prepared)
        answerable = [item for item in found if item.query.right]
        figures: dict[str, Any] = {
            "n_documents": len(documents),
            "n_queries": len(answerable),
            "mode": mode,
            "encoder": prepared.encoder_name,
            **quality(prepared, answerable, mode),
            "refusal": refusal(prepared, found, mode, seed),
            "keyword": quality(prepared, answerable, "keyword"),
            "dense": quality(prepared, answerable, "dense"),
            "hybrid": quality(prepared, answerable, "hybrid"),
            "hybrid_against_part": against_part(prepared, answerable),
            "candidates_recall": percent(
                [bool(item.query.right & set(item.candidates.articles.tolist())) for item in answerable]
            ),
            **speed(prepared, [item.query for item in found][:_TIMED], tell),
            "build_seconds": round(prepared.build_seconds, 2),
            "train_seconds": round(prepared.train_seconds, 2),
            "index_bytes": prepared.index_bytes(Path(work) / "index"),
            "fit": prepared.fit_figures,
            "weights": dict(prepared.rankings[mode].weights),
            "join_questions": join_questions,
            "seed": seed,
        }
        if exact is not None:
            unrounded = [item for item in searched(exact) if item.query.right]
            figures["float"] = {
                mode: {
                    **quality(exact, unrounded, mode),
                    "int8_against_float": compared(
                        firsts(prepared, answerable, mode), firsts(exact, unrounded, mode)
                    ),
                }
                for mode in ("dense", "hybrid")
                if answerable
            }
        return figures


def firsts(prepared: Prepared, found: Sequence[Found], mode: str) -> list[bool]:
    """Whether each question's first article is a right one."""
    return [any(article in item.query.right for article, _ in prepared.hits(item, mode, 1)) for item in found]


def against_part(prepared: Prepared, found: Sequence[Found]) -> dict[str, Any]:
    """Hybrid search against its better ``part`` on these questions: `Comparison`; empty without questions."""
    if not found:
        return {}
    right = {mode: firsts(prepared, found, mode) for mode in ("keyword", "dense", "hybrid")}
    part = max(("keyword", "dense"), key=lambda mode: sum(right[mode]))
    return {"part": part, **compared(right["hybrid"], right[part])}


def quality(prepared: Prepared, found: Sequence[Found], mode: str) -> dict[str, float]:
    """``recall_at_1``, ``recall_at_5``, ``mrr_at_10``, ``ndcg_at_10`` in percent: any right document within k."""
    first, five, reciprocal, gains = [], [], [], []
    for item in found:
        right = [article in item.query.right for article, _ in prepared.hits(item, mode, 10)]
        place = right.index(True) if True in right else None
        first.append(place == 0)
        five.append(place is not None and place < 5)
        reciprocal.append(0.0 if place is None else 1 / (place + 1))
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(item.query.right))))
        gains.append(sum(1 / math.log2(rank + 2) for rank, hit in enumerate(right) if hit) / ideal)
    return {
        "recall_at_1": percent(first),
        "recall_at_5": percent(five),
        "mrr_at_10": percent(reciprocal),
        "ndcg_at_10": percent(gains),
    }


def refusal(prepared: Prepared, found: Sequence[Found], mode: str, seed: int) -> dict[str, float]:
    """How well the stated probability tells what is answered from what is not.

    A fifth of the questions, drawn by seed, lose their right documents; those and the ones that had none must be
    refused. ``auroc``: of the probability, for whether there is an answer. ``answered_at_10pct_wrong``: of the
    questions that have an answer, the most that can be answered at one threshold while at most a tenth of all
    answers given (to whichever question) is wrong. ``false_answer_rate``: of the questions without an answer, those
    whose hit states at least 0.5. ``ece``: of the first hit's probability, ten bins; ``ece_by_chance``: what it would
    be on average were every stated probability true, which is much where questions are few.
    """
    import numpy as np

    from chatbot.learning.search_calibration import calibration_error

    rng = np.random.default_rng(seed)
    stated, right, has_answer = [], [], []
    for item, lost in zip(found, rng.random(len(found)) < TAKEN_AWAY, strict=True):
        gone = item.query.right if lost else frozenset()
        hits = prepared.hits(item.without(gone), mode, 1)
        stated.append(hits[0][1] if hits else 0.0)
        right.append(bool(hits) and hits[0][0] in item.query.right - gone)
        has_answer.append(bool(item.query.right - gone))
    scores, correct, known = np.array(stated), np.array(right), np.array(has_answer)
    order = np.argsort(-scores, kind="stable")
    wrong = np.cumsum(~correct[order]) / np.arange(1, len(order) + 1)
    within = np.flatnonzero(wrong <= WRONG)
    drawn = [calibration_error(scores, rng.random(len(scores)) < scores) for _ in range(_DRAWS)]
    answered = order[: within[-1] + 1] if len(within) else order[:0]
    return {
        "auroc": _auroc(scores[known], scores[~known]),
        "answered_at_10pct_wrong": round(100 * float(known[answered].sum() / max(1, known.sum())), 2),
        "false_answer_rate": percent((scores[~known] >= SURE).tolist()),
        "ece": round(100 * calibration_error(scores, correct), 2),
        "ece_by_chance": round(100 * float(np.mean(drawn)), 2),
    }


def _auroc(higher: Any, lower: Any) -> float:
    """Probability, in percent, that one of ``higher`` is above one of ``lower`` (ties half)."""
    import numpy as np

    if not len(higher) or not len(lower):
        return 0.0
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, side="left")
    ties = np.searchsorted(ordered, higher, side="right") - below
    return round(100 * float((below + ties / 2).mean() / len(lower)), 2)


def speed(prepared: Prepared, queries: Sequence[Any], tell: Callable[[str, float], None]) -> dict[str, Any]:
    """Milliseconds for one question, text in, read and scored hits out; and the same without the encoder."""
    import numpy as np

    figures = {}
    for name, search in (
        ("latency", prepared.search),
        ("latency_without_encoder", prepared.search_encoded),
    ):
        wall, cpu = [], []
        for query in queries[:50]:
            search(query)
        for place, query in enumerate(queries):
            cpu_began, began = time.process_time(), time.perf_counter()
            search(query)
            wall.append(1000 * (time.perf_counter() - began))
            cpu.append(1000 * (time.process_time() - cpu_began))
            tell(name.replace("_", " "), (place + 1) / len(queries))
        figures[name] = {
            "p50": round(float(np.median(wall)), 3),
            "p99": round(float(np.quantile(wall, 0.99)), 3),
            "cpu_p50": round(float(np.median(cpu)), 3),
        }
    return figures


def percent(values: Sequence[float | bool]) -> float:
    return round(100 * sum(values) / len(values), 2) if values else 0.0


def _print(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from web.terminal import out

    console = out()
    measures = ("recall_at_1", "recall_at_5", "mrr_at_10", "ndcg_at_10")
    title = f"{figures['n_queries']} questions over {figures['n_documents']} documents, {figures['encoder']}"
    table = Table("", *measures, title=title)
    for name in ("keyword", "dense", "hybrid"):
        mark = " *" if name == figures["mode"] else ""
        table.add_row(name + mark, *(f"{figures[name][measure]:.1f}" for measure in measures))
    for name, row in figures.get("float", {}).items():
        table.add_row(f"{name}, float", *(f"{row[measure]:.1f}" for measure in measures))
    console.print(table)
    if against := figures["hybrid_against_part"]:
        console.print(f"hybrid against {against['part']}: {_told(against)}")
    for name, row in figures.get("float", {}).items():
        console.print(f"{name}, int8 against float: {_told(row['int8_against_float'])}")
    refused = figures["refusal"]
    console.print(
        f"refusal: AUROC {refused['auroc']:.1f}, answered at 10 % wrong {refused['answered_at_10pct_wrong']:.1f} %, "
        f"answered without an answer {refused['false_answer_rate']:.1f} %, "
        f"calibration error {refused['ece']:.1f} % (by chance {refused['ece_by_chance']:.1f})"
    )
    whole, inner = figures["latency"], figures["latency_without_encoder"]
    console.print(
        f"a search {whole['p50']:.2f} ms (p99 {whole['p99']:.2f}, CPU {whole['cpu_p50']:.2f}), without the encoder "
        f"{inner['p50']:.2f} ms (p99 {inner['p99']:.2f}, CPU {inner['cpu_p50']:.2f})"
    )
    console.print(
        f"built in {figures['build_seconds']:.1f} s, trained in {figures['train_seconds']:.1f} s, "
        f"index {figures['index_bytes'] / 1e6:.1f} MB"
    )


def _told(comparison: Comparison) -> str:
    verdict = "worse" if comparison["worse"] else "not worse"
    return (
        f"{comparison['difference']:+.1f} ± {comparison['standard_error']:.1f} of recall@1 (one standard error; "
        f"{comparison['gained']} gained, {comparison['lost']} lost): {verdict}"
    )
