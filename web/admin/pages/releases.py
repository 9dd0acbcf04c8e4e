"""Releases: their figures, what the gate said, promoting one and going back."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatbot.learning import releases as library
from chatbot.records.jobs import open_job
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext

# What a list can show of a release's figures: where it is in the metrics, and what to call it.
HEADLINES = (
    (("classifier", "accuracy"), "Intents right"),
    (("search", "recall_at_1"), "Right article first"),
    (("classifier", "answered_wrong"), "Sure and wrong"),
    (("classifier", "out_of_scope_refused"), "Foreign questions refused"),
)


def figure(metrics: dict[str, Any], path: tuple[str, ...]) -> float | None:
    """A number somewhere in a release's metrics; None where that was not measured."""
    found: Any = metrics
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


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
    row = library.get_release(parts().database, release_id)
    return render_template(
        "admin/release.html", row=row, headlines=headlines(row.metrics), weakest=weakest(row.metrics)
    )


def weakest(metrics: dict[str, Any], *, limit: int = 8) -> list[tuple[str, dict[str, Any]]]:
    """The intents with the lowest F1 that have enough examples to say so."""
    intents = (metrics.get("classifier") or {}).get("intents") or {}
    measured = [(name, figures) for name, figures in intents.items() if figures.get("support", 0) > 0]
    return sorted(measured, key=lambda pair: (pair[1].get("f1", 0.0), pair[0]))[:limit]


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
