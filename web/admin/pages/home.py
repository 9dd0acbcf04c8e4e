"""The first page: is the bot well, what waits for a person, how it did, and what to do next."""

from __future__ import annotations

from flask import Response, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import NotFoundError
from chatbot.language.table_export import csv_lines
from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.jobs import list_jobs, open_job
from chatbot.records.overview import overview
from chatbot.records.statistics import PERIODS, SURGE_DAYS, statistics, topic_titles
from chatbot.records.tables import Site, utcnow
from chatbot.records.topics_by_day import topics_by_day
from web.access import requires
from web.admin.blueprint import blueprint
from web.admin.dashboard import Overview, displeased_pictures, period_of, pictures, tables
from web.admin.mood_by_day import mood_by_day
from web.context import parts
from web.language import gettext, page_language


@blueprint.get("/", strict_slashes=False)
@requires("viewer")
def home() -> str:
    midnight = utcnow().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    with parts().database.read() as records:
        state = overview(records, today=midnight, site=_asked_site(records))
        training = open_job(records, "retrain")
        recent = list_jobs(records, limit=6)
    found, titles = _asked_for()
    return render_template(
        "admin/home.html",
        state=state,
        training=training,
        recent=recent,
        figures=found.figures,
        titles=titles,
        savings=found.savings,
        pictures={name: Markup(svg) for name, svg in pictures(found, titles, gettext).items()},
        displeased_pictures=[Markup(svg) for svg in displeased_pictures(found, titles, gettext)],
        tables=tables(found, titles, gettext),
        periods=PERIODS,
        surge_days=SURGE_DAYS,
    )


@blueprint.get("/figures/<table>.csv")
@requires("viewer")
def figures_csv(table: str) -> Response:
    """A table of the overview for a spreadsheet. Raises NotFoundError for one that is not there."""
    found, titles = _asked_for()
    made = tables(found, titles, gettext).get(table)
    if made is None:
        raise NotFoundError("There is no such table", field="table", value=table[:40])
    of = f"-{found.figures.site}" if found.figures.site else ""
    name = f"frontdesk-{table}{of}-{found.figures.period.dates[0]}-{found.figures.period.dates[-1]}.csv"
    return Response(
        csv_lines(made.header, made.rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _asked_site(records: Session) -> Site | None:
    """None: all of them together. Raises NotFoundError for a key that no site has."""
    key = request.args.get("site")
    return find_site(records, key) if key else None


def _asked_for() -> tuple[Overview, dict[str, str]]:
    """The figures of the period, language and site in the address, and the titles of their topics."""
    period, lang = period_of(request.args.get("days")), request.args.get("lang") or None
    with parts().database.read() as records:
        site = _asked_site(records)
        options = SiteOptions.from_json((site or find_site(records, DEFAULT_SITE)).options)
        figures = statistics(records, period, lang=lang, site=site)
        savings = figures.savings(minutes=options.saved_minutes, hour_cost=options.hour_cost)
        moods = parts().moods
        found = Overview(
            figures,
            savings,
            topics_by_day(records, period, lang=lang, site=site),
            mood_by_day(records, period, moods.displeased, lang=lang, site=site) if moods.known else {},
        )
        names = [topic.name for topic in (*figures.topics, *figures.surging)]
        return found, topic_titles(records, names, lang=page_language())
