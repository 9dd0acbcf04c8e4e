"""Articles written, changed and deleted: on the page, by API key, in the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select

from chatbot.records.api_keys import create_key
from chatbot.records.database import Database
from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.passages import PassageForm, edit_passage
from chatbot.records.tables import Article, AuditEntry, Passage
from web import cli

BODY = "A gift card is valid for two years. " * 15 + "\n\n## Lost\n\n" + "A lost card is replaced. " * 15
FORM = {"title": "Gift cards", "body": BODY, "lang": "", "questions": "how long?\r\n", "live": "yes"}


@pytest.fixture
def client(signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    return signed_in("editor")


def token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)
    assert found
    return found[1]


def post(client: FlaskClient, path: str, **form: str) -> Any:
    return client.post(f"/admin/articles{path}", data={"csrf_token": token(client)} | form)


def article(database: Database) -> Article:
    with database.read() as session:
        return session.scalars(select(Article)).one()


def texts(database: Database) -> list[str]:
    with database.read() as session:
        return [row.text for row in session.scalars(select(Passage).order_by(Passage.position))]


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found
    return found[1]


def test_an_editor_writes_changes_deletes_and_brings_back(client: FlaskClient, database: Database) -> None:
    assert post(client, "/new", **FORM, valid_until="2030-12-31").status_code == 303
    made = article(database)
    assert (made.lang, made.status, made.edited) == ("en", "live", True)
    assert len(texts(database)) == 2  # cut at its heading, as a file is
    page = client.get(f"/admin/articles/{made.id}/edit").text
    assert "how long?" in page and 'value="2030-12-31"' in page
    version = hidden(page, "version")
    form = FORM | {"title": "Cards", "body": "Valid for ever.", "version": version}
    del form["live"]  # an article that is quoted has no such box
    assert post(client, f"/{made.id}/edit", **form).status_code == 303
    changed = article(database)
    assert (changed.title, changed.slug, changed.status) == ("Cards", made.slug, "live")
    assert changed.valid_until is None and texts(database) == ["Valid for ever."]
    gone = post(client, f"/{made.id}/delete")
    assert gone.status_code == 303 and gone.location.endswith("/admin/articles") and not texts(database)
    *_, undo = re.findall(r"/admin/articles(/changes/\d+/undo)", client.get("/admin/articles").text)
    assert post(client, undo).status_code == 303
    assert article(database).title == "Cards" and texts(database) == ["Valid for ever."]
    with database.read() as session:
        actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert [one for one in actions if one.startswith("article.")] == [
        "article.write",
        "article.rewrite",
        "article.delete",
        "article.undo",
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"title": " "}, "The title is empty"),
        ({"body": "#"}, "The article has no words"),
        ({"url": "javascript:alert(1)"}, "no address of a web page"),
        ({"lang": "english"}, "No such language"),
        ({"valid_from": "2030-01-01", "valid_until": "2029-01-01"}, "ends before it begins"),
        ({"valid_until": "tomorrow"}, "This is no date"),
        ({"questions": "\n".join(map(str, range(201)))}, "Too many questions"),
    ],
)
def test_what_cannot_be_comes_back_with_the_form(
    client: FlaskClient, database: Database, wrong: dict[str, str], says: str
) -> None:
    answer = post(client, "/new", **FORM | {"section": "My section"} | wrong)
    assert answer.status_code == 422 and says in answer.text and "My section" in answer.text
    assert not texts(database)


def test_a_name_that_is_taken_and_a_change_meanwhile_are_told(
    client: FlaskClient, database: Database
) -> None:
    post(client, "/new", **FORM)
    again = post(client, "/new", **FORM)
    assert again.status_code == 409 and "There is an article of this name already" in again.text
    number = article(database).id
    seen = hidden(client.get(f"/admin/articles/{number}/edit").text, "version")
    post(client, f"/{number}/edit", **FORM | {"body": "Theirs.", "version": seen})
    late = post(client, f"/{number}/edit", **FORM | {"body": "Mine.", "version": seen})
    assert late.status_code == 409 and "changed meanwhile" in late.text and "Mine." in late.text
    assert texts(database) == ["Theirs."]
    newer = hidden(late.text, "version")
    assert post(client, f"/{number}/edit", **FORM | {"body": "Mine.", "version": newer}).status_code == 303
    assert texts(database) == ["Mine."]


def test_passages_changed_by_hand_are_told_about(client: FlaskClient, database: Database) -> None:
    post(client, "/new", **FORM)
    with database.write() as session:
        first = session.scalars(select(Passage).order_by(Passage.position)).first()
        assert first is not None
        edit_passage(session, first, PassageForm(first.title_path, ("By hand.",), "en"))
    number = article(database).id
    page = client.get(f"/admin/articles/{number}/edit").text
    post(client, f"/{number}/edit", **FORM | {"body": "New.", "version": hidden(page, "version")})
    assert "fit no more: 1" in client.get(f"/admin/articles/{number}").text
    assert sorted(texts(database)) == ["By hand.", "New."]


def test_only_an_editor_writes(signed_in: Callable[..., FlaskClient], database: Database) -> None:
    viewer = signed_in("viewer")
    assert viewer.get("/admin/articles/new").status_code == 403
    assert post(viewer, "/new", **FORM).status_code == 403
    assert not texts(database)


def test_the_audit_log_shows_the_beginning_of_a_long_article(
    signed_in: Callable[..., FlaskClient], database: Database
) -> None:
    with database.write() as session:
        words = "word " * 20_000
        number = put_article(session, ArticleDraft("a", "en", "A", words, (PassageDraft("A", words),)))[0].id
    admin = signed_in("admin")
    assert post(admin, f"/{number}/delete").status_code == 303
    page = admin.get("/admin/audit").text
    assert "Deleted an article" in page and len(page) < 50_000
    [undo] = set(re.findall(r'action="/admin/articles(/changes/\d+/undo)"', page.partition("<table")[2]))
    assert post(admin, undo).status_code == 303 and texts(database) == [words]


# --- programs -------------------------------------------------------------------------------------------


@pytest.fixture
def ask(client: FlaskClient, app: Any, database: Database) -> Callable[..., Any]:
    def ask(method: str, path: str, body: Any = None, scope: str = "knowledge:write") -> Any:
        with database.write() as session:
            _, text = create_key(session, name="ci", scopes=[scope])
        headers = {"Authorization": f"Bearer {text}"}
        return app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

    return ask


def test_a_program_writes_reads_changes_and_deletes(ask: Callable[..., Any], database: Database) -> None:
    made = ask("PUT", "/articles/en/cards", {"title": "Cards", "body": BODY, "status": "off"})
    assert made.status_code == 201 and made.json["status"] == "off" and made.json["passages"] == 2
    read = ask("GET", "/articles/en/cards", scope="knowledge:read").json
    assert {**read, "change": made.json["change"]} == made.json
    body = {"title": "Cards", "body": "Three years.", "status": "live", "version": read["version"]}
    changed = ask("PUT", "/articles/en/cards", body)
    assert changed.status_code == 200 and changed.json["status"] == "live" and changed.json["passages"] == 1
    late = ask("PUT", "/articles/en/cards", body)
    assert late.status_code == 409 and late.json["error"]["field"] == "version"
    assert ask("DELETE", f"/articles/en/cards?version={read['version']}").status_code == 409
    taken = ask("POST", "/articles", {"title": "x", "body": "y", "slug": "cards", "lang": "en"})
    assert taken.status_code == 409 and taken.json["error"]["value"] == "cards"
    gone = ask("DELETE", "/articles/en/cards").json["change"]
    assert ask("GET", "/articles/en/cards", scope="knowledge:read").status_code == 404
    assert ask("PUT", "/articles/en/cards", body).status_code == 404  # of a version that is gone
    back = ask("POST", f"/articles/changes/{gone}/undo").json
    assert back["article"]["body"] == "Three years." and texts(database) == ["Three years."]


def test_a_program_is_told_what_is_wrong(ask: Callable[..., Any], database: Database) -> None:
    for path, body, field in (
        ("/articles/en/Not a name", {"title": "x", "body": "y"}, "slug"),
        ("/articles/english/x", {"title": "x", "body": "y"}, "lang"),
        ("/articles/en/x", {"title": "x"}, "body"),
        ("/articles/en/x", {"title": 5, "body": "y"}, "title"),
        ("/articles/en/x", {"title": "x", "body": "y", "status": "draft"}, "status"),
        ("/articles/en/x", {"title": "x", "body": "y", "valid_from": "soon"}, "valid_from"),
    ):
        answer = ask("PUT", path, body)
        assert answer.status_code == 422 and answer.json["error"]["field"] == field, answer.text
    for method, path in (("PUT", "/articles/en/x"), ("POST", "/articles"), ("DELETE", "/articles/en/x")):
        assert ask(method, path, {"title": "x", "body": "y"}, scope="knowledge:read").status_code == 403
    assert ask("GET", "/articles/en/x").status_code == 403
    assert not texts(database)


# --- the terminal ---------------------------------------------------------------------------------------


def test_the_terminal_lists_deletes_and_brings_back(
    database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/terminal.db"
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path))
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", url)
    run = CliRunner().invoke
    (tmp_path / "cards.md").write_text("# Cards\n\nTwo years.", encoding="utf-8")
    assert run(cli.main, ["ingest", "articles", str(tmp_path / "cards.md")]).exit_code == 0
    listed = run(cli.main, ["articles", "list", "--json", "-"])
    assert json.loads(listed.stdout)["articles"] == [
        {"lang": "en", "name": "cards", "title": "Cards", "status": "live", "passages": 1}
    ]
    gone = run(cli.main, ["articles", "delete", "en", "cards"])
    assert gone.exit_code == 0 and "frontdesk articles undo" in gone.output
    assert run(cli.main, ["articles", "delete", "en", "cards"]).exit_code == 2
    number = gone.output.split()[-1]
    assert run(cli.main, ["articles", "undo", number]).exit_code == 0
    assert "Cards" in run(cli.main, ["articles", "list"]).output


def test_the_terminal_tells_headings_and_language(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path))
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", f"sqlite:///{tmp_path}/headings.db")
    run = CliRunner().invoke
    (tmp_path / "faq.csv").write_text(
        "Nr,Der Kunde fragt,Wir sagen\n1,Wie lange?,Drei Tage.\n", encoding="utf-8"
    )
    plain = ["ingest", "articles", str(tmp_path / "faq.csv")]
    assert run(cli.main, plain).exit_code != 0
    told = run(cli.main, [*plain, "--question", "Der Kunde fragt", "--answer", "Wir sagen", "--lang", "de"])
    assert told.exit_code == 0, told.output
    assert "left out: Nr" in told.output
    listed = json.loads(run(cli.main, ["articles", "list", "--json", "-"]).stdout)["articles"]
    assert [(one["title"], one["lang"]) for one in listed] == [("Wie lange?", "de")]
