import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from chatbot.language.redaction import find_contacts, redact
from chatbot.records.database import Database
from chatbot.records.knowledge import (
    ArticleDraft,
    PassageDraft,
    current_revision,
    delete_article,
    enable_passage,
    put_article,
    redaction_rules,
    set_article_status,
    set_questions,
)
from chatbot.records.published_values import published_values
from chatbot.records.schema import upgrade
from chatbot.records.tables import Article, ArticleQuestion, KnowledgeChange, Passage, Site

DRAFT = ArticleDraft(
    slug="refund",
    lang="en",
    title="Refunds",
    body="One. Two.",
    passages=(PassageDraft("Refunds", "One."), PassageDraft("Refunds › More", "Two.")),
    questions=("when do I get my money", "refund time"),
)


@pytest.fixture(scope="module")
def schema_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("knowledge") / "empty.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.dispose()
    return path


@pytest.fixture
def store(tmp_path, schema_file):
    path = tmp_path / "k.db"
    path.write_bytes(schema_file.read_bytes())
    made = Database(f"sqlite:///{path}")
    yield made
    made.dispose()


def put(store, draft):
    with store.write() as session:
        article, change = put_article(session, draft)
        return article.id, change


def changes(store, after=0):
    with store.read() as session:
        rows = session.scalars(
            select(KnowledgeChange).where(KnowledgeChange.revision > after).order_by(KnowledgeChange.id)
        )
        return [(row.revision, row.entry, row.entry_id, row.operation) for row in rows]


def passages(store):
    with store.read() as session:
        return {row.text: row.id for row in session.scalars(select(Passage).order_by(Passage.position))}


def test_a_new_article_is_logged_in_one_revision(store):
    assert put(store, DRAFT)[1] == "created"
    assert changes(store) == [
        (1, "passage", 1, "upsert"),
        (1, "passage", 2, "upsert"),
        (1, "question", 1, "upsert"),
        (1, "question", 2, "upsert"),
    ]


def test_the_same_article_again_makes_no_revision(store):
    put(store, DRAFT)
    assert put(store, DRAFT)[1] == "unchanged"
    with store.read() as session:
        assert current_revision(session) == 1


def test_unchanged_passages_keep_their_ids_and_new_ones_never_take_an_old_id(store):
    put(store, DRAFT)
    before = passages(store)
    edited = replace(
        DRAFT,
        body="New. One.",
        passages=(PassageDraft("Refunds", "New."), PassageDraft("Refunds", "One.")),
        questions=("refund time",),
    )
    assert put(store, edited)[1] == "updated"
    after = passages(store)
    assert list(after) == ["New.", "One."]
    assert after["One."] == before["One."]
    assert after["New."] > max(before.values())
    assert changes(store, after=1) == [
        (2, "passage", before["Two."], "delete"),
        (2, "passage", after["New."], "upsert"),
        (2, "question", 1, "delete"),
    ]


def test_a_new_title_or_address_reaches_every_passage(store):
    put(store, DRAFT)
    put(store, replace(DRAFT, url="https://x.example/refund"))
    assert {(entry, number) for _, entry, number, _ in changes(store, after=1)} == {
        ("passage", 1),
        ("passage", 2),
    }


def test_two_languages_of_one_slug_are_two_articles(store):
    first, _ = put(store, DRAFT)
    second, change = put(store, replace(DRAFT, lang="zh"))
    assert (change, first != second) == ("created", True)


def test_a_deleted_article_leaves_nothing_but_the_log(store):
    put(store, DRAFT)
    with store.write() as session:
        delete_article(session, session.scalars(select(Article)).one())
    with store.read() as session:
        assert session.scalars(select(Passage)).all() == session.scalars(select(ArticleQuestion)).all() == []
    assert [(entry, operation) for _, entry, _, operation in changes(store, after=1)] == [
        ("passage", "delete"),
        ("passage", "delete"),
        ("question", "delete"),
        ("question", "delete"),
    ]


def test_questions_of_other_sources_are_left_alone(store):
    put(store, DRAFT)
    with store.write() as session:
        article = session.scalars(select(Article)).one()
        assert set_questions(session, article, ["Refund time", "money back?"], source="admin") == 1
        assert set_questions(session, article, [], source="admin") == 1
    put(store, replace(DRAFT, questions=()))
    with store.read() as session:
        assert session.scalars(select(ArticleQuestion)).all() == []


def test_one_transaction_is_one_revision(store):
    with store.write() as session:
        put_article(session, DRAFT)
        put_article(session, replace(DRAFT, slug="other"))
    put(store, replace(DRAFT, slug="third"))
    assert {row[0] for row in changes(store)} == {1, 2}


def test_a_rolled_back_writer_leaves_no_revision(store):
    with pytest.raises(ZeroDivisionError), store.write() as session:
        put_article(session, DRAFT)
        raise ZeroDivisionError
    with store.read() as session:
        assert (current_revision(session), changes(store)) == (0, [])


def test_writers_at_once_get_revisions_of_their_own(store):
    def work(name):
        for number in range(5):
            put(store, replace(DRAFT, slug=f"{name}{number}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    revisions = [row[0] for row in changes(store)]
    assert revisions == sorted(revisions)
    assert set(revisions) == set(range(1, 16))
    assert all(revisions.count(revision) == 4 for revision in set(revisions))


def test_what_is_switched_off_leaves_the_search_and_comes_back(store):
    put(store, DRAFT)
    with store.write() as session:
        enable_passage(session, session.get(Passage, 1), enabled=False)
    with store.write() as session:
        set_article_status(session, session.scalars(select(Article)).one(), "off")
    with store.write() as session:
        set_article_status(session, session.scalars(select(Article)).one(), "live")
    assert changes(store, after=1) == [
        (2, "passage", 1, "delete"),
        (3, "passage", 2, "delete"),
        (3, "question", 1, "delete"),
        (3, "question", 2, "delete"),
        (4, "passage", 2, "upsert"),
        (4, "question", 1, "upsert"),
        (4, "question", 2, "upsert"),
    ]


def test_published_contacts_are_known_in_any_spelling(store):
    put(store, replace(DRAFT, body="Call +31 (0)10 555 0148 or mail anna.support@kettle.example."))
    with store.read() as session:
        assert published_values(session) == {"310105550148", "annasupport@kettleexample"}


def test_an_article_is_read_for_its_contacts_once_and_again_when_it_changes(store, monkeypatch):
    from chatbot.records import published_values as module

    read = []

    def count(text):
        read.append(text)
        return find_contacts(text)

    monkeypatch.setattr(module, "find_contacts", count)
    monkeypatch.setattr(module, "_read", {})
    put(store, replace(DRAFT, body="Call +31 10 555 0148."))
    for _ in range(2):
        with store.read() as session:
            assert published_values(session) == {"31105550148"}
    assert read == ["Call +31 10 555 0148."]
    put(store, replace(DRAFT, body="Call +31 10 555 0149."))
    with store.read() as session:
        assert published_values(session) == {"31105550149"}
    with store.write() as session:
        set_article_status(session, session.scalars(select(Article)).one(), "off")
    with store.read() as session:
        assert published_values(session) == frozenset()
    assert len(read) == 2 and not module._read


def test_each_site_s_own_order_numbers_are_personal_beside_the_usual_ones(store):
    text = "AB/123/45 and KC-204817, AB/123/45 again, x7-99, 12/345/67"
    with store.write() as session:
        session.add_all(
            Site(key=key, name=key, options={"order_pattern": pattern})
            for key, pattern in (("a", r"[A-Z]{2}/\d{3}/\d{2}"), ("b", r"x\d-\d\d"), ("c", ""))
        )
    with store.read() as session:
        rules = redaction_rules(session)
    assert redact(text, rules=rules) == "[ORDER] and [ORDER_2], [ORDER] again, [ORDER_3], 12/345/67"
