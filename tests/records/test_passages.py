from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from chatbot.dialogue.lookup import DatabaseLookup
from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records.database import Database
from chatbot.records.knowledge import (
    ArticleDraft,
    PassageDraft,
    enable_passage,
    put_article,
    put_passages_anew,
    set_article_status,
    withdraw_missing,
)
from chatbot.records.passages import (
    PassageForm,
    drop_outdated,
    edit_passage,
    join_with_next,
    keep_outdated,
    open_passage,
    outdated_passages,
    set_passage_questions,
    version_of,
)
from chatbot.records.tables import (
    Article,
    ArticleQuestion,
    KnowledgeChange,
    KnowledgeClock,
    Passage,
    Table,
    utcnow,
)
from chatbot.retrieval.search import Searcher

A, B, C = (
    PassageDraft("Returns", "You may send things back."),
    PassageDraft("Returns › Time", "Within thirty days."),
    PassageDraft("Returns › Cost", "Postage is free."),
)
DRAFT = ArticleDraft(slug="returns", lang="en", title="Returns", body="a", passages=(A, B, C))


@pytest.fixture
def store(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/k.db")
    Table.metadata.create_all(made.engine)
    with made.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
        put_article(session, DRAFT)
    yield made
    made.dispose()


def rows(store):
    with store.read() as session:
        return list(session.scalars(select(Passage).order_by(Passage.position)))


def texts(store, *, quoted=True):
    return [row.text for row in rows(store) if row.enabled or not quoted]


def form(draft, *more, **changes):
    return replace(PassageForm(draft.title_path, (draft.text, *more), "en"), **changes)


def change(store, draft, how):
    with store.write() as session:
        found = session.scalars(select(Passage).where(Passage.text == draft.text)).one()
        return how(session, open_passage(session, found.article_id, found.id))


def read_again(store, *passages, body="b"):
    with store.write() as session:
        return put_article(session, replace(DRAFT, passages=passages, body=body))[1]


def test_an_edit_is_quoted_at_once_and_survives_the_article_read_again(store):
    change(store, B, lambda s, p: edit_passage(s, p, form(B, texts=("Within sixty days.",))))
    assert texts(store) == [A.text, "Within sixty days.", C.text]
    assert read_again(store, A, B, C, body="a") == "unchanged"
    assert read_again(store, A, B, C, PassageDraft("Returns", "New.")) == "updated"
    assert texts(store) == [A.text, "Within sixty days.", C.text, "New."]
    assert not any(row.source_changed for row in rows(store))


def test_an_edit_whose_piece_changed_is_switched_off_and_flagged_and_the_new_piece_is_quoted(store):
    change(store, B, lambda s, p: edit_passage(s, p, form(B, texts=("Within sixty days.",))))
    read_again(store, A, PassageDraft(B.title_path, "Within ten days."), C)
    assert texts(store) == [A.text, "Within ten days.", C.text]
    flagged = [row.text for row in rows(store) if row.source_changed]
    assert flagged == ["Within sixty days."]
    with store.read() as session:
        assert [(article.slug, number) for article, number in outdated_passages(session)] == [("returns", 1)]


@pytest.mark.parametrize("decision", [keep_outdated, drop_outdated])
def test_a_person_decides_about_a_flagged_edit(store, decision):
    change(store, B, lambda s, p: edit_passage(s, p, form(B, texts=("Sixty.",))))
    read_again(store, A, C)
    assert "Sixty." not in texts(store)
    change(store, PassageDraft("", "Sixty."), decision)
    kept = decision is keep_outdated
    assert ("Sixty." in texts(store)) == kept
    read_again(store, A, body="c")
    assert ("Sixty." in texts(store)) == kept
    with pytest.raises(ConflictError, match="not outdated"):
        change(store, A, decision)


def test_a_split_passage_stands_for_the_whole_piece(store):
    parts = change(store, B, lambda s, p: edit_passage(s, p, form(B, "And longer at Christmas.")))
    assert [part.position for part in parts] == [1, 2]
    assert texts(store) == [A.text, B.text, "And longer at Christmas.", C.text]
    read_again(store, C, B, A)
    assert texts(store) == [C.text, B.text, "And longer at Christmas.", A.text]


def test_joined_passages_stand_or_fall_with_both_pieces(store):
    change(store, A, join_with_next)
    joined = f"{A.text}\n\nTime\n{B.text}"
    assert texts(store) == [joined, C.text]
    read_again(store, A, B, C, body="c")
    assert texts(store) == [joined, C.text]
    read_again(store, A, C)
    assert texts(store) == [A.text, C.text]


def test_what_came_from_one_piece_is_outdated_together(store):
    change(store, A, lambda s, p: edit_passage(s, p, form(A, texts=("One.", "Two."))))
    change(store, PassageDraft("", "Two."), join_with_next)
    read_again(
        store, A, C
    )  # the piece that "Two." was joined with is gone: A's text must not be half missing
    assert texts(store) == [A.text, C.text]


def test_what_was_switched_off_stays_off(store):
    change(store, B, lambda s, p: enable_passage(s, p, enabled=False))
    read_again(store, A, B, PassageDraft("Returns", "New."))
    assert texts(store) == [A.text, "New."]
    with store.write() as session:
        set_article_status(session, session.scalars(select(Article)).one(), "off")
    read_again(store, A, body="c")
    with store.read() as session:
        assert session.scalars(select(Article)).one().status == "off"


def test_a_piece_that_nobody_touched_is_deleted_with_its_section(store):
    change(store, C, lambda s, p: set_passage_questions(s, p, ["who pays?"]))
    read_again(store, A, B)
    assert texts(store, quoted=False) == [A.text, B.text]
    with store.read() as session:
        assert session.scalars(select(ArticleQuestion)).one().passage_id is None


def test_the_article_can_be_cut_anew(store):
    change(store, B, lambda s, p: edit_passage(s, p, form(B, texts=("Sixty.", "More."))))
    with store.write() as session:
        put_passages_anew(session, session.scalars(select(Article)).one(), DRAFT.passages)
    assert texts(store, quoted=False) == [A.text, B.text, C.text]


def test_parts_of_a_split_take_the_headings_that_they_begin_with(store):
    parts = ("Sixty days.", "## At Christmas ##\n\nNinety days.", "# Alone", "#5 is a number.")
    change(store, B, lambda s, p: edit_passage(s, p, form(B, texts=parts)))
    assert [(row.title_path, row.text) for row in rows(store)[1:5]] == [
        (B.title_path, "Sixty days."),
        (f"{B.title_path} › At Christmas", "Ninety days."),
        (B.title_path, "# Alone"),
        (B.title_path, "#5 is a number."),
    ]
    long = ("One.", f"## {'x' * 1000}\ntext")
    with pytest.raises(InputError, match="too long"):
        change(store, C, lambda s, p: edit_passage(s, p, form(C, texts=long)))


def test_cut_anew_leaves_questions_with_the_piece_that_they_ask_for(store):
    change(store, A, join_with_next)
    change(store, C, lambda s, p: set_passage_questions(s, p, ["who pays?"]))
    change(store, C, lambda s, p: edit_passage(s, p, form(C, texts=("Free.", "Always."))))
    joined = rows(store)[0]
    with store.write() as session:
        set_passage_questions(session, session.get(Passage, joined.id), ["what and when?"])
    with store.write() as session:
        put_passages_anew(session, session.scalars(select(Article)).one(), DRAFT.passages)
    piece = next(row for row in rows(store) if row.text == C.text)
    with store.read() as session:
        asked = {row.text: row.passage_id for row in session.scalars(select(ArticleQuestion))}
    assert asked == {"who pays?": piece.id, "what and when?": None}


def test_every_change_is_logged_for_the_serving_processes(store):
    with store.read() as session:
        before = session.get(KnowledgeClock, 1).revision
    change(store, A, join_with_next)
    with store.read() as session:
        logged = session.scalars(select(KnowledgeChange).where(KnowledgeChange.revision > before))
        assert {(row.entry_id, row.operation) for row in logged} == {(1, "upsert"), (2, "delete")}


def test_nothing_is_shown_outside_its_period(store):
    searcher = Searcher.open(store, {})
    now = utcnow()
    for start, end, shown in (
        (None, now - timedelta(seconds=1), False),
        (now + timedelta(hours=1), None, False),
        (now - timedelta(hours=1), now + timedelta(hours=1), True),
    ):
        change(
            store, B, lambda s, p, a=start, b=end: edit_passage(s, p, form(B, valid_from=a, valid_until=b))
        )
        searcher.refresh()
        found = {hit.text for hit in searcher.search("thirty days", lang="en")}
        told = {hit.text for hit in DatabaseLookup(store).passages("returns", "en")}
        assert (B.text in found) == (B.text in told) == shown


def test_a_question_of_one_passage_leads_to_that_passage(store):
    question = "who carries the parcel bill"
    change(store, C, lambda s, p: set_passage_questions(s, p, [question]))
    searcher = Searcher.open(store, {})
    assert searcher.search(question, lang="en")[0].text == C.text
    change(store, C, lambda s, p: set_passage_questions(s, p, []))
    change(store, A, lambda s, p: set_passage_questions(s, p, [question]))
    searcher.refresh()
    assert not searcher.check()
    assert searcher.search(question, lang="en")[0].text == A.text
    change(store, A, lambda s, p: enable_passage(s, p, enabled=False))
    searcher.refresh()
    assert A.text not in {hit.text for hit in searcher.search(question, lang="en")}


def test_a_passage_may_change_its_language_and_its_questions_go_with_it(store):
    change(store, C, lambda s, p: set_passage_questions(s, p, ["谁付邮费"]))
    change(store, C, lambda s, p: edit_passage(s, p, form(C, lang="zh", texts=("邮费由我们承担。",))))
    searcher = Searcher.open(store, {})
    assert searcher.search("谁付邮费", lang="zh")[0].text == "邮费由我们承担。"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"texts": (" ",)}, "text"),
        ({"texts": ("x" * 20_001,)}, "text"),
        ({"title_path": " "}, "title_path"),
        ({"lang": "english"}, "lang"),
        ({"valid_from": utcnow(), "valid_until": utcnow() - timedelta(days=1)}, "valid_until"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_lost(store, bad, field):
    with pytest.raises(InputError) as caught:
        change(store, B, lambda s, p: edit_passage(s, p, form(B, **bad)))
    assert caught.value.field == field and caught.value.remedy
    assert texts(store) == [A.text, B.text, C.text]


def test_an_unchanged_form_makes_no_edit(store):
    change(store, B, lambda s, p: edit_passage(s, p, form(B)))
    assert not any(row.edited for row in rows(store))


def test_two_people_do_not_overwrite_each_other(store):
    with store.write() as session:
        seen = version_of(session.get(Passage, 2), ())
    change(store, B, lambda s, p: edit_passage(s, p, form(B, texts=("Sixty.",))))
    with pytest.raises(ConflictError, match="changed meanwhile"), store.write() as session:
        open_passage(session, 1, 2, seen=seen)
    with pytest.raises(NotFoundError), store.write() as session:
        open_passage(session, 7, 2)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda s, p: edit_passage(s, p, form(B, valid_until=datetime(2030, 1, 1, tzinfo=UTC))),
        lambda s, p: edit_passage(s, p, form(B, lang="de")),
        lambda s, p: set_passage_questions(s, p, ["how long?"]),
        lambda s, p: enable_passage(s, p, enabled=False),
    ],
)
def test_what_another_has_set_beside_the_text_is_not_overwritten_unseen(store, meanwhile):
    with store.write() as session:
        seen = version_of(session.get(Passage, 2), ())
    change(store, B, meanwhile)
    with pytest.raises(ConflictError, match="changed meanwhile"), store.write() as session:
        open_passage(session, 1, 2, seen=seen)


def test_the_last_and_the_unequal_are_not_joined(store):
    with pytest.raises(ConflictError, match="last"):
        change(store, C, join_with_next)
    change(store, B, lambda s, p: edit_passage(s, p, form(B, lang="zh")))
    with pytest.raises(ConflictError, match="differ"):
        change(store, A, join_with_next)


def test_a_row_that_left_its_file_is_withdrawn_and_comes_back_with_it(store):
    faq = [
        replace(
            DRAFT,
            slug=f"q{n}",
            title=f"Q{n}",
            source="faq.csv",
            passages=(PassageDraft(f"Q{n}", f"Answer {n}."),),
        )
        for n in range(4)
    ]

    def take(*drafts):
        with store.write() as session:
            for draft in drafts:
                put_article(session, draft)
            return [article.slug for article in withdraw_missing(session, drafts, source="faq.csv")[0]]

    assert take(*faq) == []
    assert take(*faq[:3]) == ["q3"]
    assert "Answer 3." not in {
        hit.text for hit in Searcher.open(store, {}).search("Answer Q3", lang="en", k=9)
    }
    assert take(*faq) == []
    with store.read() as session:
        assert set(session.scalars(select(Article.status))) == {"live"}
    assert take(replace(faq[0], slug="other")) == []  # another file of this name takes nothing away
