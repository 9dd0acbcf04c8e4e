"""PDFs made here of text operators alone (ISO 32000-1, 9.4), so that what is read is what was shown."""

from ingest.articles.pdf import read_pdf

FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold", "F3": "ABCDEF+Arial-BoldMT"}


def pdf(*pages, title="", matrix="1 0 0 1 0 0"):
    """``pages``: of (font, size in points, height on the page, words, from the left); ``matrix``: of all."""
    count = len(pages)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{n} 0 R' for n in range(3, 3 + count))}] /Count {count} >>",
    ]
    fonts = " ".join(f"/{name} {3 + 2 * count + n} 0 R" for n, name in enumerate(FONTS))
    objects += [
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {3 + count + n} 0 R "
        f"/Resources << /Font << {fonts} >> >> >>"
        for n in range(count)
    ]
    for page in pages:
        shown = [
            f"BT /{font} {size} Tf 1 0 0 1 {left[0] if left else 50} {height} Tm ({words}) Tj ET"
            for font, size, height, words, *left in page
        ]
        stream = "\n".join([f"{matrix} cm", *shown])
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects += [f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} >>" for name in FONTS.values()]
    objects.append(f"<< /Title ({title}) >>")
    text, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer\n<< /Size {size} /Root 1 0 R /Info {size - 1} 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    return (text + f"xref\n0 {size}\n0000000000 65535 f \n{table}{end}").encode("latin-1")


def article(tmp_path, *pages, title=""):
    path = tmp_path / "handbook.pdf"
    path.write_bytes(pdf(*pages, title=title))
    return read_pdf(path)


HANDBOOK = (
    [
        ("F1", 8, 760, "Acme Tools"),
        ("F2", 20, 700, "Warranty handbook"),
        ("F2", 14, 660, "Drills"),
        ("F1", 10, 640, "A drill is covered for two years from the day on which"),
        ("F1", 10, 628, "you bought it, as the receipt proves."),
        ("F3", 10, 604, "Batteries"),
        ("F1", 10, 592, "A battery is covered for six months, whatever the tool is."),
        ("F1", 8, 30, "Page 1 of 3"),
    ],
    [
        ("F1", 8, 760, "Acme Tools"),
        ("F2", 14, 700, "Saws"),
        ("F1", 10, 680, "A saw is covered for three years, its blade for one month."),
        ("F1", 8, 30, "Page 2 of 3"),
    ],
    [
        ("F1", 8, 760, "Acme Tools"),
        ("F1", 10, 700, "A saw that was bought abroad is covered for one year there."),
        ("F1", 8, 30, "Page 3 of 3"),
    ],
)


def test_passages_follow_the_headings_without_heads_feet_and_numbers(tmp_path):
    found = article(tmp_path, *HANDBOOK, title="Microsoft Word - handbook_v3.docx")
    assert found.title == "Warranty handbook"
    assert [(passage.title_path, passage.text) for passage in found.passages] == [
        (
            "Warranty handbook › Drills",
            "A drill is covered for two years from the day on which you bought it, as the receipt proves.\n\n"
            "Batteries\nA battery is covered for six months, whatever the tool is.",
        ),
        (
            "Warranty handbook › Saws",
            "A saw is covered for three years, its blade for one month.\n\n"
            "A saw that was bought abroad is covered for one year there.",
        ),
    ]


def test_a_size_that_the_pages_matrix_makes(tmp_path):
    page = [(font, size / 2, height / 2, words) for font, size, height, words in HANDBOOK[0]]
    path = tmp_path / "scaled.pdf"
    path.write_bytes(pdf(page, matrix="2 0 0 2 0 0"))
    assert read_pdf(path).title == "Warranty handbook"


def test_the_title_that_somebody_gave_stands_where_the_document_begins_with_none(tmp_path):
    page = [("F1", 10, 700, "Open from nine to five.")]
    assert article(tmp_path, page, title="Opening hours").title == "Opening hours"
    assert article(tmp_path, page, title="hours_final.docx").title == "handbook"


def test_a_tables_rows_stay_apart(tmp_path):
    found = article(
        tmp_path,
        [
            ("F1", 10, 700, "A parcel is weighed and paid for in the shop, by card alone"),
            ("F1", 10, 688, "and not in advance. The prices of this year are these:"),
            ("F1", 10, 670, "2 kg"),
            ("F1", 10, 670, "3.20", 200),
            ("F1", 10, 658, "5 kg"),
            ("F1", 10, 658, "5.90", 200),
        ],
    )
    assert found.passages[0].text.endswith("are these: 2 kg 3.20\n5 kg 5.90")


def test_signs_of_markdown_are_words_of_the_text(tmp_path):
    found = article(tmp_path, [("F1", 10, 700, "# 5 of the list holds for all of them.")])
    assert found.passages[0].text == "# 5 of the list holds for all of them."


LEFT = [
    "Charge the battery to half when you do not",
    "ride for two weeks. Never leave it empty",
    "over the winter, and keep it in a room",
    "that is neither hot nor damp.",
    "",
    "A new battery has a warranty of two",
    "years from the day of purchase.",
]
RIGHT = [
    "Metro tyres want four bar, Trail tyres",
    "two. Check them every four weeks with",
    "a gauge that reads to a tenth.",
    "",
    "The front light is paid for by the",
    "insurance when it is broken in a fall",
    "or by vandals.",
]


def side_by_side(left, right):
    for row, pair in enumerate(zip(left, right, strict=True)):
        yield from (
            ("F1", 10, 700 - 12 * row, words, at) for words, at in zip(pair, (50, 320), strict=True) if words
        )


def test_two_columns_shown_row_by_row_are_read_one_after_the_other(tmp_path):
    read = article(tmp_path, [("F2", 18, 740, "Care leaflet"), *side_by_side(LEFT, RIGHT)])
    text = " ".join(read.body.split())
    assert "when you do not ride for two weeks. Never leave it empty over the winter" in text
    assert text.index("day of purchase.") < text.index("Metro tyres")
    assert "broken in a fall or by vandals." in text


def test_a_table_of_two_wide_columns_stays_in_rows(tmp_path):
    question = [
        "May the lease be shorter than three",
        "years, if the employer agrees?",
        "",
        "Who owns the bike during the lease,",
        "and who insures it?",
        "",
    ]
    answer = [
        "No. Shorter leases are not offered by",
        "us, whatever the employer says",
        "and wants.",
        "Velaro Asset owns it. The employer",
        "pays its insurance, which is told on",
        "each invoice.",
    ]
    rows = [
        ("F1", size, height - (20 if height < 670 else 0), words, at)
        for _, size, height, words, at in side_by_side(question, answer)
    ]
    text = " ".join(article(tmp_path, rows).body.split())
    assert text.index("shorter than three") < text.index("not offered by") < text.index("Who owns")
