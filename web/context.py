"""What one application is made of, reachable from any view of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, current_app

from chatbot.dialogue.cards import image_hosts
from chatbot.records.database import Database
from chatbot.settings import Settings

if TYPE_CHECKING:
    from web.exchange import Exchange
    from web.mood import Moods
    from web.news import News
    from web.pressure import Crowd
    from web.serving import Serving
    from web.streaming import StreamSlots
    from web.typing_signs import Typing
    from web.widget.languages import Languages

EXTENSION = "frontdesk"


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    database: Database
    serving: Serving
    exchange: Exchange
    crowd: Crowd
    news: News
    moods: Moods
    languages: Languages
    streams: StreamSlots
    typing: Typing
    agent_streams: (
        StreamSlots  # of the inbox: visitors who wait must not be kept out by colleagues who look on
    )

    @property
    def image_hosts(self) -> tuple[str, ...]:
        """Whose pictures cards may show, beside our own."""
        return image_hosts(self.settings.image_hosts)


def attach(app: Flask, parts: Parts) -> None:
    app.extensions[EXTENSION] = parts


def parts_of(app: Flask) -> Parts:
    found: Parts = app.extensions[EXTENSION]
    return found


def parts() -> Parts:
    """The parts of the application that handles the current request."""
    return parts_of(current_app)
