"""Actions: an intent bound to a request of the company's. Saving one approves its texts."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.actions import MOST_SLOTS, PROOF_FIELDS, PROOF_KINDS, SLOT_KINDS
from chatbot.dialogue.bound_actions import allowed_for
from chatbot.dialogue.lookup import title_of
from chatbot.errors import FrontdeskError, InputError
from chatbot.outbound import check_url
from chatbot.records import actions as library
from chatbot.records import audit
from chatbot.records.actions import Draft
from chatbot.records.tables import Action, Intent
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import LANGUAGES, gettext, page_language

CALLS = 20  # of a page
SPARE_ROWS = 2  # empty rows for details that the form offers beside those there are


def checked_url(url: str) -> str:
    """The address, where the guard lets it be asked. Raises InputError."""
    return check_url(url, allow=allowed_for(url.strip(), parts().settings))


def audited(action: Action, draft: Draft) -> dict[str, Any]:
    """What the audit log keeps of a saved action: everything but its secret."""
    return {
        "intent": draft.intent,
        "url": action.url,
        "details": [slot["name"] for slot in action.slots],
        "proof": action.proof,
        "changes": action.changes,
        "enabled": action.enabled,
        "templates": action.templates,
    }


@blueprint.get("/actions")
@requires("admin")
def actions() -> str:
    with parts().database.read() as records:
        rows = library.list_actions(records)
        titles = {row.name: title_of(row, page_language()) for row in records.scalars(select(Intent))}
    return render_template("admin/actions.html", actions=rows, titles=titles)


@blueprint.get("/actions/new")
@requires("admin")
def new_action() -> str:
    return _form(MultiDict({"enabled": "yes", "seconds": "4", "proof": "none"}))


@blueprint.post("/actions/new")
@requires("admin")
def make_action() -> str | tuple[str, int]:
    return _save(None)


@blueprint.get("/actions/<int:action_id>")
@requires("admin")
def action(action_id: int) -> str:
    with parts().database.read() as records:
        values = _as_form(*library.get_action(records, action_id))
    return _form(values, action_id)


@blueprint.post("/actions/<int:action_id>")
@requires("admin")
def change_action(action_id: int) -> str | tuple[str, int] | BaseResponse:
    return _save(action_id)


@blueprint.post("/actions/<int:action_id>/delete")
@requires("admin")
def delete_action(action_id: int) -> BaseResponse:
    with parts().database.write() as records:
        row, _ = library.get_action(records, action_id)
        audit.record(
            records, action="action.delete", subject=row.name, person_id=person_id(), detail={"url": row.url}
        )
        records.delete(row)
    flash(gettext("Deleted."))
    return redirect(url_for("admin.actions"), code=303)


@blueprint.post("/actions/<int:action_id>/secret")
@requires("admin")
def new_action_secret(action_id: int) -> str:
    with parts().database.write() as records:
        row, intent = library.get_action(records, action_id)
        row.secret = library.new_secret()
        audit.record(records, action="action.secret", subject=row.name, person_id=person_id())
    return _form(_as_form(row, intent), action_id, secret=row.secret)


def _save(action_id: int | None) -> Any:
    form = request.form
    try:
        draft = read_form(form)
        with parts().database.write() as records:
            row = None if action_id is None else library.get_action(records, action_id)[0]
            saved = library.save(
                records, draft, row=row, person_id=person_id(), image_hosts=parts().image_hosts
            )
            audit.record(
                records,
                action="action.make" if row is None else "action.change",
                subject=saved.name,
                person_id=person_id(),
                detail=audited(saved, draft),
            )
    except FrontdeskError as error:
        return _form(form, action_id, error=error), error.status
    if action_id is None:
        return _form(form, saved.id, secret=saved.secret)
    flash(gettext("Saved."))
    return redirect(url_for("admin.action", action_id=action_id), code=303)


def read_form(form: MultiDict[str, str]) -> Draft:
    """Raises InputError for what cannot be."""
    try:
        seconds = float(form.get("seconds", "4").replace(",", "."))
    except ValueError as error:
        raise InputError(
            "Not a number", field="seconds", value=form.get("seconds"), remedy="Give seconds, for example 4"
        ) from error
    slots = [
        {
            "name": form.get(f"slot{place}_name", "").strip(),
            "kind": form.get(f"slot{place}_kind", ""),
            "pattern": form.get(f"slot{place}_pattern", "").strip(),
            "ask": {lang: form.get(f"slot{place}_ask_{lang}", "") for lang in LANGUAGES},
        }
        for place in range(MOST_SLOTS)
        if form.get(f"slot{place}_name", "").strip()
    ]
    return Draft(
        name=form.get("name", "").strip(),
        intent=form.get("intent", ""),
        url=checked_url(form.get("url", "")),
        slots=slots,
        templates={lang: form.get(f"template_{lang}", "").replace("\r\n", "\n") for lang in LANGUAGES},
        proof={
            "kind": form.get("proof", "none"),
            "accepts": form.getlist("accepts"),
            "paths": {name: form.get(f"path_{name}", "") for name in PROOF_FIELDS},
        },
        changes=form.get("changes") == "yes",
        seconds=seconds,
        enabled=form.get("enabled") == "yes",
    )


def _as_form(row: Action, intent: str) -> MultiDict[str, str]:
    values: MultiDict[str, str] = MultiDict(
        {
            "name": row.name,
            "intent": intent,
            "url": row.url,
            "seconds": f"{row.seconds:g}",
            "changes": "yes" if row.changes else "",
            "enabled": "yes" if row.enabled else "",
            "proof": row.proof.get("kind", "none"),
        }
    )
    values.setlist("accepts", list(row.proof.get("accepts", ())))
    for name, path in row.proof.get("paths", {}).items():
        values[f"path_{name}"] = path
    for lang, text in row.templates.items():
        values[f"template_{lang}"] = text
    for place, slot in enumerate(row.slots):
        values[f"slot{place}_name"], values[f"slot{place}_kind"] = slot["name"], slot["kind"]
        values[f"slot{place}_pattern"] = slot.get("pattern", "")
        for lang, text in slot.get("ask", {}).items():
            values[f"slot{place}_ask_{lang}"] = text
    return values


def _form(
    values: MultiDict[str, str],
    action_id: int | None = None,
    *,
    secret: str = "",
    error: FrontdeskError | None = None,
) -> str:
    """The page of an action, or of one that is to be made. Raises NotFoundError for one that is gone."""
    before = request.args.get("before", type=int)
    with parts().database.read() as records:
        row = None if action_id is None else library.get_action(records, action_id)[0]
        calls = (
            []
            if action_id is None
            else library.recent_calls(records, action_id, before=before, limit=CALLS + 1)
        )
        intents = [
            (one.name, title_of(one, page_language()))
            for one in records.scalars(select(Intent).where(Intent.status != "retired").order_by(Intent.name))
        ]
    filled = max((place for place in range(MOST_SLOTS) if values.get(f"slot{place}_name")), default=-1) + 1
    return render_template(
        "admin/action.html",
        section="admin.actions",
        action=row,
        values=values,
        accepts=values.getlist("accepts"),
        intents=intents,
        calls=calls[:CALLS],
        before=before,
        older=calls[CALLS - 1].id if len(calls) > CALLS else None,
        rows=range(min(MOST_SLOTS, filled + SPARE_ROWS)),
        slot_kinds=SLOT_KINDS,
        proof_kinds=PROOF_KINDS,
        secret=secret,
        error=error,
    )
