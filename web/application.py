"""The application factory: every blueprint, limit and header in one place."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flask import Flask, Response, jsonify, make_response
from flask_openapi3 import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from chatbot.dialogue.cards import image_hosts
from chatbot.records.conversations import ensure_default_site
from chatbot.records.database import Database
from chatbot.records.schema import is_current, upgrade
from chatbot.settings import Settings
from chatbot.settings import settings as read_settings
from web import access, admin, headers, inbox, observing, pressure, widget
from web.api import (
    actions,
    answering,
    articles,
    chat,
    chatwoot,
    deep_chat,
    errors,
    examples,
    files,
    health,
    provisional,
    rasa,
    reading,
    statistics,
    transcripts,
    visitors,
    waiting,
    webhooks,
)
from web.api.description import describe, register
from web.api.models import MAX_ID, ErrorAnswer
from web.context import Parts, attach
from web.exchange import Exchange
from web.limits import limiter
from web.metrics import blueprint as metrics_blueprint
from web.mood import Moods
from web.news import News
from web.secrets import check_metrics_token, session_key
from web.serving import Serving
from web.streaming import StreamSlots
from web.typing_signs import Typing, typing_signs
from web.widget.languages import Languages

log = logging.getLogger(__name__)


def build(
    settings: Settings | None = None, *, database: Database | None = None, serving: Serving | None = None
) -> Flask:
    """The whole web application.

    The database is brought to the newest schema and gets its default site where that is missing. ``serving`` is
    given by tests and by those who have an assistant already; otherwise this process follows the live release.
    """
    settings = settings or read_settings()
    check_metrics_token(settings.metrics_token)
    image_hosts(settings.image_hosts)
    database = database or Database(settings.database)
    if not is_current(database):
        upgrade(database)
    with database.write() as session:
        ensure_default_site(session)
    serving = serving or Serving(database, settings)

    app = OpenAPI(
        "web",
        info=Info(title="Frontdesk", version=_version(), description="Chat API, version 1."),
        security_schemes={
            "conversation_token": {"type": "http", "scheme": "bearer"},
            "api_key": {"type": "http", "scheme": "bearer", "description": "A key of the admin area: fdk_…"},
        },
        doc_ui=False,
        validation_error_model=ErrorAnswer,
        validation_error_callback=errors.invalid_body,
        static_folder=None,
    )
    app.config.update(
        SECRET_KEY=session_key(settings.data),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        RATELIMIT_STORAGE_URI=settings.limits_url,
    )
    app.url_map.converters["int"] = StoredId
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]

    crowd, news = pressure.Crowd(), News(settings.live_url)
    news.attend(database)
    attach(
        app,
        Parts(
            settings=settings,
            database=database,
            serving=serving,
            exchange=Exchange(database, serving, message_limit=settings.message_limit, crowd=crowd),
            crowd=crowd,
            news=news,
            moods=Moods(settings.data),
            languages=Languages(settings.data),
            streams=StreamSlots(max(1, settings.web_threads // 2)),
            typing=Typing(typing_signs(settings), news),
            agent_streams=StreamSlots(max(1, settings.web_threads // 4)),
        ),
    )
    # Functions after a request run in reverse order: what measures comes first here, and the headers before the
    # rest to have the last word.
    observing.init_app(app, trusted=settings.trusted_proxies > 0)
    pressure.init_app(app)
    headers.init_app(app, upload_limit_mb=settings.upload_limit_mb)
    limiter.init_app(app)
    errors.init_app(app)

    for module in (
        *(chat, files, waiting),  # visitors
        *(
            reading,
            visitors,
            answering,
            statistics,
            actions,
            articles,
            examples,
            provisional,
            webhooks,
            transcripts,
        ),  # programs
        *(rasa, deep_chat),  # other people's chat windows
    ):
        register(app, module.api)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics_blueprint)
    _register_pages(app)

    @app.get("/openapi.json", doc_ui=False)
    def openapi() -> Response:
        return make_response(jsonify(describe(app)))

    serving.start()
    return app


class StoredId(IntegerConverter):
    """``<int:…>`` in an address is the id of a row: a number beyond 64 bits is none (404)."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:
        super().__init__(map, *args, **({"max": MAX_ID} | options))


def _register_pages(app: Flask) -> None:
    app.register_blueprint(widget.blueprint)
    access.init_app(app)
    app.register_blueprint(admin.blueprint)
    app.register_blueprint(inbox.blueprint)
    app.register_blueprint(chatwoot.blueprint)
    app.extensions["csrf"].exempt(chatwoot.blueprint)  # another server asks, with its key and signature
    posted = (
        chat,
        files,
        waiting,
        answering,
        actions,
        articles,
        examples,
        provisional,
        webhooks,
        rasa,
        deep_chat,
        transcripts,
    )
    for api in (module.api for module in posted):
        app.extensions["csrf"].exempt(api)  # no cookie is looked at there: see web/visitors.py


def _version() -> str:
    try:
        return version("frontdesk")
    except PackageNotFoundError:  # a plain checkout
        return "0"
