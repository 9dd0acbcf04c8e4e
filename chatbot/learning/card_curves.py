"""What a release's card draws of its probabilities: do they hold, what a threshold costs, who is asked."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from chatbot.learning import sureness
from chatbot.learning.card_html import Cell, Say, pictures, section, share, table
from chatbot.learning.charts import Line, line_chart

if TYPE_CHECKING:
    from chatbot.learning.model_card import ModelCard

SURENESS_SHOWN = (50, 60, 70, 80, 90)  # percent


def calibration_section(card: ModelCard, say: Say) -> str:
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
    return section(say("Calibration"), pictures(drawn))


def sureness_section(card: ModelCard, say: Say) -> str:
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
    return section(say("How sure it must be"), note + pictures([picture]) + table(head, rows))


def cascade_section(card: ModelCard, say: Say) -> str:
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
    return section(
        say("Fast and accurate classifier"),
        told + pictures([picture]) + table(head, rows) + _heard(kept, say),
    )


def _heard(kept: Any, say: Say) -> str:
    """Which language asks the accurate tier, and what each says alone."""
    if isinstance(kept, list):
        return ""
    rows = [
        (
            say("all languages") if lang == "*" else lang,
            str(heard["n"]),
            share(100 * heard["fast"]),
            share(100 * heard["accurate"]),
            share(100 * heard["together"]),
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
    return table(head, rows) if rows else ""
