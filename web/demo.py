"""``frontdesk demo``: the demo company in the database, its bot trained, the site set up. Done once; later starts
find the live release and go straight to serving.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select

from chatbot.errors import ConflictError, InputError, TrainingError
from chatbot.extras import require_training
from chatbot.learning.releases import live_release_id
from chatbot.records import actions
from chatbot.records.conversations import ensure_default_site
from chatbot.records.database import Database
from chatbot.records.tables import Action
from chatbot.settings import Settings

Progress = Callable[[str, float], None]
SITE_NAME = "Kettle & Crane"
SURENESS = 0.55  # the lowest at which four in five of the tuning questions out of scope are refused, in each language
TRAINING_SECONDS = 180  # for all of it: enough for a company of this size; a newcomer waits for it


def prepare(database: Database, settings: Settings, *, progress: Progress | None = None) -> str:
    """Everything before serving; the id of the live release.

    An import that was interrupted goes on where it stopped, and training starts again from its last checkpoint.
    Raises TrainingError where training made no release that may go live.
    """
    with database.read() as session:
        live = live_release_id(session)
    if live is not None:
        return live
    require_training()

    from chatbot.learning.retraining import retrain
    from ingest.demo.company import build

    with _encoder_made(settings):
        build(database, settings.data / "demo", progress=progress)
    _set_up_site(database)
    outcome = retrain(
        database,
        settings,
        device=settings.device,
        seed=13,
        progress=progress,
        budget_seconds=TRAINING_SECONDS,
    )
    with database.read() as session:
        live = live_release_id(session)
    if live is None:
        raise TrainingError(
            "Training ended, but its release was not let through",
            value=outcome,
            remedy="See: frontdesk releases list",
        )
    return live


@contextmanager
def _encoder_made(settings: Settings) -> Iterator[None]:
    """Meanwhile, in a process of its own, the sentence encoder in the form that serves: half a minute of the training,
    which needs it first, while composing a company keeps one core busy. Where it fails, the training says why."""
    from chatbot.learning.encoders import DOMAIN

    if settings.encoder == DOMAIN:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(
        target=_make_encoder, args=(settings.encoder, settings.encoders), name="encoder", daemon=True
    )
    process.start()
    try:
        yield
        process.join()
    finally:
        process.terminate()


def _make_encoder(encoder: str, store: Path) -> None:
    """Silent: what an exporter prints is no news to who waits for a demo."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    from chatbot.learning.encoders import ensure_encoder

    ensure_encoder(encoder, store)


def _set_up_site(database: Database) -> None:
    """The demo shows everything the bot can do: sentences of its own are allowed, each checked and marked."""
    with database.write() as session:
        site = ensure_default_site(session, name=SITE_NAME)
        if not site.options:
            site.name = SITE_NAME
            site.options = {"mode": "generated_allowed", "sureness": SURENESS, "title": SITE_NAME}


def offer_orders(database: Database, settings: Settings) -> dict[str, str]:
    """Bind the demo's actions to its own order service on a port that is free, and return the environment from which
    the service learns where to listen and whose requests to answer. An action that was given another address is left
    alone."""
    from ingest.demo.company import demo_actions
    from ingest.demo.orders import ADDRESS_VARIABLE, SECRET_VARIABLE

    address = settings.demo_orders or f"http://127.0.0.1:{_free_port()}"
    secret = ""
    with database.write() as session:
        for draft, path in demo_actions():
            row = session.scalar(select(Action).where(Action.name == draft.name))
            if row is None:
                try:
                    row = actions.save(session, replace(draft, url=address + path))
                except (InputError, ConflictError):  # its intent is gone, or has another action by now
                    continue
            elif row.url.startswith("http://127.0.0.1:"):
                row.url = address + path
            else:
                continue
            secret = row.secret = secret or row.secret
    return {ADDRESS_VARIABLE: address, SECRET_VARIABLE: secret} if secret else {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
