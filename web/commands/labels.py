"""``frontdesk labels``: the classifier on a label set of one's own: sentiment, urgency, what texts are sorted by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, write_json

if TYPE_CHECKING:
    from chatbot.learning.label_sets import LabelReport

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
NAME = click.option("--name", default="sentiment", show_default=True, help="What the labels are about.")


@click.group()
def labels() -> None:
    """Sort texts by labels of your own, such as sentiment."""


@labels.command("train")
@click.argument("file", type=EXISTING)
@NAME
@click.option("--lang", default="", help="Language of the texts (default: as each reads).")
@click.option("--seed", default=13, show_default=True)
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def labels_train(file: Path, name: str, lang: str, seed: int, json_out: Path | None) -> None:
    """Learn the labels of FILE (CSV with the columns text and label, or JSON Lines), and measure what was learned.

    A tenth of the texts is kept apart for the measuring. Labels of this name that were learned before are replaced.
    """
    from chatbot.learning.label_sets import folder_of, train_label_set
    from ingest.labelled_texts import read_labelled
    from web.terminal import TerminalProgress

    settings = load_settings()
    log_to_stderr("WARNING")
    folder_of(settings.data, name)  # a wrong name is said before a long file is read
    rows = read_labelled(file, lang=lang)
    with TerminalProgress() as progress:
        report = train_label_set(
            settings.data,
            name,
            rows,
            seed=seed,
            device=settings.device,
            progress=lambda share: progress("training", share),
        )
    write_json(json_out, report.as_json())
    if str(json_out) != "-":
        _tell(report)


@labels.command("predict")
@click.argument("text", required=False)
@NAME
@click.option("--file", type=EXISTING, help="One text a line instead; answers are JSON Lines.")
@click.option("--lang", default="", help="Language of the texts (default: as each reads).")
def labels_predict(text: str | None, name: str, file: Path | None, lang: str) -> None:
    """Say which label TEXT bears, with calibrated probabilities."""
    from chatbot.errors import InputError
    from chatbot.language.normalise import detect_language, has_letters
    from chatbot.learning.label_sets import load_label_set
    from ingest.files import RowError, open_text
    from web.terminal import out, table

    if (text is None) == (file is None):
        raise InputError(
            "Either a text or a file", field="text", remedy="Give a text, or --file with one a line"
        )
    settings = load_settings()
    log_to_stderr("WARNING")
    classifier = load_label_set(settings.data, name)

    def judged(one: str) -> dict[str, Any]:
        found = classifier.classify(one, lang=lang or detect_language(one))
        ranked = [{"label": g.name, "probability": round(g.confidence, 4)} for g in found.ranked]
        top = ranked[0]["label"] if ranked and has_letters(one) else None
        return {"text": one, "label": top, "in_scope": round(found.in_scope, 4), "labels": ranked}

    if file is not None:
        for _, line in open_text(file).lines():
            if not isinstance(line, RowError) and line.strip():
                click.echo(json.dumps(judged(line.strip()), ensure_ascii=False))
        return
    told = judged(text or "")
    if told["label"] is None:
        raise InputError(
            "There is nothing to read in this text", field="text", value=text, remedy="Give a text with words"
        )
    rows = [(one["label"], f"{one['probability']:.2f}") for one in told["labels"]]
    out().print(
        table(f"{name} (like what it learned from: {told['in_scope']:.2f})", ("label", "probability"), rows)
    )


@labels.command("list")
def labels_list() -> None:
    """List the label sets that were trained."""
    from chatbot.learning.label_sets import label_sets

    for name in label_sets(load_settings().data):
        click.echo(name)


@labels.command("remove")
@NAME
def labels_remove(name: str) -> None:
    """Delete a label set."""
    from chatbot.learning.label_sets import remove_label_set

    remove_label_set(load_settings().data, name)
    click.echo(f"{name} is removed.")


def _tell(report: LabelReport) -> None:
    from web.terminal import out, table

    rows = [
        (one.label, f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.f1:.3f}", str(one.texts))
        for one in report.scores
    ]
    title = f"{report.name}: {report.tested} texts kept apart, {report.trained} learned from"
    out().print(table(title, ("label", "precision", "recall", "F1", "texts"), rows))
    guesses = sorted({guess for row in report.confusion.values() for guess in row})
    matrix = [
        (label, *(str(row.get(guess, 0)) for guess in guesses)) for label, row in report.confusion.items()
    ]
    if len(guesses) <= 12:
        out().print(table("Label, and what was guessed", ("label", *guesses), matrix))
    out().print(
        f"accuracy {100 * report.accuracy:.1f} %, macro F1 {100 * report.macro_f1:.1f}, "
        f"calibration error {100 * report.calibration_error:.1f} %"
    )
