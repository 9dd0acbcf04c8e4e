"""A real browser for the tests of pages: Debian's Chromium through Playwright, and the application on a port."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, Response
from flask.sessions import SecureCookieSessionInterface
from werkzeug.serving import WSGIRequestHandler, make_server

from chatbot.records import actions, example_changes, proposals
from chatbot.records.api_keys import create_key
from chatbot.records.conversations import hand_over
from chatbot.records.database import Database
from chatbot.records.example_changes import OUT_OF_SCOPE, Decider
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import (
    Answer,
    Example,
    Feedback,
    Intent,
    Job,
    Person,
    Release,
    Transcript,
    Turn,
)
from web.context import parts_of
from web.page_list import Page, listed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@contextmanager
def ports() -> Iterator[Callable[[Flask], str]]:
    running = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
        server.daemon_threads = True  # type: ignore[attr-defined]  # an open event stream must not hold up the end
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Puts an application on a free port and says where."""
    with ports() as start:
        yield start


@pytest.fixture
def url(app: Flask, serve: Callable[[Flask], str]) -> str:
    return serve(app)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Debian's Chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    sync_api.expect.set_options(
        timeout=20_000
    )  # a machine may be busy; what is there is seen at once all the same
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained about."""
    return []


@pytest.fixture
def context(browser: Any, problems: list[str]) -> Iterator[Any]:
    context = browser.new_context(
        viewport={"width": 1200, "height": 800}, reduced_motion="reduce", locale="en-GB"
    )
    context.set_default_timeout(30_000)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield context
    context.close()


@pytest.fixture
def open_widget(context: Any, url: str) -> Callable[..., tuple[Any, Any]]:
    def open_it(page: Any = None, address: str = "/") -> tuple[Any, Any]:
        page = page or context.new_page()
        page.goto(url + address)
        page.get_by_role("button", name=re.compile("^(Open chat|打开在线咨询)")).click()
        frame = page.frame_locator("iframe")
        frame.locator("body[data-ready]").wait_for(state="attached")
        return page, frame

    return open_it


@pytest.fixture
def audit() -> Callable[[Any], list[str]]:
    """axe-core's rules of WCAG 2.0 to 2.2, levels A and AA, over a page or a frame."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def run(target: Any) -> list[str]:
        target.wait_for_load_state("load")  # on a busy machine the page is there before its style is
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = axe.run(target, options={"runOnly": {"type": "tag", "values": tags}})
        return [
            f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for violation in found.response["violations"]
            for node in violation["nodes"]
        ]

    return run


@pytest.fixture
def full(app: Flask) -> None:
    """Something on every page (web/page_list.py): an empty table hides what is wrong with a full one."""
    fill(app)


def fill(app: Flask) -> None:
    database, settings = parts_of(app).database, parts_of(app).settings
    client = app.test_client()
    for text in ("refund, please", "which one?", "refund, generated?"):
        started = client.post("/api/v1/conversations", json={}).get_json()
        headers = {"Authorization": f"Bearer {started['token']}"}
        client.post(f"/api/v1/conversations/{started['id']}/messages", json={"text": text}, headers=headers)
    with database.write() as session:
        hand_over(session, started["id"], reason="visitor_asked")
        session.add(Feedback(turn_id=session.query(Turn.id).filter_by(role="bot").first()[0], vote="down"))
        create_key(session, name="shop", scopes=["chat"])
        put_article(
            session,
            ArticleDraft(
                slug="refunds",
                lang="en",
                title="Refunds",
                body="# Refunds\n\nThree days.",
                passages=(
                    PassageDraft("Refunds", "Three days."),
                    PassageDraft("Refunds", "To the same card."),
                ),
                source="r.md",
                questions=("How long?",),
            ),
        )
        intent = Intent(name="refund_time", titles={"en": "Refund time"}, status="live")
        session.add(intent)
        session.flush()
        session.add(Answer(intent_id=intent.id, lang="en", text="Three days.", status="draft"))
        said = [{"role": "customer", "text": "Money back?"}, {"role": "agent", "text": "In three days."}]
        talk = Transcript(content_hash="t", lang="en", tag="refund_time", split="train", turns=said)
        session.add(talk)
        session.flush()
        session.add(
            Example(
                text="Money back?",
                lang="en",
                intent_id=intent.id,
                source="transcript",
                status="accepted",
                transcript_id=talk.id,
                content_hash="m",
                group_key="m",
                label_reason="the conversation's tag",
            )
        )
        written = example_changes.add(
            session, "when do I get my money", intent=OUT_OF_SCOPE, by=Decider(None)
        )
        example_changes.relabel(session, written.examples, intent="refund_time", by=Decider(None))
        rows = [
            Example(
                text=f"gift card {n}", lang="en", source="transcript", content_hash=str(n), group_key=str(n)
            )
            for n in range(6)
        ]
        session.add_all(rows)
        session.flush()
        proposals.add_proposal(
            session,
            proposals.NewProposal(
                name="gift_card",
                terms=("gift",),
                members={row.id: 1.0 for row in rows},
                drafts={"en": "We sell them."},
            ),
        )
        actions.save(
            session,
            actions.Draft(
                name="refund_time",
                intent="refund_time",
                url="https://www.example.com/refunds",
                slots=[{"name": "order", "kind": "order", "ask": {"en": "Which order?"}}],
                templates={"en": "Your refund for {order} comes {day}."},
                proof={"kind": "answer", "accepts": ["email"], "paths": {"email": "buyer.email"}},
            ),
        )
        figures = {"classifier": {"accuracy": 88.0, "calibration": [[30.0, 25.0, 4], [90.0, 95.0, 14]]}}
        session.add(Release(id="r1", snapshot="s", metrics=figures, reason="too few to tell"))
        report = {"files": 1, "stored": 2, "row_errors": [{"line": 3, "message": "Its question is empty"}]}
        session.add(
            Job(
                kind="import_articles",
                state="done",
                progress=1.0,
                arguments={"names": ["faq.csv"]},
                result=report,
            )
        )
    table = settings.uploads / ("0" * 32) / "chats.csv"
    table.parent.mkdir(parents=True)
    table.write_text(
        "Chat,By whom,Said\na,Client,Where is my parcel?\na,Agent,It arrives on Friday.\n", encoding="utf-8"
    )


@pytest.fixture
def admin_cookie(app: Flask) -> str:
    """The session of an admin who has signed in, without the time that a password takes."""
    return admin_of(app)


def admin_of(app: Flask) -> str:
    with parts_of(app).database.write() as session:
        person = Person(email="mei@example.com", name="Mei", password_hash="x", role="admin")
        session.add(person)
        session.flush()
        claims = {"_user_id": f"{person.id}:0", "_fresh": True, "_permanent": True}
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    return str(signer.dumps(claims))


@dataclass(frozen=True)
class Installation:
    """Where it runs, its pages, and the session of its admin."""

    url: str
    pages: list[Page]
    cookie: str


@pytest.fixture(scope="module")
def installation(shared_app: Flask) -> Iterator[Installation]:
    """One with something on every page, for all the tests of a module that look at pages and change nothing."""
    fill(shared_app)
    with ports() as start:
        pages = listed(shared_app, parts_of(shared_app).database)
        yield Installation(start(shared_app), pages, admin_of(shared_app))


@pytest.fixture
def inside(browser: Any, admin_cookie: str, problems: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens a browser's page in which an admin is signed in, or a stranger's."""
    contexts = []

    def open_it(*, stranger: bool = False, **options: Any) -> Any:
        context = browser.new_context(**({"locale": "en-GB", "reduced_motion": "reduce"} | options))
        context.set_default_timeout(30_000)
        cookie = {"name": "frontdesk", "value": admin_cookie, "domain": "127.0.0.1", "path": "/admin"}
        context.add_cookies([] if stranger else [cookie])
        context.on("weberror", lambda error: problems.append(str(error.error)))
        context.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        contexts.append(context)
        return context.new_page()

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(app: Flask, browser: Any, url: str, database: Database, problems: list[str]) -> Iterator[Any]:
    """A browser in which somebody is signed in, with the inbox open."""
    contexts = []

    def open_it(name: str, path: str = "/admin/inbox/", **options: Any) -> Any:
        with database.write() as session:
            person = Person(email=f"{name.lower()}@example.com", name=name, password_hash="x", role="admin")
            session.add(person)
            session.flush()
            claims = {"_user_id": f"{person.id}:0", "_fresh": True, "_permanent": True}
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert signer is not None
        context = browser.new_context(
            **({"locale": "en-GB", "viewport": {"width": 1300, "height": 800}} | options)
        )
        context.set_default_timeout(30_000)
        context.add_cookies(
            [
                {
                    "name": "frontdesk",
                    "value": str(signer.dumps(claims)),
                    "domain": "127.0.0.1",
                    "path": "/admin",
                }
            ]
        )
        context.on("weberror", lambda error: problems.append(str(error.error)))
        contexts.append(context)
        page = context.new_page()
        page.goto(url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture
def foreign(url: str, serve: Callable[[Flask], str]) -> str:
    """A page of another site (not of another port alone: browsers keep storage and locks from such a frame) whose own
    policy allows the installation's script and frame and nothing else."""
    host = Flask("host")

    @host.get("/")
    def page() -> Response:
        snippet = f'<script async src="{url}/widget.js" data-site="default"></script>'
        page = Response(
            f"<!doctype html><html lang=en><title>Shop</title><body><p>Shop</p>{snippet}{snippet}"
        )
        page.headers["Content-Security-Policy"] = f"default-src 'none'; script-src {url}; frame-src {url}"
        return page

    return serve(host).replace("127.0.0.1", "localhost")
