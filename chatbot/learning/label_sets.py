"""A company's own set of labels (sentiment, urgency, language level, …), learned by the classifier that knows intents.

Trained, exported and calibrated as a release's fast tier is, and measured in the form that serves, on messages that no
step of the training has seen. It lies apart from releases: training intents again changes nothing about it. How it is
found and asked: chatbot/inference/label_sets.py.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.errors import InputError
from chatbot.inference.classify import IntentClassifier
from chatbot.inference.label_sets import REPORT_FILE, folder_of, unhappy_among
from chatbot.language.normalise import fold
from chatbot.learning.calibration import calibration_error
from chatbot.learning.classifier_data import Recipe
from chatbot.learning.classifier_training import train_classifier
from chatbot.learning.time_plan import cut_in_words, seconds_left

LEAST = 10  # texts of each label: fewer can be neither learned nor measured
SHARES = (("test", 0.1), ("valid", 0.1))
MOST_HELD = 2_000  # texts of each of these: more say the same, and reading them in every form takes time
FINISHING = (
    0.1  # of the time there is, beside what the training keeps back: for measuring, and what nobody foresaw
)


@dataclass(frozen=True, slots=True)
class LabelledText:
    text: str
    label: str
    lang: str


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Of one label on the test texts: shares 0..1, ``texts`` how many bear it."""

    label: str
    precision: float
    recall: float
    f1: float
    texts: int


@dataclass(frozen=True, slots=True)
class LabelReport:
    """``confusion[label][guess]``: test texts; ``calibration_error`` is the expected one, 0..1. ``unhappy``: the labels
    that stand for a displeased customer. ``seconds``: of the training; ``cut``: what the clock has cut of it, in words.
    """

    name: str
    languages: tuple[str, ...]
    trained: int
    tested: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    scores: tuple[LabelScore, ...]
    confusion: dict[str, dict[str, int]]
    unhappy: tuple[str, ...] = ()
    seconds: float = 0.0
    cut: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def train_label_set(
    data: Path,
    name: str,
    rows: Sequence[LabelledText],
    *,
    seed: int = 13,
    device: str = "auto",
    recipe: Recipe | None = None,
    unhappy: Sequence[str] = (),
    budget_seconds: float | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> LabelReport:
    """Learn ``rows`` and put the result in the place of an earlier one of this name, all of it or nothing.

    A tenth of the texts of each label (MOST_HELD in all at most) measures it, as many choose and calibrate. unhappy:
    the labels that stand for a displeased customer (none: those whose names say so). budget_seconds: wall time for all
    of it; the network's steps are fitted into what the rest leaves. progress: stage, share done 0..1.

    Raises InputError for a name that cannot be a folder's, for one label alone, for a label of fewer than LEAST texts
    and for an ``unhappy`` one that no text bears.
    """
    began = time.monotonic()
    target = folder_of(data, name)
    found = _usable(rows)
    unhappy = _known(unhappy, found) or unhappy_among(sorted(found))
    examples = _split(found, seed)
    tell = progress or (lambda stage, share: None)
    tell("preparing", 0.0)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{name}.", suffix=".part") as work:
        made = Path(work) / "made"
        trained = train_classifier(
            [
                {"text": row.text, "intent": row.label, "lang": row.lang, "split": split}
                for row, split in examples
                if split != "test"
            ],
            made,
            languages=sorted({row.lang for row, _ in examples}),
            device=device,
            seed=seed,
            recipe=recipe,
            budget_seconds=None
            if budget_seconds is None
            else seconds_left((1 - FINISHING) * budget_seconds, began),
            export_within=True,
            progress=lambda share: tell("learning", share),
        )
        tell("measuring", 0.0)
        report = measure(
            IntentClassifier.load(made),
            [row for row, split in examples if split == "test"],
            name=name,
            trained=sum(split == "train" for _, split in examples),
        )
        report = replace(
            report,
            unhappy=unhappy,
            seconds=round(time.monotonic() - began, 1),
            cut=cut_in_words(trained.fit),
        )
        text = json.dumps(report.as_json(), ensure_ascii=False, indent=1)
        (made / REPORT_FILE).write_text(text + "\n", encoding="utf-8")
        if target.exists():
            target.rename(Path(work) / "before")
        made.rename(target)
    return report


def measure(
    classifier: IntentClassifier, test: Sequence[LabelledText], *, name: str, trained: int
) -> LabelReport:
    """The served classifier on ``test``."""
    confusion: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    confidence, right = [], []
    for row in test:
        top = classifier.classify(row.text, lang=row.lang).top
        guess = top.name if top is not None else ""
        confusion[row.label][guess] += 1
        confidence.append(top.confidence if top is not None else 0.0)
        right.append(guess == row.label)
    scores = tuple(_score(label, confusion) for label in sorted({row.label for row in test}))
    return LabelReport(
        name,
        tuple(sorted({row.lang for row in test})),
        trained,
        len(test),
        round(float(np.mean(right)), 4),
        round(float(np.mean([score.f1 for score in scores])), 4),
        round(calibration_error(np.asarray(confidence), np.asarray(right)), 4),
        scores,
        {label: dict(guesses) for label, guesses in sorted(confusion.items())},
    )


def _usable(rows: Sequence[LabelledText]) -> dict[str, dict[str, LabelledText]]:
    """Label → folded text → row: a text counts once, under the label that it has first."""
    found: dict[str, dict[str, LabelledText]] = defaultdict(dict)
    known: set[str] = set()
    for row in rows:
        key = fold(row.text)
        if key and key not in known:
            known.add(key)
            found[row.label][key] = row
    if len(found) < 2:
        raise InputError(
            "There is nothing to tell apart: the rows have one label",
            field="label",
            value=next(iter(found), None),
            remedy="Give texts of at least two labels",
        )
    rare = min(found, key=lambda label: len(found[label]))
    if len(found[rare]) < LEAST:
        raise InputError(
            f"This label has too few different texts ({len(found[rare])})",
            field="label",
            value=rare,
            remedy=f"Give at least {LEAST} of each label, or leave it out",
        )
    return found


def _known(unhappy: Sequence[str], labels: Collection[str]) -> tuple[str, ...]:
    for label in unhappy:
        if label not in labels:
            raise InputError(
                "No text bears this label",
                field="unhappy",
                value=label,
                remedy=f"Name one of: {', '.join(sorted(labels))}",
            )
    return tuple(dict.fromkeys(unhappy))


def _split(found: dict[str, dict[str, LabelledText]], seed: int) -> list[tuple[LabelledText, str]]:
    parts = []
    most = MOST_HELD / sum(map(len, found.values()))
    for label in sorted(found):
        rows = sorted(found[label].values(), key=lambda row: row.text)
        random.Random(f"{seed} {label}").shuffle(rows)
        for split, share in SHARES:
            number = max(1, round(min(share, most) * len(found[label])))
            parts += [(row, split) for row in rows[:number]]
            rows = rows[number:]
        parts += [(row, "train") for row in rows]
    return parts


def _score(label: str, confusion: dict[str, dict[str, int]]) -> LabelScore:
    hits = confusion[label].get(label, 0)
    own = sum(confusion[label].values())
    guessed = sum(guesses.get(label, 0) for guesses in confusion.values())
    precision, recall = hits / guessed if guessed else 0.0, hits / own
    return LabelScore(label, round(precision, 4), round(recall, 4), round(2 * hits / (own + guessed), 4), own)
