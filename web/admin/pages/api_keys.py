"""API keys: made here, shown once, switched off at once."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import FrontdeskError
from chatbot.records import api_keys as library
from chatbot.records import audit
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext


def _list(*, key: str = "", error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        found = library.list_keys(records)
    return render_template("admin/api_keys.html", keys=found, scopes=library.SCOPES, key=key, error=error)


@blueprint.get("/api-keys")
@requires("admin")
def api_keys() -> str:
    return _list()


@blueprint.post("/api-keys")
@requires("admin")
def make_api_key() -> str | tuple[str, int]:
    try:
        with parts().database.write() as records:
            row, key = library.create_key(
                records,
                name=request.form.get("name", ""),
                scopes=request.form.getlist("scope"),
                created_by_id=person_id(),
            )
            audit.record(
                records,
                action="api_key.make",
                subject=f"{row.name} {row.prefix}…",
                person_id=person_id(),
                detail={"scopes": row.scopes},
            )
    except FrontdeskError as error:
        return _list(error=error), error.status
    return _list(key=key)


@blueprint.post("/api-keys/<int:key_id>/off")
@requires("admin")
def revoke_api_key(key_id: int) -> BaseResponse:
    with parts().database.write() as records:
        row = library.revoke_key(records, key_id)
        audit.record(
            records, action="api_key.off", subject=f"{row.name} {row.prefix}…", person_id=person_id()
        )
    flash(gettext("The key is switched off."))
    return redirect(url_for("admin.api_keys"), code=303)
