"""The inbox's own page and the list of canned replies."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import FrontdeskError
from chatbot.records import audit, canned_replies
from chatbot.records.inbox import MOST, MOST_SHOWN, OUTCOMES, REPLY_LIMIT
from web.access import person_id, requires
from web.context import parts
from web.inbox.blueprint import blueprint
from web.inbox.live import look
from web.inbox.views import box_named
from web.inbox.words import words
from web.language import gettext
from web.mail import MailServer
from web.widget.pages import asset_url

ICONS = (  # those that the inbox's scripts draw
    "arrow-left",
    "bell",
    "bell-slash",
    "chat-bubble-bottom-center-text",
    "hand-thumb-down",
    "hand-thumb-up",
    "moon",
    "paper-clip",
    "sun",
    "user-circle",
)
LANGUAGES = {"en": "English", "zh": "中文"}  # canned replies are asked for in these


@blueprint.get("/")
@requires("agent")
def home() -> str:
    """The whole inbox; ``open`` is the conversation to begin with."""
    box, open_id = box_named(request.args.get("box")), request.args.get("open", type=int)
    database = parts().database
    config: dict[str, Any] = {
        "root": url_for("inbox.home").rstrip("/"),
        "csrf": generate_csrf(),
        "me": {"id": current_user.id, "name": current_user.name},
        "open": open_id,
        "box": box,
        "limit": REPLY_LIMIT,
        "lines": {"step": MOST, "most": MOST_SHOWN},
        "conversations": url_for("admin.conversations"),
        "mail": mail_state(),
        "outcomes": [{"name": name, "words": gettext(f"outcome_{name}")} for name in OUTCOMES],
        "article": url_for("admin.article", article_id=0).removesuffix("0"),
        "trace": url_for("admin.conversation", conversation_id=0).removesuffix("0"),
        "visitor": url_for("admin.visitor", visitor_id=0).removesuffix("0"),
        "words": words(),
        "start": look(
            database,
            box=box,
            open_id=open_id,
            person_id=current_user.id,
            displeased=parts().moods.displeased,
        ),
    }
    return render_template(
        "inbox/home.html",
        config=config,
        icons=ICONS,
        dom=asset_url("dom.js"),
        files=asset_url("files.js"),
        sound=asset_url("sound.js"),
    )


def mail_state() -> dict[str, str]:
    """Whether replies to absent visitors go out: ``{"state": "on" | "off" | "wrong", "problem"}``."""
    try:
        server = MailServer.of(parts().settings)
    except FrontdeskError as error:
        return {"state": "wrong", "problem": error.one_line()}
    return {"state": "on" if server else "off", "problem": ""}


# --- canned replies --------------------------------------------------------------------------------------


@blueprint.get("/canned")
@requires("agent")
def canned() -> str:
    return _canned()


def _canned(
    *,
    form: MultiDict[str, str] | None = None,
    error: FrontdeskError | None = None,
    editing: int | None = None,
) -> str:
    with parts().database.read() as records:
        rows = canned_replies.list_canned(records)
    editing = editing or request.args.get("edit", type=int)
    return render_template(
        "inbox/canned.html",
        rows=rows,
        editing=next((row for row in rows if row.id == editing), None),
        languages=LANGUAGES,
        form=form or MultiDict(),
        error=error,
    )


@blueprint.post("/canned")
@requires("agent")
def save_canned() -> BaseResponse | tuple[str, int]:
    form = request.form
    canned_id = form.get("id", type=int)
    try:
        with parts().database.write() as records:
            row = canned_replies.save_canned(
                records,
                shortcut=form.get("shortcut", ""),
                texts={lang: form.get(f"text_{lang}", "") for lang in LANGUAGES},
                person_id=person_id(),
                canned_id=canned_id,
            )
            audit.record(records, action="canned.save", subject=f"/{row.shortcut}", person_id=person_id())
    except FrontdeskError as error:
        return _canned(form=form, error=error, editing=canned_id), error.status
    flash(gettext("Saved."))
    return redirect(url_for("inbox.canned"), code=303)


@blueprint.post("/canned/<int:canned_id>/delete")
@requires("agent")
def delete_canned(canned_id: int) -> BaseResponse:
    with parts().database.write() as records:
        row = canned_replies.delete_canned(records, canned_id)
        audit.record(
            records,
            action="canned.delete",
            subject=f"/{row.shortcut}",
            person_id=person_id(),
            detail={"texts": row.texts},
        )
    flash(gettext("Deleted."))
    return redirect(url_for("inbox.canned"), code=303)
