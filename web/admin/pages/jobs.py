"""Jobs: the list, one with its progress and report, stopping it, running it again, and the retrain button."""

from __future__ import annotations

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.learning.charts import Line, line_chart
from chatbot.learning.model_card import PART_WORDS
from chatbot.learning.releases import live_release_id
from chatbot.records.jobs import OPEN_STATES, get_job, list_jobs
from chatbot.records.people import get_person
from chatbot.records.tables import Article, Job, Transcript
from web import jobs as work
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext

PAGE_SIZE = 50


@blueprint.get("/jobs")
@requires("viewer")
def jobs() -> str:
    before = request.args.get("before", type=int)
    with parts().database.read() as records:
        found = list_jobs(records, before=before, limit=PAGE_SIZE + 1)
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return render_template("admin/jobs.html", jobs=found[:PAGE_SIZE], before=before, older=older)


@blueprint.get("/jobs/<int:job_id>")
@requires("viewer")
def job(job_id: int) -> str:
    with parts().database.read() as records:
        found = get_job(records, job_id)
        by = get_person(records, found.created_by_id).name if found.created_by_id else ""
        live, missing = live_release_id(records) is not None, _missing(records)
    return render_template(
        "admin/job.html",
        job=found,
        by=by,
        live=live,
        missing=missing,
        is_open=found.state in OPEN_STATES,
        part_words=PART_WORDS,
        curves=[Markup(one) for one in curves(found)],  # every text in them is escaped where it is made
    )


def _missing(records: Session) -> str:
    """What has not been uploaded yet, as the upload page calls it: a first run goes on there."""
    if records.scalar(select(Transcript.id).limit(1)) is None:
        return "transcripts"
    return "articles" if records.scalar(select(Article.id).limit(1)) is None else ""


def curves(job: Job) -> list[str]:
    """The learning curves of a training under way, as SVG: loss and, once there are two, validations."""
    stored = (job.result or {}).get("curves") if job.state in OPEN_STATES else None
    drawn = []
    for stage, points in (stored or {}).items():
        losses = [(float(step), float(loss)) for step, loss, _ in points]
        scores: dict[float, float] = {}  # a score stays until the next validation: its first point
        for step, _, score in points:
            if score is not None and (not scores or score != list(scores.values())[-1]):
                scores[float(step)] = float(score)
        for name, line in (("training loss", losses), ("validation", list(scores.items()))):
            if len(line) > 1:
                drawn.append(
                    line_chart(
                        [Line(gettext(name), line, name == "validation")],
                        title=f"{gettext(stage)}: {gettext(name)}",
                        x_name=gettext("step"),
                        y_name=gettext("training loss" if name == "training loss" else "score"),
                    )
                )
    return drawn


@blueprint.get("/jobs/<int:job_id>/state")
@requires("viewer")
def job_state(job_id: int) -> Response:
    """What the progress page asks for while a job is under way."""
    with parts().database.read() as records:
        found = get_job(records, job_id)
    return jsonify(
        {
            "open": found.state in OPEN_STATES,
            "state": found.state,
            "stage": gettext(found.stage) if found.stage else gettext(found.state),
            "progress": found.progress,
            "curves": "".join(curves(found)),
        }
    )


@blueprint.post("/jobs/<int:job_id>/cancel")
@requires("editor")
def cancel_job(job_id: int) -> BaseResponse:
    work.cancel(parts().database, job_id, person_id=person_id())
    return redirect(url_for("admin.job", job_id=job_id), code=303)


@blueprint.post("/jobs/<int:job_id>/again")
@requires("editor")
def run_job_again(job_id: int) -> BaseResponse:
    work.run_again(parts().database, parts().settings, job_id, person_id=person_id())
    return redirect(url_for("admin.job", job_id=job_id), code=303)


@blueprint.post("/retrain")
@requires("editor")
def retrain() -> BaseResponse:
    """``warm``: learn on from the live release where only some intents are new."""
    arguments = {"warm": True} if request.form.get("warm") else {}
    job_id = work.enqueue(parts().database, parts().settings, "retrain", arguments, person_id=person_id())
    flash(gettext("Retraining is queued. The bot goes on answering while it runs."))
    return redirect(url_for("admin.job", job_id=job_id), code=303)
