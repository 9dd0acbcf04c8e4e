"""How good a release is, measured always of the form that serves, on frozen examples it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from chatbot.dialogue.drafting import Writer
from chatbot.dialogue.readers import Classifier, Search
from chatbot.dialogue.trace import Classification, Message
from chatbot.learning.gate import Outcome
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot
from chatbot.learning.writing import Drafted
from chatbot.learning.writing_judging import draft_held_back

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class IntentFigures:
    """Precision, recall and F1 of one intent, in percent, and how many examples it had."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class ClassifierFigures:
    """All shares in percent. ``confusion[i][j]``: examples of ``labels[i]`` taken for ``labels[j]``.

    ``calibration``: (stated confidence, measured accuracy, examples) of each bin that has any.
    """

    accuracy: float
    macro_f1: float
    ece: float
    out_of_scope_refused: float | None
    answered: float
    answered_wrong: float
    support: int
    by_language: dict[str, float]
    intents: dict[str, IntentFigures]
    labels: list[str]
    confusion: list[list[int]]
    answered_right: float = 0.0
    calibration: list[tuple[float, float, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SearchFigures:
    """Shares in percent of the questions whose article came first, among five, and the mean reciprocal rank."""

    recall_at_1: float
    recall_at_5: float
    mrr_at_10: float
    support: int
    by_language: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    split: str
    classifier: ClassifierFigures | None
    search: SearchFigures | None
    outcomes: tuple[Outcome, ...] = ()
    drafted: tuple[Drafted, ...] = ()  # by the generator, for the same questions of every release

    def as_json(self) -> dict[str, Any]:
        return {
            "split": self.split,
            "classifier": asdict(self.classifier) if self.classifier else None,
            "search": asdict(self.search) if self.search else None,
        }


def evaluate(
    snapshot: Snapshot,
    *,
    classifier: Classifier | None,
    search: Search | None,
    sureness: float,
    writer: Writer | None = None,
    split: str = "test",
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """Measure ``classifier``, ``search`` and ``writer`` on the snapshot's ``split``.

    ``sureness`` is the probability from which an intent would be answered (SiteOptions.sureness).
    """
    tell = progress or (lambda share: None)
    rows = [row for row in snapshot.examples if row["split"] == split and row["intent"] is not None]
    pairs = [row for row in snapshot.pairs if row["split"] == split]
    figures: ClassifierFigures | None = None
    outcomes: tuple[Outcome, ...] = ()
    if classifier is not None and rows:
        found = []
        for number, row in enumerate(rows):
            history = [Message(turn["role"], turn["text"]) for turn in row["context"]]
            found.append(classifier.classify(row["text"], history=history, lang=row["lang"]))
            tell(0.4 * (number + 1) / len(rows))
        figures, outcomes = _classifier_figures(rows, found, sureness)
    searched = _search_figures(pairs, search, tell) if search is not None and pairs else None
    drafted: list[Drafted] = []
    if writer is not None and search is not None:
        drafted = draft_held_back(
            snapshot,
            writer,
            search,
            split=split,
            progress=lambda share: tell(0.7 + 0.3 * share),
        )
    tell(1.0)
    return Evaluation(split, figures, searched, outcomes, tuple(drafted))


def _classifier_figures(
    rows: Sequence[dict[str, Any]], found: Sequence[Classification], sureness: float
) -> tuple[ClassifierFigures, tuple[Outcome, ...]]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    outcomes, truth, guess, language, confidence = [], [], [], [], []
    refused: list[bool] = []
    for row, classification in zip(rows, found, strict=True):
        top = classification.top
        name = top.name if top else ""
        sure = (top.confidence * classification.in_scope if top else 0.0) >= sureness
        inside = row["intent"] != OUT_OF_SCOPE
        right = name == row["intent"] if inside else not sure
        outcomes.append(
            Outcome(
                row["intent"] if inside else None,
                right,
                answered_wrong=sure and (not inside or not right),
                answered_right=sure and inside and right,
            )
        )
        if inside:
            truth.append(row["intent"])
            guess.append(name)
            language.append(row["lang"])
            confidence.append(top.confidence if top else 0.0)
        else:
            refused.append(not sure)
    labels = sorted(set(truth) | set(guess))
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, guess, labels=labels, zero_division=0.0
    )
    hits = np.array([t == g for t, g in zip(truth, guess, strict=True)])
    present = [i for i, n in enumerate(support) if n]
    languages = np.array(language)
    figures = ClassifierFigures(
        accuracy=_percent(hits),
        macro_f1=round(100 * float(np.mean([f1[i] for i in present])), 2) if present else 0.0,
        ece=expected_calibration_error(np.array(confidence), hits),
        out_of_scope_refused=_percent(np.array(refused)) if refused else None,
        answered=_percent(np.array([not (o.intent is None and o.right) for o in outcomes])),
        answered_wrong=_percent(np.array([o.answered_wrong for o in outcomes])),
        support=len(truth),
        by_language={str(lang): _percent(hits[languages == lang]) for lang in sorted(set(language))},
        intents={
            label: IntentFigures(
                round(100 * float(precision[i]), 1),
                round(100 * float(recall[i]), 1),
                round(100 * float(f1[i]), 1),
                int(support[i]),
            )
            for i, label in enumerate(labels)
        },
        labels=labels,
        confusion=confusion_matrix(truth, guess, labels=labels).tolist() if labels else [],
        answered_right=_percent(np.array([o.answered_right for o in outcomes if o.intent is not None])),
        calibration=calibration_curve(np.array(confidence), hits),
    )
    return figures, tuple(outcomes)


def calibration_curve(confidence: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    """(mean stated confidence, measured accuracy, examples) of each equal-width bin that has any, in percent."""
    if not len(confidence):
        return []
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    return [
        (_percent(confidence[bins == b]), _percent(right[bins == b]), int(np.sum(bins == b)))
        for b in range(CALIBRATION_BINS)
        if np.any(bins == b)
    ]


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Mean gap between stated confidence and measured accuracy over the bins of ``calibration_curve``, in percent.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning", section 2.
    """
    curve = calibration_curve(confidence, right)
    gaps = sum(count * abs(stated - measured) for stated, measured, count in curve)
    return round(gaps / len(confidence), 2) if curve else 0.0


def _search_figures(
    pairs: Sequence[dict[str, Any]], search: Search, tell: Callable[[float], None]
) -> SearchFigures:
    ranks = []
    for number, row in enumerate(pairs):
        slugs = list(
            dict.fromkeys(hit.article_slug for hit in search.search(row["query"], lang=row["lang"], k=10))
        )
        ranks.append(slugs.index(row["article"]) + 1 if row["article"] in slugs else 0)
        tell(0.4 + 0.3 * (number + 1) / len(pairs))
    rank = np.array(ranks)
    languages = np.array([row["lang"] for row in pairs])
    return SearchFigures(
        recall_at_1=_percent(rank == 1),
        recall_at_5=_percent((rank >= 1) & (rank <= 5)),
        mrr_at_10=round(100 * float(np.mean([1 / r if r else 0.0 for r in ranks])), 2),
        support=len(ranks),
        by_language={
            str(lang): _percent(rank[languages == lang] == 1) for lang in sorted(set(languages.tolist()))
        },
    )


def _percent(flags: np.ndarray) -> float:
    return round(100 * float(np.mean(flags)), 2) if len(flags) else 0.0
