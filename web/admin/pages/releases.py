"""Releases: their model card, what the gate said, replay and trial, promoting one and going back."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from typing import Any

from flask import Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import InputError, NotFoundError
from chatbot.learning import releases as library
from chatbot.learning.canaries import open_canary, start_canary, stop_canary, trial_of
from chatbot.learning.model_card import figure, page, sections
from chatbot.learning.release_cards import card_of
from chatbot.learning.replay import stored_replay
from chatbot.records.jobs import open_job
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.jobs import enqueue
from web.language import gettext, page_language
from web.sentences import in_words

# What a list can show of a release's figures: where it is in the metrics, and what to call it.
HEADLINES = (
    (("classifier", "accuracy"), "Intents right"),
    (("search", "recall_at_1"), "Right article first"),
    (("classifier", "answered_wrong"), "Sure and wrong"),
    (("classifier", "out_of_scope_refused"), "Foreign questions refused"),
)
SHARES = (0.05, 0.1, 0.2, 0.5)  # of the conversations, that a trial may be started with from the page


def headlines(metrics: dict[str, Any]) -> list[tuple[str, float | None]]:
    return [(text, figure(metrics, path)) for path, text in HEADLINES]


@blueprint.get("/releases")
@requires("viewer")
def releases() -> str:
    rows = library.list_releases(parts().database)
    with parts().database.read() as records:
        training = open_job(records, "retrain")
    return render_template("admin/releases.html", rows=rows, training=training, headlines=headlines)


@blueprint.get("/releases/<release_id>")
@requires("viewer")
def release(release_id: str) -> str:
    database, settings = parts().database, parts().settings
    row = library.get_release(database, release_id)
    card = card_of(database, settings, release_id)
    with database.read() as records:
        running = open_canary(records)
    return render_template(
        "admin/release.html",
        row=row,
        headlines=headlines(row.metrics),
        card=Markup(sections(card, in_words)),  # every text in it is escaped where it is made
        trial=trial_of(database, release_id),
        running=running.release_id if running else None,
        replay=stored_replay(settings, release_id),
        shares=SHARES,
    )


@blueprint.get("/releases/<release_id>/figures")
@requires("viewer")
def release_figures(release_id: str) -> Response:
    """A release as JSON: its row with all figures, its trial, and the summary of its replay."""
    database = parts().database
    trial = trial_of(database, release_id)
    replayed = stored_replay(parts().settings, release_id)
    return jsonify(
        asdict(library.get_release(database, release_id))
        | {
            "trial": trial.as_json() if trial else None,
            "replay": {key: value for key, value in replayed.items() if key != "changes"}
            if replayed
            else None,
        }
    )


@blueprint.get("/releases/<release_id>/card")
@requires("viewer")
def release_card(release_id: str) -> Response:
    """The model card as a file of its own, in the reader's language."""
    made = page(card_of(parts().database, parts().settings, release_id), in_words, lang=page_language())
    response = make_response(made)
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="model-card-{release_id}.html"'
    return response


@blueprint.get("/charts.css")
@requires("viewer")
def charts_style() -> Response:
    """The style of the charts, which the model card's file carries inside."""
    response = make_response((files("chatbot.learning") / "charts.css").read_text("utf-8"))
    response.headers["Content-Type"] = "text/css; charset=utf-8"
    return response


# --- before it goes live ----------------------------------------------------------------------------------


@blueprint.get("/releases/<release_id>/replay")
@requires("viewer")
def replayed(release_id: str) -> str:
    """Every answer that would change, with both decisions."""
    row = library.get_release(parts().database, release_id)
    return render_template("admin/replay.html", row=row, replay=stored_replay(parts().settings, release_id))


@blueprint.get("/releases/<release_id>/replay/changes")
@requires("viewer")
def replay_changes(release_id: str) -> Response:
    """The whole replay as JSON. Raises NotFoundError before the first one."""
    found = stored_replay(parts().settings, release_id)
    if found is None:
        raise NotFoundError("This release has not been replayed yet", value=release_id)
    return jsonify(found)


@blueprint.post("/releases/<release_id>/replay")
@requires("editor")
def replay_now(release_id: str) -> BaseResponse:
    library.get_release(parts().database, release_id)
    arguments = {"release_id": release_id}
    job_id = enqueue(parts().database, parts().settings, "replay", arguments, person_id=person_id())
    return redirect(url_for("admin.job", job_id=job_id), code=303)


@blueprint.post("/releases/<release_id>/trial")
@requires("admin")
def start_trial(release_id: str) -> BaseResponse:
    given = request.form.get("share", "")
    try:
        share = float(given)
    except ValueError as error:
        raise InputError("The share is no number", field="share", value=given, remedy="Choose one") from error
    start_canary(parts().database, parts().settings, release_id, share=share, person_id=person_id())
    flash(
        gettext("{release} answers {share} of new conversations.").format(
            release=release_id, share=f"{share:.0%}"
        )
    )
    return redirect(url_for("admin.release", release_id=release_id), code=303)


@blueprint.post("/releases/<release_id>/trial/end")
@requires("admin")
def end_trial(release_id: str) -> BaseResponse:
    stop_canary(parts().database, person_id=person_id())
    flash(gettext("The trial has ended. The live release answers every conversation."))
    return redirect(url_for("admin.release", release_id=release_id), code=303)


@blueprint.post("/releases/<release_id>/promote")
@requires("admin")
def promote(release_id: str) -> BaseResponse:
    reason = request.form.get("reason", "").strip()[:500] or gettext("promoted in the admin area")
    library.promote(parts().database, parts().settings, release_id, reason=reason, person_id=person_id())
    flash(gettext("{release} is live.").format(release=release_id))
    return redirect(url_for("admin.releases"), code=303)


@blueprint.post("/releases/rollback")
@requires("admin")
def rollback() -> BaseResponse:
    reason = request.form.get("reason", "").strip()[:500] or gettext("rolled back in the admin area")
    back = library.rollback(parts().database, parts().settings, reason=reason, person_id=person_id())
    flash(gettext("{release} is live.").format(release=back))
    return redirect(url_for("admin.releases"), code=303)
