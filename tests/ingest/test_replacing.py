"""A company exports its help again and again under the same names: what left a file is not quoted any more."""

from chatbot.retrieval.search import Searcher
from ingest.importing import import_articles


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
