from ingest.articles.pdf_headings import Part, parts_of
from ingest.articles.pdf_lines import Line


def text(words="It is as the contract says, for every customer and every order.", **look):
    return Line(words, look.pop("size", 10.0), **look)


def headings(lines):
    return [(part.level, part.lines[0]) for part in parts_of(lines) if part.level]


def test_larger_lines_and_bold_ones_are_headings_by_rank():
    lines = [
        Line("Terms", 20.0, True, 700),
        text(),
        Line("Delivery", 14.0, True),
        Line("Abroad", 10.0, True),
        text(),
        Line("Payment", 14.0, True),
        text(),
    ]
    assert headings(lines) == [(1, "Terms"), (2, "Delivery"), (3, "Abroad"), (2, "Payment")]
    assert parts_of(lines)[1] == Part(0, (text().text,))


def test_chapters_without_a_title_stand_below_the_files_own():
    lines = [Line("Delivery", 14.0), text(), Line("Payment", 14.0), text()]
    assert headings(lines) == [(2, "Delivery"), (2, "Payment")]


def test_a_title_that_looks_like_its_chapters():
    lines = [
        Line("Handbook", 18.0, True, 700),
        Line("Drills", 18.0, True, 660),
        text(),
        Line("Saws", 18.0, True, 300),
        text(),
    ]
    assert headings(lines) == [(1, "Handbook"), (2, "Drills"), (2, "Saws")]


def test_a_heading_of_two_lines_is_one():
    lines = [
        text(),
        text(),
        Line("What to do when a parcel", 14.0, True, 600),
        Line("has not arrived", 14.0, True, 583),
        text(),
    ]
    assert headings(lines) == [(2, "What to do when a parcel has not arrived")]
    lines = [
        text(),
        text(),
        Line("包裹没有收到", 14.0, True, 600),
        Line("怎么办", 14.0, True, 583),
        text("请联系客服。"),
    ]
    assert headings(lines) == [(2, "包裹没有收到怎么办")]


def test_numbers_tell_sections_of_one_look_apart():
    lines = [
        Line("2 Fees", 12.0, True, 600),
        Line("2.1 Abroad", 12.0, True, 585),
        text(),
        Line("3 Cards", 12.0, True),
        text(),
    ]
    assert headings(lines) == [(2, "2 Fees"), (3, "2.1 Abroad"), (2, "3 Cards")]


def test_what_heads_nothing_and_what_reads_as_text_is_no_heading():
    lines = [
        text(),
        Line("Total", 10.0, True),
        Line("Please bring the receipt with you.", 10.0, True),
        text(),
        Line("We wish you a good day", 14.0, True),
    ]
    assert headings(lines) == []
    (part,) = parts_of(lines)
    assert [line.text for line in lines] == list(part.lines)


def test_where_half_of_a_document_is_large_nothing_is_a_heading():
    lines = [
        line
        for n in range(8)
        for line in (Line(f"Offer {n} of the whole week", 14.0), text("Now in the shops, while it lasts"))
    ]
    assert headings(lines) == []


def test_a_subtitle_is_no_chapter():
    lines = [
        Line("Terms", 20.0, True, 700),
        Line("Valid from May", 16.0, False, 660),
        Line("Delivery", 14.0),
        text(),
        Line("Payment", 14.0),
        text(),
    ]
    assert headings(lines) == [(1, "Terms"), (2, "Delivery"), (2, "Payment")]
