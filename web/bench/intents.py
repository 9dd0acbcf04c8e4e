"""``bench intents``: train the intent classifier on one file, choose on a second, measure on a third.

Everything after the training is measured on the served form, loaded from disk; the test file is opened last.
"""

from __future__ import annotations

import json
import os
import random
import resource
import string
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.bench.figures import json_option, write_figures
from web.bench.rows import labelled_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from chatbot.dialogue.trace import Classification
    from chatbot.inference.classify_states import Classifier, Tier
    from chatbot.inference.encode import SentenceEncoder
    from chatbot.learning.classifier_data import Example, Recipe

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TIERS = ("fast", "accurate", "auto")
REJECTED = 0.05  # of the in-scope validation texts, which sets the threshold
GIBBERISH = 100
SHOWN = 5  # names in a line
_LATENCY_TEXTS = 2000
_HAN_SAMPLE = (
    "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光"
)


@dataclass(frozen=True)
class Latency:
    """Milliseconds for one message, text to calibrated decision."""

    p50: float
    p99: float
    cpu_p50: float


@click.command("intents")
@click.option("--train", "train_file", type=FILE, required=True, help="Intent rows to train on.")
@click.option(
    "--valid", "valid_file", type=FILE, required=True, help="Intent rows to choose and calibrate on."
)
@click.option("--test", "test_file", type=FILE, required=True, help="Intent rows to measure on, read last.")
@click.option("--tier", type=click.Choice(TIERS), default="fast", show_default=True)
@click.option(
    "--shots", type=click.IntRange(min=1), help="Train on so many examples an intent, drawn by seed."
)
@click.option("--seed", type=int, default=13, show_default=True)
@click.option("--threads", type=click.IntRange(min=0), default=0, help="Training threads; 0: all cores.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option(
    "--no-teacher", is_flag=True, help="Train the fast tier on the labels alone: quicker, less accurate."
)
@click.option(
    "--recipe", "recipe_file", type=FILE, help="Train the fast tier by this recipe (frontdesk tune --out)."
)
@click.option("--no-context", is_flag=True, help="Ignore the turns before a message.")
@json_option
def command(
    train_file: Path,
    valid_file: Path,
    test_file: Path,
    tier: Tier,
    shots: int | None,
    seed: int,
    threads: int,
    device: str,
    no_teacher: bool,
    recipe_file: Path | None,
    no_context: bool,
    json_file: Path | None,
) -> None:
    """Measure the intent classifier: accuracy, calibration, out-of-scope detection, speed."""
    from chatbot.learning.recipe_search import load_recipe
    from web.terminal import TerminalProgress

    recipe = load_recipe(recipe_file) if recipe_file else None
    train_rows = labelled_rows(train_file, no_context=no_context)
    valid_rows = labelled_rows(valid_file, no_context=no_context)
    if shots:
        train_rows = few_shots(train_rows, shots, seed)
    with TerminalProgress() as progress:
        figures = measure(
            train_rows,
            valid_rows,
            lambda: labelled_rows(test_file, no_context=no_context),
            tier=tier,
            seed=seed,
            threads=threads,
            device=device,
            teacher=not no_teacher,
            recipe=recipe,
            progress=progress,
        )
    write_figures(figures, json_file)
    print_figures(figures)


def measure(
    train_rows: Sequence[dict[str, Any]],
    valid_rows: Sequence[dict[str, Any]],
    read_test: Callable[[], Sequence[dict[str, Any]]],
    *,
    tier: Tier = "fast",
    seed: int = 13,
    threads: int = 0,
    device: str = "auto",
    teacher: bool = True,
    recipe: Recipe | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Train, then measure the served form; → the figures that the command tells (shares in percent, times in ms)."""
    import torch

    from chatbot.errors import InputError
    from chatbot.inference.classify_states import load_classifier
    from chatbot.learning.classifier_data import read_examples
    from chatbot.learning.tiers import packaged_encoder, train_tiers

    tell = progress or (lambda stage, share: None)
    torch.set_num_threads(threads or os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "classifier"
        lang = _main_language(train_rows)
        needs_encoder = tier != "fast" or teacher
        encoder = packaged_encoder(Path(name) / "encoders", lang) if needs_encoder else None
        rows = [{**r, "split": "train"} for r in train_rows] + [{**r, "split": "valid"} for r in valid_rows]
        began = time.monotonic()
        report = train_tiers(
            rows,
            folder,
            tier=tier,
            languages=sorted({row["lang"] for row in train_rows}),
            encoder=encoder,
            teacher=teacher,
            device=device,
            seed=seed,
            progress=progress,
            recipe=recipe,
        )
        train_seconds = time.monotonic() - began
        if tier != "fast" and report.accurate is None:
            raise InputError(
                "this tier needs a sentence encoder that knows the language",
                field="tier",
                value=f"{tier}, {lang}",
                remedy="use --tier fast",
            )
        training_rss = _peak_rss()
        tell("throughput", 0.0)
        throughput = _throughput(train_rows, folder, device) if report.fast else None
        served = encoder.served if encoder else None
        classifier = load_classifier(folder, tier=tier, threads=1, encoder=served)
        valid, train = read_examples(valid_rows), read_examples(train_rows)
        tell("measuring", 0.0)
        test = read_examples(read_test())
        found = [classifier.classify(e.text, history=e.context, lang=e.lang) for e in test]
        figures = {
            "tier": tier,
            "n_train": len(train),
            "n_test": len(test),
            "intents_not_trained": not_trained(train, test),
            **_quality(classifier, valid, test, found, gibberish_strings(seed, chinese=lang == "zh")),
            "train_seconds": round(train_seconds, 2),
            "tokens_per_second": round(report.main.fit.tokens_per_second),
            "tutorial_tokens_per_second": round(throughput[0]) if throughput else None,
            "bound_tokens_per_second": round(throughput[1]) if throughput else None,
            "latency": _latency(classifier, train, test).__dict__,
            "messages_per_second": round(_messages_per_second(classifier, test)),
            "model_bytes": _served_bytes(folder, tier, encoder.served if encoder else None, Path(name)),
            "peak_rss_bytes": _serving_rss(folder, tier, Path(name), test),
            "training_peak_rss_bytes": training_rss,
            "device": report.main.fit.device,
            "validation": {
                t: r.metrics
                for t, r in (("fast", report.fast), ("accurate", report.accurate))
                if r is not None
            },
            "parity": {
                t: r.parity
                for t, r in (("fast", report.fast), ("accurate", report.accurate))
                if r is not None
            },
            "cascade": report.cascade.as_json() if report.cascade else None,
        }
        tell("measuring", 1.0)
    return figures


def not_trained(train: Sequence[Example], test: Sequence[Example]) -> list[str]:
    """Intents of the test that no training row has: nothing can name them, so every one of their messages is wrong."""
    return sorted({e.intent for e in test if e.intent} - {e.intent for e in train})


def few_shots(rows: Sequence[dict[str, Any]], shots: int, seed: int) -> list[dict[str, Any]]:
    """``shots`` rows of each intent, drawn by seed; out-of-scope rows as they are."""
    source = random.Random(seed)
    by_intent: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_intent[row["intent"]].append(row)
    kept = []
    for intent in sorted(by_intent):
        own = by_intent[intent]
        kept += own if intent == "oos" else source.sample(own, min(shots, len(own)))
    return kept


def gibberish_strings(seed: int, *, chinese: bool) -> list[str]:
    """100 strings that mean nothing: random letters and digits, for Chinese also random characters.

    Made here and not by the generator that training takes its outliers from.
    """
    source = random.Random(f"gibberish {seed}")
    made = []
    for i in range(GIBBERISH):
        if chinese and i % 2:
            made.append("".join(source.choice(_HAN_SAMPLE) for _ in range(source.randint(3, 12))))
            continue
        words = []
        for _ in range(source.randint(1, 5)):
            alphabet = string.digits if source.random() < 0.2 else string.ascii_lowercase
            words.append("".join(source.choice(alphabet) for _ in range(source.randint(3, 8))))
        made.append(" ".join(words))
    return made


def _quality(
    classifier: Classifier,
    valid: Sequence[Example],
    test: Sequence[Example],
    found: Sequence[Classification],
    gibberish: Sequence[str],
) -> dict[str, Any]:
    import numpy as np

    from chatbot.learning.calibration import auroc, calibration_error

    inside = np.asarray([e.intent is not None for e in test])
    guesses = [c.top.name if c.top else "" for c in found]
    right = np.asarray([g == e.intent for g, e in zip(guesses, test, strict=True)])
    confidence = np.asarray([c.top.confidence if c.top else 0.0 for c in found])
    scope = np.asarray([c.in_scope for c in found])
    threshold = rejection_threshold(classifier, valid)
    answered = sum(c.in_scope >= threshold for c in classifier.classify_batch(gibberish))
    beyond = scope[~inside]
    return {
        "accuracy": _percent(right[inside].mean()),
        "macro_f1": _percent(
            _macro_f1(
                [e.intent for e in test if e.intent], [g for g, i in zip(guesses, inside, strict=True) if i]
            )
        ),
        "ece": _percent(calibration_error(confidence[inside], right[inside])),
        "oos": {
            "auroc": _percent(auroc(scope[inside], beyond)) if len(beyond) else None,
            "recall_at_5pct_rejection": _percent((beyond < threshold).mean()) if len(beyond) else None,
            "in_scope_accuracy": _percent((right & (scope >= threshold))[inside].mean()),
        },
        "gibberish_answered": int(answered),
    }


def rejection_threshold(classifier: Classifier, valid: Sequence[Example]) -> float:
    """The in-scope probability that 5 % of the in-scope validation texts fall below."""
    import numpy as np

    scopes = [
        classifier.classify(e.text, history=e.context, lang=e.lang).in_scope
        for e in valid
        if e.intent is not None
    ]
    return float(np.quantile(scopes, REJECTED))


def _macro_f1(truth: Sequence[str], guesses: Sequence[str]) -> float:
    """Unweighted mean over the intents that occur in the test."""
    scores = []
    for intent in set(truth):
        hits = sum(t == g == intent for t, g in zip(truth, guesses, strict=True))
        scores.append(2 * hits / (truth.count(intent) + guesses.count(intent)))
    return sum(scores) / len(scores)


def _percent(share: float | NDArray[np.floating[Any]]) -> float:
    return round(100 * float(share), 3)


def _latency(classifier: Classifier, train: Sequence[Example], test: Sequence[Example]) -> Latency:
    """Each test text once, alone, after a warm-up on training texts."""
    import numpy as np

    for example in train[:_LATENCY_TEXTS]:
        classifier.classify(example.text, lang=example.lang)
    wall, cpu = [], []
    for example in test[:_LATENCY_TEXTS]:
        cpu_began, began = time.process_time(), time.perf_counter()
        classifier.classify(example.text, history=example.context, lang=example.lang)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
    return Latency(
        p50=round(float(np.median(wall)) * 1000, 4),
        p99=round(float(np.quantile(wall, 0.99)) * 1000, 4),
        cpu_p50=round(float(np.median(cpu)) * 1000, 4),
    )


def _messages_per_second(classifier: Classifier, test: Sequence[Example]) -> float:
    texts = [e.text for e in test][: 64 * 50]
    classifier.classify_batch(texts[:64])
    n, began = 0, time.perf_counter()
    while time.perf_counter() - began < 1.5:
        for start in range(0, len(texts), 64):
            n += len(classifier.classify_batch(texts[start : start + 64]))
    return n / (time.perf_counter() - began)


def _throughput(rows: Sequence[dict[str, Any]], folder: Path, device: str) -> tuple[float, float]:
    """Tokens a second of the tutorial recipe, and of the machine's bound."""
    from chatbot.inference.classifier_config import ClassifierConfig
    from chatbot.learning.classifier_training import untrained_network
    from chatbot.neural.devices import resolve_device
    from chatbot.neural.throughput import measure_throughput

    config = ClassifierConfig.load(folder)
    network, collator, tokens, targets = untrained_network(rows, config)
    result = measure_throughput(network, collator, tokens, targets, device=resolve_device(device))
    return result.tutorial, result.bound


def _served_bytes(folder: Path, tier: str, encoder: SentenceEncoder | None, work: Path) -> int:
    """Bytes of what serving reads: not the trained weights; the encoder where the tier uses the shared one."""
    files = [f for f in folder.rglob("*") if f.is_file() and f.name != "weights.safetensors"]
    own = any("encoder" in f.parts for f in files)
    if tier != "fast" and encoder and not own:
        files += [f for f in (work / "encoders" / encoder.fingerprint).rglob("*") if f.is_file()]
    return sum(f.stat().st_size for f in files)


def _main_language(rows: Sequence[dict[str, Any]]) -> str:
    spoken = [row["lang"] for row in rows]
    return max(sorted(set(spoken)), key=spoken.count)


def _peak_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


_SERVE = """
import json, re, sys
from pathlib import Path
from chatbot.inference.classify_states import load_classifier
from chatbot.inference.encode import SentenceEncoder
folder, tier, encoder = sys.argv[1:]
shared = SentenceEncoder.load(Path(encoder)) if encoder else None
classifier = load_classifier(Path(folder), tier=tier, encoder=shared)
for text in json.load(sys.stdin):
    classifier.classify(text)
if "torch" in sys.modules:
    sys.exit("torch was imported")
status = Path("/proc/self/status").read_text()  # getrusage would count the parent's memory before exec
sys.stdout.write(re.search(r"VmHWM:\\s+(\\d+) kB", status).group(1))
"""


def _serving_rss(folder: Path, tier: str, work: Path, test: Sequence[Example]) -> int:
    """Peak memory of a process that does nothing but serve this classifier."""
    texts = json.dumps([e.text for e in test[:_LATENCY_TEXTS]])
    shared = tier != "fast" and not (folder / "accurate" / "encoder").is_dir()
    encoder = next(iter((work / "encoders").iterdir())) if shared else ""
    arguments = [sys.executable, "-c", _SERVE, str(folder), tier, str(encoder)]
    done = subprocess.run(arguments, input=texts, capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


def print_figures(figures: dict[str, Any]) -> None:
    from rich.table import Table

    from web.terminal import out

    table = Table(title=f"Intents, {figures['tier']} tier", show_header=False)
    oos, latency = figures["oos"], figures["latency"]

    def share(value: float | None) -> str:
        return "–" if value is None else f"{value:.2f} %"

    def count(value: float | None) -> str:
        return "–" if value is None else f"{value:,}"

    for name, value in (
        ("messages: train / test", f"{figures['n_train']} / {figures['n_test']}"),
        ("accuracy", share(figures["accuracy"])),
        ("macro F1", share(figures["macro_f1"])),
        ("calibration error", share(figures["ece"])),
        ("out of scope: AUROC", share(oos["auroc"])),
        ("  recall at 5 % rejection", share(oos["recall_at_5pct_rejection"])),
        ("  in-scope accuracy then", share(oos["in_scope_accuracy"])),
        (f"gibberish answered, of {GIBBERISH}", str(figures["gibberish_answered"])),
        ("training", f"{figures['train_seconds']:.0f} s on {figures['device']}"),
        ("  tokens a second", f"{figures['tokens_per_second']:,}"),
        (
            "  tutorial recipe / bound",
            f"{count(figures['tutorial_tokens_per_second'])} / {count(figures['bound_tokens_per_second'])}",
        ),
        (
            "latency p50 / p99 / CPU p50",
            f"{latency['p50']:.3f} / {latency['p99']:.3f} / {latency['cpu_p50']:.3f} ms",
        ),
        ("messages a second, batches of 64", f"{figures['messages_per_second']:,}"),
        ("served model", f"{figures['model_bytes'] / 1e6:.1f} MB"),
        ("serving process, peak", f"{figures['peak_rss_bytes'] / 1e6:.0f} MB"),
    ):
        table.add_row(name, value)
    out().print(table)
    if names := figures["intents_not_trained"]:
        examples = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
        click.echo(f"Intents of the test that do not occur in training, all wrong: {len(names)} ({examples})")


if __name__ == "__main__":
    command()
