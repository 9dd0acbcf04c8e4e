"""The widget's look and what it offers, the secret that signs visitors, and the files that visitors sent."""

from __future__ import annotations

import re

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.errors import FrontdeskError, InputError
from chatbot.records import audit
from chatbot.records.attachments import find_attachment
from chatbot.records.conversations import DEFAULT_SITE, find_site
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.attachments import AttachmentFiles
from web.context import parts
from web.identity import new_secret
from web.language import gettext
from web.widget_options import CONTACT, MOST_ATTACHMENT_MB, POSITIONS, THEMES, PrechatField, WidgetOptions

ASKED = ("off", "optional", "required")
OWN_FIELD = "extra"  # the one field that an admin may word himself; others come through the database
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@blueprint.get("/widget")
@requires("admin")
def widget() -> str:
    return _page()


def _page(
    form: MultiDict[str, str] | None = None, error: FrontdeskError | None = None, *, secret: str = ""
) -> str:
    with parts().database.read() as records:
        found = find_site(records, DEFAULT_SITE)
    look = WidgetOptions.of_site(found.options)
    asked = {field.name: "required" if field.required else "optional" for field in look.prechat}
    own = next((dict(field.label) for field in look.prechat if field.name == OWN_FIELD), {})
    return render_template(
        "admin/widget.html",
        site=found,
        look=look,
        accent=found.options.get("accent", "#0f766e"),
        asked=asked,
        own=own,
        contact=CONTACT,
        ways=ASKED,
        positions=POSITIONS,
        themes=THEMES,
        most_mb=MOST_ATTACHMENT_MB,
        form=form or MultiDict(),
        error=error,
        secret=secret,
    )


@blueprint.post("/widget")
@requires("admin")
def change_widget() -> BaseResponse | tuple[str, int]:
    form = request.form
    try:
        with parts().database.write() as records:
            found = find_site(records, DEFAULT_SITE)
            before = WidgetOptions.of_site(found.options)
            accent = form.get("accent", "").strip().lower()
            if not _COLOUR.fullmatch(accent):
                raise InputError(
                    "Not a colour", field="accent", value=accent[:20], remedy="Write it like #0f766e"
                )
            after = read_widget(form, before)
            changed = {
                key: value for key, value in after.as_json().items() if before.as_json()[key] != value
            } | ({"accent": accent} if accent != found.options.get("accent") else {})
            found.options = dict(found.options) | {"accent": accent, "widget": after.as_json()}
            if changed:
                audit.record(
                    records,
                    action="widget.change",
                    subject=f"site {found.key}",
                    person_id=person_id(),
                    detail=changed,
                )
    except FrontdeskError as error:
        return _page(form, error), error.status
    flash(gettext("Saved. Pages that open the widget from now on show it so."))
    return redirect(url_for("admin.widget"), code=303)


def read_widget(form: MultiDict[str, str], before: WidgetOptions) -> WidgetOptions:
    """The options that a form asks for; fields that the page does not show stay as they are. Raises InputError."""
    size = form.get("attachment_mb", str(before.attachment_mb)).strip()
    if not size.isdecimal():
        raise InputError(
            "Not a size for files",
            field="attachment_mb",
            value=size[:20],
            remedy="Give a whole number of MiB",
        )
    fields = []
    for name in (*CONTACT, OWN_FIELD):
        way = form.get(f"ask_{name}", "off")
        if way not in ASKED:
            raise InputError(
                "Unknown choice", field=f"ask_{name}", value=way[:20], remedy=f"Use one of {', '.join(ASKED)}"
            )
        if way != "off":
            labels = {lang: form.get(f"label_{lang}", "").strip()[:60] for lang in ("en", "zh")}
            label = tuple((lang, text) for lang, text in labels.items() if text) if name == OWN_FIELD else ()
            fields.append(PrechatField(name, way == "required", label))
    shown = {*CONTACT, OWN_FIELD}
    return WidgetOptions(
        position=form.get("position", before.position),  # type: ignore[arg-type]  # it checks itself
        theme=form.get("theme", before.theme),  # type: ignore[arg-type]
        csat="csat" in form,
        attachment_mb=int(size[:4]),
        prechat=(*fields, *(field for field in before.prechat if field.name not in shown)),
        open_channels="open_channels" in form,
    )


@blueprint.post("/widget/secret")
@requires("admin")
def new_identity_secret() -> str:
    """A new secret ends what the old one has signed, at once. It is shown this once."""
    secret = new_secret()
    with parts().database.write() as records:
        found = find_site(records, DEFAULT_SITE)
        replaced = found.identity_secret is not None
        found.identity_secret = secret
        audit.record(
            records,
            action="widget.secret",
            subject=f"site {found.key}",
            person_id=person_id(),
            detail={"replaced": replaced},
        )
    return _page(secret=secret)


@blueprint.get("/attachments/<public_id>")
@requires("agent")
def attachment(public_id: str) -> Response:
    """A file that a visitor sent, always as a download."""
    with parts().database.read() as records:
        row = find_attachment(records, public_id)
    return AttachmentFiles(parts().settings.data).download(row)
