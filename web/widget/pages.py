"""Pages for visitors: the loader, the widget's frame, the chat as a page, and the help pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from chatbot.dialogue.hours import is_open
from chatbot.dialogue.options import SiteOptions
from chatbot.records.conversations import DEFAULT_SITE, find_site
from chatbot.records.tables import Site, utcnow
from web.card_pictures import CardPictures
from web.context import parts
from web.headers import page_policy
from web.visitors import frame_ancestors, own_origin
from web.widget import assets
from web.widget.help import article, article_html, sample, section_title, sections, starters
from web.widget_options import THEMES, WidgetOptions

LOADER_SECONDS = 300  # the loader's address never changes: hosts get a new one within five minutes
YEAR_SECONDS = 31_536_000

blueprint = Blueprint("widget", __name__, template_folder="templates")


@blueprint.app_context_processor
def globals_of_templates() -> dict[str, Any]:
    return {"asset": asset_url}


def asset_url(name: str) -> str:
    return url_for("widget.asset", version=assets.version(), name=name)


# --- files -----------------------------------------------------------------------------------------------


@blueprint.get("/widget.js")
def loader() -> Response:
    response = make_response(assets.read("widget.js"))
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = f"public, max-age={LOADER_SECONDS}"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is there for other sites
    response.add_etag()
    return make_response(response.make_conditional(request))


@blueprint.get("/widget/<version>/<name>")
def asset(version: str, name: str) -> Response:
    mimetype = assets.FILES.get(name)
    if mimetype is None:
        abort(404)
    return _kept(assets.read(name), mimetype, fresh=version == assets.version())


@blueprint.get("/widget/<version>/locales/<language>.json")
def locale(version: str, language: str) -> Response:
    languages = parts().languages
    if language not in languages.codes:
        abort(404)
    return _kept(languages.chat_json(language), "application/json", fresh=version == languages.version)


def _kept(content: bytes, mimetype: str, *, fresh: bool) -> Response:
    """``fresh``: under its own address; a page from before an update must not keep the new file as the old one."""
    response = make_response(content)
    response.mimetype = mimetype
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable" if fresh else "no-store"
    return response


@blueprint.get("/pictures/<name>")
def picture(name: str) -> Response:
    """A card's picture, also for chat windows of others; its address changes with its content."""
    content, media_type = CardPictures(parts().settings.data).read(name)
    response = make_response(content)
    response.mimetype = media_type
    response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/favicon.ico")
def favicon() -> Any:
    return redirect(asset_url("mark.svg"))


# --- the chat --------------------------------------------------------------------------------------------


@blueprint.get("/widget/frame")
def frame() -> Response:
    """The widget's inside. Only pages of the site's allowed origins may show it (frame-ancestors)."""
    with parts().database.read() as session:
        site = find_site(session, request.args.get("site") or DEFAULT_SITE)
        response = make_response(_chat_page(session, site, mode="frame"))
    ancestors = frame_ancestors(site.allowed_origins)
    response.headers["Content-Security-Policy"] = page_policy(ancestors, _pictures())
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # hosts with COEP: require-corp
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/chat")
def chat() -> Response:
    """The same chat as a page of its own."""
    with parts().database.read() as session:
        site = find_site(session, request.args.get("site") or DEFAULT_SITE)
        response = make_response(_chat_page(session, site, mode="page"))
    response.headers["Content-Security-Policy"] = page_policy(images=_pictures())
    return response


def _pictures() -> tuple[str, ...]:
    """What the chat shows beside our own: cards' pictures, and visitors' files, which it fetches with a token."""
    return ("blob:", *(f"https://{host}" for host in parts().image_hosts))


def _chat_page(session: Session, site: Site, *, mode: str) -> str:
    options = SiteOptions.from_json(site.options)
    language = visitor_language()
    languages = parts().languages
    look = WidgetOptions.of_site(site.options)
    theme = request.args.get("theme", look.theme)
    config: dict[str, Any] = {
        "mode": mode,
        "site": site.key,
        "title": options.title or site.name,
        "accent": options.accent,
        "theme": theme if theme in THEMES else look.theme,
        "position": look.position,
        "corners": look.corners,
        "csat": look.csat,
        "hours": options.opening_hours is not None,
        "hides": options.hide_closed,
        "hidden": options.hide_closed and not is_open(options.opening_hours, utcnow()),
        "attachmentMb": look.attachment_mb,
        "prechat": [field.as_json() for field in look.prechat],
        "locale": language,
        "locales": languages.names,
        "words": json.loads(languages.chat_json(language)),
        "greetings": options.greeting,
        "starters": {code: starters(session, code) for code in languages.codes},
        "parents": [own_origin(), *site.allowed_origins],
        "assets": f"/widget/{languages.version}",
        "limit": parts().settings.message_limit,
    }
    if mode == "frame" and "preview" in request.args:
        config |= {
            "preview": {code: sample(session, code) for code in languages.codes},
            "hours": False,
            "hidden": False,
        }
    return render_template(
        "chat.html", config=config, language=language, title=config["title"], modules=assets.MODULES
    )


def visitor_language() -> str:
    """From the address, else from the browser."""
    accepted = [tag for tag, _ in request.accept_languages]
    return parts().languages.best(request.args.get("locale"), *accepted)


# --- the company's help pages ----------------------------------------------------------------------------


@blueprint.get("/")
def home() -> str:
    """The help page of the site with the widget on it: what customers see."""
    language = visitor_language()
    with parts().database.read() as session:
        site = find_site(session, request.args.get("site") or DEFAULT_SITE)
        listed = sections(session, language)
    return _page("home.html", site, language, sections=listed, origin=own_origin())


@blueprint.get("/help/<language>/<slug>")
def help_article(language: str, slug: str) -> str:
    """One article. Its text comes from a file somebody uploaded: markup in it is shown as text, never obeyed."""
    with parts().database.read() as session:
        site = find_site(session, request.args.get("site") or DEFAULT_SITE)
        found = article(session, slug, language)
    if found is None:
        abort(404, "There is no such help article")
    shown = parts().languages.best(language)
    return _page(
        "article.html",
        site,
        shown,
        article=found,
        section=section_title(found.section),
        body=article_html(found),
    )


def _page(template: str, site: Site, language: str, **values: Any) -> str:
    options = SiteOptions.from_json(site.options)
    others: Sequence[tuple[str, str]] = [
        (code, name) for code, name in parts().languages.names.items() if code != language
    ]
    return render_template(
        template,
        site=site,
        title=options.title or site.name,
        accent=options.accent,
        language=language,
        others=others,
        words=parts().languages.words(language)["page"],
        all_words=parts().languages.words(language),
        **values,
    )
