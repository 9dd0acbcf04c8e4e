"""An application on a fresh database in a temporary folder, with an assistant that the test controls."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.dialogue.actions import Talk
from chatbot.dialogue.cards import Card, CardLink
from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.trace import (
    Choice,
    Classification,
    IntentGuess,
    Message,
    PartTrace,
    Reply,
    ReplyPart,
    Source,
    Trace,
)
from chatbot.records import people
from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Person
from chatbot.settings import Settings
from web import create_app
from web.limits import limiter
from web.serving import Serving


def pytest_configure(config: pytest.Config) -> None:
    """With pytest-xdist every core has a worker already. Threads of libraries on top of them wait for each other while
    they spin: a training of 19 processor seconds took 282 of them. The workers, and what they start, inherit this."""
    if getattr(config.option, "numprocesses", None):
        for library in ("OMP", "OPENBLAS", "MKL"):
            os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What drives a browser waits for another program on a machine that may be busy: one failure of it is tried again
    (the summary names it), a second one counts."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


CARDS = (
    Card(
        "Express",
        "With you tomorrow.",
        "/favicon.ico",
        "A courier on a bicycle",
        (CardLink("Book it", "https://shop.example/express"), CardLink("Our help", "/help/en/express")),
    ),
    Card("Standard", "Three days."),
    Card("Collect", "In 14 shops.", links=(CardLink("Find a shop", "https://shop.example/shops"),)),
)


class ScriptedAssistant:
    """Answers by rules that a test can read, and remembers what it was asked."""

    release_id = "r-test"

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[Message], int]] = []
        self.refreshed = 0
        self.before_reply: Callable[[str], None] = lambda text: None
        self._lock = threading.Lock()

    def refresh(self) -> None:
        self.refreshed += 1

    def reply(
        self,
        text: str,
        *,
        history: Sequence[Message],
        locale: str,
        options: SiteOptions,
        failures: int = 0,
        talk: Talk | None = None,
        hurried: Callable[[], bool] = lambda: False,
        for_agents: bool = False,
    ) -> tuple[Reply, Trace]:
        with self._lock:
            self.calls.append((text, list(history), failures))
        self.before_reply(text)
        part = self._part(text)
        decided = PartTrace(
            request=text,
            lang=locale,
            classification=Classification((IntentGuess("refund_time", 0.91, "Refund time"),), 0.98),
            hits=(),
            draft=None,
            kind=part.kind,
            rule="asked_for_person" if part.kind == "person" else "sure",
            reason="written by the test",
            left_out=hurried(),
        )
        return Reply((part,)), Trace(
            self.release_id, options.mode, {"sureness": options.sureness}, (decided,)
        )

    def _part(self, text: str) -> ReplyPart:
        if text == "/handover" or "person" in text or "人工" in text:
            return ReplyPart("I'll pass you on to a colleague.", "person", 1.0)
        if "which" in text:
            choices = (Choice("Refund time", "/intent refund_time"), Choice("Talk to a person", "/handover"))
            return ReplyPart("Did you mean one of these?", "choices", 0.4, choices=choices)
        if "cards" in text:
            return ReplyPart("Three ways.", "approved", 0.9, "delivery", cards=CARDS)
        if "xyzzy" in text:
            return ReplyPart("I'm not sure I know the answer to that.", "unknown", 0.1)
        source = Source(
            "Refunds", "https://shop.example/help/refunds", "Refunds arrive within 3 working days."
        )
        return ReplyPart(
            f"About “{text}”: refunds arrive within 3 working days.\n\nWe write to you when it is sent.",
            "generated" if "generated" in text else "passage",
            0.91,
            "refund_time",
            (source,),
        )


def settings_in(folder: Path) -> Settings:
    return Settings(
        _env_file=None,
        data=folder,
        database_url="",
        limits_url="memory://",
        chat_rate="1000 per minute",
        signin_rate="1000 per minute",
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture(scope="session")
def newest_schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with the newest schema: copying it is quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("schema") / "frontdesk.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@contextmanager
def fresh_database(settings: Settings, newest_schema: Path) -> Iterator[Database]:
    shutil.copy(newest_schema, settings.data / "frontdesk.db")
    database = Database(settings.database)
    yield database
    database.dispose()


@pytest.fixture
def database(settings: Settings, newest_schema: Path) -> Iterator[Database]:
    """A database of its own for each test, brought to the newest schema already."""
    with fresh_database(settings, newest_schema) as database:
        yield database


@contextmanager
def _shared_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of encoders that all workers of this run share, one of them at a time."""
    from filelock import FileLock

    own = tmp_path_factory.getbasetemp()
    store = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "encoders"
    with FileLock(f"{store}.lock"):
        yield store


@pytest.fixture(scope="session")
def packaged_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the packaged encoder; its export takes ten seconds."""
    from chatbot.learning.encoders import ensure_encoder

    with _shared_store(tmp_path_factory) as store:
        return ensure_encoder("packaged", store)


@pytest.fixture(scope="session")
def packaged_chinese_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the packaged Chinese encoder; its export takes half a minute."""
    from chatbot.learning.encoders import CHINESE, ensure_encoder

    with _shared_store(tmp_path_factory) as store:
        return ensure_encoder(CHINESE, store)


@pytest.fixture
def assistant() -> ScriptedAssistant:
    return ScriptedAssistant()


class ServingThis(Serving):
    """Serves the assistant it was given and follows nothing."""

    def __init__(self, database: Database, settings: Settings, assistant: ScriptedAssistant) -> None:
        super().__init__(database, settings)
        self._assistant = assistant

    def start(self) -> None:
        pass


@pytest.fixture
def serving(settings: Settings, database: Database, assistant: ScriptedAssistant) -> Serving:
    return ServingThis(database, settings, assistant)


def application(settings: Settings, database: Database, serving: Serving) -> Flask:
    app = create_app(settings, database=database, serving=serving)
    app.config["TESTING"] = True
    limiter.reset()
    return app


@pytest.fixture
def app(settings: Settings, database: Database, serving: Serving) -> Flask:
    return application(settings, database, serving)


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory: pytest.TempPathFactory, newest_schema: Path) -> Iterator[Flask]:
    """One application for all the tests of a module that look at it and leave it as it is."""
    settings = settings_in(tmp_path_factory.mktemp("shared"))
    with fresh_database(settings, newest_schema) as database:
        yield application(settings, database, ServingThis(database, settings, ScriptedAssistant()))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask, database: Database) -> Callable[..., FlaskClient]:
    """A client of the staff's pages, signed in with a role and, where it matters, under a name; signing in itself
    and the token of a form have tests of their own (tests/web/test_access.py)."""

    def make(role: str = "admin", name: str = "") -> FlaskClient:
        email = f"{(name or role).lower()}@example.com"
        with database.write() as session:
            person = people.find_person(session, email)
            if person is None:
                person = Person(email=email, name=name or role.title(), password_hash="x", role=role)
                session.add(person)
                session.flush()
            identity = f"{person.id}:{person.session_epoch}"
        client = app.test_client()
        with client.session_transaction(path="/admin/") as cookie:
            cookie["_user_id"], cookie["_fresh"] = identity, True
        return client

    return make
