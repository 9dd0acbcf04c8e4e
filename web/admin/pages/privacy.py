"""Privacy: finding a person, handing out everything kept of them, erasing them, and how long conversations are kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.records import audit, erasure
from web import privacy as library
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.sites import argument, asked_site
from web.context import parts
from web.language import gettext
from web.numbers import whole


def _page(*, text: str = "", pattern: str | None = None, error: FrontdeskError | None = None) -> str:
    found: list[erasure.Found] | None = None
    page = max(1, request.args.get("page", 1, type=int))
    with parts().database.read() as records:
        if text and error is None:
            try:
                found = _found(records, text, page)
            except FrontdeskError as wrong:
                error = wrong
        site = asked_site(records)
        options = SiteOptions.from_json(site.options)
    return render_template(
        "admin/privacy.html",
        text=text,
        found=found[: erasure.MOST_FOUND] if found is not None else None,
        page=page,
        more=len(found or ()) > erasure.MOST_FOUND,
        site=site,
        days=options.retention_days,
        order_pattern=options.order_pattern if pattern is None else pattern,
        everywhere=parts().settings.retention_days,
        error=error,
    )


def _found(records: Session, text: str, page: int) -> list[erasure.Found]:
    """Those of a page, and one more where there is another page."""
    most = erasure.MOST_FOUND
    return erasure.find_people(records, text, skip=most * (page - 1), limit=most + 1)


@blueprint.get("/privacy")
@requires("admin")
def privacy() -> str | Response:
    """The page; with ``Accept: application/json`` the people found, for programs."""
    text = request.args.get("q", "").strip()
    if request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html") == "text/html":
        return _page(text=text)
    with parts().database.read() as records:
        found = _found(records, text, max(1, request.args.get("page", 1, type=int)))
    people = found[: erasure.MOST_FOUND]
    return jsonify(
        {
            "people": [asdict(one) | {"last_seen_at": one.last_seen_at.isoformat()} for one in people],
            "more": len(found) > len(people),
        }
    )


@blueprint.post("/privacy/<int:visitor_id>/export")
@requires("admin")
def export_person(visitor_id: int) -> Response:
    """Everything as a JSON file; that it was handed out is written down."""
    with parts().database.write() as records:
        body = erasure.export_person(records, visitor_id)
        audit.record(records, action="person.export", subject=f"visitor {visitor_id}", person_id=person_id())
    response = Response(json.dumps(body, ensure_ascii=False, indent=1) + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = f"attachment; filename=visitor-{visitor_id}.json"
    return response


@blueprint.post("/privacy/<int:visitor_id>/erase")
@requires("admin")
def erase_person(visitor_id: int) -> BaseResponse:
    gone = library.erase(parts().database, parts().settings, visitor_id, person_id=person_id())
    flash(
        gettext("Erased: {conversations} conversations, {turns} turns, {files} files.").format(
            conversations=gone.conversations, turns=gone.turns, files=len(gone.files)
        )
    )
    if gone.releases:
        flash(
            gettext("{number} releases were trained on something of theirs: retrain to forget it.").format(
                number=len(gone.releases)
            )
        )
    if gone.emptied:
        flash(
            gettext(
                "No example is left of {intents}: give each a new one or retire it, or the gate stops the next release."
            ).format(intents=", ".join(gone.emptied))
        )
    return redirect(url_for("admin.privacy"), code=303)


@blueprint.post("/privacy/retention")
@requires("admin")
def change_retention() -> BaseResponse | tuple[str, int]:
    given = request.form.get("days", "").strip() or "0"
    try:
        days = whole(given)
        if days is None:
            raise InputError(
                "Not a number of days",
                field="days",
                value=given,
                remedy="Give a whole number; 0: the installation's rule",
            )
        with parts().database.write() as records:
            site = asked_site(records)
            before = SiteOptions.from_json(site.options)
            after = replace(before, retention_days=days)
            site.options = dict(site.options) | {"retention_days": after.retention_days}
            audit.record(
                records,
                action="site.change",
                subject=f"site {site.key}",
                person_id=person_id(),
                detail={"retention_days": after.retention_days, "before": before.retention_days},
            )
    except FrontdeskError as error:
        return _page(error=error), error.status
    flash(gettext("Saved. Older conversations are erased within the hour."))
    return redirect(url_for("admin.privacy", site=argument(site)), code=303)


@blueprint.post("/privacy/orders")
@requires("admin")
def change_order_pattern() -> BaseResponse | tuple[str, int]:
    """How this company's order numbers look: a regular expression, or nothing for the usual shapes."""
    given = request.form.get("order_pattern", "").strip()
    try:
        with parts().database.write() as records:
            site = asked_site(records)
            before = SiteOptions.from_json(site.options)
            replace(before, order_pattern=given)  # raises where it is no pattern
            site.options = dict(site.options) | {"order_pattern": given}
            audit.record(
                records,
                action="site.change",
                subject=f"site {site.key}",
                person_id=person_id(),
                detail={"order_pattern": given, "before": before.order_pattern},
            )
    except FrontdeskError as error:
        return _page(pattern=given, error=error), error.status
    flash(gettext("Saved. What is stored or imported from now on is read by it."))
    return redirect(url_for("admin.privacy", site=argument(site)), code=303)
