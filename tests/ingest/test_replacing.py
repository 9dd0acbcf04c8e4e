"""A company exports its help again and again under the same names: what left a file is not quoted any more."""

from sqlalchemy import select

from chatbot.records.tables import Article
from chatbot.retrieval.search import Searcher
from ingest.importing import import_articles
from web.sentences import in_words


def test_a_section_that_left_its_file_is_gone_at_the_next_look_of_every_process(tmp_path, knowledge):
    path = tmp_path / "returns.md"
    path.write_text("# Returns\n\nSend parcels back freely.\n\n## Fees\n\nRestocking costs seven euros.\n")
    import_articles(knowledge, [path])
    processes = [Searcher.open(knowledge, {}) for _ in range(2)]
    assert all("seven euros" in one.search("restocking fees", lang="en")[0].text for one in processes)
    path.write_text("# Returns\n\nSend parcels back freely.\n\n## Hours\n\nThe desk opens at nine.\n")
    report = import_articles(knowledge, [path])
    assert report.kept == 1
    for one in processes:
        one.refresh()
        texts = [
            hit.text for word in ("restocking fees", "desk opens") for hit in one.search(word, lang="en")
        ]
        assert any("opens at nine" in text for text in texts)
        assert not any("seven euros" in text for text in texts)


def test_a_row_that_left_its_table_is_switched_off_and_said_so(tmp_path, knowledge):
    path = tmp_path / "faq.csv"
    rows = [f"Question number {n}?,Answer {n}." for n in range(5)]
    path.write_text("\n".join(["question,answer", *rows]))
    import_articles(knowledge, [path])
    path.write_text("\n".join(["question,answer", *rows[1:]]))
    report = import_articles(knowledge, [path])
    assert report.notes == [
        "1 articles are not in faq.csv any more and were switched off: Question number 0?"
    ]
    found = Searcher.open(knowledge, {}).search("Question number 0", lang="en", k=9)
    assert {hit.text for hit in found} == {f"Answer {n}." for n in range(1, 5)}


def kept(knowledge):
    """Slug and text of every live article."""
    with knowledge.read() as session:
        return {
            article.slug: article.body
            for article in session.scalars(select(Article).where(Article.status == "live"))
        }


def test_rows_of_a_much_shorter_file_stay_live_and_it_is_said(tmp_path, knowledge):
    path = tmp_path / "faq.csv"
    path.write_text("id,question,answer\n" + "".join(f"{n},Question {n}?,Answer {n}.\n" for n in range(3)))
    import_articles(knowledge, [path])
    path.write_text("id,question,answer\n0,Question 0?,Answer 0.\n")
    (note,) = import_articles(knowledge, [path]).notes
    assert note.startswith("2 articles of faq.csv are not in it any more and stay live; switch them off")
    assert "faq.csv 中不再有这 2 篇文章" in in_words(note, "zh")
    assert set(kept(knowledge)) == {"0", "1", "2"}


def test_files_of_one_name_in_two_folders_are_two_articles_and_stay_so(tmp_path, knowledge):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "returns.md").write_text(f"# Returns\n\nSend it to the shop {folder}.\n")
        (tmp_path / folder / "faq.csv").write_text(f"question,answer\nWho pays for {folder}?,You pay.\n")
    import_articles(knowledge, [tmp_path])
    first = kept(knowledge)
    assert len(first) == 4 and {"returns", "returns-b"} < set(first)
    assert first["returns"].endswith("shop a.") and first["returns-b"].endswith("shop b.")
    (tmp_path / "b" / "returns.md").write_text("# Returns\n\nSend nothing.\n")
    report = import_articles(knowledge, [tmp_path])
    assert not any("replaced" in note for note in report.notes)
    assert kept(knowledge) == first | {"returns-b": "# Returns\n\nSend nothing."}


def test_tables_that_number_their_rows_alike_keep_them_all(tmp_path, knowledge):
    for name in ("shop", "bank"):
        (tmp_path / f"{name}.csv").write_text(f"id,question,answer\n1,Where is the {name}?,Here.\n")
        import_articles(knowledge, [tmp_path / f"{name}.csv"])
    assert set(kept(knowledge)) == {"1", "1-bank"}
    (tmp_path / "bank.csv").write_text("id,question,answer\n1,Where is our bank?,There.\n")
    assert import_articles(knowledge, [tmp_path / "bank.csv"]).notes == []
    assert kept(knowledge) == {"1": "Here.", "1-bank": "There."}


def test_a_file_beside_an_imported_one_takes_none_of_its_articles(tmp_path, knowledge):
    (tmp_path / "old.csv").write_text("question,answer\nHow long?,Three days.\n")
    import_articles(knowledge, [tmp_path])
    (tmp_path / "new.csv").write_text("question,answer\nHow long?,Five days.\n")
    import_articles(knowledge, [tmp_path])
    assert sorted(kept(knowledge).values()) == ["Five days.", "Three days."]


def test_one_question_with_two_answers_in_a_file_is_two_articles(tmp_path, knowledge):
    path = tmp_path / "faq.csv"
    path.write_text("question,answer\nHow long?,Three days.\nHow long?,Five days abroad.\n")
    for _ in range(2):
        import_articles(knowledge, [path])
        assert sorted(kept(knowledge).values()) == ["Five days abroad.", "Three days."]


def test_a_file_under_a_new_name_replaces_its_articles_and_names_them(tmp_path, knowledge):
    for month, answer in (("may", "Three days."), ("june", "Five days.")):
        (tmp_path / f"faq-{month}.csv").write_text(f"question,answer\nHow long?,{answer}\n")
        report = import_articles(knowledge, [tmp_path / f"faq-{month}.csv"])
    assert report.notes == ["1 articles that did not come from faq-june.csv were replaced: How long?"]
    assert "并非来自 faq-june.csv" in in_words(report.notes[0], "zh")
    assert list(kept(knowledge).values()) == ["Five days."]


def fees(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "fees.md").write_text(f"# Fees\n\n{text}\n")


def test_a_file_of_the_same_name_that_comes_later_takes_nothing_away(tmp_path, knowledge):
    fees(tmp_path / "zzz", "Private customers pay five pounds.")
    import_articles(knowledge, [tmp_path])
    fees(tmp_path / "aaa", "Companies pay ninety pounds.")
    import_articles(knowledge, [tmp_path])
    both = {
        "fees": "# Fees\n\nPrivate customers pay five pounds.",
        "fees-aaa": "# Fees\n\nCompanies pay ninety pounds.",
    }
    assert kept(knowledge) == both
    fees(tmp_path / "zzz", "Private customers pay six pounds.")
    (tmp_path / "aaa" / "fees.md").unlink()
    import_articles(knowledge, [tmp_path])
    assert kept(knowledge) == both | {"fees": "# Fees\n\nPrivate customers pay six pounds."}


def name_sources(knowledge, name):
    with knowledge.write() as session:
        for article in session.scalars(select(Article)):
            article.source = name


def sources_of(knowledge):
    with knowledge.read() as session:
        return {article.slug: article.source for article in session.scalars(select(Article))}


def test_articles_whose_source_has_no_folder_yet_are_found_again(tmp_path, knowledge):
    fees(tmp_path / "zzz", "Private customers pay five pounds.")
    import_articles(knowledge, [tmp_path])
    name_sources(knowledge, "fees.md")
    import_articles(knowledge, [tmp_path])
    assert sources_of(knowledge) == {"fees": "zzz/fees.md"}
    name_sources(knowledge, "fees.md")
    fees(tmp_path / "zzz", "Private customers pay six pounds.")
    assert import_articles(knowledge, [tmp_path]).notes == []
    assert kept(knowledge) == {"fees": "# Fees\n\nPrivate customers pay six pounds."}
    name_sources(knowledge, "fees.md")
    fees(tmp_path / "aaa", "Companies pay ninety pounds.")
    import_articles(knowledge, [tmp_path])
    assert sources_of(knowledge) == {"fees": "zzz/fees.md", "fees-aaa": "aaa/fees.md"}


def test_a_folder_within_the_imported_one_finds_its_articles(tmp_path, knowledge):
    fees(tmp_path / "zzz", "Private customers pay five pounds.")
    import_articles(knowledge, [tmp_path])
    fees(tmp_path / "zzz", "Private customers pay six pounds.")
    import_articles(knowledge, [tmp_path / "zzz"])
    assert kept(knowledge) == {"fees": "# Fees\n\nPrivate customers pay six pounds."}


def test_a_single_file_that_replaces_one_of_a_folder_names_it(tmp_path, knowledge):
    fees(tmp_path / "zzz", "Private customers pay five pounds.")
    import_articles(knowledge, [tmp_path])
    fees(tmp_path / "other", "Private customers pay six pounds.")
    report = import_articles(knowledge, [tmp_path / "other" / "fees.md"])
    assert report.notes == ["1 articles that did not come from fees.md were replaced: Fees"]


def test_what_a_folder_has_no_more_is_named_and_switched_off_when_told(tmp_path, knowledge):
    help_, other = tmp_path / "help", tmp_path / "other"
    for folder in (help_, other):
        folder.mkdir()
    for name in ("a", "b", "c"):
        (help_ / f"{name}.md").write_text(f"# Title {name}\n\nText {name}.\n")
    (other / "d.md").write_text("# Title d\n\nText d.\n")
    import_articles(knowledge, [help_])
    import_articles(knowledge, [other])
    (help_ / "b.md").unlink()
    (help_ / "c.md").rename(help_ / "moved.md")
    said = "2 articles of files that are no longer there stay live: Title b, Title c; import the folder with --prune"
    assert import_articles(knowledge, [help_]).notes[0].startswith(said)
    assert "Title b, Title c；如需停用" in in_words(import_articles(knowledge, [help_]).notes[0], "zh")
    import_articles(knowledge, [help_], prune=True, dry_run=True)
    assert {"a", "b", "c", "d", "moved"} == set(kept(knowledge))
    report = import_articles(knowledge, [help_], prune=True)
    assert (
        report.notes[0] == "2 articles of files that are no longer there were switched off: Title b, Title c"
    )
    assert {"a", "d", "moved"} == set(kept(knowledge))
    (help_ / "b.md").write_text("# Title b\n\nText b.\n")
    assert import_articles(knowledge, [help_]).notes[0].startswith("a.md was imported before")
    assert {"a", "b", "d", "moved"} == set(kept(knowledge))
