import pytest

from chatbot.records.tables import Article
from ingest.importing import import_articles


def stored(database):
    with database.read() as session:
        return {article.title: article.lang for article in session.query(Article)}


def test_a_german_text_is_kept_as_german_and_the_report_says_so(database, tmp_path):
    path = tmp_path / "versand.md"
    path.write_text(
        "# Versand\n\nWir liefern in drei Tagen. Der Versand ist ab 50 € kostenlos.", encoding="utf-8"
    )
    report = import_articles(database, [path])
    assert stored(database) == {"Versand": "de"}
    (note,) = report.files[0].notes
    assert note.startswith(
        "versand.md has articles in other languages than English and Chinese: de 1; they are found by"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "r.html",
            '<html lang="fr-CA"><body><h1>Retours</h1><p>Return it to the shop that you have it from, with the bill of '
            "the day on which you bought it.</p></body></html>",
        ),
        (
            "r.md",
            "---\nlang: fr\ntitle: Retours\n---\nReturn it to the shop that you have it from, with the bill.",
        ),
    ],
)
def test_a_language_that_the_file_says_stands_and_what_reads_otherwise_is_named(
    database, tmp_path, name, text
):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    report = import_articles(database, [path])
    assert stored(database) == {"Retours": "fr"}
    assert report.files[0].notes[-1] == (
        f"1 articles of {name} read as en and are kept as fr, as the file says: Retours; "
        "import it with --lang en if that is wrong"
    )
    told = import_articles(database, [path], lang="en")
    assert not any("read as" in note for note in told.files[0].notes)


def test_a_german_table_is_german_in_its_short_rows_too(database, tmp_path):
    path = tmp_path / "faq.csv"
    path.write_text(
        "Frage,Antwort\nWie lange dauert der Versand?,Drei Tage.\nVersandkosten?,5 €\n"
        "Kann ich das Paket an einen Nachbarn liefern lassen?,Ja.\nDo you speak English?,Yes we do.\n",
        encoding="utf-8",
    )
    import_articles(database, [path])
    langs = stored(database)
    assert langs.pop("Do you speak English?") == "en"
    assert len(langs) == 3 and set(langs.values()) == {"de"}


def test_an_english_table_stays_english_with_a_german_row_in_it(database, tmp_path):
    path = tmp_path / "faq.csv"
    path.write_text(
        "question,answer\nHow long is the delivery and what is it?,Three days for all of you.\nCosts?,5 €\n"
        "Where is the shop and when is it open?,In the old town.\nWie lange dauert der Versand?,Das ist nicht klar.\n",
        encoding="utf-8",
    )
    import_articles(database, [path])
    assert stored(database)["Costs?"] == "en" and stored(database)["Wie lange dauert der Versand?"] == "de"
