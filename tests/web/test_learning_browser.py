"""The review queue and the proposed intents decided by keystrokes alone, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from chatbot.records import proposals
from chatbot.records.database import Database
from chatbot.records.tables import Article, Example, Intent, Proposal

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
expect = sync_api.expect

QUESTIONS = (
    "xyzzy does my kettle fit a boat",
    "xyzzy who sings the song in your advert",
    "xyzzy weather tomorrow in Lisbon",
    "xyzzy engraving on a mug",
)


@pytest.fixture
def unknown(app: Flask, database: Database) -> None:
    """Four questions that the bot did not know, and an intent that one of them asks for."""
    client = app.test_client()
    for text in QUESTIONS:
        started = client.post("/api/v1/conversations", json={}).get_json()
        headers = {"Authorization": f"Bearer {started['token']}"}
        client.post(f"/api/v1/conversations/{started['id']}/messages", json={"text": text}, headers=headers)
    with database.write() as session:
        session.add(Intent(name="boats", titles={"en": "Boats"}, status="live"))


def test_the_review_queue_is_decided_by_keystrokes(
    inside: Callable[..., Any], url: str, database: Database, unknown: None, problems: list[str]
) -> None:
    page = inside()
    page.goto(f"{url}/admin/review")
    items = page.locator("[data-item]")
    expect(items).to_have_count(4)

    def at(text: str) -> None:
        """Move by J and K to the question, as a person does who reads on."""
        for _ in range(4):
            page.keyboard.press("k")
        for _ in range(4):
            if text in page.evaluate("document.activeElement.innerText"):
                return
            page.keyboard.press("j")
        raise AssertionError(text)

    at("kettle fit a boat")
    page.keyboard.press("Tab")
    page.keyboard.type("boats l")  # in a field letters are letters
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    expect(items).to_have_count(3)
    expect(items.first).to_be_focused()  # and on with the next one
    at("sings the song")
    page.keyboard.press("y")  # without an answer: the page stays, and the field is where to go on
    expect(items).to_have_count(3)
    expect(page.locator("textarea:focus, input[name=intent]:focus")).to_have_count(1)
    page.keyboard.press("Escape")
    at("sings the song")
    page.keyboard.press("i")
    expect(items).to_have_count(2)
    expect(items.first).to_be_focused()  # before, the page that came back does not listen yet
    at("weather tomorrow")
    page.keyboard.press("o")
    expect(items).to_have_count(1)
    expect(items.first).to_be_focused()
    at("engraving on a mug")
    page.keyboard.press("m")  # shows what it will be
    body = items.first.get_by_label("Text", exact=True)
    expect(body).to_be_visible()
    body.fill("We engrave mugs for 6 euros.")
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.get_by_label("Title", exact=True)).to_have_value(
        QUESTIONS[3]
    )  # the article in its editor, to be gone over
    page.goto(f"{url}/admin/review")
    expect(page.get_by_text("Nothing waits for review.")).to_be_visible()
    with database.read() as session:
        learned = {
            text: (name, out_of_scope)
            for text, name, out_of_scope in session.execute(
                select(Example.text, Intent.name, Example.out_of_scope).outerjoin(
                    Intent, Intent.id == Example.intent_id
                )
            )
        }
        assert learned[QUESTIONS[0]] == ("boats", False)
        assert learned[QUESTIONS[2]] == (None, True)
        assert learned[QUESTIONS[1]] == (None, False)  # kept as looked at, learned as nothing
        assert session.scalars(select(Article.title)).all() == [QUESTIONS[3]]
    assert problems == []


def test_proposed_intents_are_decided_by_keystrokes(
    inside: Callable[..., Any], url: str, database: Database, problems: list[str]
) -> None:
    with database.write() as session:
        for at, name in enumerate(("gift cards", "parcels")):
            rows = [
                Example(
                    text=f"{name} {n}",
                    lang="en",
                    source="transcript",
                    content_hash=f"{at}{n}",
                    group_key=f"{at}{n}",
                )
                for n in range(3)
            ]
            session.add_all(rows)
            session.flush()
            proposals.add_proposal(
                session,
                proposals.NewProposal(
                    name=name.replace(" ", "_"),
                    terms=(name,),
                    members={row.id: 1.0 for row in rows},
                    drafts={},
                ),
            )
    page = inside()
    page.goto(f"{url}/admin/discovery")
    items = page.locator("[data-item]")
    expect(items).to_have_count(2)
    page.keyboard.press("j")
    expect(items.first).to_be_focused()
    page.keyboard.press("x")
    expect(items).to_have_count(1)
    page.get_by_role("status").get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    expect(items).to_have_count(2)
    expect(items.first).to_be_focused()
    page.keyboard.press("j")
    expect(items.nth(1)).to_be_focused()
    chosen = items.nth(1).inner_text()
    page.keyboard.press("a")
    expect(items).to_have_count(1)
    with database.read() as session:
        made = session.scalars(select(Intent.name)).all()
        states = {row.name: row.status for row in session.scalars(select(Proposal))}
    assert len(made) == 1 and made[0].replace("_", " ") in chosen.replace("_", " ")
    assert sorted(states.values()) == ["accepted", "open"]
    assert problems == []
