"""``frontdesk labels``: the classifier on a label set of one's own: sentiment, urgency, what texts are sorted by."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json

if TYPE_CHECKING:
    from chatbot.inference.classify import IntentClassifier
    from chatbot.learning.label_sets import LabelReport
    from chatbot.settings import Settings

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
TOGETHER = 256  # texts of a file that are read at once
CONVERSATIONS = 1_000  # the newest, by which the inbox's level is chosen
NAME = click.option("--name", default="sentiment", show_default=True, help="What the labels are about.")


@click.group()
def labels() -> None:
    """Sort texts by labels of your own, such as sentiment."""


@labels.command("train")
@click.argument("file", type=EXISTING)
@NAME
@click.option("--lang", default="", help="Language of the texts (default: as each reads).")
@click.option(
    "--minutes", type=click.FloatRange(min=0.1), help="End within this time (default: as long as it takes)."
)
@click.option(
    "--unhappy",
    multiple=True,
    metavar="LABEL",
    help="A label of displeased customers; may be given again (default: those of a name like negative, angry, 差评).",
)
@click.option("--seed", default=13, show_default=True)
@click.option("--json", "json_out", type=FILES, help="Write the report to a file (- for stdout).")
def labels_train(
    file: Path,
    name: str,
    lang: str,
    minutes: float | None,
    unhappy: tuple[str, ...],
    seed: int,
    json_out: Path | None,
) -> None:
    """Learn the labels of FILE (CSV with the columns text and label, or JSON Lines), and measure what was learned.

    A tenth of the texts is kept apart for the measuring. Labels of this name that were learned before are replaced.
    By those of the name sentiment the inbox marks displeased customers.
    """
    began = time.monotonic()
    from chatbot.inference.label_sets import SENTIMENT, folder_of
    from chatbot.learning.label_sets import train_label_set
    from chatbot.learning.time_plan import seconds_left
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
            unhappy=unhappy,
            budget_seconds=None if minutes is None else seconds_left(60 * minutes, began),
            progress=progress,
        )
    marked = _choose_level(settings, report) if name == SENTIMENT and report.unhappy else None
    write_json(json_out, report.as_json())
    if str(json_out) != "-":
        _tell(report)
        if name == SENTIMENT:
            _tell_of_inbox(report, marked)


@labels.command("predict")
@click.argument("text", required=False)
@NAME
@click.option("--file", type=EXISTING, help="The texts of a file instead; answers are JSON Lines.")
@click.option("--lang", default="", help="Language of the texts (default: as each reads).")
def labels_predict(text: str | None, name: str, file: Path | None, lang: str) -> None:
    """Say which label TEXT bears, with calibrated probabilities.

    A file holds a text a line, or is a table or JSON Lines with a column text.
    """
    from chatbot.errors import InputError
    from chatbot.inference.label_sets import load_label_set
    from ingest.labelled_texts import read_texts
    from web.terminal import out, table

    if (text is None) == (file is None):
        raise InputError(
            "Either a text or a file", field="text", remedy="Give a text, or --file with one a line"
        )
    settings = load_settings()
    log_to_stderr("WARNING")
    classifier = load_label_set(settings.data, name)
    if file is not None:
        texts = read_texts(file)
        while part := list(islice(texts, TOGETHER)):
            for one in _judged(classifier, part, lang):
                click.echo(json.dumps(one, ensure_ascii=False))
        return
    [told] = _judged(classifier, [text or ""], lang)
    if told["label"] is None:
        raise InputError(
            "There is nothing to read in this text", field="text", value=text, remedy="Give a text with words"
        )
    rows = [(one["label"], f"{one['probability']:.2f}") for one in told["labels"]]
    out().print(f"{name}, like what it learned from: {told['in_scope']:.2f}")
    out().print(table("", ("label", "probability"), rows))


def _judged(classifier: IntentClassifier, texts: Sequence[str], lang: str) -> list[dict[str, Any]]:
    """Of each text its label (None: nothing to read) and all labels with their probabilities."""
    from chatbot.language.normalise import has_letters

    judged = []
    for text, found in zip(texts, classifier.classify_batch(texts, lang=lang or None), strict=True):
        ranked = [{"label": g.name, "probability": round(g.confidence, 4)} for g in found.ranked]
        top = ranked[0]["label"] if ranked and has_letters(text) else None
        judged.append({"text": text, "label": top, "in_scope": round(found.in_scope, 4), "labels": ranked})
    return judged


@labels.command("list")
def labels_list() -> None:
    """List the label sets that were trained."""
    from chatbot.inference.label_sets import label_sets

    for name in label_sets(load_settings().data):
        click.echo(name)


@labels.command("remove")
@NAME
def labels_remove(name: str) -> None:
    """Delete a label set."""
    from chatbot.inference.label_sets import remove_label_set

    remove_label_set(load_settings().data, name)
    click.echo(f"{name} is removed.")


def _tell(report: LabelReport) -> None:
    from web.terminal import out, table

    rows = [
        (one.label, f"{one.precision:.3f}", f"{one.recall:.3f}", f"{one.f1:.3f}", str(one.texts))
        for one in report.scores
    ]
    console = out()
    console.print(f"{report.name}: {report.tested} texts kept apart, {report.trained} learned from")
    console.print(table("", ("label", "precision", "recall", "F1", "texts"), rows))
    guesses = sorted({guess for row in report.confusion.values() for guess in row})
    matrix = [
        (label, *(str(row.get(guess, 0)) for guess in guesses)) for label, row in report.confusion.items()
    ]
    if len(guesses) <= 12:
        console.print("\nLabel, and what was guessed")
        console.print(table("", ("label", *guesses), matrix))
    console.print(
        f"\naccuracy {100 * report.accuracy:.1f} %, macro F1 {100 * report.macro_f1:.1f}, "
        f"calibration error {100 * report.calibration_error:.1f} %, {report.seconds:.0f} s"
    )
    if report.cut:
        console.print(report.cut)


def _choose_level(settings: Settings, report: LabelReport) -> tuple[int, int] | None:
    """Choose from which probability the inbox marks a conversation, by the newest that the database has; → how many of
    how many it marks, None where the database cannot be read."""
    from sqlalchemy.exc import SQLAlchemyError

    from chatbot.errors import FrontdeskError
    from chatbot.inference.label_sets import folder_of
    from chatbot.inference.mood import choose_level
    from chatbot.records.said import said_lately

    folder = folder_of(settings.data, report.name)
    try:
        with open_database(settings).read() as session:
            said = said_lately(session, most=CONVERSATIONS)
    except (FrontdeskError, SQLAlchemyError):  # labels are of use without one
        return None
    _, marked = choose_level(folder, said)
    return marked, len(said)


def _tell_of_inbox(report: LabelReport, marked: tuple[int, int] | None) -> None:
    from web.terminal import out

    if not report.unhappy:
        out().print("The inbox marks nothing: say which label displeased customers bear, with --unhappy.")
        return
    told = f"The inbox marks conversations that read {' or '.join(report.unhappy)}"
    if marked and marked[1]:
        told += f": of the newest {marked[1]} here {marked[0]}"
    out().print(f"{told}.")
