"""The label sets of a company's own (sentiment, urgency, …) as they serve: where they lie, and which of them the inbox
reads. How they are learned: chatbot/learning/label_sets.py.

Each lies in ``<data>/labels/<name>``: a fast classifier with the report of its training beside it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from chatbot.errors import BundleError, InputError
from chatbot.inference.classify import IntentClassifier

FOLDER = "labels"  # of the data folder
REPORT_FILE = "report.json"
SENTIMENT = "sentiment"  # the set of this name tells the inbox and the overview who is displeased
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_UNHAPPY = frozenset(
    (
        "negative",
        "neg",
        "bad",
        "unhappy",
        "angry",
        "displeased",
        "dissatisfied",
        "frustrated",
        "负面",
        "负向",
        "消极",
        "差评",
        "不满",
        "不满意",
        "生气",
        "愤怒",
    )
)


def load_label_set(data: Path, name: str) -> IntentClassifier:
    """Raises InputError where no set of this name was trained, BundleError where its files are damaged."""
    return IntentClassifier.load(_existing(data, name))


def label_sets(data: Path) -> list[str]:
    """The names of those that were trained."""
    return sorted(
        path.parent.name for path in (data / FOLDER).glob(f"*/{REPORT_FILE}") if path.parent.name[0] != "."
    )


def remove_label_set(data: Path, name: str) -> None:
    """Raises InputError where there is none."""
    shutil.rmtree(_existing(data, name))


def folder_of(data: Path, name: str) -> Path:
    """Raises InputError for what is no name."""
    if not _NAME.fullmatch(name):
        raise InputError(
            "This cannot be the name of labels",
            field="name",
            value=name[:60],
            remedy="Use small letters, digits, - and _, for example sentiment",
        )
    return data / FOLDER / name


def unhappy_among(labels: Iterable[str]) -> tuple[str, ...]:
    """The labels whose names say that somebody is displeased (negative, angry, 差评, …)."""
    return tuple(label for label in labels if label.strip().casefold() in _UNHAPPY)


def unhappy_of(folder: Path) -> tuple[str, ...]:
    """The labels of a trained set that stand for a displeased customer: those named in its training, else by their
    names. Raises BundleError where its report cannot be read."""
    try:
        report = json.loads((folder / REPORT_FILE).read_text(encoding="utf-8"))
        told = report.get("unhappy")
        labels = [score["label"] for score in report["scores"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(
            "the report of these labels cannot be read",
            field="folder",
            value=folder.name,
            remedy="train them again",
        ) from error
    return tuple(told) if told is not None else unhappy_among(labels)


def _existing(data: Path, name: str) -> Path:
    folder = folder_of(data, name)
    if not folder.is_dir():
        raise InputError(
            "No labels of this name were trained",
            field="name",
            value=name,
            remedy=f"Train them first, or use one of: {', '.join(label_sets(data)) or 'none is there'}",
        )
    return folder
