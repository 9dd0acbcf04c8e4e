import pytest
from sqlalchemy import select

from chatbot.errors import FileError, InputError
from chatbot.records.article_changes import rewrite, take_in, undo
from chatbot.records.example_changes import Decider
from chatbot.records.knowledge import current_revision, delete_article
from chatbot.records.tables import Answer, Article, AuditEntry, Intent, Passage
from ingest.articles.written import written_article
from ingest.importing import import_articles, import_intents
from web.sentences import in_words


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("---\nslug: a\nlang: en\ntitle: A\n---\nThree days.\n")
    return path


def test_each_file_is_taken_in_and_a_bad_one_is_reported(knowledge, article, tmp_path):
    bad = tmp_path / "bad.md"
    bad.write_text("---\ntitle: [\n---\nx")
    report = import_articles(knowledge, [tmp_path])
    assert (report.kept, [file.state for file in report.files]) == (1, ["imported", "failed"])
    assert "bad.md is no YAML" in report.notes[0]
    with knowledge.read() as session:
        assert [row.text for row in session.scalars(select(Passage))] == ["Three days."]


def test_the_same_file_again_changes_nothing(knowledge, article):
    import_articles(knowledge, [article])
    with knowledge.read() as session:
        before = current_revision(session)
    report = import_articles(knowledge, [article])
    assert report.files[0].state == "already"
    assert "imported before" in report.notes[0]
    report = import_articles(knowledge, [article])
    assert (report.kept, report.total("unchanged")) == (1, 1)
    with knowledge.read() as session:
        assert current_revision(session) == before


def test_a_file_that_says_again_what_it_said_before_is_taken_in_again(knowledge, article):
    first = article.read_text()
    for text in (first, first.replace("Three", "Nine"), first):
        article.write_text(text)
        report = import_articles(knowledge, [article])
        assert report.files[0].state == "imported"
        with knowledge.read() as session:
            assert session.scalars(select(Article.body)).all() == [text.splitlines()[-1]]


def test_an_article_that_was_deleted_comes_back_with_its_file(knowledge, article):
    import_articles(knowledge, [article])
    with knowledge.write() as session:
        delete_article(session, session.scalars(select(Article)).one())
    assert import_articles(knowledge, [article]).files[0].state == "imported"
    with knowledge.read() as session:
        assert session.scalars(select(Article.body)).all() == ["Three days."]


def live(knowledge):
    with knowledge.read() as session:
        rows = session.execute(select(Article.lang, Article.body).where(Article.status == "live")).all()
    return sorted(tuple(row) for row in rows)


def test_a_file_in_another_language_replaces_what_it_was_kept_as(knowledge, article):
    article.write_text("# Fees\n\nA week costs five pounds.\n")
    import_articles(knowledge, [article], lang="zh")
    assert live(knowledge) == [("zh", article.read_text().strip())]
    report = import_articles(knowledge, [article])
    assert live(knowledge) == [("en", article.read_text().strip())]
    assert report.notes == ["1 articles of a.md that were kept in another language were switched off: Fees"]
    assert "a.md" in in_words(report.notes[0], "zh") and "另一种语言" in in_words(report.notes[0], "zh")


def test_a_translation_of_the_same_name_stays_beside_its_original(knowledge, article):
    article.write_text("# Fees\n\nA week costs five pounds.\n")
    import_articles(knowledge, [article])
    article.write_text("# 费用\n\n一周五英镑。\n")
    import_articles(knowledge, [article])
    assert [lang for lang, _ in live(knowledge)] == ["en", "zh"]


def test_what_is_no_language_is_refused(knowledge, article):
    with pytest.raises(InputError, match="No such language"):
        import_articles(knowledge, [article], lang="English please")


def test_an_edited_file_replaces_its_article(knowledge, article):
    import_articles(knowledge, [article])
    article.write_text(article.read_text().replace("Three", "Five"))
    import_articles(knowledge, [article])
    with knowledge.read() as session:
        assert session.scalars(select(Article.body)).all() == ["Five days."]


def test_an_article_changed_by_hand_stays_until_its_file_says_something_else(knowledge, article):
    import_articles(knowledge, [article])
    with knowledge.write() as session:
        held = session.scalars(select(Article)).one()
        by_hand = written_article(title="A", body="Four days.", slug="a", lang="en")
        rewrite(session, held.id, by_hand, by=Decider(None))
    again = import_articles(knowledge, [article])
    with knowledge.read() as session:
        assert session.scalars(select(Article.body)).all() == ["Four days."]
    assert again.notes == ["a.md was imported before; nothing to do"]
    article.write_text(article.read_text().replace("Three", "Five"))
    report = import_articles(knowledge, [article])
    assert report.notes == [
        "1 articles that were changed by hand are replaced, since their source has changed: A"
    ]
    with knowledge.write() as session:
        assert session.scalars(select(Article.body)).all() == ["Five days."]
        entry = session.scalars(select(AuditEntry.id).where(AuditEntry.action == "article.overwrite")).one()
        undo(session, entry, by=Decider(None))
    with knowledge.read() as session:
        assert session.scalars(select(Article.body)).all() == ["Four days."]


def test_a_file_is_taken_in_whole_or_not_at_all(knowledge, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"question,answer\nHow long?,Three days.\n" * 300 + b'Who?,"never closed\x00')
    with pytest.raises(FileError):
        import_articles(knowledge, [path])
    with knowledge.read() as session:
        assert session.scalars(select(Article)).all() == []


def test_a_dry_run_stores_nothing(knowledge, article):
    assert import_articles(knowledge, [article], dry_run=True).kept == 1
    with knowledge.read() as session:
        assert session.scalars(select(Article)).all() == []


def test_a_table_without_one_usable_row_is_refused_with_the_reason(knowledge, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("question,answer\nWho?,\nWhy?,\n")
    with pytest.raises(FileError) as error:
        import_articles(knowledge, [path])
    assert "The row has no answer" in error.value.one_line()


INTENTS = """
- name: refund_time
  title_en: "Refund time"
  title_zh: "退款时间"
  article: refund-time
  approved: {en: "Three days.", zh: "三天。"}
- name: lost
  title_en: "Lost parcel"
  article: null
  approved: null
- title_en: "Nameless"
- name: odd
  approved: "Yes."
"""


def test_intents_come_with_titles_article_and_approved_answers(knowledge, tmp_path):
    path = tmp_path / "intents.yaml"
    path.write_text(INTENTS, encoding="utf-8")
    report = import_intents(knowledge, [path])
    assert (report.read, report.kept, report.errors) == (4, 2, 2)
    assert [error.line for _, error in report.row_errors] == [11, 12]
    with knowledge.read() as session:
        refund, lost = session.scalars(select(Intent).order_by(Intent.id))
        answers = session.scalars(select(Answer).order_by(Answer.lang)).all()
    assert (refund.titles, refund.article_slug) == ({"en": "Refund time", "zh": "退款时间"}, "refund-time")
    assert (lost.titles, lost.article_slug) == ({"en": "Lost parcel"}, None)
    assert [(a.lang, a.text, a.status) for a in answers] == [
        ("en", "Three days.", "approved"),
        ("zh", "三天。", "approved"),
    ]
    assert all(answer.approved_at for answer in answers)


def test_a_changed_answer_retires_the_old_one(knowledge, tmp_path):
    path = tmp_path / "intents.yaml"
    path.write_text(INTENTS, encoding="utf-8")
    import_intents(knowledge, [path])
    assert import_intents(knowledge, [path]).total("unchanged") == 2
    path.write_text(INTENTS.replace("Three days.", "Five days."), encoding="utf-8")
    import_intents(knowledge, [path])
    with knowledge.read() as session:
        rows = session.execute(
            select(Answer.text, Answer.status).where(Answer.lang == "en").order_by(Answer.id)
        ).all()
    assert rows == [("Three days.", "retired"), ("Five days.", "approved")]


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "is no YAML"), ("just words", "is no list of intents"), ("", "is empty")]
)
def test_what_is_no_intents_file_is_refused(knowledge, tmp_path, text, said):
    path = tmp_path / "intents.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=said):
        import_intents(knowledge, [path])


def test_an_interrupted_file_goes_on_with_its_next_batch(knowledge, tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("question,answer\n" + "".join(f"What is {n}?,It is number {n}.\n" for n in range(7)))
    monkeypatch.setattr("ingest.articles.taking_in.BATCH", 2)
    put = []

    def stops_at_the_fourth(session, draft):
        put.append(draft.title)
        if len(put) == 4:
            raise KeyboardInterrupt
        return take_in(session, draft)

    monkeypatch.setattr("ingest.articles.taking_in.take_in", stops_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        import_articles(knowledge, [path])
    with knowledge.read() as session:
        assert len(session.scalars(select(Article)).all()) == 2
    report = import_articles(knowledge, [path])
    assert put[4:] == [f"What is {n}?" for n in range(2, 7)]
    assert (report.read, report.kept, report.files[0].state) == (7, 7, "imported")
    with knowledge.read() as session:
        assert len(session.scalars(select(Article)).all()) == 7


def test_a_doubtful_encoding_is_in_the_report(knowledge, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("question,answer\nmůj balík?,můj\n".encode("cp1250"))
    report = import_articles(knowledge, [path])
    assert any("read as cp1252" in note for note in report.notes)


def test_where_no_file_can_be_read_all_are_named(knowledge, tmp_path):
    (tmp_path / "a.doc").write_bytes(b"x")
    for number in range(21):
        (tmp_path / f"b{number:02}.md").write_text("---\ntitle: [\n---\nx")
    with pytest.raises(FileError) as error:
        import_articles(knowledge, [tmp_path])
    said = error.value.one_line()
    assert said.startswith("None of the 22 files could be read; a.doc is no kind of article file")
    assert "b18.md" in said
    assert "b19.md" not in said
    assert said.endswith("and 2 more files like these.")
    for number in range(2, 21):
        (tmp_path / f"b{number:02}.md").unlink()
    with pytest.raises(FileError) as error:
        import_articles(knowledge, [tmp_path])
    assert in_words(error.value.one_line(), "zh").startswith("3 个文件都无法读取；a.doc 不是可导入的文章文件")


def test_what_failed_is_told_before_all_else(knowledge, tmp_path):
    for number in range(22):
        (tmp_path / f"a{number:02}.md").write_text(f"# A{number}\n\nText.\n")
    import_articles(knowledge, [tmp_path])
    (tmp_path / "z.doc").write_bytes(b"x")
    report = import_articles(knowledge, [tmp_path])
    assert report.notes[0].startswith("z.doc is no kind of article file")
    assert report.as_json()["files"][0]["state"] == "failed"
