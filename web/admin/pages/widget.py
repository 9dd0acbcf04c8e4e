"""The widget's look with a live preview, its words, what it offers; the secret that signs visitors; visitors' files.

The preview is the real widget on a page that stands for the company's (``preview``). What the form says is told to it
while the admin writes; nothing is stored before he saves, and what is said in it reaches no bot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.options import SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.records import audit
from chatbot.records.attachments import find_attachment
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.admin.sites import argument, asked_site
from web.attachments import AttachmentFiles
from web.context import parts
from web.headers import page_policy
from web.identity import new_secret
from web.language import gettext
from web.tokens import tokens
from web.visitors import own_origin
from web.widget.pages import asset_url
from web.widget_options import (
    CONTACT,
    CORNERS,
    MOST_ATTACHMENT_MB,
    POSITIONS,
    THEMES,
    PrechatField,
    WidgetOptions,
)

ASKED = ("off", "optional", "required")
OWN_FIELD = "extra"  # the one field that an admin may word himself; others come through the database
GREETING_LIMIT = 500  # characters
TITLE_LIMIT = 100
# Quiet colours that carry white text; any other can be written.
SWATCHES = ("#0f766e", "#1d4ed8", "#4338ca", "#7e22ce", "#be185d", "#b91c1c", "#b45309", "#3f6212", "#334155")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@blueprint.get("/widget")
@requires("admin")
def widget() -> str:
    return _page()


def _page(
    form: MultiDict[str, str] | None = None, error: FrontdeskError | None = None, *, secret: str = ""
) -> str:
    with parts().database.read() as records:
        found = asked_site(records)
    look = WidgetOptions.of_site(found.options)
    asked = {field.name: "required" if field.required else "optional" for field in look.prechat}
    own = next((dict(field.label) for field in look.prechat if field.name == OWN_FIELD), {})
    return render_template(
        "admin/widget.html",
        site=found,
        here=argument(found),
        options=SiteOptions.from_json(found.options),
        look=look,
        asked=asked,
        own=own,
        contact=CONTACT,
        ways=ASKED,
        positions=POSITIONS,
        themes=THEMES,
        corners=CORNERS,
        swatches=SWATCHES,
        locales=parts().languages.names,
        most_mb=MOST_ATTACHMENT_MB,
        form=form or MultiDict(),
        error=error,
        secret=secret,
        origin=own_origin(),
        colour=asset_url("colour.js"),
        ground=tokens()["sunken"].light,  # of answers in the widget
    )


@blueprint.get("/widget/preview")
@requires("admin")
def widget_preview() -> Response:
    """A page that stands for the company's own, with the widget on it; only the page above may show it."""
    with parts().database.read() as records:
        found = asked_site(records)
    response = make_response(render_template("admin/widget_preview.html", site=found))
    response.headers["Content-Security-Policy"] = page_policy("'self'")
    return response


@blueprint.post("/widget")
@requires("admin")
def change_widget() -> BaseResponse | tuple[str, int]:
    form = request.form
    try:
        with parts().database.write() as records:
            found = asked_site(records)
            before, said = WidgetOptions.of_site(found.options), SiteOptions.from_json(found.options)
            words = read_introduction(form, said)
            after = read_widget(form, before, parts().languages.codes)
            changed = {key: value for key, value in after.as_json().items() if before.as_json()[key] != value}
            changed |= {
                name: getattr(words, name)
                for name in ("accent", "title", "greeting")
                if getattr(words, name) != getattr(said, name)
            }
            found.options = dict(found.options) | {
                "accent": words.accent,
                "title": words.title,
                "greeting": words.greeting,
                "widget": after.as_json(),
            }
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
    return redirect(url_for("admin.widget", site=argument(found)), code=303)


def read_introduction(form: MultiDict[str, str], before: SiteOptions) -> SiteOptions:
    """Colour, name and greetings that a form asks for. Raises InputError."""
    accent = form.get("accent", before.accent).strip().lower()
    if not _COLOUR.fullmatch(accent):
        raise InputError("Not a colour", field="accent", value=accent[:20], remedy="Write it like #0f766e")
    greeting = {}
    for lang in {*before.greeting, *parts().languages.codes}:
        text = form.get(f"greeting_{lang}", before.greeting.get(lang, "")).strip()
        if len(text) > GREETING_LIMIT:
            raise InputError(
                "The greeting is too long",
                field=f"greeting_{lang}",
                remedy=f"Use at most {GREETING_LIMIT} characters",
            )
        if text:
            greeting[lang] = text
    title = form.get("title", before.title).strip()[:TITLE_LIMIT]
    return replace(before, accent=accent, greeting=greeting, title=title)


def read_widget(form: MultiDict[str, str], before: WidgetOptions, languages: Sequence[str]) -> WidgetOptions:
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
            labels = {lang: form.get(f"label_{lang}", "").strip()[:60] for lang in languages}
            label = tuple((lang, text) for lang, text in labels.items() if text) if name == OWN_FIELD else ()
            fields.append(PrechatField(name, way == "required", label))
    shown = {*CONTACT, OWN_FIELD}
    return WidgetOptions(
        position=form.get("position", before.position),  # type: ignore[arg-type]  # it checks itself
        theme=form.get("theme", before.theme),  # type: ignore[arg-type]
        corners=form.get("corners", before.corners),  # type: ignore[arg-type]
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
        found = asked_site(records)
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
