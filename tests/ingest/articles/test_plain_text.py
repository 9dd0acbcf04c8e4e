from ingest.articles.formats import read_articles


def passages(tmp_path, text):
    path = tmp_path / "some_file.txt"
    path.write_text(text, "utf-8")
    (article,) = read_articles(path)
    return [(passage.title_path, passage.text) for passage in article.passages]


def test_the_first_line_is_the_title_and_heading_like_lines_are_headings(tmp_path):
    text = "Mortgages\n\nEarly repayment\nYou may repay 10 %.\n\nWhich documents?\n- Proof\n- Payslips\n"
    assert passages(tmp_path, text) == [
        ("Mortgages › Early repayment", "You may repay 10 %."),
        ("Mortgages › Which documents?", "- Proof\n- Payslips"),
    ]


def test_questions_with_their_answers(tmp_path):
    text = "Q: Is it free?\nA: Yes, always.\nQ: Where?\nA: In Gloucester.\n"
    assert passages(tmp_path, f"Fees\n\n{text}") == [
        ("Fees › Is it free?", "Yes, always."),
        ("Fees › Where?", "In Gloucester."),
    ]


def test_questions_below_a_heading_of_their_own(tmp_path):
    text = (
        "入住须知\n\n一、押金\n退房时原路退回。\n\n二、发票\n问：可以开专票吗？\n答：可以。\n\n"
        "三、早餐\n七点开始。\n问：收费吗？\n答：不收。\n"
    )
    assert passages(tmp_path, text) == [
        ("入住须知 › 一、押金", "退房时原路退回。"),
        ("入住须知 › 二、发票 › 可以开专票吗？", "可以。"),
        ("入住须知 › 三、早餐", "七点开始。"),
        ("入住须知 › 收费吗？", "不收。"),
    ]


def test_sentences_and_addresses_are_no_headings(tmp_path):
    text = "We are open from 9 to 17.\n\nSevern Bank\n1 High Street\nGloucester"
    assert passages(tmp_path, text) == [
        ("some file", "We are open from 9 to 17.\n\nSevern Bank 1 High Street Gloucester")
    ]
