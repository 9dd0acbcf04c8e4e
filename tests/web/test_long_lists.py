"""Lists longer than a page: following the links shows every row once, and the page says what it left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.records import actions, proposals
from chatbot.records.conversations import start_conversation
from chatbot.records.database import Database
from chatbot.records.erasure import MOST_FOUND
from chatbot.records.inbox import MOST, MOST_SHOWN
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import (
    ActionCall,
    ArticleQuestion,
    Delivery,
    Example,
    Intent,
    Job,
    Passage,
    Proposal,
    Release,
    Turn,
    Visitor,
    utcnow,
)
from web.inbox.views import MOST_TURNS


@pytest.fixture
def admin(app: Flask, signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return signed_in("admin", "Mei")


def walk(client: FlaskClient, path: str, pattern: str, *, nav: str = "") -> list[list[str]]:
    """What ``pattern`` finds on each page, from the first on along the links to the next; of several such links the
    one whose address fits ``nav``."""
    pages = []
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        pages.append(re.findall(pattern, answer.text))
        links = [unescape(one) for one in re.findall(r'rel="next" href="([^"]+)"', answer.text)]
        path = next((one for one in links if re.search(nav, one)), "")
        assert len(pages) < 30, "the links lead round"
    return pages


def whole(pages: list[list[str]], numbers: range, *, sizes: list[int]) -> None:
    assert [len(page) for page in pages] == sizes
    assert sorted(int(one) for page in pages for one in page) == list(numbers)


def test_jobs(admin: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.add_all(
            Job(kind="import_articles", state="done", arguments={"names": [f"f{n}.csv"]}) for n in range(101)
        )
    pages = walk(admin, "/admin/jobs", r">f(\d+)\.csv<")
    whole(pages, range(101), sizes=[50, 50, 1])
    assert pages[0][0] == "100"


def test_deliveries_of_webhooks(admin: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.add_all(
            Delivery(kind="webhook", event="message", state="failed", error=f"try {n}.") for n in range(61)
        )
    whole(walk(admin, "/admin/inbox/webhooks", r">try (\d+)\.<"), range(61), sizes=[30, 30, 1])


def test_requests_of_an_action(admin: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.add(Intent(name="stock", titles={"en": "Stock"}, status="live"))
        session.flush()
        draft = actions.Draft(
            name="stock",
            intent="stock",
            url="https://www.example.com/stock",
            slots=[],
            templates={"en": "{left} left."},
            proof={},
        )
        made = actions.save(session, draft)
        session.add_all(
            ActionCall(
                action_id=made.id, idempotency_key=str(n), subject="s", outcome="failed", detail=f"call {n}."
            )
            for n in range(41)
        )
    whole(walk(admin, f"/admin/actions/{made.id}", r">call (\d+)\.<"), range(41), sizes=[20, 20, 1])


WORDS = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ("lop", "rim", "nat")]


def ask(database: Database, number: int) -> None:
    """So many questions that nobody knew, no two alike."""
    with database.write() as session:
        for n in range(number):
            talk = start_conversation(session, site_id=1, token_hash="x", locale="en")
            asked = Turn(conversation_id=talk.id, role="customer", text=f"{WORDS[n]} question{n}x", lang="en")
            session.add(asked)
            session.flush()
            session.add(
                Turn(
                    conversation_id=talk.id,
                    role="bot",
                    text="Sorry.",
                    reply_to_id=asked.id,
                    kind="unknown",
                    confidence=0.1,
                    reply={"parts": []},
                    trace={"parts": []},
                )
            )


@pytest.mark.parametrize("path", ["/admin/review", "/admin/gaps"])
def test_the_review_queue_and_the_gaps(path: str, admin: FlaskClient, database: Database) -> None:
    ask(database, 121)
    whole(walk(admin, path, r"<h2[^>]*>\w+ question(\d+)x"), range(121), sizes=[60, 60, 1])
    told: Any = admin.get(f"{path}?page=3", headers={"Accept": "application/json"}).json
    assert (told["page"], told["pages"], told["total"], len(told["groups"])) == (3, 3, 121, 1)
    assert len(re.findall(r"<h2[^>]*>\w+ question\d+x", admin.get(f"{path}?page=99").text)) == 1


def test_who_decides_on_a_later_page_comes_back_to_it(admin: FlaskClient, database: Database) -> None:
    ask(database, 121)
    page = admin.get("/admin/review?page=2").text
    form = re.search(r'action="(/admin/review\?page=2)">.*?name="turns" value="(\d+)"', page, re.DOTALL)
    assert form
    answer = admin.post(form[1], data={"action": "ignore", "turns": form[2]})
    assert answer.headers["Location"].endswith("/admin/review?page=2")


def test_proposed_intents_their_messages_and_what_was_decided(admin: FlaskClient, database: Database) -> None:
    with database.write() as session:
        rows = [
            Example(text=f"text {n}.", lang="en", source="transcript", content_hash=str(n), group_key=str(n))
            for n in range(205)
        ]
        session.add_all(rows)
        session.flush()
        large = proposals.add_proposal(
            session, proposals.NewProposal("large", (), {row.id: 1.0 for row in rows}, {})
        )
        session.add_all(Proposal(name=f"intent{n}", status="open") for n in range(100))
        session.add_all(
            Proposal(name=f"done{n}", status="rejected", decided_at=utcnow() - timedelta(minutes=n))
            for n in range(25)
        )
    listed = walk(admin, "/admin/discovery", r"<label><input[^>]*> <a[^>]*>(\w+)</a>", nav=r"page=\d+$")
    assert [len(page) for page in listed] == [50, 50, 1] and listed[0][0] == "large"
    assert len({one for page in listed for one in page}) == 101
    whole(walk(admin, "/admin/discovery", r">done(\d+)</a>", nav="decided="), range(25), sizes=[12, 12, 1])
    path = f"/admin/discovery/{large.id}"
    whole(walk(admin, path, r"> text (\d+)\.<"), range(205), sizes=[100, 100, 5])


def test_questions_of_an_article_and_articles_that_are_never_shown(
    admin: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        for n in range(201):
            draft = ArticleDraft(f"a{n}", "en", f"Title {n}.", "Text", (PassageDraft("T", f"Text {n}"),))
            article, _ = put_article(session, draft)
        session.add_all(
            ArticleQuestion(
                article_id=article.id, lang="en", text=f"asked {n}.", source="import", content_hash=str(n)
            )
            for n in range(101)
        )
        session.flush()
        for passage in session.query(Passage).all():
            passage.source_changed = True
    whole(walk(admin, f"/admin/articles/{article.id}", r">asked (\d+)\.<"), range(101), sizes=[50, 50, 1])
    whole(walk(admin, "/admin/gaps", r">Title (\d+)\.<", nav="never="), range(201), sizes=[100, 100, 1])
    page = admin.get("/admin/articles?q=nothing-fits").text
    assert "and 181 more" in page
    assert sorted(map(int, re.findall(r">Title (\d+)\.<", page))) == list(range(201))


def test_people_who_are_found(admin: FlaskClient, database: Database) -> None:
    with database.write() as session:
        session.add_all(Visitor(site_id=1, name=f"Anna {n}.") for n in range(2 * MOST_FOUND + 1))
    pages = walk(admin, "/admin/privacy?q=Anna", r"<strong>Anna (\d+)\.<")
    whole(pages, range(2 * MOST_FOUND + 1), sizes=[MOST_FOUND, MOST_FOUND, 1])
    told: Any = admin.get("/admin/privacy?q=Anna&page=3", headers={"Accept": "application/json"}).json
    assert (len(told["people"]), told["more"]) == (1, False)


def test_topics_of_the_overview(admin: FlaskClient, database: Database) -> None:
    with database.write() as session:
        talk = start_conversation(session, site_id=1, token_hash="x", locale="en")
        session.add(Turn(conversation_id=talk.id, role="customer", text="Hello", lang="en"))
        for n in range(30):
            session.add_all(
                Turn(conversation_id=talk.id, role="bot", text="Yes.", kind="passage", intent=f"topic{n}t")
                for _ in range(40 - n)
            )
    page = admin.get("/admin/").text
    assert "and 18 more" in page
    bars = re.findall(r"<span>topic(\d+)t</span>", page)
    assert [int(one) for one in bars] == list(range(30))
    table = admin.get("/admin/figures/topics.csv").get_data(as_text=True)
    assert len(re.findall(r"topic\d+t", table)) == 30


def test_releases_that_an_answer_may_be_put_to(
    admin: FlaskClient, client: FlaskClient, database: Database
) -> None:
    started = client.post("/api/v1/conversations", json={}).get_json()
    headers = {"Authorization": f"Bearer {started['token']}"}
    said = client.post(
        f"/api/v1/conversations/{started['id']}/messages", json={"text": "refund"}, headers=headers
    ).get_json()
    with database.write() as session:
        session.add_all(Release(id=f"release-{n}-r", snapshot="s", metrics={}) for n in range(25))
    page = admin.get(f"/admin/turns/{said['turn_id']}").text
    assert len(set(re.findall(r'<option value="release-(\d+)-r"', page))) == 25


def wait(database: Database, number: int) -> None:
    with database.write() as session:
        for n in range(number):
            talk = start_conversation(session, site_id=1, token_hash="x", locale="en")
            talk.state, talk.handover_at = "waiting", utcnow() - timedelta(minutes=number - n)
            session.add(Turn(conversation_id=talk.id, role="customer", text=f"parcel {n}", lang="en"))


def test_a_box_of_the_inbox_shows_as_many_as_are_asked_for(admin: FlaskClient, database: Database) -> None:
    wait(database, 2 * MOST + 1)

    def lines(most: str) -> tuple[list[str], bool]:
        told = admin.get(f"/admin/inbox/snapshot?box=waiting{most}").get_json()["queue"]
        return [line["text"] for line in told["lines"]], told["more"]

    everybody = [f"parcel {n}" for n in range(2 * MOST + 1)]
    assert lines("") == (everybody[:MOST], True)
    assert lines(f"&most={2 * MOST}") == (everybody[: 2 * MOST], True)
    assert lines(f"&most={3 * MOST}") == (everybody, False)
    assert lines("&most=-5") == lines("&most=rubbish") == (everybody[:MOST], True)
    told = admin.get("/admin/inbox/snapshot?most=999999999").get_json()["queue"]
    assert told["most"] == MOST_SHOWN


def test_the_inbox_says_how_many_messages_of_a_conversation_it_leaves_out(
    admin: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        talk = start_conversation(session, site_id=1, token_hash="x", locale="en")
        session.add_all(
            Turn(conversation_id=talk.id, role="customer", text=f"line {n}.") for n in range(MOST_TURNS + 7)
        )
    told = admin.get(f"/admin/inbox/conversations/{talk.id}").get_json()
    assert (told["left_out"], len(told["turns"]), told["turns"][0]["text"]) == (7, MOST_TURNS, "line 7.")
    page = admin.get(f"/admin/conversations/{talk.id}").text
    assert sorted(map(int, re.findall(r">line (\d+)\.<", page))) == list(range(MOST_TURNS + 7))


def test_no_row_is_lost_where_others_come_while_somebody_reads_on(
    admin: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        session.add_all(
            Job(kind="reindex", state="done", arguments={"names": [f"f{n}.x"]}) for n in range(60)
        )
    first = admin.get("/admin/jobs").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    with database.write() as session:
        session.add_all(Job(kind="reindex", state="done", arguments={"names": ["new"]}) for _ in range(30))
    second = admin.get(unescape(older[1])).text
    seen = re.findall(r">f(\d+)\.x<", first) + re.findall(r">f(\d+)\.x<", second)
    assert sorted(map(int, seen)) == list(range(60)) and ">new<" not in second
