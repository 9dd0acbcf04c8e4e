"""The first page: is the bot well, what waits for a person, what happened last."""

from __future__ import annotations

from flask import render_template

from chatbot.records.jobs import list_jobs, open_job
from chatbot.records.overview import overview
from chatbot.records.tables import utcnow
from web.access import requires
from web.admin.blueprint import blueprint
from web.context import parts


@blueprint.get("/", strict_slashes=False)
@requires("viewer")
def home() -> str:
    now = utcnow()
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    with parts().database.read() as records:
        state = overview(records, now=now, today=midnight)
        training = open_job(records, "retrain")
        recent = list_jobs(records, limit=6)
    return render_template("admin/home.html", state=state, training=training, recent=recent)
