import zipfile

import pytest

from ingest.articles.formats import read_articles

pytest.importorskip("mammoth", reason="the documents extra is not installed")

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="xml" ContentType="text/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="s1" '
    f'Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
}


def test_a_style_made_from_a_heading_is_one(tmp_path):
    styles = (
        f'<w:styles {W}><w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="a1"><w:name w:val="公司标题"/><w:basedOn w:val="1"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="a2"><w:name w:val="Section\'s"/>'
        '<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="a3"><w:name w:val="Round"/><w:basedOn w:val="a3"/></w:style></w:styles>'
    )

    def paragraph(style, words):
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>'

    told = "It is told at length. " * 12
    body = (
        paragraph("a1", "Manual")
        + paragraph("a3", told)
        + paragraph("a2", "Courtesy bike")
        + paragraph("", told)
    )
    path = tmp_path / "manual.docx"
    parts = {"document": f"<w:document {W}><w:body>{body}</w:body></w:document>", "styles": styles}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        for name, text in parts.items():
            archive.writestr(f"word/{name}.xml", text)
    (article,) = read_articles(path)
    assert article.title == "Manual"
    assert [passage.title_path for passage in article.passages] == ["Manual", "Manual › Courtesy bike"]
