from ingest.articles.pdf_text import pages_text


def test_running_heads_feet_and_page_numbers_are_no_text():
    pages = [
        f"Severn Bank 2026\nRule {word} holds.\nIt costs £{n}.\nAs of May\nPage {n} of 4"
        for n, word in enumerate(("one", "two", "three", "four"), 1)
    ]
    assert pages_text(pages) == (
        "Rule one holds.\nIt costs £1.\n\nRule two holds.\nIt costs £2.\n\n"
        "Rule three holds.\nIt costs £3.\n\nRule four holds.\nIt costs £4."
    )


def test_a_line_of_two_pages_stays():
    assert pages_text(["Fees\nNone.", "Fees\nMany."]) == "Fees\nNone.\n\nFees\nMany."


def test_a_line_within_the_pages_stays_however_often_it_comes():
    pages = [f"Top {word}\nA {word}.\nNote: see above.\nB {word}.\nC {word}." for word in "abcd"]
    assert pages_text(pages).count("Note: see above.") == 4


def test_page_numbers_of_a_chinese_document():
    assert pages_text(["开户须知。\n第 1 页", "携带证件。\n- 2 -"]) == "开户须知。\n\n携带证件。"


def test_radicals_and_ligatures_are_the_characters_they_stand_for():
    assert pages_text(["最⻓三⽇，⻚⾯（ﬁle）。"]) == "最长三日，页面（file）。"
