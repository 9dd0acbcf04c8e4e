"""The visitor's page and its way over the API: who may see it, what is on it, and that erased is gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Site, Visitor
from chatbot.records.visitor_history import PAGE_SIZE
from chatbot.records.visitors import Identity, identify
from web.addresses import visited_page


@pytest.fixture(autouse=True)
def without_csrf(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False


def talk(client: FlaskClient, text: str, **body: Any) -> str:
    started = client.post("/api/v1/conversations", json=body)
    assert started.status_code == 201, started.text
    told = started.get_json()
    headers = {"Authorization": f"Bearer {told['token']}"}
    client.post(f"/api/v1/conversations/{told['id']}/messages", json={"text": text}, headers=headers)
    return str(told["id"])


@pytest.fixture
def anna(client: FlaskClient, database: Database) -> int:
    """A signed visitor with one conversation more than a page holds, each from the page of an order."""
    for at in range(PAGE_SIZE + 1):
        talk(client, f"where is parcel {at}", page=f"https://shop.example/orders?key=SECRET{at}#top")
    with database.write() as session:
        for row in session.scalars(select(Conversation)).all():
            visitor = identify(session, row, Identity("c-17", "Anna Lee", "anna@example.com"))
        visitor.details = {"Plan": "Gold"}
        return visitor.id


def test_the_page_says_who_from_where_and_what_came_before(
    anna: int, client: FlaskClient, signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    other = talk(client, "SOMEBODY ELSE")
    with database.write() as session:
        newest = session.scalars(
            select(Conversation).where(Conversation.visitor_id == anna).order_by(Conversation.id.desc())
        ).first()
        assert newest is not None
        newest.state, newest.outcome, newest.csat = "closed", "solved", 4
        stranger = session.scalar(select(Conversation.visitor_id).where(Conversation.public_id == other))
    agent = signed_in("agent")
    page = agent.get(f"/admin/visitors/{anna}").get_data(as_text=True)
    for told in ("Anna Lee", "c-17", "Verified", "anna@example.com", "Gold", "Solved", "rated 4 of 5"):
        assert told in page
    assert "shop.example/orders" in page and "SECRET" not in page and "SOMEBODY ELSE" not in page
    assert "parcel 1<" in page and "parcel 0<" not in page
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    second = agent.get(older[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "parcel 0<" in second and "parcel 1<" not in second and 'rel="next"' not in second
    assert "Anonymous" in agent.get(f"/admin/visitors/{stranger}").get_data(as_text=True)
    assert "Everything" not in page and "Erase" not in page  # an agent erases nobody
    assert "/erase" in signed_in("admin").get(f"/admin/visitors/{anna}").get_data(as_text=True)


def test_what_was_told_before_the_chat_stands_under_the_sites_own_words(
    anna: int, signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    label = {"en": "Order or customer number", "zh": "订单号或客户号"}
    with database.write() as session:
        site = session.query(Site).one()
        site.options = {"widget": {"prechat": [{"name": "number", "label": label}, {"name": "phone"}]}}
        session.get_one(Visitor, anna).details = {"number": "K-17", "phone": "+44 20 7946 0000"}
        newest = session.scalars(select(Conversation.id).order_by(Conversation.id.desc())).first()
    agent = signed_in("agent")
    for lang, words in (("en", ("Order or customer number", "Phone")), ("zh", ("订单号或客户号", "手机"))):
        head = {"Accept-Language": lang}
        page = agent.get(f"/admin/visitors/{anna}", headers=head).get_data(as_text=True)
        assert all(f"<dt>{word}</dt>" in page for word in words)
        told = agent.get(f"/admin/inbox/conversations/{newest}", headers=head).get_json()
        assert set(told["visitor"]["details"]) == set(words)


def test_a_viewer_sees_neither_the_page_nor_the_way_to_it(
    anna: int, signed_in: Callable[..., FlaskClient]
) -> None:
    viewer = signed_in("viewer")
    assert viewer.get(f"/admin/visitors/{anna}").status_code == 403
    conversation = viewer.get("/admin/conversations/1").get_data(as_text=True)
    assert f"/admin/visitors/{anna}" not in conversation
    assert f"/admin/visitors/{anna}" in signed_in("agent").get("/admin/conversations/1").get_data(
        as_text=True
    )


def test_the_inbox_shows_the_last_three_talks_and_leads_to_the_page(
    anna: int, signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    with database.read() as session:
        newest, *before = session.scalars(
            select(Conversation.id).where(Conversation.visitor_id == anna).order_by(Conversation.id.desc())
        ).all()
    told = signed_in("agent").get(f"/admin/inbox/conversations/{newest}").get_json()
    assert told["visitor"]["id"] == anna and told["page"] == "https://shop.example/orders"
    assert [one["id"] for one in told["visitor"]["earlier"]] == before[:3]
    assert told["visitor"]["earlier"][0]["text"] == f"where is parcel {PAGE_SIZE - 1}"


def test_an_erased_visitor_is_gone_from_page_inbox_and_api(
    anna: int, signed_in: Callable[..., FlaskClient], client: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        _, key = create_key(session, name="crm", scopes=["conversations:read"])
    headers = {"Authorization": f"Bearer {key}"}
    admin = signed_in("admin")
    assert client.get(f"/api/v1/visitors/{anna}", headers=headers).status_code == 200
    assert admin.post(f"/admin/privacy/{anna}/erase").status_code == 303
    gone = admin.get(f"/admin/visitors/{anna}")
    assert gone.status_code == 404 and "Anna" not in gone.get_data(as_text=True)
    assert client.get(f"/api/v1/visitors/{anna}", headers=headers).get_json()["error"]["value"] == anna
    with database.read() as session:
        assert session.scalars(select(Visitor)).all() == []


def test_a_program_reads_a_visitor_page_by_page(anna: int, client: FlaskClient, database: Database) -> None:
    with database.write() as session:
        _, key = create_key(session, name="crm", scopes=["conversations:read"])
        _, wrong = create_key(session, name="articles", scopes=["knowledge:read"])
    headers = {"Authorization": f"Bearer {key}"}
    assert client.get(f"/api/v1/visitors/{anna}").status_code == 401
    refused = client.get(f"/api/v1/visitors/{anna}", headers={"Authorization": f"Bearer {wrong}"})
    assert refused.status_code == 403
    [row, *_] = client.get("/api/v1/conversations", headers=headers).get_json()["conversations"]
    assert row["visitor"]["id"] == anna and row["page"] == "https://shop.example/orders"
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        told = client.get(f"/api/v1/visitors/{anna}?limit=9{cursor}", headers=headers).get_json()
        seen += [one["first_text"] for one in told["conversations"]]
        cursor = f"&cursor={told['next_cursor']}"
    assert told["next_cursor"] is None
    assert seen == [f"where is parcel {at}" for at in reversed(range(PAGE_SIZE + 1))]
    assert told["visitor"]["identity"] == "c-17"
    assert told["visitor"]["languages"] == {"en": PAGE_SIZE + 1}
    assert told["visitor"]["pages"] == {"https://shop.example/orders": PAGE_SIZE + 1}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://shop.example/a/b?token=1#x", "https://shop.example/a/b"),
        ("http://me:secret@shop.example:8080", "http://shop.example:8080/"),
        ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ("https://shop.example/" + "x" * 900, "https://shop.example/" + "x" * 479),
    ],
)
def test_of_a_page_only_what_does_not_say_who_looks_at_it_is_kept(address: str, kept: str) -> None:
    assert visited_page(address) == kept


@pytest.mark.parametrize("page", ["javascript:alert(1)", "https://", "https://[", "http://a:99999/", "/a"])
def test_what_is_no_page_is_refused_by_name(client: FlaskClient, page: str) -> None:
    refused = client.post("/api/v1/conversations", json={"page": page})
    assert refused.status_code == 422 and refused.get_json()["error"]["field"] == "page"
