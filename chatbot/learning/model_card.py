"""The model card of a release: what it was trained on, how good it is on the frozen set, what changed.

After Mitchell et al. 2019, "Model Cards for Model Reporting". One renderer makes the part of the admin page and the
file ``model-card.html`` in the release's folder; ``say`` translates its words and the gate's sentence (English texts
are their own keys).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

from chatbot.learning.card_curves import calibration_section, cascade_section, sureness_section
from chatbot.learning.card_html import Cell, Say, pictures, section, share, table
from chatbot.learning.charts import Line, heat_map, line_chart
from chatbot.learning.parity import Parity
from chatbot.learning.writing import WRITING

CARD = "model-card.html"
CONFUSIONS = 12
WEAKEST = 12  # intents shown at once

# figure by its place in a release's metrics: (path, name, more is better)
FIGURES: tuple[tuple[tuple[str, ...], str, bool], ...] = (
    (("classifier", "accuracy"), "Intents right", True),
    (("classifier", "macro_f1"), "Macro F1", True),
    (("classifier", "ece"), "Calibration error", False),
    (("classifier", "answered_right"), "Sure and right", True),
    (("classifier", "answered_wrong"), "Sure and wrong", False),
    (("classifier", "out_of_scope_refused"), "Foreign questions refused", True),
    (("search", "recall_at_1"), "Right article first", True),
    (("search", "recall_at_5"), "Right article among five", True),
    (("search", "mrr_at_10"), "Mean reciprocal rank", True),
)
COUNTS = (
    ("examples", "Customers' messages"),
    ("dialogues", "Conversations"),
    ("passages", "Passages"),
    ("pairs", "Questions with their article"),
)
PART_WORDS = {  # of a training, as its stages name what they leave out
    "classifier": "Classifier",
    "accurate tier": "Accurate classifier",
    "entities": "Entities in messages",
    "encoder": "Sentence encoder",
    "generator": "Written replies",
    "ranker": "Past answers",
    "next questions": "Next questions",
    "retraining": "Retraining",
    "learning on": "Learn on",
    "writing on": "Learn on: written replies",
}
STATES = {"proven": "no worse", "not shown": "no loss shown", "worse": "worse", "unclear": "unclear"}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the card shows. ``metrics`` and ``gate`` as the release's row keeps them; ``before``: the metrics of the
    release it was held against, measured when that one was made; ``live``: the same release's figures on this
    release's own frozen set."""

    release_id: str
    made: str
    status: str
    reason: str
    metrics: Mapping[str, Any]
    gate: Mapping[str, Any]
    counts: Mapping[str, int] = field(default_factory=dict)
    languages: Sequence[str] = ()
    snapshot: str = ""
    seed: int | None = None
    device: str = ""
    size: int = 0  # bytes of the bundle
    parent_id: str | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    cut: Mapping[str, str] = field(default_factory=dict)  # by the clock
    parity: Mapping[str, Parity] = field(default_factory=dict)  # of its classifiers
    erased_people: int = 0

    @property
    def live(self) -> Mapping[str, Any]:
        found = self.gate.get("live")
        return found if isinstance(found, Mapping) else {}


def figure(metrics: Mapping[str, Any], path: Sequence[str]) -> float | None:
    """A number somewhere in a release's metrics; None where that was not measured."""
    found: Any = metrics
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def sections(card: ModelCard, say: Say = str) -> str:
    """The card as HTML sections (no document around them); every text in it is escaped."""
    parts = (
        _data(card, say),
        _figures(card, say),
        _gate(card, say),
        _parity(card, say),
        _changes(card, say),
        calibration_section(card, say),
        sureness_section(card, say),
        _confusion(card, say),
        _intents(card, say),
        _search(card, say),
        _replies(card, say),
        _past_answers(card, say),
        cascade_section(card, say),
        _learning(card, say),
        _left_out(card, say),
        _cut_short(card, say),
    )
    return "\n".join(part for part in parts if part)


def page(card: ModelCard, say: Say = str, *, lang: str = "en") -> str:
    """The card as a document of its own, with its style inside: readable without a server."""
    title = f"{say('Model card')} {card.release_id}"
    note = say(
        "Answers customers' questions from approved answers and cited articles, and hands over to a person. "
        "Its figures hold for messages like those it was measured on."
    )
    return (
        f'<!doctype html>\n<html lang="{escape(lang)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p>{escape(note)}</p>\n{sections(card, say)}\n</main></body></html>\n"
    )


def _data(card: ModelCard, say: Say) -> str:
    rows = [(say(name), f"{card.counts[key]:,}") for key, name in COUNTS if key in card.counts]
    seconds = card.metrics.get("seconds") or {}
    rows += [
        (say("Made"), card.made),
        (say("Languages"), ", ".join(card.languages) or "–"),
        (say("Snapshot"), card.snapshot[:16] or "–"),
        (say("Seed"), "–" if card.seed is None else str(card.seed)),
        (say("Trained on"), card.device or "–"),
        (say("Training"), f"{sum(seconds.values()):.0f} s" if seconds else "–"),
        (say("Size"), f"{card.size / 2**20:.1f} MiB" if card.size else "–"),
        (say("Compared with"), card.parent_id or "–"),
    ]
    body = table(("", ""), rows)
    if card.erased_people:
        told = say("{number} people whose words it was trained on have been erased since: retrain.")
        body = f'<p class="note warn">{escape(told.format(number=card.erased_people))}</p>{body}'
    return section(say("Data"), body)


def _figures(card: ModelCard, say: Say) -> str:
    rows = []
    for path, name, more in FIGURES:
        now, before = figure(card.metrics, path), figure(card.live, path)
        if now is None:
            continue
        change = "" if before is None else f"{now - before:+.1f}"
        better = before is not None and (now > before if more else now < before)
        worse = before is not None and now != before and not better
        mark = "good" if better else "bad" if worse else ""
        rows.append((say(name), share(before), share(now), Cell(change, mark)))
    return section(
        say("Figures on the frozen set"),
        table((say("Measure"), say("before"), say("now"), say("change")), rows),
    )


def _gate(card: ModelCard, say: Say) -> str:
    rows = []
    for measure in card.gate.get("measures") or ():
        state = measure.get("state") or ("proven" if measure.get("passed") else "worse")
        low, high = measure.get("low"), measure.get("high")
        between = f"{100 * low:+.1f} … {100 * high:+.1f}" if high is not None else f"≥ {100 * low:+.1f}"
        mark = {"proven": "good", "not shown": "good", "worse": "bad"}.get(state, "warn")
        rows.append(
            (
                say(measure["name"]),
                str(measure.get("examples", "")),
                between,
                Cell(say(STATES.get(state, state)), mark),
            )
        )
    told = f'<p class="note">{escape(say(card.reason))}</p>' if card.reason else ""
    head = (say("Measure"), say("Examples"), say("difference, 95 %"), "")
    return section(say("What the gate saw"), told + (table(head, rows) if rows else ""))


def _parity(card: ModelCard, say: Say) -> str:
    rows = [
        (
            say(part),
            str(found.n),
            f"{100 * found.same_top:.2f}",
            Cell(f"{found.largest_confidence_gap:.4f}", "good" if found.holds else "bad"),
        )
        for part, found in card.parity.items()
    ]
    head = (say("Part"), say("Messages"), say("same intent, %"), say("largest gap of confidence"))
    return section(say("As it serves, against as it was trained"), table(head, rows)) if rows else ""


def _changes(card: ModelCard, say: Say) -> str:
    now, before = _intent_figures(card.metrics), _intent_figures(card.live)
    if not before:
        return ""
    moved = sorted(
        ((now[name]["f1"] - before[name]["f1"], name) for name in now.keys() & before.keys()),
        key=lambda pair: (-abs(pair[0]), pair[1]),
    )
    rows = [
        (
            name,
            share(before[name]["f1"]),
            share(now[name]["f1"]),
            Cell(f"{by:+.1f}", "good" if by > 0 else "bad"),
        )
        for by, name in moved[:8]
        if by
    ]
    fresh, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    told = "".join(
        f"<p><strong>{escape(say(title))}</strong> {escape(', '.join(names))}</p>"
        for title, names in (("New intents:", fresh), ("Intents gone:", gone))
        if names
    )
    head = (say("Intent"), say("F1 before"), say("F1 now"), say("change"))
    return section(say("What changed most"), told + (table(head, rows) if rows else ""))


def _intents(card: ModelCard, say: Say) -> str:
    figures, before = _intent_figures(card.metrics), _intent_figures(card.live)
    rows = [
        (
            name,
            share(row["precision"]),
            share(row["recall"]),
            share(row["f1"]),
            share(before[name]["f1"]) if name in before else "–",
            str(row["support"]),
        )
        for name, row in sorted(figures.items(), key=lambda pair: (pair[1]["f1"], pair[0]))
        if row["support"] or row["precision"]
    ]
    head = (say("Intent"), say("Precision"), say("Recall"), "F1", say("F1 before"), say("Examples"))
    if not rows:
        return ""
    rest = (
        f'<details class="inside"><summary>{escape(say("The other intents"))}</summary>'
        f"{table(head, rows[WEAKEST:])}</details>"
        if rows[WEAKEST:]
        else ""
    )
    return section(say("Intents, the weakest first"), table(head, rows[:WEAKEST]) + rest)


def _confusion(card: ModelCard, say: Say) -> str:
    figures = card.metrics.get("classifier") or {}
    labels, matrix = figures.get("labels") or [], figures.get("confusion") or []
    if not labels:
        return ""
    taken = sorted(
        (
            (count, labels[row], labels[column])
            for row, counts in enumerate(matrix)
            for column, count in enumerate(counts)
            if count and row != column
        ),
        key=lambda entry: (-entry[0], entry[1], entry[2]),
    )[:CONFUSIONS]
    rows = [(right, said, str(count)) for count, right, said in taken]
    picture = heat_map(matrix, labels, title=say("Row: what was meant. Column: what was understood."))
    head = (say("Meant"), say("Understood"), say("Examples"))
    return section(say("What is taken for what"), picture + (table(head, rows) if rows else ""))


def _learning(card: ModelCard, say: Say) -> str:
    trained = card.metrics.get("training") or {}
    drawn = []
    for part, name in (
        ("classifier", "Classifier"),
        ("accurate", "Accurate tier"),
        ("generator", "Generator"),
    ):
        curve = (trained.get(part) or {}).get("curve") or []
        if len(curve) < 2:
            continue
        drawn.append(
            line_chart(
                [Line(say("training loss"), [(step, loss) for step, loss, _ in curve], marks=True)],
                title=f"{say(name)}: {say('training loss')}",
                x_name=say("step"),
                y_name=say("training loss"),
            )
        )
        drawn.append(
            line_chart(
                [Line(say("validation"), [(step, score) for step, _, score in curve], marks=True)],
                title=f"{say(name)}: {say('validation')}",
                x_name=say("step"),
                y_name=say("score"),
            )
        )
    return section(say("Learning curves"), pictures(drawn))


def _search(card: ModelCard, say: Say) -> str:
    found = card.metrics.get("search") or {}
    fitted = (card.metrics.get("training") or {}).get("search_fit") or {}
    rows = [
        (language, share(part), share((fitted.get(language) or {}).get("calibration_error")))
        for language, part in sorted((found.get("by_language") or {}).items())
    ]
    head = (say("Language"), say("Right article first"), say("Calibration error"))
    return section(say("Search"), table(head, rows)) if rows else ""


def _replies(card: ModelCard, say: Say) -> str:
    figures = (card.metrics.get("training") or {}).get("generator") or {}
    rows = [
        (say(name), f"{figures[key]:,}")
        for key, name in (
            ("replies", "Replies learned from"),
            ("grounded_replies", "of these, with their sources"),
            ("valid_replies", "Replies measured on"),
            ("vocabulary", "Pieces of words"),
            ("perplexity_a_piece", "Perplexity of a piece"),
            ("steps", "Steps"),
        )
        if isinstance(figures.get(key), int | float)
    ]
    rows += [
        (f"{say(name)} ({lang})", share(found[key]))
        for lang, found in (card.metrics.get(WRITING) or {}).items()
        for key, name in (
            ("written", "Held-back questions it wrote a sound draft for, %"),
            ("grounded", "of these drafts grounded, %"),
        )
    ]
    told = "".join(
        f'<p class="note{"" if found["passed"] else " warn"}">{escape(lang)}: {escape(say(found["reason"]))}</p>'
        for lang, found in (card.metrics.get(WRITING) or {}).items()
    )
    return section(say("Written replies"), told + table((say("Measure"), ""), rows)) if rows else ""


def _past_answers(card: ModelCard, say: Say) -> str:
    figures = (card.metrics.get("training") or {}).get("ranker") or {}
    rows = [
        (say(name), f"{figures[key]:,}")
        for key, name in (
            ("answers", "Different past answers"),
            ("said_more_than_once", "of these, said in more than one conversation"),
            ("situations", "Situations learned from"),
            ("first_of_batch", "Right answer first in its batch, %"),
        )
        if isinstance(figures.get(key), int | float)
    ]
    first = figures.get("first_of_100") or {}
    rows += [
        (say(name), share(first[key]))
        for key, name in (
            ("ranker", "True answer first of 100, %"),
            ("most_frequent", "by how often it was given alone, %"),
            ("nearest", "by the nearest past situation (BM25), %"),
        )
        if isinstance(first.get(key), int | float)
    ]
    return section(say("Past answers"), table((say("Measure"), ""), rows)) if rows else ""


def _left_out(card: ModelCard, say: Say) -> str:
    rows = [(say(PART_WORDS.get(part, part)), say(why)) for part, why in card.skipped.items()]
    trained = (card.metrics.get("training") or {}).get("classifier") or {}
    rows += [
        (str(tag.get("intent")), say("stands on messages of every kind: not learnt"))
        for tag in trained.get("left_out_tags") or ()
    ]
    return section(say("Left out"), table((say("Part"), say("Reason")), rows)) if rows else ""


def _cut_short(card: ModelCard, say: Say) -> str:
    rows = [(say(PART_WORDS.get(part, part)), say(how_far)) for part, how_far in card.cut.items()]
    return section(say("Cut short"), table((say("Part"), ""), rows)) if rows else ""


# --- the small parts --------------------------------------------------------------------------------------


def _intent_figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return dict((metrics.get("classifier") or {}).get("intents") or {})


def _style() -> str:
    """The page's own style and that of the charts, which the admin area serves too."""
    folder = files("chatbot.learning")
    return "".join((folder / name).read_text("utf-8") for name in ("model_card.css", "charts.css"))
