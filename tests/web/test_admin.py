from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from chatbot.dialogue.danger_texts import DANGER_TEXTS
from chatbot.dialogue.options import SiteOptions
from chatbot.learning import retraining
from chatbot.learning.retraining import Outcome
from chatbot.records import jobs as job_rows
from chatbot.records import people
from chatbot.records.conversations import find_site
from chatbot.records.database import Database
from chatbot.records.jobs import get_job
from chatbot.records.people import ROLES
from chatbot.records.tables import (
    Answer,
    Article,
    AuditEntry,
    Intent,
    KnowledgeChange,
    Passage,
    Person,
    Promotion,
    Release,
    Transcript,
)
from chatbot.settings import Settings
from web.access import required_role
from web.admin.pages.uploads import KINDS, safe_name
from web.admin.style_guide import contrast, pairs
from web.jobs import JobContext, enqueue, run_retrain
from web.language import LANGUAGES, catalogue, counted
from web.tokens import tokens
from web.worker import Worker

PASSWORD = "correct horse battery"
SignIn = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_hasher", lambda: quick)


def send(client: FlaskClient, path: str, **form: object):
    """Post a form with the token of the session."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)
    assert found
    return client.post(path, data={"csrf_token": found[1]} | form, content_type="multipart/form-data")


@pytest.fixture
def knowledge(app: Flask, database: Database) -> dict[str, int]:
    """One article, one intent with a draft, one release that is live and one that is not."""
    with database.write() as session:
        article = Article(
            slug="refunds", lang="en", title="Refunds", body="Three days.", section="Money", content_hash="h"
        )
        intent = Intent(
            name="refund_time", titles={"en": "Refund time", "zh": "退款时间"}, article_slug="refunds"
        )
        session.add_all([article, intent])
        session.flush()
        session.add(
            Passage(
                article_id=article.id,
                position=0,
                title_path="Refunds",
                text="Within 3 days.",
                lang="en",
                content_hash="p",
            )
        )
        answer = Answer(intent_id=intent.id, lang="en", text="Within 3 working days.", status="draft")
        session.add(answer)
        session.add_all([Release(id=name, snapshot="s", status="promoted") for name in ("r1", "r2")])
        session.flush()
        session.add_all([Promotion(release_id="r1"), Promotion(release_id="r2")])
        return {"article": article.id, "intent": intent.id, "answer": answer.id}


@pytest.fixture
def conversation(client: FlaskClient) -> str:
    made = client.post("/api/v1/conversations", json={}).json
    assert made is not None
    client.post(
        f"/api/v1/conversations/{made['id']}/messages",
        json={"text": "when is my refund? <script>alert(1)</script>", "client_message_id": "m1"},
        headers={"Authorization": f"Bearer {made['token']}"},
    )
    return str(made["id"])


# --- every route ------------------------------------------------------------------------------------------


def admin_rules(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, an address) of every admin route, whatever its arguments are called."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin.") and rule.endpoint != "admin.static":
            address = re.sub(r"<[^>]+>", "1", rule.rule)
            methods = (rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}
            found += [(rule.endpoint, method, address) for method in sorted(methods)]
    return found


def test_the_walk_finds_the_admin_area(app: Flask) -> None:
    endpoints = {endpoint for endpoint, _, _ in admin_rules(app)}
    assert {
        "admin.home",
        "admin.upload_now",
        "admin.promote",
        "admin.change_role",
        "admin.audit",
    } <= endpoints


def test_every_route_names_the_role_it_needs(app: Flask) -> None:
    silent = [
        endpoint for endpoint, _, _ in admin_rules(app) if required_role(app.view_functions[endpoint]) is None
    ]
    assert silent == []


def test_no_route_lets_a_stranger_in(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # the guard alone must do
    for endpoint, method, address in admin_rules(app):
        answer = app.test_client().open(address, method=method)
        if method == "GET":
            assert (answer.status_code, "/admin/sign-in" in answer.headers.get("Location", "")) == (
                302,
                True,
            ), endpoint
        else:
            assert answer.status_code == 401, endpoint


@pytest.mark.parametrize("role", ROLES)
def test_every_route_refuses_a_lower_role(app: Flask, signed_in: SignIn, role: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = signed_in(role)
    for endpoint, method, address in admin_rules(app):
        needed = required_role(app.view_functions[endpoint]) or "nobody"
        if not people.at_least(role, needed):
            assert client.open(address, method=method).status_code == 403, (endpoint, role)
        elif method == "GET":
            assert client.open(address, method=method).status_code in (200, 404), (endpoint, role)


def test_every_changing_route_needs_the_form_token(app: Flask, signed_in: SignIn) -> None:
    client = signed_in("admin")
    for endpoint, method, address in admin_rules(app):
        if method != "GET":
            assert client.open(address, method=method).status_code == 400, endpoint


def test_nothing_that_changes_something_is_a_get(app: Flask) -> None:
    reading = {endpoint for endpoint, method, _ in admin_rules(app) if method == "GET"}
    changing = {endpoint for endpoint, method, _ in admin_rules(app) if method != "GET"}
    assert not reading & (changing - {"admin.people"})


def test_every_page_is_strict_about_scripts_and_caches(
    app: Flask, signed_in: SignIn, knowledge: dict[str, int]
) -> None:
    client = signed_in("admin")
    for _, method, address in admin_rules(app):
        if method == "GET":
            answer = client.get(address)
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy, address
            assert answer.headers["Cache-Control"] == "no-store", address
            assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.text), address


# --- texts ------------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
PAGES = WEB / "admin" / "templates"


def test_every_text_of_the_pages_has_a_chinese_one() -> None:
    pages = [path.read_text("utf-8") for path in WEB.rglob("*.html")]
    texts = {
        text
        for page in pages
        for pair in re.findall(r"""_\(\s*(?:"([^"]+)"|'([^']+)')\s*\)""", page)
        for text in pair
        if text
    }
    for words in re.findall(r"{% set \w*words = ({.*?}) %}", "".join(pages)):  # chosen by a stored name
        texts |= set(re.findall(r': "([^"]+)"', words))
    for path in WEB.rglob("*.py"):
        texts |= set(re.findall(r'gettext\(\s*"([^"]+)"', path.read_text("utf-8")))
    numbers = {
        text
        for page in pages
        for pair in re.findall(r"""counted\(\s*(?:"([^"]+)"|'([^']+)')\s*,""", page)
        for text in pair
        if text
    }
    assert {f"{text}|one" for text in numbers} <= set(catalogue("en"))  # English has two forms, Chinese one
    texts |= numbers
    assert len(texts) > 700
    assert sorted(texts - set(catalogue("zh"))) == []


def test_one_of_a_thing_is_said_as_one(app: Flask) -> None:
    for lang, told in (
        ("en", ["0 marks", "1 mark", "2 marks"]),
        ("zh", ["0 个评分", "1 个评分", "2 个评分"]),
    ):
        with app.test_request_context(headers={"Accept-Language": lang}):
            assert [counted("{number} marks", number) for number in range(3)] == told


def test_the_audit_log_has_words_for_everything_it_keeps(signed_in: SignIn, database: Database) -> None:
    code = r"[a-z_]+\.[a-z_]+"
    kept = {"retention"} | {f"upload.{kind}" for kind in KINDS}
    for folder in ("chatbot", "web"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            for said in re.findall(r"\baction=([^,]+),", text) + re.findall(
                r"_note\(records, ([^,]+),", text
            ):
                kept |= set(re.findall(rf'"({code})"', said))
            for what in re.findall(r'_audit\(session, "(\w+)"', text):
                kept.add(f"conversation.{what}")
            for either in re.findall(r'_changed\([^"\n]*((?:"\w+"[^"\n]*)+), change\)', text):
                kept |= {f"article.{what}" for what in re.findall(r'"(\w+)"', either)}
    assert len(kept) > 60 and {"article.passage_drop", "review.reopen", "person.sign_in_failed"} <= kept
    for language in LANGUAGES:
        assert sorted(kept - set(catalogue(language))) == []
    client = signed_in("admin")
    send(client, "/admin/site", mode="drafts_only")
    assert "Changed a site&#39;s settings" in client.get("/admin/audit").text


def test_the_catalogues_keep_the_gaps_of_their_texts() -> None:
    for language in LANGUAGES:
        for text, translated in catalogue(language).items():
            if "{" in text:
                assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", translated)), text


# --- uploads and jobs -------------------------------------------------------------------------------------


def test_an_upload_is_kept_under_a_random_name_read_by_a_job_and_erased(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    client = signed_in("editor")
    text = "# Refund time\n\nA refund takes three working days after we have received the parcel."
    answer = send(
        client,
        "/admin/upload",
        kind="articles",
        files=[(io.BytesIO(text.encode()), "../../etc/refund time.md"), (io.BytesIO(text.encode()), "b.md")],
    )
    assert answer.status_code == 303
    job_id = int(answer.location.rpartition("/")[2])
    with database.read() as session:
        names = get_job(session, job_id).arguments["files"]
    assert [name.partition("/")[2] for name in names] == ["refund time.md", "b.md"]
    assert all(re.fullmatch(r"[0-9a-f]{32}", name.partition("/")[0]) for name in names)
    stored = settings.uploads / names[0]
    assert stored.read_text() == text
    assert stored.stat().st_mode & 0o077 == 0

    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        job = get_job(session, job_id)
        articles = list(session.scalars(select(Article.title)))
    assert (job.state, job.error) == ("done", None)
    assert "Refund time" in articles
    assert not stored.exists()
    page = client.get(f"/admin/jobs/{job_id}").text
    assert "Import of articles" in page
    assert "Done" in page


def test_the_language_of_uploaded_articles_can_be_told(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    client = signed_in("editor")
    file = (io.BytesIO("# Kostenpunkt\n\nEine Woche kostet fünf Euro.".encode()), "kostenpunkt.md")
    assert send(client, "/admin/upload", kind="articles", lang="DE", files=[file]).status_code == 303
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        assert session.scalars(select(Article.lang).where(Article.slug == "kostenpunkt")).all() == ["de"]
    file = (io.BytesIO(b"# A\n\nText."), "a.md")
    assert send(client, "/admin/upload", kind="articles", lang="deutsch", files=[file]).status_code == 422


def test_who_uploads_a_text_of_a_doubtful_encoding_is_shown_what_it_says_and_chooses(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    client = signed_in("editor")
    czech = "# Zásilky\n\nKde je můj balík? Doručíme jej do tří dnů."
    plain = "# Délais\n\nLivré en trois jours."

    def files() -> list[tuple[io.BytesIO, str]]:
        return [(io.BytesIO(czech.encode("cp1250")), "zasilky.md"), (io.BytesIO(plain.encode()), "delais.md")]

    answer = send(client, "/admin/upload", kind="articles", lang="cs", files=files())
    assert answer.location.startswith("/admin/upload/encoding?")
    page = client.get(answer.location).text
    assert "Kde je můj balík?" in page and "Livré" not in page
    stored = re.findall(r'name="files" value="([^"]+)"', page)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == 0
    told = {"kind": "articles", "lang": "cs", "files": stored}
    assert send(client, "/admin/upload/encoding", encoding=["klingon", ""], **told).status_code == 422
    assert send(client, "/admin/upload/encoding", encoding=["cp1250", ""], **told).status_code == 303
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        bodies = {row.slug: row.body for row in session.execute(select(Article.slug, Article.body))}
    assert "můj balík" in bodies["zasilky"] and "Livré" in bodies["delais"]

    # told at once, nothing is asked
    answer = send(client, "/admin/upload", kind="articles", lang="cs", encoding="cp1250", files=files()[:1])
    assert answer.location.startswith("/admin/jobs/")
    assert (
        send(client, "/admin/upload", kind="articles", encoding="klingon", files=files()).status_code == 422
    )


def test_conversations_of_a_doubtful_encoding_are_looked_at_in_the_one_that_was_chosen(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    client = signed_in("editor")
    table = "conversation,role,text\n1,customer,Kde je můj balík?\n1,agent,Přijde zítra.\n"
    answer = send(
        client, "/admin/upload", kind="transcripts", files=[(io.BytesIO(table.encode("cp1250")), "chats.csv")]
    )
    assert answer.location.startswith("/admin/upload/encoding?")
    (stored,) = re.findall(r'name="files" value="([^"]+)"', client.get(answer.location).text)
    chosen = send(client, "/admin/upload/encoding", kind="transcripts", files=stored, encoding="cp1250")
    page = client.get(chosen.location).text
    assert "Kde je můj balík?" in page
    assert re.findall(r'name="encoding" value="([^"]*)"', page) == ["cp1250"]
    send(client, "/admin/upload/check", action="import", files=stored, encoding="cp1250")
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        assert "můj balík" in str(session.scalars(select(Transcript.turns)).all())


def test_the_headings_of_an_uploaded_table_can_be_told(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    file = (io.BytesIO(b"Customer asks,We reply\nIs there a lift?,There is one.\n"), "faq.csv")
    told = {"question": "Customer asks", "answer": "We reply"}
    assert (
        send(signed_in("editor"), "/admin/upload", kind="articles", files=[file], **told).status_code == 303
    )
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        titles = session.scalars(select(Article.title).where(Article.source == "faq.csv")).all()
    assert titles == ["Is there a lift?"]


def test_the_import_report_names_the_rows_that_could_not_be_read(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    good = {
        "id": "d1",
        "lang": "en",
        "turns": [
            {"role": "customer", "text": "How long does a refund take at your shop?"},
            {"role": "agent", "text": "It takes three working days after we have the parcel."},
        ],
    }
    rows = json.dumps(good) + "\n" + '{"id": "d2", "turns": 7}' + "\n"
    client = signed_in("editor")
    answer = send(
        client, "/admin/upload", kind="transcripts", files=[(io.BytesIO(rows.encode()), "chats.jsonl")]
    )
    Worker(database, settings).run(until_idle=True)
    page = client.get(answer.location).text
    assert "Rows that could not be read" in page
    with database.read() as session:
        job = get_job(session, int(answer.location.rpartition("/")[2]))
    assert job.result is not None
    assert job.result["errors"] == 1
    assert job.result["row_errors"][0]["message"] in page


TABLE = (
    "Chat,By whom,Said,Topic\n"
    "a,Client,Where is my parcel KC-204817? I am Anna Smith.,tracking\n"
    "a,Agent,It arrives on Friday and left our house today.,\n"
)


def test_a_table_is_looked_at_tried_and_imported_with_the_columns_that_the_editor_chose(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    client = signed_in("editor")
    answer = send(
        client, "/admin/upload", kind="transcripts", files=[(io.BytesIO(TABLE.encode()), "chats.csv")]
    )
    assert answer.location.startswith("/admin/upload/check?")
    page = client.get(answer.location).text
    assert "By whom" in page and "Choose them above" in page
    (stored,) = re.findall(r'name="files" value="([^"]+)"', page)
    columns = {
        "column.conversation": "Chat",
        "column.role": "By whom",
        "column.text": "Said",
        "column.intent": "Topic",
    }

    look = send(client, "/admin/upload/check", action="look", files=stored, **columns)
    shown = client.get(look.location).text
    assert "I am [NAME]." in shown and "Anna" not in shown
    told = client.get(look.location, headers={"Accept": "application/json"}).get_json()
    assert told["previews"][0]["columns"] == {
        name.partition(".")[2]: heading for name, heading in columns.items()
    }

    tried = send(client, "/admin/upload/check", action="try", files=stored, **columns)
    Worker(database, settings).run(until_idle=True)
    page = client.get(tried.location).text
    assert "nothing is stored" in page and (settings.uploads / stored).is_file()
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Transcript)) == 0

    imported = send(client, "/admin/upload/check", action="import", files=stored, **columns)
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        job = get_job(session, int(imported.location.rpartition("/")[2]))
        assert job.result is not None
        assert (job.state, job.result["kept"]) == ("done", 1)
        assert session.scalar(select(func.count()).select_from(Transcript)) == 1
    assert not (settings.uploads / stored).exists()


def test_tables_with_headings_of_their_own_are_imported_together(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    """The page shows the columns found in the first one: those hold for the others only where somebody set them."""
    client = signed_in("editor")
    second = "会话,角色,内容\nb,客户,你们的刀具可以免费磨刀吗？\nb,客服,购买一年内可以免费磨刀一次。\n"
    first = "conversation,role,text\na,customer,Do you sharpen knives for free?\n"
    answer = send(
        client,
        "/admin/upload",
        kind="transcripts",
        files=[(io.BytesIO(first.encode()), "a.csv"), (io.BytesIO(second.encode()), "b.csv")],
    )
    page = client.get(answer.location).text
    stored = re.findall(r'name="files" value="([^"]+)"', page)
    columns = {f"column.{name}": name for name in ("conversation", "role", "text")}
    look = send(client, "/admin/upload/check", action="look", files=stored, **columns)
    assert "No column has this heading" not in client.get(look.location).text
    send(client, "/admin/upload/check", action="import", files=stored, **columns)
    Worker(database, settings).run(until_idle=True)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Transcript)) == 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 32 + "/gone.csv", "x" * 32 + "/a/b.csv"])
def test_only_what_an_upload_stored_can_be_looked_at(signed_in: SignIn, name: str) -> None:
    client = signed_in("editor")
    answer = client.get(
        "/admin/upload/check", query_string={"files": name}, headers={"Accept": "application/json"}
    )
    assert answer.status_code == 404


def test_files_that_were_looked_at_can_be_discarded(signed_in: SignIn, settings: Settings) -> None:
    client = signed_in("editor")
    answer = send(
        client,
        "/admin/upload",
        kind="transcripts",
        check="1",
        files=[(io.BytesIO(b'{"turns": 1}'), "a.jsonl")],
    )
    page = client.get(answer.location).text
    (stored,) = re.findall(r'name="files" value="([^"]+)"', page)
    send(client, "/admin/upload/check", action="discard", files=stored)
    assert not (settings.uploads / stored).exists()


def test_a_file_that_nobody_can_read_fails_with_its_reason_on_the_page(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    client = signed_in("editor")
    answer = send(
        client, "/admin/upload", kind="transcripts", files=[(io.BytesIO(b"\x00\x01\x02" * 400), "photo.json")]
    )
    Worker(database, settings).run(until_idle=True)
    page = client.get(answer.location).text
    assert "Failed" in page
    assert "photo.json" in page


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("tickets.json", "tickets.json"),
        ("../../etc/passwd", "passwd"),
        ("C:\\exports\\工单 2026.json", "工单 2026.json"),
        ("...", "upload"),
        ("a\x00b<c>.md", "a_b_c_.md"),
        ("x" * 300 + ".jsonl", "x" * 80 + ".jsonl"),
    ],
)
def test_a_file_name_can_do_no_harm(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_an_unknown_kind_of_upload_is_refused(signed_in: SignIn) -> None:
    answer = send(signed_in("editor"), "/admin/upload", kind="releases", files=[(io.BytesIO(b"x"), "x.md")])
    assert answer.status_code == 422


def test_retraining_is_queued_once(signed_in: SignIn, database: Database) -> None:
    client = signed_in("editor")
    first = send(client, "/admin/retrain")
    assert first.status_code == 303
    assert send(client, "/admin/retrain").status_code == 409
    state = client.get(first.location + "/state").json
    assert state is not None
    assert (state["open"], state["state"]) == (True, "queued")


def test_learning_on_from_the_live_release_is_asked_for_on_the_page(
    signed_in: SignIn,
    database: Database,
    settings: Settings,
    knowledge: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def trained(*_: object, warm: bool, **__: object) -> Outcome:
        asked.append(warm)
        return Outcome("r2", "promoted", "")

    monkeypatch.setattr(retraining, "retrain", trained)
    client = signed_in("editor")
    assert 'name="warm"' in client.get("/admin/releases").text
    for form in ({"warm": "yes"}, {}):
        job_id = int(send(client, "/admin/retrain", **form).location.rpartition("/")[2])
        with database.read() as session:
            arguments = get_job(session, job_id).arguments
        send(client, f"/admin/jobs/{job_id}/cancel")
        told = {"arguments": arguments, "progress": None, "person_id": None}
        run_retrain(cast(JobContext, SimpleNamespace(database=database, settings=settings, **told)))
    assert asked == [True, False]


def test_a_job_can_be_stopped_and_run_again(
    signed_in: SignIn, database: Database, settings: Settings
) -> None:
    job_id = enqueue(database, settings, "retrain")
    client = signed_in("editor")
    send(client, f"/admin/jobs/{job_id}/cancel")
    with database.read() as session:
        assert job_rows.get_job(session, job_id).state == "cancelled"
    send(client, f"/admin/jobs/{job_id}/again")
    with database.read() as session:
        assert job_rows.get_job(session, job_id).state == "queued"


# --- knowledge --------------------------------------------------------------------------------------------


def test_an_article_is_shown_with_its_passages_and_its_intent(
    signed_in: SignIn, knowledge: dict[str, int]
) -> None:
    client = signed_in("viewer")
    assert "Refunds" in client.get("/admin/articles?q=within+3").text
    assert "No article fits" in client.get("/admin/articles?q=bicycle").text
    page = client.get(f"/admin/articles/{knowledge['article']}").text
    assert "Within 3 days." in page
    assert "Refund time" in page


def test_a_passage_taken_back_is_told_to_every_searching_process(
    signed_in: SignIn, knowledge: dict[str, int], database: Database
) -> None:
    client = signed_in("editor")
    address = f"/admin/articles/{knowledge['article']}"
    with database.read() as session:
        passage = session.scalars(select(Passage.id)).one()
    send(client, f"{address}/passages/{passage}", live="no")
    send(client, f"{address}/passages/{passage}", live="yes")
    send(client, f"{address}/status", live="no")
    with database.read() as session:
        changes = session.scalars(select(KnowledgeChange).order_by(KnowledgeChange.id)).all()
        article = session.get_one(Article, knowledge["article"])
    assert [(one.entry_id, one.operation) for one in changes] == [
        (passage, "delete"),
        (passage, "upsert"),
        (passage, "delete"),
    ]
    assert [one.revision for one in changes] == sorted({one.revision for one in changes})
    assert article.status == "off"
    assert send(client, f"{address}/passages/{passage + 1}", live="no").status_code == 404


def statuses(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {answer.text: answer.status for answer in session.scalars(select(Answer))}


def test_approving_a_draft_retires_the_answer_before_and_names_who_did_it(
    signed_in: SignIn, knowledge: dict[str, int], database: Database
) -> None:
    client = signed_in("editor")
    send(client, f"/admin/answers/{knowledge['answer']}/approve")
    send(
        client,
        f"/admin/intents/{knowledge['intent']}/answers",
        lang="en",
        text="Within 2 days.",
        approve="yes",
    )
    assert statuses(database) == {"Within 3 working days.": "retired", "Within 2 days.": "approved"}
    with database.read() as session:
        approved = session.scalars(select(Answer).where(Answer.status == "approved")).one()
        person = session.get_one(Person, approved.approved_by_id)
    assert person.email == "editor@example.com"


def test_a_draft_changes_nothing_until_it_is_approved(
    signed_in: SignIn, knowledge: dict[str, int], database: Database
) -> None:
    client = signed_in("editor")
    send(client, f"/admin/answers/{knowledge['answer']}/approve")
    send(client, f"/admin/intents/{knowledge['intent']}/answers", lang="en", text="Maybe.", approve="no")
    assert statuses(database) == {"Within 3 working days.": "approved", "Maybe.": "draft"}
    send(client, f"/admin/answers/{knowledge['answer']}/retire")
    assert statuses(database) == {"Within 3 working days.": "retired", "Maybe.": "draft"}
    page = client.get(f"/admin/intents/{knowledge['intent']}").text
    assert "Use it again" in page and f'action="/admin/answers/{knowledge["answer"]}/approve"' in page
    send(client, f"/admin/answers/{knowledge['answer']}/approve")
    assert statuses(database)["Within 3 working days."] == "approved"


def test_an_empty_answer_is_refused(signed_in: SignIn, knowledge: dict[str, int]) -> None:
    answer = send(signed_in("editor"), f"/admin/intents/{knowledge['intent']}/answers", lang="en", text="  ")
    assert answer.status_code == 422


# --- releases, conversations, people, site ----------------------------------------------------------------


def test_rolling_back_goes_through_the_same_checks_as_promoting(
    signed_in: SignIn, knowledge: dict[str, int], database: Database
) -> None:
    """The bundle of r1 is not on the disk: a release that cannot be loaded never becomes live."""
    answer = send(signed_in("admin"), "/admin/releases/rollback")
    assert answer.status_code == 409
    with database.read() as session:
        assert session.scalars(select(Promotion.release_id).order_by(Promotion.id.desc())).first() == "r2"


def test_the_releases_say_which_one_is_live(signed_in: SignIn, knowledge: dict[str, int]) -> None:
    rows = re.findall(r"<tr class=\"link\">.*?</tr>", signed_in("viewer").get("/admin/releases").text, re.S)
    assert [("r2" in row, "live now" in row) for row in rows] == [(True, True), (False, False)]


def test_a_conversation_shows_why_the_bot_said_what_it_said(signed_in: SignIn, conversation: str) -> None:
    client = signed_in("viewer")
    listed = client.get("/admin/conversations?q=refund").text
    (address,) = re.findall(r'href="(/admin/conversations/\d+)"', listed)
    page = client.get(address).text
    assert "Why this answer?" in page
    assert "written by the test" in page
    assert "91 %" in page


def test_what_customers_write_is_text_and_never_markup(signed_in: SignIn, conversation: str) -> None:
    client = signed_in("viewer")
    listed = client.get("/admin/conversations").text
    (address,) = re.findall(r'href="(/admin/conversations/\d+)"', listed)
    for page in (listed, client.get(address).text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


def test_waiting_conversations_come_first_and_are_counted_in_the_menu(
    client: FlaskClient, signed_in: SignIn
) -> None:
    made = [client.post("/api/v1/conversations", json={}).json for _ in range(3)]
    first = made[0]
    assert first is not None
    client.post(
        f"/api/v1/conversations/{first['id']}/handover",
        json={"reason": "asked"},
        headers={"Authorization": f"Bearer {first['token']}"},
    )
    page = signed_in("agent").get("/admin/conversations").text
    assert re.findall(r'href="/admin/conversations/(\d+)"', page)[0] == "1"
    assert re.search(r'class="number"[^>]*>1</span>', page)


def test_a_link_that_went_to_a_wrong_address_is_seen_and_withdrawn(app: Flask, signed_in: SignIn) -> None:
    client = signed_in("admin")
    page = send(client, "/admin/people", email="wrong@example.com", role="admin").text
    (address,) = set(re.findall(r"/admin/set-up/[\w-]+", page))
    assert app.test_client().get(address).status_code == 200
    (withdraw,) = set(re.findall(r"/admin/people/links/\d+/withdraw", client.get("/admin/people").text))
    assert send(signed_in("editor"), withdraw).status_code == 403
    assert send(client, withdraw).status_code == 303
    assert app.test_client().get(address).status_code != 200
    assert "wrong@example.com" not in client.get("/admin/people").text
    assert "Withdrew a one-time link" in client.get("/admin/audit?topic=person").text
    assert send(client, withdraw).status_code == 404


def test_an_invited_person_sets_a_password_and_has_the_role(
    app: Flask, signed_in: SignIn, database: Database
) -> None:
    page = send(signed_in("admin"), "/admin/people", email="new@example.com", role="agent").text
    link = re.search(r'value="http://localhost(/admin/set-up/[^"]+)"', page)
    assert link
    stranger = app.test_client()
    form = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get(link[1]).text)
    assert form
    stranger.post(link[1], data={"csrf_token": form[1], "name": "New", "password": PASSWORD})
    with database.read() as session:
        person = people.find_person(session, "new@example.com")
    assert person is not None
    assert (person.role, person.name) == ("agent", "New")


def test_the_last_admin_cannot_lock_everybody_out(signed_in: SignIn, database: Database) -> None:
    client = signed_in("admin")
    with database.read() as session:
        me = people.find_person(session, "admin@example.com")
    assert me is not None
    assert send(client, f"/admin/people/{me.id}/active", active="no").status_code == 409
    assert send(client, f"/admin/people/{me.id}/role", role="viewer").status_code == 409


def test_the_sites_switches_are_kept_and_written_down(signed_in: SignIn, database: Database) -> None:
    client = signed_in("admin")
    answer = send(
        client,
        "/admin/site",
        mode="generated_allowed",
        sureness="0.72",
        choice_floor="0.3",
        origins="https://www.example.com/\nhttps://shop.example.com:8443\nhttps://*.example.org",
    )
    assert answer.status_code == 303
    with database.read() as session:
        site = find_site(session, "default")
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "site.change"))
    assert site.options["mode"] == "generated_allowed"
    assert site.options["sureness"] == 0.72
    assert site.allowed_origins == [
        "https://www.example.com",
        "https://shop.example.com:8443",
        "https://*.example.org",
    ]
    assert entry.detail["sureness"] == 0.72


def test_what_is_said_at_a_danger_to_life_is_the_sites_own(signed_in: SignIn, database: Database) -> None:
    client = signed_in("admin")

    def options() -> SiteOptions:
        with database.read() as session:
            return SiteOptions.from_json(find_site(session, "default").options)

    page = client.get("/admin/site").text
    assert "Danger to life" in page and "Do not pour water on it" in page
    send(
        client,
        "/admin/site",
        danger="on",
        danger_fire_en="Call 000.",
        danger_gas_en=DANGER_TEXTS["en"]["gas"],
    )
    assert options().danger and options().danger_texts == {"en": {"fire": "Call 000."}}
    assert "Call 000." in client.get("/admin/site").text
    send(client, "/admin/site", mode="drafts_only")  # a form that says nothing of it leaves it
    assert options().danger_texts == {"en": {"fire": "Call 000."}}
    send(client, "/admin/site", danger="off", danger_fire_en="")
    assert not options().danger and options().danger_texts == {}
    assert send(client, "/admin/site", danger_fire_en="x" * 601).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "anything"},
        {"sureness": "2"},
        {"sureness": "very"},
        {"origins": "ftp://example.com"},
        {"origins": "https://*"},
    ],
)
def test_a_switch_that_cannot_be_changes_nothing(
    signed_in: SignIn, database: Database, wrong: dict[str, str]
) -> None:
    form = {"mode": "drafts_only", "sureness": "0.8", "choice_floor": "0.2", "origins": ""} | wrong
    assert send(signed_in("admin"), "/admin/site", **form).status_code == 422
    with database.read() as session:
        assert find_site(session, "default").options == {}


def test_what_went_wrong_is_said_in_the_readers_language_with_a_way_back(signed_in: SignIn) -> None:
    client = signed_in("viewer")
    page = client.get(
        "/admin/conversations/9999", headers={"Accept": "text/html", "Accept-Language": "zh-CN"}
    )
    assert page.status_code == 404
    for expected in ('lang="zh-Hans"', "没有这段对话", "9999", 'href="/admin/"'):
        assert expected in page.text


def test_every_pair_of_colours_in_use_can_be_read_in_both_schemes(signed_in: SignIn) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    short = [f"{p.front.name} on {p.back.name}: {p.light:.2f} {p.dark:.2f}" for p in pairs() if not p.holds]
    assert short == []
    assert all(token.light != token.dark for token in tokens().values() if token.is_colour)
    page = signed_in("viewer").get("/admin/style").text
    for element in (
        *("is-hover", "is-focus", "disabled", 'aria-invalid="true"', "<progress", "empty", "<svg", "<kbd"),
        *('type="checkbox"', 'class="pages"', "Undo", "type-6"),
    ):
        assert element in page


def test_no_style_names_a_colour_a_size_of_type_or_a_duration_beside_the_tokens() -> None:
    for name in ("admin.css", "inbox.css"):
        (path,) = (PAGES.parents[1]).rglob(name)
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgb|\bhsl", text) == [], name
        assert re.findall(r"font(?:-size)?:\s*[\d.]+(?:px|r?em|%)", text) == [], name
        assert re.findall(r"(?:transition|animation)[\w-]*:[^;]*\b[\d.]+m?s\b", text) == [], name
