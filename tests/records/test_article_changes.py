"""Articles written, rewritten, deleted, and each of it taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from chatbot.errors import ConflictError, NotFoundError
from chatbot.records import article_changes
from chatbot.records.article_changes import find, state_of, version_of
from chatbot.records.database import Database
from chatbot.records.example_changes import Decider
from chatbot.records.knowledge import ArticleDraft, PassageDraft, enable_passage, put_article, set_questions
from chatbot.records.passages import PassageForm, edit_passage, set_passage_questions
from chatbot.records.schema import upgrade
from chatbot.records.tables import Article, ArticleQuestion, AuditEntry, Passage
from chatbot.retrieval.following import since, whole

BY = Decider(None)
DRAFT = ArticleDraft(
    slug="refund",
    lang="en",
    title="Refunds",
    body="One.\n\n## More\n\nTwo.",
    passages=(PassageDraft("Refunds", "One."), PassageDraft("Refunds › More", "Two.")),
    questions=("refund time",),
    source="help.csv",
)
OTHER = replace(
    DRAFT,
    body="One.\n\n## More\n\nThree.",
    passages=(PassageDraft("Refunds", "One."), PassageDraft("Refunds › More", "Three.")),
    questions=("how long?",),
)


@pytest.fixture
def store(tmp_path: Path) -> Database:
    made = Database(f"sqlite:///{tmp_path}/a.db")
    upgrade(made)
    return made


@pytest.fixture
def imported(store: Database) -> int:
    with store.write() as session:
        return put_article(session, DRAFT)[0].id


def state(store: Database) -> dict:
    with store.read() as session:
        return state_of(session, session.scalars(select(Article)).one())


def shown(store: Database) -> tuple[set[str], set[str]]:
    """What a serving process that begins now would search: passages and questions."""
    with store.read() as session:
        found = whole(session)
    return {entry.text for entry in found.passages}, {entry.text for entry in found.questions}


def test_what_is_written_is_searched_and_its_name_is_taken(store: Database) -> None:
    with store.write() as session:
        change = article_changes.write(session, replace(DRAFT, source=""), by=BY)
    assert shown(store) == ({"One.", "Two."}, {"refund time"})
    with store.read() as session:
        assert [row.source for row in session.scalars(select(ArticleQuestion))] == ["admin"]
        entry = session.get_one(AuditEntry, change.entry)
    assert entry.action == "article.write" and entry.subject.endswith(": Refunds")
    with pytest.raises(ConflictError, match="of this name already"), store.write() as session:
        article_changes.write(session, DRAFT, by=BY)
    with store.write() as session:
        article_changes.undo(session, change.entry or 0, by=BY)
    assert shown(store) == (set(), set())


def test_a_rewritten_article_keeps_name_source_and_equal_passages(store: Database, imported: int) -> None:
    with store.write() as session:
        set_questions(session, session.get_one(Article, imported), ["learned"], source="transcript")
        kept = session.scalar(select(Passage.id).where(Passage.text == "One."))
        before = whole(session).revision
    with store.write() as session:
        article_changes.rewrite(session, imported, replace(OTHER, title="Money", section="Paying"), by=BY)
    assert shown(store) == ({"One.", "Three."}, {"how long?", "learned"})
    with store.read() as session:
        article = session.get_one(Article, imported)
        assert (article.slug, article.source, article.title, article.edited) == (
            "refund",
            "help.csv",
            "Money",
            True,
        )
        assert session.scalar(select(Passage.id).where(Passage.text == "One.")) == kept
        changed = since(session, before)
    assert changed is not None and {entry.text for entry in changed.passages} >= {"Three."}


def test_a_passage_that_a_person_changed_is_never_lost(store: Database, imported: int) -> None:
    with store.write() as session:
        first, second = session.scalars(select(Passage).order_by(Passage.position))
        edit_passage(session, first, PassageForm("Refunds", ("One, by hand.",), "en"))
        edit_passage(session, second, PassageForm("Refunds › More", ("Two, by hand.",), "en"))
    with store.write() as session:
        change = article_changes.rewrite(session, imported, OTHER, by=BY)
    assert change.outdated == 1
    assert shown(store)[0] == {"One, by hand.", "Three."}
    with store.read() as session:
        flagged = session.scalars(select(Passage).where(Passage.source_changed)).one()
    assert flagged.text == "Two, by hand." and not flagged.enabled


def test_saving_what_is_there_changes_nothing(store: Database, imported: int) -> None:
    before = state(store)
    with store.write() as session:
        change = article_changes.rewrite(session, imported, DRAFT, by=BY)
        assert session.scalars(select(AuditEntry)).all() == []
    assert change.entry is None and state(store) == before and not before["edited"]


def test_who_saw_an_older_article_does_not_overwrite_it(store: Database, imported: int) -> None:
    seen = version_of(state(store))
    with store.write() as session:
        article_changes.rewrite(session, imported, OTHER, seen=seen, by=BY)
    for change in (article_changes.rewrite, article_changes.delete):
        arguments = (imported, DRAFT) if change is article_changes.rewrite else (imported,)
        with pytest.raises(ConflictError, match="changed meanwhile"), store.write() as session:
            change(session, *arguments, seen=seen, by=BY)  # type: ignore[operator]
    with pytest.raises(NotFoundError), store.write() as session:
        article_changes.rewrite(session, imported + 1, DRAFT, by=BY)


def test_its_source_leaves_it_alone_until_it_says_something_else(store: Database, imported: int) -> None:
    with store.write() as session:
        article_changes.rewrite(session, imported, OTHER, by=BY)
    with store.write() as session:
        assert put_article(session, DRAFT)[1] == "unchanged"
    assert shown(store)[0] == {"One.", "Three."}
    newer = replace(DRAFT, body="Four.", passages=(PassageDraft("Refunds", "Four."),))
    with store.write() as session:
        assert put_article(session, newer)[1] == "overwritten"
    assert shown(store)[0] == {"Four."} and not state(store)["edited"]


@pytest.mark.parametrize("what", ["rewrite", "delete"])
def test_a_change_is_taken_back_to_the_letter(store: Database, imported: int, what: str) -> None:
    with store.write() as session:
        first, second = session.scalars(select(Passage).order_by(Passage.position))
        edit_passage(session, second, PassageForm("Refunds › More", ("By hand.",), "en"))
        set_passage_questions(session, second, ["more?"])
        enable_passage(session, first, enabled=False)
        set_questions(session, session.get_one(Article, imported), ["learned"], source="transcript")
    before, searched = state(store), shown(store)
    with store.write() as session:
        change = (
            article_changes.delete(session, imported, by=BY)
            if what == "delete"
            else article_changes.rewrite(session, imported, OTHER, status="off", by=BY)
        )
        told = session.get_one(AuditEntry, change.entry).detail
        assert "learned" not in str(told)  # a person's words may have to be erased
    assert shown(store) == (set(), set())
    with store.write() as session:
        undone = article_changes.undo(session, change.entry or 0, by=BY)
    assert state(store) == before
    texts, questions = shown(store)
    assert texts == searched[0]
    assert questions == (searched[1] if what == "rewrite" else searched[1] - {"learned"})
    with pytest.raises(ConflictError, match="changed again since"), store.write() as session:
        article_changes.undo(session, change.entry or 0, by=BY)
    with store.write() as session:
        article_changes.undo(session, undone.entry or 0, by=BY)  # and back again
    assert shown(store) == (set(), set())


def test_a_change_is_not_taken_back_over_a_later_one(store: Database, imported: int) -> None:
    with store.write() as session:
        change = article_changes.rewrite(session, imported, OTHER, by=BY)
        session.scalars(select(Passage)).first().text = "Later."  # type: ignore[union-attr]
    with pytest.raises(ConflictError, match="changed again since"), store.write() as session:
        article_changes.undo(session, change.entry or 0, by=BY)
    with store.write() as session:
        gone = article_changes.delete(session, imported, by=BY)
        put_article(session, replace(DRAFT, title="Another"))
    with pytest.raises(ConflictError, match="changed again since"), store.write() as session:
        article_changes.undo(session, gone.entry or 0, by=BY)
    with pytest.raises(NotFoundError), store.write() as session:
        article_changes.undo(session, 999, by=BY)
    with store.read() as session:
        assert find(session, "refund", "en") is not None
