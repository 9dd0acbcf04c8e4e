"""The blueprint with what all its pages share: the guard, the language, the numbers in the menu, the formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from chatbot.dialogue.cards import cards_of
from chatbot.records.overview import waiting_count
from chatbot.records.tables import utcnow
from web.access import guard
from web.admin.icons import icon
from web.admin.sites import site_choice
from web.context import parts
from web.language import LANGUAGES, counted, gettext, page_language
from web.periods import first_day, last_day
from web.sentences import KIND_WORDS, channel_in_words, in_words, reason_in_words

blueprint = Blueprint(
    "admin",
    __name__,
    url_prefix="/admin",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)


@dataclass(frozen=True, slots=True)
class MenuEntry:
    endpoint: str
    text: str
    role: str
    icon: str
    group: str = ""


MENU = (
    MenuEntry("admin.home", "Overview", "viewer", "chart-bar-square"),
    MenuEntry("inbox.home", "Inbox", "agent", "inbox"),
    MenuEntry("admin.conversations", "Conversations", "viewer", "chat-bubble-left-right"),
    MenuEntry("admin.articles", "Articles", "viewer", "book-open", "Knowledge"),
    MenuEntry("admin.intents", "Intents & answers", "viewer", "light-bulb", "Knowledge"),
    MenuEntry("admin.upload", "Upload", "editor", "arrow-up-tray", "Knowledge"),
    MenuEntry("admin.review_page", "Review queue", "editor", "clipboard-document-check", "Learning"),
    MenuEntry("admin.discovery", "Proposed intents", "editor", "sparkles", "Learning"),
    MenuEntry("admin.provisional", "Provisional intents", "viewer", "bookmark", "Learning"),
    MenuEntry("admin.gaps_page", "Gaps", "editor", "puzzle-piece", "Learning"),
    MenuEntry("admin.examples", "Examples", "viewer", "academic-cap", "Learning"),
    MenuEntry("admin.releases", "Releases", "viewer", "rocket-launch", "Bot"),
    MenuEntry("admin.jobs", "Jobs", "viewer", "arrow-path", "Bot"),
    MenuEntry("admin.actions", "Actions", "admin", "bolt", "Bot"),
    MenuEntry("admin.site", "Site settings", "admin", "adjustments-horizontal", "Settings"),
    MenuEntry("admin.widget", "Widget", "admin", "paint-brush", "Settings"),
    MenuEntry("inbox.hours", "Opening hours", "admin", "clock", "Settings"),
    MenuEntry("inbox.webhooks", "Webhooks", "admin", "globe-alt", "Settings"),
    MenuEntry("admin.api_keys", "API keys", "admin", "key", "Settings"),
    MenuEntry("admin.people", "People", "admin", "users", "Settings"),
    MenuEntry("admin.privacy", "Privacy", "admin", "shield-check", "Settings"),
    MenuEntry("admin.audit", "Audit log", "admin", "document-magnifying-glass", "Settings"),
)


@blueprint.before_request
def check_access() -> BaseResponse | None:
    if request.endpoint == f"{blueprint.name}.static":
        return None  # style sheets and scripts, the same for everybody; the sign-in page needs them
    return guard(current_app)


@blueprint.after_request
def keep_out_of_caches(response: Response) -> Response:
    if request.endpoint != f"{blueprint.name}.static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.app_context_processor
def shared() -> dict[str, Any]:
    return {
        "_": gettext,
        "counted": counted,
        "icon": icon,
        "page_language": page_language,
        "languages": LANGUAGES,
        "kind_words": KIND_WORDS,
        "menu": menu,
        "me": current_user,
        "waiting": waiting,
        "site_choice": site_choice,
    }


def waiting() -> int:
    """Handovers that nobody has taken, looked up once a page."""
    if "waiting" not in g:
        with parts().database.read() as records:
            g.waiting = waiting_count(records)
    number: int = g.waiting
    return number


def menu() -> list[MenuEntry]:
    """The entries that the person may open and that this installation has."""
    if not current_user.is_authenticated:
        return []
    return [
        entry
        for entry in MENU
        if current_user.may(entry.role) and entry.endpoint in current_app.view_functions
    ]


blueprint.add_app_template_filter(lambda turn: cards_of(turn.role, turn.reply), "cards")
blueprint.add_app_template_filter(in_words, "in_words")
blueprint.add_app_template_filter(first_day, "first_day")
blueprint.add_app_template_filter(last_day, "last_day")
blueprint.add_app_template_filter(reason_in_words, "handover")
blueprint.add_app_template_filter(channel_in_words, "channel")


@blueprint.app_template_filter("when")
def when(moment: datetime | None) -> str:
    """A time as people say it: the hour for today, the day for this year."""
    if moment is None:
        return "–"
    local, now = moment.astimezone(), utcnow().astimezone()
    if local.date() == now.date():
        return f"{local:%H:%M}"
    if page_language() == "zh":
        return (
            f"{local.month}月{local.day}日 {local:%H:%M}" if local.year == now.year else f"{local:%Y-%m-%d}"
        )
    return f"{local.day} {local:%b %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d}"


@blueprint.app_template_filter("lasting")
def lasting(milliseconds: float) -> str:
    """How long something took: in ms, from two seconds on in seconds."""
    return f"{milliseconds:.0f} ms" if milliseconds < 2000 else f"{milliseconds / 1000:.1f} s"


@blueprint.app_template_filter("iso")
def iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""


@blueprint.app_template_filter("percent")
def percent(share: float | None) -> str:
    """A probability 0..1 as a percentage."""
    return "–" if share is None else f"{100 * share:.0f} %"


@blueprint.app_template_filter("count")
def count(number: int | None) -> str:
    """12,345 with a thin space, which no language reads as a decimal sign."""
    return "–" if number is None else f"{number:,}".replace(",", "\u2009")
