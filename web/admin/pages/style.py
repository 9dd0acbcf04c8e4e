"""The style guide: every element of the pages in each of its states, and the tokens they are made of."""

from __future__ import annotations

from flask import render_template
from markupsafe import Markup

from chatbot.learning.charts import Bars, Line, line_chart, stacked_bars
from web.access import requires
from web.admin.blueprint import blueprint
from web.admin.style_guide import pairs
from web.language import gettext
from web.tokens import tokens


@blueprint.get("/style")
@requires("viewer")
def style() -> str:
    week = ["1", "2", "3", "4", "5", "6", "7"]
    bars = stacked_bars(
        [
            Bars(gettext("Solved, confirmed"), [3, 5, 4, 6, 8, 2, 1]),
            Bars(gettext("Handed over"), [1, 2, 1, 1, 2, 0, 0]),
        ],
        words=week,
        title=gettext("Bars"),
        x_name=gettext("Day"),
        y_name=gettext("Conversations"),
    )
    line = line_chart(
        [
            Line(
                gettext("Median"),
                [(float(at), value) for at, value in enumerate((8, 9, 7, 8, 12, 9, 8))],
                True,
            )
        ],
        title=gettext("Line"),
        x_name=gettext("Day"),
        y_name="ms",
        x_range=(0, 6),
        y_range=(0, 12),
        x_words=week,
    )
    return render_template(
        "admin/style.html",
        colours=[token for token in tokens().values() if token.is_colour],
        sizes=[
            token
            for token in tokens().values()
            if token.name[0] in "sr" and token.light.endswith(("rem", "px"))
        ],
        motions=[token for token in tokens().values() if token.is_duration],
        accent=tokens()["accent"],
        samples=[tokens()[name] for name in ("accent", "good", "warn", "bad")],
        pairs=pairs(),
        charts=[Markup(bars), Markup(line)],  # every text in them is escaped where it is made
    )
