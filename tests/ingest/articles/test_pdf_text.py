from ingest.articles.pdf_lines import Line
from ingest.articles.pdf_text import running_left_out


def kept(pages, size=10.0):
    """The words of lines of one look."""
    lines = running_left_out([[Line(line, size) for line in page.split("\n")] for page in pages])
    return "\n".join(line.text for line in lines)


def test_running_heads_feet_and_page_numbers_are_no_text():
    pages = [
        f"Severn Bank 2026\nRule {word} holds.\nIt costs £{n}.\nAs of May\nPage {n} of 4"
        for n, word in enumerate(("one", "two", "three", "four"), 1)
    ]
    assert kept(pages) == (
        "Rule one holds.\nIt costs £1.\nRule two holds.\nIt costs £2.\n"
        "Rule three holds.\nIt costs £3.\nRule four holds.\nIt costs £4."
    )


def test_a_line_of_two_pages_stays():
    assert kept(["Fees\nNone.", "Fees\nMany."]) == "Fees\nNone.\nFees\nMany."


def test_a_line_within_the_pages_stays_however_often_it_comes():
    pages = [f"Top {word}\nA {word}.\nNote: see above.\nB {word}.\nC {word}." for word in "abcd"]
    assert kept(pages).count("Note: see above.") == 4


def test_page_numbers_of_a_chinese_document():
    assert kept(["开户须知。\n第 1 页", "携带证件。\n- 2 -"]) == "开户须知。\n携带证件。"


def test_radicals_and_ligatures_are_the_characters_they_stand_for():
    assert kept(["最⻓三⽇，⻚⾯（ﬁle）。"]) == "最长三日，页面（file）。"


def test_a_title_stays_where_it_runs_over_the_pages_too():
    pages = [
        [Line("Terms of use", 24.0), Line("None.", 10.0)],
        *([Line("Terms of use", 8.0), Line(f"Rule {word}.", 10.0)] for word in ("one", "two", "three")),
    ]
    assert [line.text for line in running_left_out(pages)] == [
        "Terms of use",
        "None.",
        "Rule one.",
        "Rule two.",
        "Rule three.",
    ]


def test_a_head_that_runs_over_one_chapter_alone():
    pages = [
        f"{'Cards' if n in (3, 4, 5) else f'Then {word}'} {n}\nA {word}."
        for n, word in enumerate("abcdefgh", 1)
    ]
    assert "Cards" not in kept(pages)
    assert kept(pages).count("Then") == 5


def test_a_table_of_contents_is_no_text():
    assert (
        kept(["Contents\n1 Fees ........ 2\n1.1 Abroad . . . . . 3\nFees are low ... as ever."])
        == "Fees are low ... as ever."
    )
    assert kept(["目 录\n退货……………… 3\n七天内可退。"]) == "七天内可退。"


def test_what_a_browser_prints_around_a_page():
    printed = "Open daily.\n12/1/26, 2:00 PM Opening hours\nhttps://x.example/hours 1/1"
    assert kept([printed]) == "Open daily."
