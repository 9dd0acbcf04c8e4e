"""``bench redaction``: recall and precision of redaction on messages whose personal values are marked ⟦KIND:value⟧.

The 748 messages beside this module are written by ourselves: English and Chinese, simplified and traditional, with
look-alikes that are not personal. People and numbers are invented; checksums are valid.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from chatbot.errors import FileError
from chatbot.language.redaction import find_personal
from web.bench.figures import json_option, write_figures

MESSAGES = Path(__file__).with_name("redaction_messages.txt")
COVERED = 0.9  # of a value's letters and digits must be taken
_MARK = re.compile(r"⟦([A-Z]+):(.*?)⟧")


@dataclass(frozen=True, slots=True)
class Marked:
    """A message as it is written, and its personal values: (kind, start, end)."""

    text: str
    values: tuple[tuple[str, int, int], ...]


@dataclass(slots=True)
class Score:
    """``found`` and ``missed`` values by kind; ``false``: how often something was taken that is nobody's."""

    messages: int = 0
    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    false: int = 0
    faults: list[tuple[str, str, str]] = field(
        default_factory=list
    )  # (kind or "not personal", value, message)

    @property
    def recall(self) -> float:
        return self.found.total() / max(1, self.found.total() + self.missed.total())

    @property
    def precision(self) -> float:
        return self.found.total() / max(1, self.found.total() + self.false)


def read_messages(path: Path) -> Iterator[Marked]:
    """One message a line; empty lines and lines that start with # are left out. Raises FileError without a message."""
    lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
    ]
    if not lines:
        raise FileError(
            "The file holds no message", value=path, remedy="Write one message a line, values as ⟦KIND:value⟧"
        )
    for line in lines:
        text, values, at = "", [], 0
        for mark in _MARK.finditer(line):
            text += line[at : mark.start()]
            values.append((mark[1], len(text), len(text) + len(mark[2])))
            text += mark[2]
            at = mark.end()
        yield Marked(text + line[at:], tuple(values))


def measure(path: Path) -> Score:
    """A value counts as found where one of its kind is, and nine tenths of its letters and digits are taken."""
    score = Score()
    for message in read_messages(path):
        score.messages += 1
        found = find_personal(message.text)
        taken = {at for one in found for at in range(one.start, one.end)}
        for kind, start, end in message.values:
            letters = [at for at in range(start, end) if message.text[at].isalnum()]
            typed = any(one.kind == kind and one.start < end and one.end > start for one in found)
            if typed and sum(at in taken for at in letters) >= COVERED * len(letters):
                score.found[kind] += 1
            else:
                score.missed[kind] += 1
                score.faults.append((kind, message.text[start:end], message.text))
        for one in found:
            if not any(one.start < end and one.end > start for _, start, end in message.values):
                score.false += 1
                score.faults.append(("not personal", message.text[one.start : one.end], message.text))
    return score


@click.command("redaction")
@click.option(
    "--messages",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=MESSAGES,
    help="Marked messages of your own, one a line.",
)
@click.option("--faults", is_flag=True, help="List what was missed and what was taken wrongly.")
@json_option
def command(messages: Path, faults: bool, json_file: Path | None) -> None:
    """Measure redaction on marked messages: recall by kind, precision."""
    from web.terminal import print_values

    score = measure(messages)
    figures = {
        "messages": score.messages,
        "values": score.found.total() + score.missed.total(),
        "recall": round(100 * score.recall, 1),
        "precision": round(100 * score.precision, 1),
        "false": score.false,
    } | {
        f"recall {kind.lower()}": f"{score.found[kind]} of {score.found[kind] + score.missed[kind]}"
        for kind in sorted(score.found | score.missed)
    }
    write_figures(figures, json_file)
    print_values("Redaction", figures)
    if faults:
        for kind, value, text in score.faults:
            click.echo(f"{kind}: {value}  in: {text}")
