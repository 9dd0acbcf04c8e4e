import json
import zipfile

import pytest

from chatbot.errors import FileError
from ingest.articles.article import slugify
from ingest.articles.formats import article_files, read_articles
from ingest.files import RowError


def read(path):
    return list(read_articles(path))


def test_front_matter_gives_an_article_its_fields(tmp_path):
    path = tmp_path / "a.md"
    path.write_text(
        "---\nslug: refund-time\nlang: en\ntitle: 'Refunds: how long?'\nsection: returns\nurl: https://x.example/r\n"
        "questions:\n- when do I get my money\n- 'Refunds: how long?'\n---\n\nThree days.\n",
        encoding="utf-8",
    )
    (article,) = read(path)
    assert (article.slug, article.lang, article.title) == ("refund-time", "en", "Refunds: how long?")
    assert (article.section, article.url, article.source) == ("returns", "https://x.example/r", "a.md")
    assert article.questions == ("when do I get my money",)
    assert [passage.text for passage in article.passages] == ["Three days."]


def test_front_matter_in_toml(tmp_path):
    path = tmp_path / "a.md"
    path.write_text(
        '+++\ntitle = "Retours"\nlanguage = "fr-CA"\nquestions = ["Comment renvoyer ?"]\n'
        "valid_until = 2026-12-31\ndraft = false\n+++ \n\n## Délai\n\n---\n\nTrente jours.\n",
        encoding="utf-8",
    )
    (article,) = read(path)
    assert (article.title, article.lang, article.questions) == ("Retours", "fr", ("Comment renvoyer ?",))
    assert article.valid_until is not None and article.valid_until.year == 2027 - (
        article.valid_until.month == 12
    )
    assert [passage.text for passage in article.passages] == ["Trente jours."]


def test_without_front_matter_heading_folder_and_text_decide(tmp_path):
    (tmp_path / "zh").mkdir()
    path = tmp_path / "zh" / "Refund Time.md"
    path.write_text("# 退款多久到账\n\n三天。", encoding="utf-8")
    (article,) = read(path)
    assert (article.slug, article.lang, article.title) == ("refund-time", "zh", "退款多久到账")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntitle: a: b\n---\nx", "is no YAML in line 2"),
        ("---\ntitle: x\n\nno end", "is not closed"),
        ("---\n- x\n---\ny", "is no mapping"),
        ("---\ntitle: x\n---\n", "has no text"),
        ("---\ntitle: x\nvalid_until: 2026-02-31\n---\ny", "is no YAML"),
        ('+++\ntitle = "x"\nlang = en\n+++\ny', "The front matter of a.md is no TOML in line 3"),
        ('+++\ntitle = "x\n+++\ny', "is no TOML in line 2"),
        ('+++\ntitle = "x"\n\nno end', "is not closed"),
        ("---\ndraft: true\n---\ny", "says that it is not published"),
        ("+++\npublished = false\n+++\ny", "says that it is not published"),
    ],
)
def test_broken_markdown_is_refused_with_the_place(tmp_path, text, said):
    path = tmp_path / "a.md"
    path.write_text(text)
    with pytest.raises(FileError) as error:
        read(path)
    assert said in error.value.message
    assert "a.md" in error.value.message
    assert error.value.remedy


@pytest.mark.parametrize(
    ("name", "text", "questions"),
    [
        ("dify.csv", "question,answer\nHow long?,Three days.\n", ()),
        (
            "fastgpt.csv",
            'q,a,indexes\nHow long?,Three days.,"until when\nwhat time"\n',
            ("until when", "what time"),
        ),
        (
            "maxkb.csv",
            'Section title,Section content,Question\nHow long?,Three days.,"until when\nwhat time"\n',
            ("until when", "what time"),
        ),
        (
            "maxkb_zh.csv",
            "分段标题（选填）,分段内容（必填，问题答案）,问题（选填，单元格内一行一个）\n"
            'How long?,Three days.,"until when\nwhat time"\n',
            ("until when", "what time"),
        ),
        ("ragflow.csv", "How long?,Three days.\n", ()),
        ("ragflow.tsv", "How long?\tThree days.\n", ()),
        ("tiledesk.csv", "How long?;Three days.\nWhy, then?;Because, well.\nWho?;We, all.\n", ()),
        ("phantom.csv", "question,answer,,,\n,,,,\nHow long?,Three days.,,,\n,,,,\n", ()),
    ],
)
def test_faq_tables_of_other_systems_are_read(tmp_path, name, text, questions):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    article = read(path)[0]
    assert (article.title, article.body, article.questions) == ("How long?", "Three days.", questions)


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("签收后30天内可以退货。运费由我们承担。", "签收后30天内可以退货。"),
        ("Yes. We deliver to Belgium. It takes two days.", "Yes. We deliver to Belgium."),
        ("word " * 40, "word " * 15 + "…"),
    ],
)
def test_a_section_of_maxkb_with_content_alone_is_called_by_how_it_begins(tmp_path, content, title):
    path = tmp_path / "a.csv"
    path.write_text(
        f"分段标题（选填）,分段内容（必填，问题答案）,问题（选填，单元格内一行一个）\n,{content},\n",
        encoding="utf-8",
    )
    (article,) = read(path)
    assert (article.title, article.body) == (title, content.strip())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_faq_tables_are_read_in_their_encodings(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_text("问题,答案,分类\n退款多久到账？,三个工作日内原路退回。,退款\n", encoding=encoding)
    (article,) = read(path)
    assert (article.title, article.lang, article.section) == ("退款多久到账？", "zh", "退款")


def test_rows_without_question_or_answer_are_reported_with_their_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('question,answer\nHow long?,"Three\ndays."\nWho?,\n,nobody\nWhy?,Because.\n')
    good, no_answer, no_question, last = read(path)
    assert (good.title, last.title) == ("How long?", "Why?")
    assert isinstance(no_answer, RowError)
    assert (no_answer.line, no_question.line) == (4, 5)
    assert "no answer" in no_answer.message
    assert "no question" in no_question.message


def test_a_table_of_something_else_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name,price,stock\nkettle,3,5\n")
    with pytest.raises(FileError) as error:
        read(path)
    assert "name | price | stock" in error.value.one_line()
    assert "--question HEADING --answer HEADING" in error.value.remedy


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
@pytest.mark.parametrize("start", ["<!DOCTYPE html>\n<html>", "<!-- saved from x -->\n<html lang='en'>"])
def test_a_page_saved_as_text_is_read_as_a_page(tmp_path, name, start):
    pytest.importorskip("bs4", reason="the documents extra is not installed")
    path = tmp_path / name
    path.write_text(f"{start}<body><h1>Returns</h1><p>30 days.</p><script>let x = 1\n\nlet y</script></body>")
    note, article = read(path)
    assert (article.title, [passage.text for passage in article.passages]) == ("Returns", ["30 days."])
    assert note.text == f"{name} is a .html file by its content and was read as one"


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ('{"question": "Why?", "answer": "Because."}\n{"question": "Who?"}', True),
        ('[\n {"question": "Why?"}\n]', True),
        ('[{"question": "Why?", "answer": "' + "so " * 100_000 + '"}]', True),
        ("[Returns](https://x.example) take 30 days.", False),
        ("[1]: https://x.example\n\nSee [1].", False),
        ("{name}, welcome.", False),
    ],
)
def test_json_saved_as_text_is_refused(tmp_path, text, refused):
    path = tmp_path / "a.md"
    path.write_text(text)
    if not refused:
        assert read(path)
        return
    with pytest.raises(FileError, match=r"a\.md is JSON") as error:
        read(path)
    assert ".json" in error.value.remedy


def test_scripts_and_styles_in_markdown_are_no_text_and_those_shown_as_code_are(tmp_path):
    path = tmp_path / "a.md"
    path.write_text(
        "# Widget\n\n<style>\np { color: red }\n</style>\n<script>\nlet a\n\nlet b\n</script>\n\n"
        "Three <b>days</b> <script>let c</script>at most.\n\n```html\n<script>shown()</script>\n```\n"
    )
    (article,) = read(path)
    (passage,) = article.passages
    assert " ".join(passage.text.split()) == "Three days at most. <script>shown()</script>"


def test_json_faq_rows_are_read(tmp_path):
    rows = [
        {"id": "brake/faq-0", "question": "Why?", "answer": "Because.", "category": "cars", "lang": "en"},
        {"id": 7, "title": "Who?", "body": "We.", "url": "https://x.example"},
        {"id": 8, "question": "没有答案？", "answer": None},
    ]
    path = tmp_path / "faq.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    first, second, none = read(path)
    assert (first.slug, first.title, first.body, first.section) == ("brake-faq-0", "Why?", "Because.", "cars")
    assert (second.slug, second.url) == ("7", "https://x.example")
    assert isinstance(none, RowError)


def test_a_folder_is_walked_in_order_and_hidden_files_left_out(tmp_path):
    for name in ("b.md", "a/x.csv", ".git/c.md", "notes.bak"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [path.relative_to(tmp_path).as_posix() for path in article_files([tmp_path])] == [
        "a/x.csv",
        "b.md",
    ]


def test_a_folder_without_articles_and_an_unknown_ending_are_named(tmp_path):
    with pytest.raises(FileError, match="No articles in the folder"):
        list(article_files([tmp_path]))
    with pytest.raises(FileError, match=r"notes\.bak is no kind of article file"):
        read(tmp_path / "notes.bak")


def test_slugs_hold_letters_of_any_script():
    assert slugify("Refund time?") == "refund-time"
    assert slugify("退款 多久") == "退款-多久"
    assert slugify("???")


def office_file(path, kind):
    if kind == "docx":
        docx = pytest.importorskip("docx", reason="python-docx is not installed")
        document = docx.Document()
        document.add_heading("Returns", 1)
        document.add_paragraph("You have 30 days.")
        document.save(path)
    else:
        openpyxl = pytest.importorskip("openpyxl", reason="the documents extra is not installed")
        book = openpyxl.Workbook()
        for row in (("question", "answer"), ("Returns", "You have 30 days.")):
            book.active.append(row)
        book.save(path)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", "xlsx", ".xlsx"),
        (
            "a.docx",
            "<!doctype html><html><body><h1>Returns</h1><p>You have 30 days.</p></body></html>",
            ".html",
        ),
        ("a.csv", "<html><body><h1>Returns</h1><p>You have 30 days.</p></body></html>", ".html"),
        ("a.xlsx", "question,answer\nReturns,You have 30 days.\n", ".csv"),
    ],
)
def test_a_file_with_a_wrong_ending_is_read_by_its_content(tmp_path, name, content, kind):
    path = tmp_path / name
    if content == "xlsx":
        office_file(path, content)
    else:
        path.write_text(content)
    note, article = read(path)
    assert note.text == f"{name} is a {kind} file by its content and was read as one"
    assert article.title == "Returns"
    assert "You have 30 days." in article.body


def test_a_word_document_and_a_pdf_of_another_ending_go_to_their_readers(tmp_path):
    pytest.importorskip("mammoth", reason="the documents extra is not installed")
    with zipfile.ZipFile(tmp_path / "a.txt", "w") as archive:
        archive.writestr("word/document.xml", "<no-document/>")
    with pytest.raises(FileError, match="is no Word document"):
        read(tmp_path / "a.txt")
    (tmp_path / "b.html").write_bytes(b"%PDF-1.7\nbroken")
    with pytest.raises(FileError, match="is no readable PDF"):
        read(tmp_path / "b.html")


@pytest.mark.parametrize(("name", "remedy"), [("a.doc", ".docx"), ("a.rtf", ".docx"), ("a.xls", ".xlsx")])
def test_an_old_format_in_a_folder_is_named_with_the_remedy(tmp_path, name, remedy):
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0 old")
    (path,) = article_files([tmp_path])
    with pytest.raises(FileError) as error:
        read(path)
    assert name in error.value.message
    assert error.value.remedy == f"Save it as {remedy}"


@pytest.mark.parametrize(
    "header", ["Frage;Antwort", "Question;Réponse", "Pregunta;Respuesta", "Vraag;Antwoord", "問題;答覆"]
)
def test_headers_of_other_languages_are_no_articles(tmp_path, header):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\nWie lange?;Drei Tage.\n", encoding="utf-8")
    (article,) = read(path)
    assert (article.title, article.body) == ("Wie lange?", "Drei Tage.")


def test_two_columns_without_a_known_header_are_said_to_be_guessed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Produkt,Preis\nKanne,20 Euro\n")
    first, second, note = read(path)
    assert (first.title, second.title) == ("Produkt", "Kanne")
    assert note.text.startswith(
        "a.csv has no header that is known: its first column is taken for the question"
    )


def test_the_headings_of_question_and_answer_can_be_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("No,Customer asks,Keywords,We reply\n7,How long?,time,Three days.\n")
    with pytest.raises(FileError, match="no columns of questions"):
        read(path)
    columns = {"question": "customer asks", "answer": "We reply"}
    article, note = read_articles(path, columns=columns)
    assert (article.title, article.body) == ("How long?", "Three days.")
    assert note.text == "a.csv: columns that an article has no use for were left out: No, Keywords"
    with pytest.raises(FileError, match="no columns of questions"):
        list(read_articles(path, columns=columns | {"answer": "Reply"}))


def period(article):
    return [
        moment and f"{moment.astimezone():%Y-%m-%d %H:%M}"
        for moment in (article.valid_from, article.valid_until)
    ]


@pytest.mark.parametrize(
    "day", ["2026-12-31", "31.12.2026", "31/12/2026", "2026年12月31日", "2026-12-31T00:00:00"]
)
@pytest.mark.parametrize("heading", ["Valid until", "valid_until", "有效期"])
def test_a_column_tells_until_when_an_answer_holds(tmp_path, heading, day):
    path = tmp_path / "a.csv"
    path.write_text(
        f"question,answer,{heading}\nHow long?,Three days.,{day}\nWho?,We.,长期\n", encoding="utf-8"
    )
    until, always = read(path)
    assert period(until) == [None, "2027-01-01 00:00"]
    assert period(always) == [None, None]


@pytest.mark.parametrize("day", ["03/04/2026", "2026-13-01", "1 to 3 May"])
def test_what_is_no_date_or_may_be_two_is_reported(tmp_path, day):
    path = tmp_path / "a.csv"
    path.write_text(f"question,answer,valid until\nHow long?,Three days.,{day}\n")
    (error,) = read(path)
    assert (error.line, error.message, error.value) == (2, "This is no date", day)


def test_front_matter_tells_the_period(tmp_path):
    path = tmp_path / "a.md"
    path.write_text(
        "---\nvalid_from: 2026-12-01\nvalid_until: 2026-12-31\n---\n# Sale\n\nTen per cent less.\n"
    )
    (article,) = read(path)
    assert period(article) == ["2026-12-01 00:00", "2027-01-01 00:00"]
    path.write_text("---\nvalid_until: 'the 3rd'\n---\n# Sale\n\nTen per cent less.\n")
    with pytest.raises(FileError, match="is no date"):
        read(path)
