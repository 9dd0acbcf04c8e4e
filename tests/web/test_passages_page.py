"""Passages on the article's page and as JSON. The fixtures are those of the admin area's tests."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from chatbot.records.knowledge import ArticleDraft, PassageDraft, put_article
from chatbot.records.tables import AuditEntry, Passage

DRAFT = ArticleDraft(
    slug="returns",
    lang="en",
    title="Returns",
    body="You may send things back.\n\n## Time\n\nThirty days.",
    passages=(
        PassageDraft("Returns", "You may send things back."),
        PassageDraft("Returns › Time", "Thirty days."),
    ),
)


@pytest.fixture
def article(app, database):
    with database.write() as session:
        return put_article(session, DRAFT)[0].id


@pytest.fixture
def client(signed_in):
    return signed_in("editor")


def token(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/admin/account").text)[1]


def send(client, article, passage, what, **form):
    return client.post(
        f"/admin/articles/{article}/passages/{passage}/{what}", data={"csrf_token": token(client)} | form
    )


def version(client, article, place):
    return client.get(f"/admin/articles/{article}/passages").json["passages"][place]["version"]


def rows(database):
    with database.read() as session:
        return list(session.scalars(select(Passage).order_by(Passage.position)))


def test_an_editor_changes_splits_dates_and_joins_a_passage_on_the_page(client, article, database):
    done = send(
        client,
        article,
        2,
        "edit",
        title_path="Returns › Time",
        text="Sixty days.\r\n---\r\nLonger at Christmas.",
        questions="how long?\r\nuntil when?",
        lang="en",
        valid_from="2020-01-01",
        valid_until="2030-12-31",
        version=version(client, article, 1),
    )
    assert done.status_code == 303
    assert [row.text for row in rows(database)] == [
        "You may send things back.",
        "Sixty days.",
        "Longer at Christmas.",
    ]
    page = client.get(f"/admin/articles/{article}").text
    assert "split in 2" in page and "how long?" in page and 'value="2030-12-31"' in page
    assert send(client, article, 2, "join").status_code == 303
    assert rows(database)[1].text == "Sixty days.\n\nLonger at Christmas."
    with database.read() as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {"article.passage_edit", "article.passage_join"} <= actions
    again = client.post(f"/admin/articles/{article}/cut-anew", data={"csrf_token": token(client)})
    assert again.status_code == 303
    assert not any(row.edited for row in rows(database))
    assert "Thirty days." in " ".join(row.text for row in rows(database))


def test_a_program_reads_and_changes_passages_as_json(client, article, database):
    before = client.get(f"/admin/articles/{article}/passages").json["passages"][0]
    assert before["text"] == "You may send things back." and not before["edited"]
    body = {"version": before["version"], "text": "Send it back.", "questions": ["may I return it?"]}
    path = f"/admin/articles/{article}/passages/{before['id']}/edit"
    headers = {"X-CSRFToken": token(client)}
    after = client.post(path, json=body, headers=headers)
    assert after.status_code == 200
    changed = after.json["passages"][0]
    assert (changed["text"], changed["questions"], changed["edited"]) == (
        "Send it back.",
        ["may I return it?"],
        True,
    )
    stale = client.post(path, json=body, headers=headers)
    assert stale.status_code == 409 and "meanwhile" in stale.json["error"]["message"]
    wrong = client.post(path, json={"valid_until": "soon"}, headers=headers)
    assert (wrong.status_code, wrong.json["error"]["field"]) == (422, "valid_until")
    assert rows(database)[0].text == "Send it back."


def test_an_older_form_does_not_wipe_a_period_and_questions_that_a_program_set(client, article, database):
    seen = version(client, article, 0)
    page = client.get(f"/admin/articles/{article}").text
    assert f'name="version" value="{seen}"' in page
    path = f"/admin/articles/{article}/passages/1/edit"
    mine = {"valid_until": "2030-12-31", "questions": ["may I return it?"]}
    set_by_one = client.post(path, json=mine, headers={"X-CSRFToken": token(client)})
    assert set_by_one.status_code == 200
    older = {"text": DRAFT.passages[0].text, "questions": "", "valid_until": "", "version": seen}
    assert send(client, article, 1, "edit", **older).status_code == 409
    assert client.get(f"/admin/articles/{article}/passages").json == set_by_one.json


@pytest.mark.parametrize(
    ("what", "sent", "field"),
    [
        ("status", b'{"live": "yes"}', "live"),
        ("status", b"{}", "live"),
        ("status", b"[]", "body"),
        ("status", b'{"live": ', "body"),
        ("passages/1", b'{"live": 1}', "live"),
        ("passages/1/edit", b'{"text": 5}', "text"),
        ("passages/1/edit", b'{"texts": ["a", null]}', "texts.1"),
        ("passages/1/edit", b'{"questions": [{"a": 1}]}', "questions.0"),
        ("passages/1/edit", b'{"questions": "a"}', "questions"),
        ("passages/1/edit", b'{"foo": 1}', "foo"),
        ("edit", b'{"title": "Returns", "body": "Sixty days.", "questions": "a"}', "questions"),
        ("passages/1/edit", b'{"valid_until": 2030}', "valid_until"),
        ("passages/1/edit", b'{"version": 3}', "version"),
        ("passages/1/edit", b"nonsense", "body"),
        ("passages/1/join", b"[]", "body"),
        ("passages/2/outdated", b'{"keep": "yes"}', "keep"),
    ],
)
def test_json_of_another_kind_changes_nothing(client, article, database, what, sent, field):
    before = client.get(f"/admin/articles/{article}/passages").json
    refused = client.post(
        f"/admin/articles/{article}/{what}",
        data=sent,
        content_type="application/json",
        headers={"X-CSRFToken": token(client)},
    )
    error = refused.json["error"]
    assert (refused.status_code, error["field"]) == (422, field)
    assert error["remedy"]
    assert client.get(f"/admin/articles/{article}/passages").json == before


def test_a_program_switches_an_article_and_a_passage(client, article, database):
    headers = {"X-CSRFToken": token(client)}
    off = client.post(f"/admin/articles/{article}/status", json={"live": False}, headers=headers)
    assert (off.status_code, off.json["status"]) == (200, "off")
    on = client.post(f"/admin/articles/{article}/status", json={"live": True}, headers=headers)
    assert on.json["status"] == "live"
    one = client.post(f"/admin/articles/{article}/passages/2", json={"live": False}, headers=headers)
    assert [passage["enabled"] for passage in one.json["passages"]] == [True, False]
    assert send(client, article, 2, "outdated").status_code == 422  # a form that does not say what to do


def test_what_is_wrong_with_a_body_is_told_in_chinese():
    from web.admin.bodies import _OTHERWISE, _WRONG
    from web.sentences import in_words

    for sentence in (text for pair in (*_WRONG.values(), _OTHERWISE) for text in pair):
        assert re.search(r"[\u4e00-\u9fff]", in_words(sentence, "zh")), sentence


def test_an_outdated_passage_is_marked_and_decided_on(client, article, database):
    send(client, article, 2, "edit", text="Sixty days.")
    with database.write() as session:
        put_article(session, ArticleDraft("returns", "en", "Returns", "x", DRAFT.passages[:1]))
    assert "Outdated" in client.get(f"/admin/articles/{article}").text
    assert "outdated passages" in client.get("/admin/articles").text
    assert send(client, article, 2, "outdated", keep="no").status_code == 303
    assert [row.text for row in rows(database)] == ["You may send things back."]


def test_the_articles_box_finds_passages_as_they_stand_and_tells_articles_of_one_title_apart(
    client, article, database
):
    send(client, article, 2, "edit", text="Sixty whole days.")
    assert "Returns" in client.get("/admin/articles?q=sixty+whole").text
    assert "No article fits." in client.get("/admin/articles?q=thirty+days").text
    assert "new/returns.md" not in client.get("/admin/articles").text
    with database.write() as session:
        put_article(session, replace(DRAFT, slug="returns-2", source="new/returns.md"))
    assert "new/returns.md" in client.get("/admin/articles").text


def test_the_search_is_tried_on_a_page_and_as_json(client, article):
    assert "/admin/articles/search" in client.get("/admin/articles").text
    page = client.get("/admin/articles/search?q=thirty+days").text
    assert "Returns › Time" in page and "words alone" in page
    client.post(
        f"/admin/articles/{article}/status", json={"live": False}, headers={"X-CSRFToken": token(client)}
    )
    asked = {"Accept": "application/json"}
    (hit,) = client.get("/admin/articles/search?q=thirty+days", headers=asked).json["hits"]
    assert (hit["title_path"], hit["withheld"]) == ("Returns › Time", "off")
    assert "Switched off" in client.get("/admin/articles/search?q=thirty+days").text
    wrong = client.get("/admin/articles/search?q=", headers=asked)
    assert (wrong.status_code, wrong.json["error"]["field"]) == (422, "q")
    assert client.get("/admin/articles/search?q=x&lang=english").status_code == 422
