from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chatbot.records.api_keys import create_key
from chatbot.records.conversations import ensure_default_site, start_conversation
from chatbot.records.database import Database
from chatbot.records.sites import add_site
from chatbot.records.statistics import Period, statistics
from chatbot.records.tables import Article, Feedback, Intent, Promotion, Release, Turn, utcnow
from chatbot.records.topics_by_day import topics_by_day
from web.admin.dashboard import DAY_COLUMNS, WEEKDAYS, Overview, displeased_pictures, pictures, tables
from web.language import catalogue


@pytest.fixture
def viewer(signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    return signed_in("viewer")


@pytest.fixture
def say(app: Flask) -> Callable[..., None]:
    """A visitor's conversation, and a thumb for its last answer."""

    def run(*texts: str, vote: str | None = None, site: str = "default") -> None:
        client = app.test_client()
        started = client.post("/api/v1/conversations", json={"site": site}).get_json()
        path, headers = (
            f"/api/v1/conversations/{started['id']}",
            {"Authorization": f"Bearer {started['token']}"},
        )
        for text in texts:
            answer = client.post(f"{path}/messages", json={"text": text}, headers=headers).get_json()
        if vote:
            turn = f"{path}/turns/{answer['turn_id']}/feedback"
            assert client.post(turn, json={"vote": vote}, headers=headers).status_code == 200

    return run


def test_one_of_several_sites_is_looked_at_alone_on_the_page_in_the_files_and_in_the_api(
    app: Flask, viewer: FlaskClient, database: Database, say: Callable[..., None]
) -> None:
    say("refund?", "xyzzy")
    assert "All sites" not in viewer.get("/admin/").text  # there is one
    with database.write() as session:
        add_site(session, key="shop-de", name="Laden", like=ensure_default_site(session))
        _, key = create_key(session, name="shop", scopes=["statistics:read"])
    say("refund?", vote="down", site="shop-de")

    def told(query: str) -> tuple[int, int, dict[str, int]]:
        answer = app.test_client().get(
            f"/api/v1/statistics?{query}", headers={"Authorization": f"Bearer {key}"}
        )
        body = answer.get_json()
        file = viewer.get(f"/admin/figures/days.csv?{query}").get_data().decode("utf-8-sig")
        today = list(csv.DictReader(io.StringIO(file)))[-1]
        total = body["total"]
        assert int(today["Messages"]) == total["messages"] == sum(body["messages_by_language"].values())
        assert int(today["Thumbs down"]) == total["thumbs_down"]
        topics = list(
            csv.DictReader(
                io.StringIO(viewer.get(f"/admin/figures/topics.csv?{query}").get_data().decode("utf-8-sig"))
            )
        )
        assert sum(int(row["Displeased"]) for row in topics) == total["thumbs_down"]
        return total["conversations"], total["messages"], body["replies_by_kind"]

    assert told("days=7") == (2, 3, {"passage": 2, "unknown": 1})
    assert told("days=7&site=default") == (1, 2, {"passage": 1, "unknown": 1})
    assert told("days=7&site=shop-de") == (1, 1, {"passage": 1})
    page = viewer.get("/admin/?days=7&site=shop-de").text
    assert 'site=shop-de" aria-current="true"' in page
    assert re.search(r"<dt>Conversations</dt><dd>1<small>1 today", page)
    assert "days=7&amp;site=shop-de" in page  # and the files are of the same site
    for address in ("/admin/?site=nowhere", "/admin/figures/days.csv?site=nowhere"):
        assert viewer.get(address).status_code == 404
    wrong = app.test_client().get(
        "/api/v1/statistics?site=nowhere", headers={"Authorization": f"Bearer {key}"}
    )
    assert wrong.status_code == 404 and wrong.get_json()["error"]["value"] == "nowhere"


def ticked(page: str) -> list[bool]:
    return ["done" in found for found in re.findall(r'<li class="(\w*)"><span class="tick-mark"', page)]


def test_the_first_run_is_ticked_by_what_is_there(
    viewer: FlaskClient, database: Database, say: Callable[..., None]
) -> None:
    assert ticked(viewer.get("/admin/").text) == [False] * 4
    with database.write() as session:
        session.add(Article(slug="a", lang="en", title="A", body="B", content_hash="h"))
        session.add(Release(id="r1", snapshot="s", status="promoted"))
        session.flush()
        session.add(Promotion(release_id="r1"))
    page = viewer.get("/admin/").text
    assert ticked(page) == [True, False, True, False]
    assert "Figures appear with the first conversation" in page
    say("refund?")
    assert ticked(viewer.get("/admin/").text) == []  # past conversations are not a must


def test_the_figures_of_a_day_stand_on_the_page_in_the_file_and_in_the_api(
    app: Flask, viewer: FlaskClient, database: Database, say: Callable[..., None]
) -> None:
    say("refund?", vote="up")
    say("xyzzy")
    say("a person please")
    page = viewer.get("/admin/?days=7").text
    assert page.count("<svg") > 4 and "Conversations by what became of them" in page
    file = viewer.get("/admin/figures/days.csv?days=7")
    assert file.mimetype == "text/csv" and "attachment" in file.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(file.get_data().decode("utf-8-sig"))))
    assert len(rows) == 7
    assert [
        rows[-1][name] for name in ("Conversations", "Handed over", "Solved, confirmed", "Did not know")
    ] == [
        "3",
        "1",
        "1",
        "1",
    ]
    with database.write() as session:
        _, key = create_key(session, name="shop", scopes=["statistics:read"])
        _, other = create_key(session, name="other", scopes=["chat"])
    client = app.test_client()
    address = "/api/v1/statistics?days=7"
    told = client.get(address, headers={"Authorization": f"Bearer {key}"}).get_json()
    assert (told["total"]["conversations"], told["total"]["confirmed"], len(told["by_day"])) == (3, 1, 7)
    assert (told["savings"]["least"], told["savings"]["most"]) == (3.0, 3.0)
    assert client.get(address, headers={"Authorization": f"Bearer {other}"}).status_code == 403
    assert client.get(address).status_code == 401
    wrong = client.get("/api/v1/statistics?days=8", headers={"Authorization": f"Bearer {key}"})
    assert wrong.status_code == 422


def test_a_topic_that_displeases_since_this_week_is_told_on_the_page_as_it_opens(
    app: Flask, viewer: FlaskClient, database: Database
) -> None:
    with database.write() as session:
        session.add(Intent(name="refund_time", titles={"en": "Refund time"}))
        site = ensure_default_site(session)
        for days, replies, displeased in ((9, 40, 1), (1, 30, 12)):
            at = utcnow() - timedelta(days=days)
            talk = start_conversation(session, site_id=site.id, token_hash="t", locale="en", now=at)
            told = {"conversation_id": talk.id, "lang": "en", "created_at": at}
            turns = [
                Turn(role="bot", text="!", kind="passage", intent="refund_time", **told)
                for _ in range(replies)
            ]
            session.add_all([Turn(role="customer", text="?", **told), *turns])
            session.flush()
            session.add_all(
                Feedback(turn_id=turn.id, vote="down", created_at=at) for turn in turns[:displeased]
            )
        _, key = create_key(session, name="shop", scopes=["statistics:read"])
    for address in ("/admin/", "/admin/?days=7", "/admin/?days=90"):
        page = viewer.get(address).text
        assert "More displeased customers than before: Refund time" in page, address
        assert "12 of 30 replies in the last 7 days; in the 7 days before 1 of 40." in page, address
        assert 'class="tag bad"' in page, address
    told = app.test_client().get("/api/v1/statistics", headers={"Authorization": f"Bearer {key}"}).get_json()
    assert (told["days"], told["surging"], told["topics"][0]["surges"]) == (30, ["refund_time"], True)
    assert (told["topics"][0]["replies"], told["topics"][0]["negative"]) == (70, 13)


def test_a_topic_that_is_a_formula_is_none_in_the_file(
    viewer: FlaskClient, database: Database, say: Callable[..., None]
) -> None:
    with database.write() as session:
        session.add(Intent(name="refund_time", titles={"en": "=1+1<b>"}))
    say("refund?")
    assert "'=1+1<b>" in viewer.get("/admin/figures/topics.csv").text
    assert "=1+1&lt;b&gt;" in viewer.get("/admin/").text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/admin/?days=8", 422),
        ("/admin/?days=x", 422),
        ("/admin/figures/x.csv", 404),
        ("/admin/?lang=xx", 200),
    ],
)
def test_what_is_not_offered_is_refused(viewer: FlaskClient, address: str, status: int) -> None:
    assert viewer.get(address).status_code == status


def test_what_an_hour_costs_is_a_setting_of_the_site(
    app: Flask, signed_in: Callable[..., FlaskClient], say: Callable[..., None]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = signed_in("admin")
    say("refund?", vote="up")
    assert admin.post("/admin/site", data={"saved_minutes": "-1"}).status_code == 422
    assert admin.post("/admin/site", data={"hour_cost": "much"}).status_code == 422
    assert admin.post("/admin/site", data={"saved_minutes": "7.5", "hour_cost": "40"}).status_code == 303
    assert "1 × 7.5 ÷ 60 × 40 = 5" in admin.get("/admin/").text


def test_cost_topics_and_languages_are_there_day_by_day_and_as_files(
    app: Flask, signed_in: Callable[..., FlaskClient], say: Callable[..., None]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = signed_in("admin")
    admin.post("/admin/site", data={"saved_minutes": "6", "hour_cost": "50"})
    say("refund?", vote="up")
    say("refund again?", vote="down")

    def rows(table: str) -> list[dict[str, str]]:
        return list(
            csv.DictReader(io.StringIO(admin.get(f"/admin/figures/{table}.csv").text.lstrip("\ufeff")))
        )

    (today,) = [row for row in rows("days") if row["Conversations"] != "0"]
    assert (float(today["Saved, confirmed alone"]), float(today["Saved, with assumed"])) == (5.0, 5.0)
    (topic,) = rows("topic_days")
    assert (topic["Day"], topic["Replies"], topic["Displeased"]) == (today["Day"], "2", "1")
    assert [row["English"] for row in rows("language_days") if row["Day"] == today["Day"]] == ["2"]
    assert rows("languages") == [{"Language": "English", "Messages": "2"}]
    assert rows("kinds") == [{"Kind of reply": "From the articles", "Replies": "2"}]
    page = admin.get("/admin/").text
    assert "/admin/figures/kinds.csv?days=30" in page
    for title in ("Share of the answers that displeased", "Cost saved by day"):
        assert f"<title>{title}" in page or f'aria-label="{title}' in page, title


def test_what_was_asked_and_what_displeased_is_pictured_by_topic_and_day(
    viewer: FlaskClient, database: Database
) -> None:
    """Seven topics, of which two displease: five have their own colour, two have their own picture."""
    at = utcnow()
    with database.write() as session:
        site = ensure_default_site(session)
        talk = start_conversation(session, site_id=site.id, token_hash="t", locale="en", now=at)
        told = {"conversation_id": talk.id, "lang": "en", "created_at": at}
        session.add(Turn(role="customer", text="?", **told))
        for place in range(7):
            session.add(
                Intent(name=f"topic_{place}", titles={"en": f"Topic <{place}>", "zh": f"主题 {place}"})
            )
            turns = [
                Turn(role="bot", text="!", kind="passage", intent=f"topic_{place}", **told)
                for _ in range(9 - place)
            ]
            session.add_all(turns)
            session.flush()
            down = {3: 2, 6: 1}.get(place, 0)
            session.add_all(Feedback(turn_id=turn.id, vote="down", created_at=at) for turn in turns[:down])
    page = viewer.get("/admin/?days=7").text
    (asked,) = re.findall(
        r'<figure class="chart"><svg[^>]*aria-label="Answers by topic".*?</figure>', page, re.S
    )
    heights = re.findall(r'<rect class="stack-(\d)".*?<title>[^:]*: ([^<]*)</title>', asked)
    assert heights == [
        ("4", "Topic &lt;0&gt; 9"),
        ("1", "Topic &lt;1&gt; 8"),
        ("2", "Topic &lt;2&gt; 7"),
        ("5", "Topic &lt;3&gt; 6"),
        ("0", "Topic &lt;4&gt; 5"),
        ("3", "All other topics 7"),
    ]
    assert re.findall(r'aria-label="(Topic [^"]*)"', page) == ["Topic &lt;3&gt;", "Topic &lt;6&gt;"]
    for share in ("0.333 (6)", "0.333 (3)"):
        assert share in page
    address = "/admin/figures/displeased_days.csv?days=7"
    assert address in page
    rows = list(csv.DictReader(io.StringIO(viewer.get(address).text.lstrip("\ufeff"))))
    assert [(row["Topic"], row["Displeased"], row["Replies"], row["Share displeased"]) for row in rows] == [
        ("Topic <3>", "2", "6", "0.333"),
        ("Topic <6>", "1", "3", "0.333"),
    ]


def test_every_word_of_the_pictures_and_tables_has_a_chinese_one(
    app: Flask, database: Database, say: Callable[..., None]
) -> None:
    say("refund?", vote="up")
    said: set[str] = {*WEEKDAYS, *(text for text, _ in DAY_COLUMNS)}
    period = Period(7, utcnow())

    def remember(text: str) -> str:
        said.add(text)
        return text

    with database.read() as session:
        figures = statistics(session, period)
        found = Overview(figures, figures.savings(minutes=6, hour_cost=30), topics_by_day(session, period))
    pictures(found, {}, remember)
    displeased_pictures(found, {}, remember)
    tables(found, {}, remember)
    assert sorted(said - set(catalogue("zh"))) == []


@pytest.mark.parametrize(
    ("milliseconds", "told"), [(0.4, "0 ms"), (187.6, "188 ms"), (1999.0, "1999 ms"), (47_905.0, "47.9 s")]
)
def test_what_takes_seconds_is_told_in_seconds(app: Flask, milliseconds: float, told: str) -> None:
    assert app.jinja_env.filters["lasting"](milliseconds) == told
