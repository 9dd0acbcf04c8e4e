"""The inbox over HTTP: what an agent sees and does, who may, and what a visitor whom nobody takes is told."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.dialogue import absence
from chatbot.dialogue.danger_texts import DANGER_TEXTS
from chatbot.dialogue.past_drafts import PastDraft
from chatbot.dialogue.trace import Source
from chatbot.errors import BundleError
from chatbot.records.conversations import find_site
from chatbot.records.database import Database
from chatbot.records.deliveries import add_webhook
from chatbot.records.tables import (
    AuditEntry,
    Conversation,
    Delivery,
    Person,
    Presence,
    Site,
    Visitor,
    Webhook,
)
from chatbot.settings import Settings
from web.access import required_role
from web.inbox.live import changes
from web.inbox.words import WORDS
from web.language import catalogue
from web.rounds import close_quiet, tell_unanswered

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ids = itertools.count(1)


@pytest.fixture
def agent(app: Flask, signed_in: Callable[..., FlaskClient]) -> Callable[..., FlaskClient]:
    """A client that is signed in as somebody; CSRF has tests of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    return lambda name="Mei", role="agent": signed_in(role, name)


@pytest.fixture
def visitor(client: FlaskClient) -> Callable[..., Any]:
    """A visitor's conversation: call it with a path and a body."""

    def start(locale: str = "en") -> Callable[..., Any]:
        begun = client.post("/api/v1/conversations", json={"locale": locale}).get_json()
        headers = {"Authorization": f"Bearer {begun['token']}"}

        def ask(path: str, body: Any = None) -> Any:
            address = f"/api/v1/conversations/{begun['id']}{path}"
            answer = (
                client.get(address, headers=headers)
                if body is None
                else client.post(address, json=body, headers=headers)
            )
            assert answer.status_code < 300, answer.text
            return answer.get_json()

        return ask

    return start


def said(visitor: Any) -> list[tuple[str, str]]:
    return [(turn["role"], turn["text"]) for turn in visitor("/messages")["turns"]]


def newest(database: Database) -> Conversation:
    with database.read() as session:
        return session.scalars(select(Conversation).order_by(Conversation.id.desc())).first()  # type: ignore[return-value]


def answer(client: FlaskClient, conversation_id: int, text: str) -> Any:
    return client.post(
        f"/admin/inbox/conversations/{conversation_id}/reply",
        json={"text": text, "client_message_id": f"m{next(ids)}"},
    )


def test_from_the_queue_to_the_closed_conversation(agent: Any, visitor: Any, database: Database) -> None:
    mei, tom = agent("Mei"), agent("Tom")
    ana = visitor()
    ana("/messages", {"text": "When is my refund here?"})
    ana("/messages", {"text": "I want to talk to a person"})
    queue = mei.get("/admin/inbox/snapshot?box=waiting").get_json()["queue"]
    [line] = queue["lines"]
    assert (line["text"], line["reason"], line["owed"]) == (
        "When is my refund here?",
        "Asked for a person",
        True,
    )
    shown = mei.post(f"/admin/inbox/conversations/{line['id']}/take").get_json()
    assert shown["mine"] and shown["summary"][0] == "Wants: “When is my refund here?”"
    late = tom.post(f"/admin/inbox/conversations/{line['id']}/take")
    assert (late.status_code, late.get_json()["error"]["value"]) == (409, "Mei")

    ana("/messages", {"text": "Hello?"})
    assert answer(mei, line["id"], "It left yesterday.").status_code == 200
    mei.post(f"/admin/inbox/conversations/{line['id']}/note", json={"text": "Second time this month"})
    assert said(ana)[-2:] == [("customer", "Hello?"), ("agent", "It left yesterday.")]  # the bot was silent
    assert ana("/messages")["turns"][-1]["agent"] == "Mei"

    wrong = mei.post(f"/admin/inbox/conversations/{line['id']}/close", json={"outcome": "fine"})
    assert (wrong.status_code, wrong.get_json()["error"]["field"]) == (422, "outcome")
    closed = mei.post(f"/admin/inbox/conversations/{line['id']}/close", json={"outcome": "solved"}).get_json()
    assert (closed["state"], closed["outcome"]) == ("closed", "Solved")
    assert ana("/messages")["state"] == "closed"
    with database.read() as session:
        audited = session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.action.startswith("conversation"))
            .order_by(AuditEntry.id)
        )
        assert list(audited) == ["conversation.take", "conversation.close"]
    assert ana("/messages", {"text": "And my order?"})["state"] == "bot"  # a new message opens it again


def test_suggestions_hold_the_guess_a_draft_and_its_source(agent: Any, visitor: Any) -> None:
    ana = visitor()
    ana("/messages", {"text": "How long does a refund take?"})
    ana("/messages", {"text": "I want to talk to a person"})
    mei = agent()
    [line] = mei.get("/admin/inbox/snapshot").get_json()["queue"]["lines"]
    told = mei.get(f"/admin/inbox/conversations/{line['id']}/suggestion").get_json()
    assert told["question"] == "How long does a refund take?"
    assert told["guess"] == {"title": "Refund time", "confidence": 0.91}
    [draft] = told["drafts"]
    assert draft["kind"] == "passage" and "3 working days" in draft["text"]
    assert draft["sources"][0]["title"] == "Refunds"


class SaidBefore:
    """What a release's past answers come to; keeps what it was asked."""

    def __init__(self, *found: PastDraft, fails: bool = False) -> None:
        self.found, self.fails = list(found), fails
        self.turns: list[str] = []

    def drafts(self, turns: Any, trace: Any, *, shown: Any = ()) -> list[PastDraft]:
        if self.fails:
            raise BundleError("The index is damaged", value="ranker")
        self.turns = [turn.text for turn in turns]
        return self.found


def drafts_for(agent: Any, visitor: Any, text: str) -> list[dict[str, Any]]:
    ana = visitor()
    ana("/messages", {"text": text})
    ana("/messages", {"text": "I want to talk to a person"})
    mei = agent()
    [line] = mei.get("/admin/inbox/snapshot").get_json()["queue"]["lines"]
    told = mei.get(f"/admin/inbox/conversations/{line['id']}/suggestion")
    assert told.status_code == 200
    return list(told.get_json()["drafts"])


def test_what_agents_said_before_stands_among_the_drafts(agent: Any, visitor: Any, assistant: Any) -> None:
    source = Source("Refunds", "/r", "Refunds arrive within 3 working days.")
    assistant.past = SaidBefore(
        PastDraft("It comes in 3 working days, [EMAIL].", 12, source, leads=True),
        PastDraft("Ask your bank.", 4, None, leads=False),
    )
    first, second, third = drafts_for(agent, visitor, "Refund for ana@example.org here?")
    assert assistant.past.turns == ["Refund for [EMAIL] here?"]
    assert (first["kind"], first["times"], first["verified"], first["confidence"]) == ("past", 12, True, None)
    assert first["text"] == "It comes in 3 working days, ana@example.org."
    assert first["sources"] == [{"title": "Refunds", "url": "/r", "quote": source.quote}]
    assert second["kind"] == "passage"
    assert (third["text"], third["verified"], third["sources"]) == ("Ask your bank.", False, [])


def test_an_approved_answer_stays_before_what_was_said_before(
    agent: Any, visitor: Any, assistant: Any
) -> None:
    assistant.past = SaidBefore(PastDraft("By bike.", 3, Source("Ways", "", "By bike."), leads=True))
    assert [one["kind"] for one in drafts_for(agent, visitor, "cards?")] == ["approved", "past"]


def test_past_answers_that_cannot_be_read_cost_no_other_draft(
    agent: Any, visitor: Any, assistant: Any
) -> None:
    assistant.past = SaidBefore(fails=True)
    assert [one["kind"] for one in drafts_for(agent, visitor, "When is my refund here?")] == ["passage"]


def test_pages_and_answers_are_for_agents_with_the_forms_token(
    app: Flask, agent: Any, visitor: Any, client: FlaskClient
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("inbox.")]
    views = [rule for rule in rules if rule.endpoint != "inbox.static"]
    assert len(views) > 15
    viewer = agent("Vi", "viewer")
    mei = agent("Mei", "agent")
    for rule in views:
        needed = required_role(app.view_functions[rule.endpoint])
        assert needed in ("agent", "admin"), rule
        address = re.sub(r"<[^>]+>", "1", rule.rule)
        if "GET" in (rule.methods or ()):
            assert viewer.get(address).status_code == 403
            assert client.get(address).status_code == 302
            if needed == "admin":
                assert mei.get(address).status_code == 403
        else:
            assert viewer.post(address).status_code == 400  # no token: not even the role is looked at


def test_an_agent_who_is_away_or_looks_on_is_seen_by_colleagues(
    agent: Any, visitor: Any, database: Database
) -> None:
    visitor()("/handover", {})
    mei, tom = agent("Mei"), agent("Tom")
    number = newest(database).id
    tom.get(f"/admin/inbox/snapshot?open={number}")
    tom.post("/admin/inbox/presence", json={"away": True})
    told = mei.get(f"/admin/inbox/snapshot?open={number}").get_json()
    assert told["conversation"]["watched_by"] == ["Tom"]
    assert told["queue"]["lines"][0]["watched_by"] == ["Tom"]
    people_here = {one["name"]: (one["here"], one["away"]) for one in told["queue"]["colleagues"]}
    assert people_here == {"Tom": (True, True), "Mei": (True, False)}


def test_the_stream_tells_what_changed_and_nothing_twice(
    app: Flask, agent: Any, visitor: Any, database: Database
) -> None:
    agent()
    with database.read() as session:
        person_id = session.scalars(select(Person.id)).one()
    ana = visitor()
    ana("/handover", {})
    number, released = newest(database).id, []
    clock = itertools.count(0, 5)

    def step(seconds: float) -> None:
        if next(steps) == 1:
            ana("/messages", {"text": "Still there?"})

    steps = itertools.count()
    with app.test_request_context("/admin/inbox/events"):
        seen = list(
            changes(
                database,
                box="waiting",
                open_id=number,
                person_id=person_id,
                release=lambda: released.append(True),
                clock=lambda: next(clock),
                sleep=step,
            )
        )
    names = [chunk.partition("\n")[0] for chunk in seen if chunk.startswith("event")]
    assert names[:2] == ["event: queue", "event: conversation"]
    later = [chunk for chunk in seen if "Still there?" in chunk]
    assert len(later) == 2  # once in the queue, once in the conversation
    assert any(chunk.startswith(": ") for chunk in seen) and released == [True]
    with database.read() as session:
        assert session.get_one(Presence, person_id).conversation_id == number


# --- nobody there ----------------------------------------------------------------------------------------


def set_options(database: Database, **options: Any) -> None:
    with database.write() as session:
        site = find_site(session, None)
        site.options = {**site.options, **options}


def closed_hours() -> dict[str, Any]:
    """Hours that begin in three days."""
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(datetime.now(UTC).weekday() + 3) % 7]
    return {"zone": "UTC", "week": {day: ["09:00-17:00"]}}


@pytest.mark.parametrize("way", ["button", "message"])
def test_outside_the_hours_a_message_is_left_and_stays_whatever_the_visitor_does(
    way: str, agent: Any, visitor: Any, database: Database
) -> None:
    set_options(database, hours=closed_hours())
    ana = visitor()
    if way == "button":
        ana("/handover", {})
    else:
        ana("/messages", {"text": "a person please"})
    role, notice = said(ana)[-1]
    assert role == "bot" and "We are back " in notice and "at 09:00" in notice and "e-mail" in notice
    ana("/messages", {"text": "My kettle leaks. Write to Ana@Example.com please"})
    assert "ana@example.com" in said(ana)[-1][1]
    ana("/resume", {})
    mei = agent()
    [line] = mei.get("/admin/inbox/snapshot").get_json()["queue"]["lines"]
    assert (line["left_message"], line["visitor"]) == (True, "ana@example.com")
    assert line["reason"] == "Came outside the opening hours"
    answer(mei, line["id"], "We send you a new seal.")
    assert mei.get("/admin/inbox/snapshot").get_json()["queue"]["lines"] == []
    with database.read() as session:
        assert [row.kind for row in session.scalars(select(Delivery))] == ["email"]


def test_a_danger_told_while_waiting_is_answered_once_and_waits_as_the_first(
    agent: Any, visitor: Any, database: Database
) -> None:
    ana, ben = visitor(), visitor()
    for one in (ana, ben):
        one("/handover", {})
    ana("/messages", {"text": "I want my money back or I will sue you"})
    ben("/messages", {"text": "now the kettle is on fire"})
    ben("/messages", {"text": "help, the kettle is on fire"})
    told = [text for role, text in said(ben) if role == "bot"]
    assert len(told) == 1 and told[0].startswith(DANGER_TEXTS["en"]["fire"])
    first, second = agent().get("/admin/inbox/snapshot").get_json()["queue"]["lines"]
    assert (first["reason"], first["urgent"], first["legal"]) == ("Danger to life", True, False)
    assert (second["urgent"], second["legal"]) == (False, True)


def test_a_danger_told_outside_the_hours_stays_one(agent: Any, visitor: Any, database: Database) -> None:
    set_options(database, hours=closed_hours())
    ana = visitor()
    ana("/handover", {})
    ana("/messages", {"text": "水壶漏电，我被电了一下"})
    assert any(text.startswith(DANGER_TEXTS["zh"]["shock"]) for _, text in said(ana))
    [line] = agent().get("/admin/inbox/snapshot").get_json()["queue"]["lines"]
    assert line["urgent"]
    set_options(database, hours=closed_hours(), danger=False)
    ben = visitor()
    ben("/handover", {})
    ben("/messages", {"text": "the kettle is on fire"})
    assert not any(DANGER_TEXTS["en"]["fire"] in text for _, text in said(ben))


def test_in_chinese_too(visitor: Any, database: Database) -> None:
    set_options(database, hours=closed_hours())
    lin = visitor("zh-CN")
    lin("/handover", {})
    assert re.search(r"我们将于周.\s09:00恢复服务。请留下", said(lin)[-1][1])


def test_within_the_hours_nobody_is_told_anything(visitor: Any, database: Database) -> None:
    always = {"zone": "UTC", "week": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "0-24")}
    set_options(database, hours=always)
    ana = visitor()
    ana("/handover", {})
    assert said(ana) == []


def test_a_visitor_whom_nobody_takes_is_told_once_after_the_sites_minutes(
    visitor: Any, database: Database
) -> None:
    set_options(database, unanswered_minutes=3)
    ana = visitor()
    ana("/handover", {})
    begun = newest(database).handover_at
    assert begun is not None
    assert tell_unanswered(database, now=begun + timedelta(minutes=2)) == []
    assert len(tell_unanswered(database, now=begun + timedelta(minutes=4))) == 1
    assert tell_unanswered(database, now=begun + timedelta(minutes=9)) == []
    assert [role for role, _ in said(ana)] == ["bot"]
    assert "nobody could take" in said(ana)[0][1]
    set_options(database, unanswered_minutes=0)
    visitor()("/handover", {})
    assert tell_unanswered(database, now=begun + timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("locale", "shift", "told"),
    [
        ("en", (-2, 3), "yet. We are here until {end}. Write"),
        ("en", (-2, 0), "in time. We are back {day} at {start}. Write"),
        ("zh-CN", (-2, 3), "人工服务到{end}为止。请留下"),
        ("zh-CN", (-2, 0), "我们将于{day} {start}恢复服务。请留下"),
        ("en", (-2, 14), "yet. Write"),
    ],
)
def test_who_waits_is_told_until_when_somebody_is_there_or_when_again(
    visitor: Any, database: Database, locale: str, shift: tuple[int, int], told: str
) -> None:
    noon = datetime(2026, 12, 22, 12, tzinfo=UTC)  # a Tuesday
    start, end = (noon + timedelta(hours=hours) for hours in shift)
    days = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), f"{start:%H:%M}-{end:%H:%M}")
    holiday = {"2026-12-23": []}  # the day after is one
    set_options(database, unanswered_minutes=3, hours={"zone": "UTC", "week": days, "dates": holiday})
    ana = visitor(locale)
    ana("/handover", {})
    with database.write() as session:
        waiting = session.scalars(select(Conversation)).one()
        waiting.told_at, waiting.handover_at = None, noon - timedelta(minutes=5)
    assert len(tell_unanswered(database, now=noon)) == 1
    day = "周四" if locale == "zh-CN" else "Thursday"
    assert told.format(end=f"{end:%H:%M}", start=f"{start:%H:%M}", day=day) in said(ana)[-1][1]


def test_the_contact_endpoint_keeps_where_to_answer_and_refuses_what_is_no_address(
    client: FlaskClient, visitor: Any, database: Database
) -> None:
    ana = visitor()
    ana("/handover", {})
    ana("/contact", {"email": " Ana@Example.com ", "name": "Ana"})
    with database.read() as session:
        row = session.scalars(select(Visitor)).one()
        assert (row.email, row.name) == ("ana@example.com", "Ana")
        row_two = newest(database)
        assert row_two.left_message_at is not None
    with pytest.raises(AssertionError, match="not an e-mail"):
        ana("/contact", {"email": "ana at example"})


def test_what_the_company_has_signed_is_not_overwritten(visitor: Any, database: Database) -> None:
    ana = visitor()
    with database.write() as session:
        row = session.scalars(select(Visitor)).one()
        row.identity, row.email = "customer-7", "ana@shop.example"
        conversation = session.scalars(select(Conversation)).one()
        absence.leave_contact(session, conversation, email="other@example.com")
        assert row.email == "ana@shop.example"
    ana("/handover", {})


def test_hours_are_told_over_the_api(client: FlaskClient, database: Database) -> None:
    assert client.get("/api/v1/hours").get_json() == {"open": True}
    set_options(database, hours=closed_hours())
    told = client.get("/api/v1/hours?locale=zh").get_json()
    assert (told["open"], told["zone"]) == (False, "UTC")
    assert told["opens_in_words"].startswith("周") and told["opens_at"] and told["closes_at"] is None
    assert told["hide"] is False
    set_options(database, hide_closed=True)
    assert client.get("/api/v1/hours").get_json()["hide"] is True
    set_options(database, hours={})
    assert client.get("/api/v1/hours").get_json() == {"open": True}


def test_quiet_conversations_close_by_the_sites_hours(visitor: Any, database: Database) -> None:
    set_options(database, idle_hours=2)
    visitor()("/messages", {"text": "refund?"})
    last = newest(database).last_activity_at
    assert close_quiet(database, now=last + timedelta(hours=1)) == 0
    assert close_quiet(database, now=last + timedelta(hours=3)) == 1
    assert newest(database).state == "closed"


# --- settings --------------------------------------------------------------------------------------------


def test_hours_are_set_on_a_page_and_bad_ones_keep_what_was_typed(agent: Any, database: Database) -> None:
    admin = agent("Root", "admin")
    form = {
        "always": "no",
        "zone": "Europe/Berlin",
        "day_mon": "9-12, 13-17",
        "dates": "2026-12-25\n2026-12-24 09:00-12:00",
        "unanswered_minutes": "7",
        "idle_hours": "48",
        "hide_closed": "yes",
    }
    assert admin.post("/admin/inbox/hours", data=form).status_code == 303
    with database.read() as session:
        options = session.scalars(select(Site.options)).one()
        assert options["hours"] == {
            "zone": "Europe/Berlin",
            "week": {"mon": ["09:00-12:00", "13:00-17:00"]},
            "dates": {"2026-12-24": ["09:00-12:00"], "2026-12-25": []},
        }
        assert (options["unanswered_minutes"], options["idle_hours"]) == (7, 48)
        assert options["hide_closed"] is True
    page = admin.get("/admin/inbox/hours").text
    assert "09:00-12:00, 13:00-17:00" in page and "2026-12-24 09:00-12:00" in page
    bad = admin.post("/admin/inbox/hours", data=form | {"day_tue": "nine to five"})
    assert bad.status_code == 422 and "nine to five" in bad.text and "Write 09:00-12:30" in bad.text
    none = admin.post("/admin/inbox/hours", data=form | {"day_mon": ""})
    assert none.status_code == 422
    assert admin.post("/admin/inbox/hours", data=form | {"always": "yes"}).status_code == 303
    with database.read() as session:
        assert session.scalars(select(Site.options)).one()["hours"] == {}


def test_canned_replies_are_written_and_come_in_the_visitors_language(
    agent: Any, visitor: Any, database: Database
) -> None:
    mei = agent()
    mei.post("/admin/inbox/canned", data={"shortcut": "hi", "text_en": "Hi, {agent} here", "text_zh": "您好"})
    visitor("zh")("/handover", {})
    number = newest(database).id
    told = mei.get(f"/admin/inbox/conversations/{number}/canned").get_json()
    assert told == {"canned": [{"shortcut": "hi", "text": "您好"}]}
    taken = mei.post("/admin/inbox/canned", data={"shortcut": "/HI", "text_en": "again"})
    assert taken.status_code == 409 and "again" in taken.text
    assert mei.post("/admin/inbox/canned/1/delete").status_code == 303


def test_webhooks_go_to_public_addresses_alone_and_show_their_secret_once(
    agent: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = agent("Root", "admin")
    private = admin.post("/admin/inbox/webhooks", data={"url": "http://127.0.0.1/x", "events": ["message"]})
    assert private.status_code == 422 and "private network" in private.text
    monkeypatch.setattr("web.inbox.service_pages.check_url", lambda url, allow: url)
    added = admin.post(
        "/admin/inbox/webhooks", data={"url": "https://hooks.example/x", "events": ["handover"]}
    )
    secret = re.search(r"whsec_[\w-]+", added.text)
    assert secret is not None
    assert secret[0] not in admin.get("/admin/inbox/webhooks").text
    assert admin.post("/admin/inbox/webhooks", data={"url": "https://hooks.example/x"}).status_code == 422
    assert admin.post("/admin/inbox/webhooks/1/active", data={"active": "no"}).status_code == 303
    assert "Switched off" in admin.get("/admin/inbox/webhooks").text
    assert admin.post("/admin/inbox/webhooks/1/delete").status_code == 303


def test_a_webhook_is_changed_on_its_page_and_keeps_its_secret(
    agent: Any, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, page = agent("Root", "admin"), "/admin/inbox/webhooks"
    with database.write() as session:
        secret = add_webhook(session, url="https://hooks.example/x", events=["handover"]).secret
    form = root.get(f"{page}?edit=1").text
    assert f'action="{page}/1"' in form and 'value="https://hooks.example/x"' in form
    ticked = re.findall(r'name="events" value="(\w+)" checked', form)
    assert ticked == ["handover"] and secret not in form

    private = root.post(f"{page}/1", data={"url": "http://127.0.0.1/x", "events": ["alert", "closed"]})
    assert private.status_code == 422 and "private network" in private.text
    assert f'action="{page}/1"' in private.text and 'value="http://127.0.0.1/x"' in private.text
    assert re.findall(r'name="events" value="(\w+)" checked', private.text) == ["closed", "alert"]
    monkeypatch.setattr("web.inbox.service_pages.check_url", lambda url, allow: url)
    assert root.post(f"{page}/1", data={"url": "https://hooks.example/x"}).status_code == 422
    change = {"url": "https://hooks.example/y", "events": ["alert", "handover"]}
    for _ in range(2):  # the same again changes nothing, and is no entry
        assert root.post(f"{page}/1", data=change).status_code == 303
    with database.read() as session:
        hook = session.get_one(Webhook, 1)
        assert (hook.url, hook.events) == ("https://hooks.example/y", ["handover", "alert"])
        assert hook.secret == secret and hook.active
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "webhook.change"))
        assert entry.detail == {"url": hook.url, "events": hook.events} and entry.person_id is not None
    assert "Changed a webhook" in root.get("/admin/audit?topic=webhook").text
    assert root.post(f"{page}/2", data=change).status_code == root.get(f"{page}?edit=2").status_code == 404
    assert agent().post(f"{page}/1", data=change).status_code == 403


def test_a_webhook_is_tried_out_with_an_event_of_its_own(agent: Any, database: Database) -> None:
    root, page = agent("Root", "admin"), "/admin/inbox/webhooks"
    with database.write() as session:
        for name in "xy":
            add_webhook(session, url=f"https://hooks.example/{name}", events=["handover"])
    assert "Send a test" in root.get(page).text
    assert "A test is on its way" in root.post(f"{page}/2/test", follow_redirects=True).text
    with database.read() as session:
        [sent] = session.scalars(select(Delivery))
        assert (sent.webhook_id, sent.event, sent.payload["event"], sent.state) == (2, "test", "test", "due")
    assert root.post(f"{page}/3/test").status_code == 404
    assert agent().post(f"{page}/1/test").status_code == 403
    root.post(f"{page}/2/active", data={"active": "no"})
    assert f'action="{page}/2/test"' not in root.get(page).text


def test_the_page_says_whether_e_mail_is_set_up(
    app: Flask, agent: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = agent("Root", "admin")
    assert "E-mail is not set up" in admin.get("/admin/inbox/hours").text
    monkeypatch.setattr(settings, "smtp_url", "smtp://user:pass-7319@mail.example:x")
    page = admin.get("/admin/inbox/hours").text
    assert "E-mail cannot be sent" in page and "pass-7319" not in page
    page = admin.get("/admin/inbox/hours", headers={"Accept-Language": "zh"}).text
    assert "邮件服务器的地址无法使用。请写成 smtp://" in page
    monkeypatch.setattr(settings, "smtp_url", "smtp://mail.example")
    monkeypatch.setattr(settings, "mail_from", "Help <help@shop.example>")
    assert "E-mail is set up" in admin.get("/admin/inbox/hours").text


# --- words -----------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[2] / "web"


def test_every_word_of_the_inbox_has_a_chinese_one() -> None:
    texts = set(WORDS.values())
    for path in (ROOT / "inbox").rglob("*.html"):
        pairs = re.findall(r"""_\(\s*(?:"([^"]+)"|'([^']+)')\s*\)""", path.read_text("utf-8"))
        texts |= {text for pair in pairs for text in pair if text}
    assert sorted(texts - set(catalogue("zh"))) == []
    stored = {name for name in catalogue("en") if name.startswith(("reason_", "outcome_", "delivery_"))}
    assert len(stored) > 15 and stored <= set(catalogue("zh"))


def test_the_scripts_use_no_word_that_is_not_there() -> None:
    used: set[str] = set()
    for path in (ROOT / "inbox" / "static").glob("*.js"):
        used |= set(re.findall(r"\bt\(\"(\w+)\"", path.read_text("utf-8")))
    assert len(used) > 50
    assert used <= set(WORDS)
    assert json.dumps(WORDS)
