"""What people see: the chat API, the widget, the admin area, and the processes that serve them.

``create_app`` is the application factory (``gunicorn "web:create_app()"``). Flask is imported when it is called,
not before, because the ``frontdesk`` command lives in this package too and its ``--help`` must be quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from chatbot.records.database import Database
    from chatbot.settings import Settings
    from web.serving import Serving


def create_app(
    settings: Settings | None = None, *, database: Database | None = None, serving: Serving | None = None
) -> Flask:
    """The web application; see ``web.application.build``."""
    from web.application import build

    return build(settings, database=database, serving=serving)
