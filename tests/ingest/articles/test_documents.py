import zipfile
from datetime import datetime

import pytest
from sqlalchemy import select

from chatbot.errors import FileError
from chatbot.records.tables import Article
from ingest.articles.formats import read_articles
from ingest.files import RowError
from ingest.transcripts.formats import open_transcripts
from ingest.transcripts.transcript import Turn

openpyxl = pytest.importorskip("openpyxl", reason="the documents extra is not installed")

PAGE = """<!doctype html><html lang="en-GB"><head><title>Help | Shop</title>
<link rel="canonical" href="https://x.example/returns"><style>p{}</style></head><body>
<nav><a href="/">Home</a></nav><main><h1>Returns</h1><p>Return it within <b>30 days</b>.</p>
<h2>Steps</h2><ol><li>Pack it.</li><li>Send it.</li></ol>
<table><tr><th>Zone</th><th>Price</th></tr><tr><td>1</td><td>4 euros</td></tr></table>
<script>alert(1)</script></main><footer>Imprint</footer></body></html>"""

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
DOCX = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>',
    "word/styles.xml": f'<w:styles xmlns:w="{WORD}"><w:style w:type="paragraph" w:styleId="Heading1">'
    '<w:name w:val="heading 1"/></w:style></w:styles>',
    "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="s1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" '
    'Target="styles.xml"/></Relationships>',
    "word/document.xml": f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr>'
    "<w:r><w:t>退货</w:t></w:r></w:p><w:p><w:r><w:t>签收后30天内可以退货。</w:t></w:r></w:p></w:body></w:document>",
}


def one_page_pdf(*lines):
    shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
    stream = f"BT /F1 12 Tf 50 700 Td {shown} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Title (Returns) >>",
    ]
    text, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer\n<< /Size 7 /Root 1 0 R /Info 6 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return (text + f"xref\n0 7\n0000000000 65535 f \n{table}{end}").encode("latin-1")


def workbook(path, rows, **more):
    book = openpyxl.Workbook()
    for name, of_sheet in {"Sheet": rows, **more}.items():
        sheet = book.active if name == "Sheet" else book.create_sheet(name)
        for row in of_sheet:
            sheet.append(row)
    book.save(path)
    book.close()


def test_a_web_page_without_its_furniture(tmp_path):
    path = tmp_path / "returns.html"
    path.write_text(PAGE, encoding="utf-8")
    (article,) = read_articles(path)
    assert (article.title, article.lang, article.slug) == ("Returns", "en", "returns")
    assert article.url == "https://x.example/returns"
    (passage,) = article.passages
    assert "Return it within 30 days." in passage.text
    assert "1. Pack it.\n2. Send it." in passage.text
    assert "Zone | Price\n1 | 4 euros" in passage.text
    assert not any(word in passage.text for word in ("Home", "alert", "Imprint"))


def page_text(tmp_path, body):
    path = tmp_path / "faq.html"
    path.write_text(f"<!doctype html><html><body>{body}</body></html>", encoding="utf-8")
    (article,) = read_articles(path)
    return article.body


def test_a_page_of_several_articles_is_read_whole(tmp_path):
    body = page_text(
        tmp_path,
        "<nav>Home</nav><div><h2>Delivery</h2><article><p>Three days.</p><article><p>Inner.</p></article></article>"
        "<h2>Returns</h2><article><p>Thirty days.</p></article></div><div>Cookies?</div>",
    )
    assert " ".join(body.split()) == "## Delivery Three days. Inner. ## Returns Thirty days."


def test_the_folded_answers_of_an_accordion_are_read_and_other_hidden_parts_are_not(tmp_path):
    body = page_text(
        tmp_path,
        "<button aria-controls='menu'>Menu</button><ul id='menu' hidden><li>Shop</li></ul><button>Buy</button>"
        "<h3><button>How long?<span aria-hidden='true'>+</span></button></h3><div hidden>Three days.</div>"
        "<h3><button aria-controls='b'>What if it is late?</button></h3><hr><div id='b' aria-hidden='true'>Call.</div>"
        "<button aria-controls='c'>Who pays?</button><div id='c' hidden><p>We do.</p></div>"
        "<button><h3>Where?</h3></button><div hidden>There.</div>"
        "<button aria-controls='d'>More</button><div id='d' role='dialog' hidden><p>Subscribe!</p></div>",
    )
    for said in ("### How long?", "Three days.", "### What if it is late?", "Call.", "Who pays?\n\nWe do."):
        assert said in body
    assert "Where?" in body and "There." in body
    for left in ("Menu", "Shop", "Buy", "+", "More", "Subscribe"):
        assert left not in body


def test_a_word_document_with_its_heading(tmp_path):
    path = tmp_path / "returns.docx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in DOCX.items():
            archive.writestr(name, text)
    (article,) = read_articles(path)
    assert (article.title, article.lang) == ("退货", "zh")
    assert [passage.text for passage in article.passages] == ["签收后30天内可以退货。"]


def test_a_word_documents_title_stands_above_its_headings(tmp_path):
    path = tmp_path / "returns.docx"
    styles = DOCX["word/styles.xml"].replace(
        "</w:styles>",
        '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style></w:styles>',
    )
    title = '<w:body><w:p><w:pPr><w:pStyle w:val="Title"/></w:pPr><w:r><w:t>服务指南</w:t></w:r></w:p>'
    document = DOCX["word/document.xml"].replace("<w:body>", title)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**DOCX, "word/styles.xml": styles, "word/document.xml": document}.items():
            archive.writestr(name, text)
    (article,) = read_articles(path)
    assert article.title == "服务指南"
    assert [(p.title_path, p.text) for p in article.passages] == [
        ("服务指南 › 退货", "签收后30天内可以退货。")
    ]


def word_paragraph(text, bold=False):
    look = "<w:rPr><w:b/></w:rPr>" if bold else ""
    return f"<w:p><w:r>{look}<w:t>{text}</w:t></w:r></w:p>"


def test_a_bold_line_of_a_word_document_is_a_heading_where_text_follows(tmp_path):
    long = "A voucher is valid for three years and can be spent on every treatment of the spa. " * 3
    lines = [
        *(("Where are you?", True), ("In the old town. " * 15, False)),
        *(("Gift vouchers:", True), (long, False)),
        *(("Do not smoke.", True), ("It is forbidden.", False), ("Anna Berg", True)),
    ]
    body = "".join(word_paragraph(text, bold) for text, bold in lines)
    path = tmp_path / "spa.docx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in DOCX.items():
            archive.writestr(
                name, text.replace("</w:body>", f"{body}</w:body>") if "document.xml" in name else text
            )
    (article,) = read_articles(path)
    lead, vouchers = article.passages
    assert "\n\nWhere are you?\nIn the old town." in lead.text
    assert vouchers.title_path == "退货 › Gift vouchers"
    assert vouchers.text.endswith("Do not smoke.\n\nIt is forbidden.\n\nAnna Berg")


def passage_text(tmp_path, markup):
    path = tmp_path / "page.html"
    path.write_text(f"<html><title>Fees</title><body>{markup}</body></html>", "utf-8")
    (article,) = read_articles(path)
    return "\n".join(passage.text for passage in article.passages)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>It costs £5<sup>1</sup>.</p>", "It costs £5 (1)."),
        ("<p>It costs <s>£5</s> £4.</p>", "It costs £4."),
        ("<p>Choose &lt;Settings&gt; then go.</p>", "Choose <Settings> then go."),
        ("<p>If a &lt; b, wait.</p>", "If a < b, wait."),
        ("<dl><dt>A sort code?</dt><dd>Six digits.</dd></dl>", "A sort code?\nSix digits."),
        ('<p>Seen.</p><p style="display: none">Not seen.</p>', "Seen."),
        ('<h2>Why?</h2><div style="display:none">Unfolded.</div>', "Unfolded."),
        ("<main><header><p>The lead.</p></header></main>", "The lead."),
        ('<p>The <a href="https://b.example/f.pdf">form</a>.</p>', "The form (https://b.example/f.pdf)."),
        (
            "<table><tr><td>Zone</td><td>Fee</td></tr><tr><td rowspan=2>Other</td><td>£12</td></tr>"
            "<tr><td>£17</td></tr><tr><td colspan=2>None</td></tr></table>",
            "Zone | Fee\nOther | £12\nOther | £17\nNone",
        ),
    ],
)
def test_what_a_page_says_is_not_changed_by_its_marks(tmp_path, markup, text):
    assert passage_text(tmp_path, markup) == text


def test_what_help_centres_put_around_a_text_is_no_part_of_it(tmp_path):
    path = tmp_path / "cancel.html"
    path.write_text(
        '<body><div class="has-sidebar"><div class="sidebar"><a href="/a">All articles</a></div>'
        '<div class="article-body"><h1>Cancel</h1><div class="meta">By Tom</div>'
        '<ul><li><a href="#late">Late</a></li></ul><p>Free until 48 hours before.</p><h2 id="late">Late</h2>'
        '<ul><li><a href="#late">After that</a> the first night.</li></ul>'
        '<div class="article-votes">Was this helpful?</div>'
        '<section class="related-articles"><h3>Related</h3><a href="/b">Refunds</a></section></div></div></body>',
        encoding="utf-8",
    )
    (article,) = read_articles(path)
    assert [passage.text for passage in article.passages] == [
        "Free until 48 hours before.\n\nLate\n- After that the first night."
    ]


def test_a_name_of_furniture_around_the_whole_text_says_nothing(tmp_path):
    path = tmp_path / "c.html"
    path.write_text(
        '<body><div class="comments"><p>We read every comment.</p></div></body>', encoding="utf-8"
    )
    (article,) = read_articles(path)
    assert article.passages[0].text == "We read every comment."


def test_a_pdf_as_sentences_not_lines(tmp_path):
    path = tmp_path / "returns.pdf"
    path.write_bytes(one_page_pdf("Return it within thirty", "days in its pack-", "aging. Send it."))
    (article,) = read_articles(path)
    assert article.title == "Returns"
    assert article.passages[0].text == "Return it within thirty days in its packaging. Send it."


def test_a_workbook_of_questions(tmp_path):
    path = tmp_path / "faq.xlsx"
    workbook(
        path,
        [
            ["question", "answer", None],
            ["How long?", "3 days", None],
            [None, None],
            ["Who?", None],
            ["Max?", 5],
        ],
    )
    first, no_answer, last = read_articles(path)
    assert (first.title, first.body, last.body) == ("How long?", "3 days", "5")
    assert isinstance(no_answer, RowError)
    assert no_answer.line == 4


def test_every_sheet_of_questions_is_read_and_the_others_are_told(tmp_path, knowledge):
    from ingest.importing import import_articles
    from web.sentences import in_words

    path = tmp_path / "faq.xlsx"
    prices = [["Zone", "Price"], ["1", "4 euros"]]
    workbook(
        path,
        [["Our FAQ"], [None], ["question", "answer"], ["How long?", "3 days"]],
        Returns=[["question", "answer"], ["How long?", "30 days"], ["Who?", None]],
        Prices=prices,
        Empty=[],
    )
    first, second, no_answer, _ = read_articles(path)
    assert [(one.title, one.body, one.section) for one in (first, second)] == [
        ("How long?", "3 days", ""),
        ("How long?", "30 days", "Returns"),
    ]
    assert (no_answer.line, no_answer.message) == (3, "Sheet Returns: The row has no answer")
    assert in_words(no_answer.message, "zh") == "工作表 Returns：这一行没有答案"
    report = import_articles(knowledge, [path])
    assert (report.kept, report.errors) == (2, 1)
    with knowledge.read() as session:  # the same question in another sheet is another article
        kept = {row.body: row.slug for row in session.scalars(select(Article))}
    assert kept == {"3 days": first.slug, "30 days": f"{first.slug}-2"}
    assert report.notes == ["faq.xlsx has sheets without columns of questions and answers: Prices"]
    assert in_words(report.notes[0], "zh") == "faq.xlsx 的这些工作表没有问题和答案的列：Prices"
    workbook(path, [["question", "answer"], ["How long?", "3 days"], ["Who?", "We"]], Prices=prices)
    import_articles(knowledge, [path])
    workbook(path, [["question", "answer"], ["How long?", "3 days"], ["Why?", "So"]], Prices=prices)
    passed_over, gone = [in_words(note, "zh") for note in import_articles(knowledge, [path]).notes]
    assert passed_over.endswith("：Prices") and "faq.xlsx 中不再有这" in gone


def test_a_workbook_without_any_questions_is_refused(tmp_path):
    path = tmp_path / "prices.xlsx"
    workbook(path, [["Zone", "Price", "Days"], [1, 4, 2]], Other=[["a", "b"]])
    with pytest.raises(FileError, match="no columns of questions and answers"):
        list(read_articles(path))


def test_a_workbook_of_messages(tmp_path):
    path = tmp_path / "chats.xlsx"
    workbook(path, [["Conversation ID", "Role", "Text"], [1, "customer", "it leaks"], [1, "agent", "Sorry."]])
    reading = open_transcripts(path)
    (row,) = reading.rows()
    assert (reading.format.name, row.id) == ("xlsx", "1")
    assert row.turns == (Turn("customer", "it leaks"), Turn("agent", "Sorry."))


@pytest.mark.parametrize("name", ["a.docx", "a.pdf", "a.xlsx"])
@pytest.mark.parametrize("content", [b"just words", b"PK\x03\x04 broken"])
def test_a_document_that_is_none_is_refused_by_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        list(read_articles(path))
    assert name in error.value.one_line()
    assert error.value.remedy


def test_a_page_without_words_is_refused(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("<html><body><script>x</script></body></html>")
    with pytest.raises(FileError, match=r"a\.html has no text") as error:
        list(read_articles(path))
    assert "scan" not in error.value.remedy


def test_a_document_that_unpacks_beyond_measure_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.spreadsheets.MAX_UNPACKED", 1000)
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "x" * 100_000)
    with pytest.raises(FileError, match="unpacks to"):
        list(read_articles(path))


def encrypted_pdf(path, password):
    from pypdf import PdfWriter

    with PdfWriter() as writer:
        writer.add_blank_page(72, 72)
        writer.encrypt(password, algorithm="RC4-128")
        writer.write(path)


def test_a_pdf_with_a_password_is_refused_with_the_remedy(tmp_path, monkeypatch):
    path = tmp_path / "locked.pdf"
    encrypted_pdf(path, "secret")
    with pytest.raises(FileError, match=r"locked\.pdf is locked by a password") as error:
        list(read_articles(path))
    assert "without" in error.value.remedy
    encrypted_pdf(path, "")
    from pypdf.errors import DependencyError

    def cipher(reader, password):
        raise DependencyError("cryptography is required")

    monkeypatch.setattr("pypdf.PdfReader.decrypt", cipher)
    with pytest.raises(FileError, match="locked"):
        list(read_articles(path))


def test_an_office_document_with_a_password_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "locked.docx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(FileError, match="locked by a password"):
        list(read_articles(path))


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>',
        "<w:document",
        "<x/>",
    ],
)
def test_a_word_document_whose_text_is_broken_takes_nothing_else_with_it(tmp_path, document):
    path = tmp_path / "odd.docx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (DOCX | {"word/document.xml": document}).items():
            archive.writestr(name, text)
    with pytest.raises(FileError, match=r"odd\.docx"):
        list(read_articles(path))


def test_a_small_archive_with_an_endless_text_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("ingest.articles.documents.MAX_WORD_PART", 1 << 20)
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in DOCX.items():
            archive.writestr(name, text)
        archive.writestr("word/footnotes.xml", b" " * (3 << 20))
    with pytest.raises(FileError, match="3 MiB of text in"):
        list(read_articles(path))


def test_a_sheet_that_claims_every_column_is_read_as_wide_as_it_is(tmp_path):
    plain, phantom = tmp_path / "plain.xlsx", tmp_path / "faq.xlsx"
    workbook(plain, [["question", "answer"], *([f"Q{n}?", f"A {n}"] for n in range(300))])
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(phantom, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = data.replace(b'ref="A1:B301"', b'ref="A1:XFD1048576"')
                data = data.replace(b"</row>", b'<c r="XFD2" s="0"/></row>', 2)
                assert b"XFD1048576" in data and b"XFD2" in data
            new.writestr(name, data)
    assert [article.body for article in read_articles(phantom)] == [f"A {n}" for n in range(300)]


def test_a_wrong_ending_is_named_and_the_other_files_go_in(tmp_path, knowledge):
    from ingest.importing import import_articles

    (tmp_path / "a.md").write_bytes(b"PK\x03\x04 a zip")
    (tmp_path / "b.pdf").write_text("no pdf")
    (tmp_path / "c.docx").write_bytes(b"%PDF-1.4")
    (tmp_path / "d.xlsx").write_text("question,answer")
    encrypted_pdf(tmp_path / "e.pdf", "secret")
    (tmp_path / "good.html").write_text(PAGE, encoding="utf-8")
    report = import_articles(knowledge, [tmp_path])
    assert {file.name: file.state for file in report.files} == {
        **dict.fromkeys(("a.md", "b.pdf", "c.docx", "d.xlsx", "e.pdf"), "failed"),
        "good.html": "imported",
    }
    assert report.kept == 1
    for file in report.files[:5]:
        assert file.name in file.note and file.note.count(".") >= 2  # what is wrong, and what to do


def test_what_old_pages_put_around_their_text_is_no_part_of_it(tmp_path):
    told = "<h1>费用</h1><p>每月15日付款。</p>"
    around = '<div class="nav"><a href="/">首页</a><a href="/a">关于我们</a></div>{}<div class="footer">版权所有</div>'
    assert (
        passage_text(tmp_path, around.format(f'<div id="content">{told}</div><div>Share it</div>'))
        == "每月15日付款。"
    )
    assert passage_text(tmp_path, around.format(f"<div>{told}</div>")) == "每月15日付款。"
    menu = '<h1>Lunch</h1><div class="menu"><p>Soup £4, bread £1.</p></div><p>Daily from 12.</p>'
    assert "Soup £4" in passage_text(tmp_path, menu)


def test_a_cell_that_is_merged_over_rows_counts_for_each(tmp_path):
    path = tmp_path / "faq.xlsx"
    book = openpyxl.Workbook()
    for row in [
        ("主题", "问题", "答案"),
        ("保障", "爆胎赔吗？", "赔。"),
        (None, "扎胎呢？", None),
        (None, "赛车赔吗？", "不赔。"),
        (None, "多久赔？", "十天。"),
    ]:
        book.active.append(row)
    book.active.merge_cells("A2:A4")
    book.active.merge_cells("C2:C3")
    book.save(path)
    book.close()
    assert [(article.section, article.title, article.body) for article in read_articles(path)] == [
        ("保障", "爆胎赔吗？", "赔。"),
        ("保障", "扎胎呢？", "赔。"),
        ("保障", "赛车赔吗？", "不赔。"),
        ("", "多久赔？", "十天。"),
    ]


def test_a_cell_is_read_as_a_person_sees_it(tmp_path):
    path = tmp_path / "faq.xlsx"
    rows = [
        ("When is it due?", datetime(2026, 12, 24)),
        ("At what time?", datetime(2026, 12, 24, 9)),
        ("Rate?", "#REF!"),
    ]
    workbook(path, [("question", "answer"), *rows])
    due, at, rate = read_articles(path)
    assert (due.body, at.body) == ("2026-12-24", "2026-12-24T09:00:00")
    assert isinstance(rate, RowError) and "no answer" in rate.message


def test_a_workbook_that_is_damaged_inside_costs_its_own_file_alone(tmp_path, knowledge):
    from ingest.importing import import_articles

    workbook(
        tmp_path / "a.xlsx", [["question", "answer"], *([f"Q{n * 7919}?", f"A {n}"] for n in range(900))]
    )
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset
    data = bytearray((tmp_path / "a.xlsx").read_bytes())
    data[at + 600 : at + 900] = bytes(range(150)) * 2
    (tmp_path / "a.xlsx").write_bytes(data)
    (tmp_path / "b.md").write_text("# Good\n\nIt is read.")
    report = import_articles(knowledge, [tmp_path])
    assert [file.state for file in report.files] == ["failed", "imported"]
    assert "a.xlsx is no Excel workbook, or a damaged one" in report.files[0].note


def test_what_a_reader_did_not_foresee_costs_its_own_file_alone(tmp_path, knowledge, monkeypatch):
    from ingest.articles import formats
    from ingest.importing import import_articles

    def broken(path):
        raise RuntimeError("no reader foresaw this")
        yield

    monkeypatch.setitem(formats.READERS, ".html", broken)
    (tmp_path / "a.html").write_text("<html><p>x</p></html>")
    (tmp_path / "b.md").write_text("# Good\n\nIt is read.")
    report = import_articles(knowledge, [tmp_path])
    assert [file.state for file in report.files] == ["failed", "imported"]
    assert "a.html is damaged" in report.files[0].note


def test_a_pdf_that_may_only_not_be_changed_is_read(tmp_path):
    from pypdf import PdfReader, PdfWriter

    source = tmp_path / "terms.pdf"
    source.write_bytes(one_page_pdf("Rates are due on the 15th."))
    for name, words in (("open.pdf", ""), ("shut.pdf", "secret")):
        writer = PdfWriter(clone_from=PdfReader(source))
        writer.encrypt(words, owner_password="owner", algorithm="AES-256")
        writer.write(tmp_path / name)
    (article,) = read_articles(tmp_path / "open.pdf")
    assert article.body == "Rates are due on the 15th."
    with pytest.raises(FileError, match=r"shut\.pdf is locked by a password"):
        list(read_articles(tmp_path / "shut.pdf"))


def test_a_pdf_of_pictures_alone_is_told_to_have_no_text(tmp_path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(one_page_pdf())
    with pytest.raises(FileError, match=r"scan\.pdf has no text") as error:
        list(read_articles(path))
    assert "scan" in error.value.remedy
