"""One visitor: who it is, from where, what was said before and what came of it. For those who answer customers."""

from __future__ import annotations

from flask import render_template, request

from chatbot.records.visitor_history import files_of, read_visitor, talks_of
from web.access import requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext, page_language
from web.widget_options import WidgetOptions


@blueprint.get("/visitors/<int:visitor_id>")
@requires("agent")
def visitor(visitor_id: int) -> str:
    """Conversations go on with ``before``, files with ``files_before``."""
    before, files_before = (request.args.get(name, type=int) for name in ("before", "files_before"))
    with parts().database.read() as records:
        view = read_visitor(records, visitor_id)
        talks = talks_of(records, visitor_id, before=before)
        files = files_of(records, visitor_id, before=files_before)
        details = WidgetOptions.of_site(view.site.options).labelled(
            view.visitor.details or {}, page_language()
        )
    return render_template(
        "admin/visitor.html",
        view=view,
        details={gettext(name): value for name, value in details.items()},
        talks=talks,
        files=files,
        before=before,
        files_before=files_before,
    )
