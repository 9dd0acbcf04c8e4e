"""A site's switches: what the bot may say, how sure it must be, its greeting, where the widget may stand."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.options import MODES, SiteOptions
from chatbot.errors import FrontdeskError, InputError
from chatbot.records import audit
from chatbot.records.conversations import DEFAULT_SITE, find_site
from web.access import person_id, requires
from web.admin.blueprint import blueprint
from web.context import parts
from web.language import gettext

GREETING_LIMIT = 500  # characters
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*|[0-9a-f:]+")


@blueprint.get("/site")
@requires("admin")
def site() -> str:
    return _page()


def _page(form: MultiDict[str, str] | None = None, error: FrontdeskError | None = None) -> str:
    with parts().database.read() as records:
        found = find_site(records, DEFAULT_SITE)
    return render_template(
        "admin/site.html",
        site=found,
        options=SiteOptions.from_json(found.options),
        modes=MODES,
        form=form or MultiDict(),
        error=error,
        snippet=f'<script async src="{url_for("admin.home", _external=True).removesuffix("/admin/")}/widget.js" '
        f'data-site="{found.key}"></script>',
    )


@blueprint.post("/site")
@requires("admin")
def change_site() -> BaseResponse | tuple[str, int]:
    form = request.form
    try:
        with parts().database.write() as records:
            found = find_site(records, DEFAULT_SITE)
            before = SiteOptions.from_json(found.options)
            after = read_options(form, before)
            origins = read_origins(form.get("origins", ""))
            changed = {key: value for key, value in asdict(after).items() if asdict(before)[key] != value} | (
                {"allowed_origins": origins} if origins != list(found.allowed_origins) else {}
            )
            found.options = dict(found.options) | asdict(after)
            found.allowed_origins = origins
            found.name = form.get("name", "").strip()[:200] or found.name
            if changed:
                audit.record(
                    records,
                    action="site.change",
                    subject=f"site {found.key}",
                    person_id=person_id(),
                    detail=changed,
                )
    except FrontdeskError as error:
        return _page(form, error), error.status
    flash(gettext("Saved. The next message is answered by these settings."))
    return redirect(url_for("admin.site"), code=303)


def read_options(form: MultiDict[str, str], before: SiteOptions) -> SiteOptions:
    """The options that a form asks for. Raises InputError for a value that cannot be."""
    try:
        sureness = float(form.get("sureness", before.sureness))
        choice_floor = float(form.get("choice_floor", before.choice_floor))
    except ValueError as error:
        raise InputError(
            "Not a number", field="sureness", value=form.get("sureness"), remedy="Give a number from 0 to 1"
        ) from error
    work: dict[str, Any] = {}
    for name in ("saved_minutes", "hour_cost"):
        given = form.get(name, "").strip() or str(getattr(before, name))
        try:
            work[name] = float(given)
        except ValueError as error:
            raise InputError(
                "Not a number", field=name, value=given[:20], remedy="Give a number, for example 6 or 7.5"
            ) from error
    greeting = {}
    for lang in {*before.greeting, "en", "zh"}:
        text = form.get(f"greeting_{lang}", before.greeting.get(lang, "")).strip()
        if len(text) > GREETING_LIMIT:
            raise InputError(
                "The greeting is too long",
                field=f"greeting_{lang}",
                remedy=f"Use at most {GREETING_LIMIT} characters",
            )
        if text:
            greeting[lang] = text
    return replace(
        before,
        mode=form.get("mode", before.mode),  # type: ignore[arg-type]  # SiteOptions checks it
        sureness=sureness,
        choice_floor=min(choice_floor, sureness),
        greeting=greeting,
        title=form.get("title", before.title).strip()[:100],
        **work,
    )


def read_origins(text: str) -> list[str]:
    """One origin a line, as a browser sends it: scheme and host, no path. Raises InputError for anything else."""
    origins = []
    for line in text.split():
        split = urlsplit(line.rstrip("/"))
        if (
            split.scheme not in ("http", "https")
            or not _HOST.fullmatch(split.hostname or "")
            or split.path
            or split.query
            or split.username
        ):
            raise InputError(
                "This is not an origin",
                field="origins",
                value=line,
                remedy="Write https://www.example.com, one a line",
            )
        origin = f"{split.scheme}://{split.netloc.lower()}"
        if origin not in origins:
            origins.append(origin)
    return origins
