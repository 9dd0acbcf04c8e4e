"""The model card of a release: what it was trained on, how good it is on the frozen set, what changed.

After Mitchell et al. 2019, "Model Cards for Model Reporting". One renderer makes the part of the admin page and the
file ``model-card.html`` in the release's folder; ``say`` translates its words and the gate's sentence (English texts
are their own keys).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any

from chatbot.learning import sureness
from chatbot.learning.charts import Line, heat_map, line_chart
from chatbot.learning.parity import Parity
from chatbot.learning.writing import WRITING

CARD = "model-card.html"
CONFUSIONS = 12
WEAKEST = 12  # intents shown at once
SURENESS_SHOWN = (50, 60, 70, 80, 90)  # percent
Say = Callable[[str], str]

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
        _calibration(card, say),
        _sureness(card, say),
        _confusion(card, say),
        _intents(card, say),
        _search(card, say),
        _replies(card, say),
        _past_answers(card, say),
        _cascade(card, say),
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
    body = _table(("", ""), rows)
    if card.erased_people:
        told = say("{number} people whose words it was trained on have been erased since: retrain.")
        body = f'<p class="note warn">{escape(told.format(number=card.erased_people))}</p>{body}'
    return _section(say("Data"), body)


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
        rows.append((say(name), _share(before), _share(now), Cell(change, mark)))
    return _section(
        say("Figures on the frozen set"),
        _table((say("Measure"), say("before"), say("now"), say("change")), rows),
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
    return _section(say("What the gate saw"), told + (_table(head, rows) if rows else ""))


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
    return _section(say("As it serves, against as it was trained"), _table(head, rows)) if rows else ""


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
            _share(before[name]["f1"]),
            _share(now[name]["f1"]),
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
    return _section(say("What changed most"), told + (_table(head, rows) if rows else ""))


def _intents(card: ModelCard, say: Say) -> str:
    figures, before = _intent_figures(card.metrics), _intent_figures(card.live)
    rows = [
        (
            name,
            _share(row["precision"]),
            _share(row["recall"]),
            _share(row["f1"]),
            _share(before[name]["f1"]) if name in before else "–",
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
        f"{_table(head, rows[WEAKEST:])}</details>"
        if rows[WEAKEST:]
        else ""
    )
    return _section(say("Intents, the weakest first"), _table(head, rows[:WEAKEST]) + rest)


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
    return _section(say("What is taken for what"), picture + (_table(head, rows) if rows else ""))


def _calibration(card: ModelCard, say: Say) -> str:
    figures = card.metrics.get("classifier") or {}
    drawn = []
    bins = figures.get("calibration") or []
    if bins:
        drawn.append(
            line_chart(
                [Line(say("now"), [(x, y) for x, y, _ in bins], marks=True, weights=[n for *_, n in bins])],
                title=say("Of the answers stated with this confidence, so many were right"),
                x_name=say("stated confidence, %"),
                y_name=say("right, %"),
                x_range=(0, 100),
                y_range=(0, 100),
                diagonal=True,
            )
        )
    return _section(say("Calibration"), _pictures(drawn))


def _sureness(card: ModelCard, say: Say) -> str:
    counts = sureness.kept(card.metrics)
    costs = sureness.costs(counts)
    if not costs:
        return ""
    number = costs[0][1].questions
    told = say(
        "Measured on {number} held-back questions, some of which nothing answers: an answer to one of these is wrong."
    )
    picture = line_chart(
        [
            Line(say("answered, % of the questions"), [(at, cost.answered) for at, cost in costs]),
            Line(say("wrong, % of the answered"), [(at, cost.wrong) for at, cost in costs]),
        ],
        title=say("What each setting of “how sure must it be” does"),
        x_name=say("sureness asked for, %"),
        y_name="%",
        x_range=(costs[0][0], costs[-1][0]),
        y_range=(0, 100),
    )
    rows = []
    for kind, name in ((sureness.ALONE, "standing alone"), (sureness.BEHIND, "behind an answer")):
        for lang in sureness.languages(counts, kind):
            own = sureness.costs(counts, kind, lang)
            shown = [sureness.cost_at(own, at / 100) for at in SURENESS_SHOWN]
            cells = [f"{cost.answered:.0f}\u00a0·\u00a0{cost.wrong:.1f}" for cost in shown]
            rows.append((f"{lang}, {say(name)}", str(shown[0].questions), *cells))
    head = (
        say("answered % · wrong % of these, from"),
        say("Questions"),
        *(f"{at} %" for at in SURENESS_SHOWN),
    )
    note = f'<p class="note">{escape(told.format(number=number))}</p>'
    return _section(say("How sure it must be"), note + _pictures([picture]) + _table(head, rows))


def _cascade(card: ModelCard, say: Say) -> str:
    """Share sent to the accurate tier against what is right then, and which point serves. Releases of before have the
    curve alone."""
    kept = (card.metrics.get("training") or {}).get("cascade") or {}
    curve = kept if isinstance(kept, list) else kept.get("curve") or []
    if not curve:
        return ""
    chosen = None if isinstance(kept, list) else kept.get("chosen")
    spots = [(100 * (1 - point["fast_share"]), 100 * point["accuracy"]) for point in curve]
    lines = [Line(say("fast classifier, then both"), spots, marks=True)]
    if chosen:
        spot = (100 * (1 - chosen["fast_share"]), 100 * chosen["accuracy"])
        lines.append(Line(say("chosen"), [spot], marks=True))
    picture = line_chart(
        lines,
        title=say("The more messages the accurate classifier is asked about, the more time they take"),
        x_name=say("asked of the accurate classifier, %"),
        y_name=say("right, %"),
        x_range=(0, 100),
    )
    points = [(say("fast classifier alone"), curve[0]), (say("both, always"), curve[-1])]
    told = ""
    if chosen:
        points.insert(1, (say("chosen"), chosen))
        why = say(
            "Chosen is the lowest confidence from which the fast classifier’s answer stands that costs at most a tenth "
            "of a point against the best, on the validation messages."
        )
        told = f'<p class="note">{escape(why)}</p>'
    rows = [
        (
            name,
            f"{100 * point['sure']:.1f}",
            f"{100 * (1 - point['fast_share']):.1f}",
            f"{100 * point['accuracy']:.1f}",
            f"{point['milliseconds']:.2f}" if "milliseconds" in point else "–",
        )
        for name, point in points
    ]
    head = (
        "",
        say("stands from a confidence of, %"),
        say("asked of the accurate classifier, %"),
        say("right, %"),
        say("ms a message"),
    )
    return _section(
        say("Fast and accurate classifier"),
        told + _pictures([picture]) + _table(head, rows) + _heard(kept, say),
    )


def _heard(kept: Any, say: Say) -> str:
    """Which language asks the accurate tier, and what each says alone."""
    if isinstance(kept, list):
        return ""
    rows = [
        (
            say("all languages") if lang == "*" else lang,
            str(heard["n"]),
            _share(100 * heard["fast"]),
            _share(100 * heard["accurate"]),
            _share(100 * heard["together"]),
            Cell(say("is asked"), "good") if heard["asked"] else Cell(say("is not asked"), "warn"),
        )
        for lang, heard in (kept.get("languages") or {}).items()
    ]
    head = (
        say("Language"),
        say("Messages"),
        say("fast alone, % right"),
        say("accurate alone, % right"),
        say("as they serve, % right"),
        "",
    )
    return _table(head, rows) if rows else ""


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
    return _section(say("Learning curves"), _pictures(drawn))


def _search(card: ModelCard, say: Say) -> str:
    found = card.metrics.get("search") or {}
    fitted = (card.metrics.get("training") or {}).get("search_fit") or {}
    rows = [
        (language, _share(share), _share((fitted.get(language) or {}).get("calibration_error")))
        for language, share in sorted((found.get("by_language") or {}).items())
    ]
    head = (say("Language"), say("Right article first"), say("Calibration error"))
    return _section(say("Search"), _table(head, rows)) if rows else ""


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
        (f"{say(name)} ({lang})", _share(found[key]))
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
    return _section(say("Written replies"), told + _table((say("Measure"), ""), rows)) if rows else ""


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
        (say(name), _share(first[key]))
        for key, name in (
            ("ranker", "True answer first of 100, %"),
            ("most_frequent", "by how often it was given alone, %"),
            ("nearest", "by the nearest past situation (BM25), %"),
        )
        if isinstance(first.get(key), int | float)
    ]
    return _section(say("Past answers"), _table((say("Measure"), ""), rows)) if rows else ""


def _left_out(card: ModelCard, say: Say) -> str:
    rows = [(say(PART_WORDS.get(part, part)), say(why)) for part, why in card.skipped.items()]
    trained = (card.metrics.get("training") or {}).get("classifier") or {}
    rows += [
        (str(tag.get("intent")), say("stands on messages of every kind: not learnt"))
        for tag in trained.get("left_out_tags") or ()
    ]
    return _section(say("Left out"), _table((say("Part"), say("Reason")), rows)) if rows else ""


def _cut_short(card: ModelCard, say: Say) -> str:
    rows = [(say(PART_WORDS.get(part, part)), say(how_far)) for part, how_far in card.cut.items()]
    return _section(say("Cut short"), _table((say("Part"), ""), rows)) if rows else ""


# --- the small parts --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell with a mark: good, bad, warn or none."""

    text: str
    mark: str = ""

    @property
    def is_number(self) -> bool:
        return self.text[:1].isdigit() or self.text[:1] in ("+", "-", "≥")


def _intent_figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return dict((metrics.get("classifier") or {}).get("intents") or {})


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _section(title: str, body: str) -> str:
    return f'<section class="card"><header><h2>{escape(title)}</h2></header>{body}</section>' if body else ""


def _pictures(drawn: Iterable[str]) -> str:
    made = "".join(picture for picture in drawn if picture)
    return f'<div class="pictures">{made}</div>' if made else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str | Cell]]) -> str:
    """The first column names the row; any other that holds a figure is aligned to the right."""
    made = [[value if isinstance(value, Cell) else Cell(value) for value in row] for row in rows]
    numbers = {place for row in made for place, cell in enumerate(row) if place and cell.is_number}
    # an empty heading is no heading (a screen reader would stop at it), and a row of them is none either
    names = "".join(
        _cell("th" if name else "td", Cell(name), number=place in numbers) for place, name in enumerate(head)
    )
    named = f"<thead><tr>{names}</tr></thead>" if any(head) else ""
    body = "".join(
        f"<tr>{''.join(_cell('td', cell, number=place in numbers) for place, cell in enumerate(row))}</tr>"
        for row in made
    )
    return f'<div class="scroll"><table>{named}<tbody>{body}</tbody></table></div>'


def _cell(element: str, cell: Cell, *, number: bool) -> str:
    kind = ' class="number"' if number else ""
    shown = f'<span class="tag {cell.mark}">{escape(cell.text)}</span>' if cell.mark else escape(cell.text)
    return f"<{element}{kind}>{shown}</{element}>"


def _style() -> str:
    """The page's own style and that of the charts, which the admin area serves too."""
    folder = files("chatbot.learning")
    return "".join((folder / name).read_text("utf-8") for name in ("model_card.css", "charts.css"))
