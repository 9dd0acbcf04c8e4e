"""The pages of one release: its card, the replay, the trial; and the training that starts by itself."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from chatbot.learning import canaries
from chatbot.learning.releases import go_live
from chatbot.learning.sureness import Answering, counted
from chatbot.learning.writing import WRITING, Drafted, judge_writing
from chatbot.records import jobs
from chatbot.records.database import Database
from chatbot.records.example_changes import Decider, relabel
from chatbot.records.intents import put_intent
from chatbot.records.tables import Example, Job, Release
from chatbot.settings import Settings
from web.automatic import new_examples, retrain_when_due

METRICS = {
    "classifier": {
        "accuracy": 88.0,
        "intents": {"refund": {"precision": 90.0, "recall": 80.0, "f1": 84.7, "support": 10}},
        "labels": ["hours", "refund"],
        "confusion": [[6, 2], [1, 9]],
        "calibration": [[30.0, 25.0, 4], [90.0, 95.0, 14]],
    }
}
TRACE = {
    "release": "r2",
    "mode": "approved_and_cited",
    "thresholds": {"sureness": 0.6},
    "parts": [
        {
            "request": "refund?",
            "lang": "en",
            "classification": {"ranked": [], "in_scope": 0.5},
            "hits": [],
            "draft": None,
            "kind": "passage",
            "rule": "sure",
            "reason": "0.9 is above 0.6",
        }
    ],
    "milliseconds": {"look up": 1.25},
}


@pytest.fixture
def releases(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "verify", lambda folder: None)
    with database.write() as session:
        session.add(Release(id="r1", snapshot="s", status="promoted", metrics=METRICS))
        session.add(
            Release(
                id="r2",
                snapshot="s",
                metrics=METRICS,
                reason="gate: not worse on any measure",
                erased_people=3,
            )
        )
        session.flush()
        go_live(session, settings, "r1", reason="test")


@pytest.fixture
def admin(app: Flask, signed_in: Callable[..., FlaskClient], releases: None) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return signed_in("admin")


@pytest.mark.parametrize(
    ("language", "told", "english", "unknown"),
    [
        (
            "en",
            "Answers 75 % of questions, of these 33.3 % are wrong (measured on 4 held-back questions of release r1).",
            "English: answers 100 %, of these 50.0 % are wrong.",
            "was not measured for release r1",
        ),
        (
            "zh",
            "回答 75 % 的问题，其中 33.3 % 答错（版本 r1，在 4 个未参与训练的问题上测得）。",
            "English：回答 100 %，其中 50.0 % 答错。",
            "版本 r1 没有测量",
        ),
    ],
)
def test_the_settings_say_what_the_chosen_sureness_costs(
    admin: FlaskClient, database: Database, language: str, told: str, english: str, unknown: str
) -> None:
    admin.post("/admin/language", data={"language": language})
    assert unknown in admin.get("/admin/site").text
    asked = [Answering("en", 0.9, False), Answering("en", 0.65, True), Answering("zh", 0.8, False)]
    counts = counted(asked, [Answering("zh", 0.0, False)])
    with database.write() as session:
        session.get_one(Release, "r1").metrics = METRICS | {"training": {"sureness": counts}}
    page = admin.get("/admin/site").text  # at 60 %
    assert f">{told}<" in page and f">{english}<" in page
    refused = admin.post("/admin/site", data={"sureness": "0.7", "origins": "ftp://a.example"}).text
    assert told.replace("75", "50").replace("33.3", "0.0") in refused  # of what was asked for


@pytest.mark.parametrize(
    ("language", "unmeasured", "passed", "refused"),
    [
        (
            "en",
            "Whether release r1 writes well enough was not measured.",
            "Release r1 may send sentences of its own in English: of 60 drafts that passed the check 100.0 % are "
            "grounded.",
            "Release r1 sends no sentences of its own in 中文 yet: 2 drafts that passed the check are too few to judge "
            "by (at least 30).",
        ),
        (
            "zh",
            "版本 r1 自拟句子的质量尚未测量",
            "版本 r1 可以用English发送自拟句子：通过核对的 60 份草稿中，有依据的占 100.0 %。",
            "版本 r1 暂不发送中文的自拟句子：只有 2 份草稿通过核对，不足以评判（至少需要 30 份）。",
        ),
    ],
)
def test_the_settings_say_in_which_languages_the_bot_may_write(
    admin: FlaskClient, database: Database, language: str, unmeasured: str, passed: str, refused: str
) -> None:
    admin.post("/admin/language", data={"language": language})
    assert unmeasured in admin.get("/admin/site").text
    sound, none = Drafted("en", True, True), Drafted("zh", True, True)
    with database.write() as session:
        session.get_one(Release, "r1").metrics = METRICS | {WRITING: judge_writing([sound] * 60 + [none] * 2)}
    page = admin.get("/admin/site").text
    assert passed in page and refused in page


@pytest.mark.parametrize(
    ("language", "told", "reason"),
    [
        ("en", "3 people whose words", "gate: not worse on any measure"),
        ("zh", "3 人", "上线检查：各项指标都没有变差"),
    ],
)
def test_the_page_shows_the_card_with_pictures_in_both_languages(
    admin: FlaskClient, language: str, told: str, reason: str
) -> None:
    shown = admin.get("/admin/releases/r2", headers={"Accept-Language": language}).text
    assert shown.count('role="img"') == 2
    assert told in shown
    assert f'<p class="note">{reason}</p>' in shown  # the card's own line, beside the gate's above it
    assert " style=" not in shown
    card = admin.get("/admin/releases/r2/card", headers={"Accept-Language": language})
    assert "attachment" in card.headers["Content-Disposition"]
    assert told in card.text and reason in card.text
    assert "polyline" not in admin.get("/admin/charts.css").text


def test_a_trial_is_started_measured_and_ended_on_the_page(admin: FlaskClient) -> None:
    begun = admin.post("/admin/releases/r2/trial", data={"share": "0.1"}, follow_redirects=True)
    assert "End the trial" in begun.text
    told = admin.get("/admin/releases/r2/figures").json
    assert told is not None
    assert (told["trial"]["share"], told["trial"]["enough"], told["replay"]) == (0.1, False, None)
    refused = admin.post("/admin/releases/r2/trial", data={"share": "lots"})
    assert refused.status_code == 422
    ended = admin.post("/admin/releases/r2/trial/end", follow_redirects=True)
    assert "Start a trial" in ended.text


def test_a_page_without_a_replay_says_what_to_do_and_the_live_release_that_there_is_nothing(
    admin: FlaskClient,
) -> None:
    waiting = admin.get("/admin/releases/r2/replay").text
    assert "Replay the last conversations" in waiting and "/admin/releases/r2/replay" in waiting
    live = admin.get("/admin/releases/r1/replay").text
    assert "This release is live" in live and "Replay the last conversations" not in live


@pytest.mark.parametrize(("changed", "where"), [(2, "/admin/releases/r2/replay"), (0, "/admin/releases/r2")])
def test_the_job_of_a_replay_leads_to_what_it_found(
    admin: FlaskClient, database: Database, changed: int, where: str
) -> None:
    admin.post("/admin/releases/r2/replay")
    with database.write() as session:
        row = session.scalars(select(Job)).one()
        row.state = "done"
        row.result = {
            "release_id": "r2",
            "conversations": 3,
            "messages": 5,
            "changed": changed,
            "left_out": 1,
        }
        page = f"/admin/jobs/{row.id}"
    shown = admin.get(page).text
    assert f"{changed} of 5 messages in the last 3 conversations" in shown and f'href="{where}"' in shown


def test_a_replay_is_queued_and_its_changes_are_shown(
    admin: FlaskClient, database: Database, settings: Settings
) -> None:
    assert admin.post("/admin/releases/r2/replay").status_code == 303
    with database.read() as session:
        queued = jobs.list_jobs(session, limit=1)[0]
    assert (queued.kind, queued.arguments) == ("replay", {"release_id": "r2"})
    assert admin.get("/admin/releases/r2/replay/changes").status_code == 404
    reply = {"kind": "passage", "text": "<i>3 days</i>", "intent": None, "confidence": 0.9}
    change = {
        "conversation_id": 1,
        "turn_id": 1,
        "asked": "refund?",
        "before": reply | {"kind": "unknown", "text": "not sure"},
        "after": reply,
        "trace_before": TRACE,
        "trace_after": TRACE,
    }
    body = {
        "release_id": "r2",
        "live_id": "r1",
        "made_at": "",
        "conversations": 4,
        "messages": 9,
        "left_out": 2,
        "changed": 1,
        "kinds": {"unknown → passage": 1},
        "changes": [change],
    }
    (settings.data / "replays").mkdir()
    (settings.data / "replays" / "r2.json").write_text(json.dumps(body))
    shown = admin.get("/admin/releases/r2/replay").text
    assert "&lt;i&gt;3 days" in shown
    assert shown.count("0.9 is above 0.6") == 2
    assert shown.count("look up 1.2 ms") == 2
    chinese = admin.get("/admin/releases/r2/replay", headers={"Accept-Language": "zh"}).text
    assert chinese.count("查找答案 1.2 ms") == 2
    assert "1 of 9 messages in the last 4 conversations" in admin.get("/admin/releases/r2").text
    for address in ("/admin/releases/r2", "/admin/releases/r2/replay"):
        assert "2 messages that an action answered are left out" in admin.get(address).text
    told = admin.get("/admin/releases/r2/replay/changes").json
    assert told is not None
    assert told["changed"] == 1


def test_enough_new_examples_start_one_training(
    database: Database, settings: Settings, releases: None
) -> None:
    asks = settings.model_copy(update={"retrain_after": 3})

    def add(number: int, status: str = "unreviewed") -> None:
        with database.write() as session:
            session.add_all(
                Example(
                    text="t", lang="en", source="transcript", status=status, content_hash="h", group_key="g"
                )
                for _ in range(number)
            )

    add(2)
    add(5, "rejected")
    assert retrain_when_due(database, asks) is None
    add(1)
    assert retrain_when_due(database, settings) is None  # off by default
    job_id = retrain_when_due(database, asks)
    assert job_id is not None
    assert retrain_when_due(database, asks) is None
    with database.write() as session:
        session.get_one(Job, job_id).state = "failed"
    assert retrain_when_due(database, asks) is None  # what failed once waits for news
    add(3)
    with database.read() as session:
        assert new_examples(session) == 3
    job_id = retrain_when_due(database, asks)
    assert job_id is not None
    with database.write() as session:
        session.get_one(Job, job_id).state = "done"
        put_intent(session, "refund")
        ids = list(session.scalars(select(Example.id).where(Example.status == "unreviewed").limit(3)))
        session.execute(update(Example).where(Example.id.in_(ids)).values(out_of_scope=True))
    with database.write() as session:
        relabel(session, ids, intent="refund", by=Decider(None))
    job_id = retrain_when_due(database, asks)
    assert job_id is not None
    with database.read() as session:
        assert session.get_one(Job, job_id).arguments["because"] == "3 new or corrected examples"


def test_the_list_marks_what_was_trained_on_words_of_people_erased_since(
    admin: FlaskClient, database: Database
) -> None:
    listed = admin.get("/admin/releases").text
    assert listed.count("erased since") == listed.count("trained on words of 3 people erased since") == 1
    with database.write() as session:
        session.execute(update(Release).where(Release.id == "r1").values(erased_people=1))
    assert admin.get("/admin/releases").text.count("trained on words of 1 person erased since") == 1
