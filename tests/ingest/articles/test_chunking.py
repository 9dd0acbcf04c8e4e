import pytest

from ingest.articles.chunking import ChunkSizes, passages_of, word_count

SENTENCE = "The refund of a returned kettle is paid within three working days to the card that was used. "


def texts(body, title="Refunds", **options):
    return [(p.title_path, p.text) for p in passages_of(title, body, **options)]


def test_passages_follow_the_headings():
    body = f"{SENTENCE * 3}\n\n## How long it takes\n\n{SENTENCE * 3}\n\n### By card\n\n{SENTENCE * 3}\n"
    assert [path for path, _ in texts(body)] == [
        "Refunds",
        "Refunds › How long it takes",
        "Refunds › How long it takes › By card",
    ]


def test_the_title_is_not_repeated_when_it_is_the_first_heading():
    assert texts("# Refunds\n\nPaid in three days.") == [("Refunds", "Paid in three days.")]


def test_a_section_too_small_to_stand_alone_joins_the_one_before_under_its_heading():
    ((path, text),) = texts("Paid in three days.\n\n## Exceptions\n\nGift cards are not refunded.")
    assert path == "Refunds"
    assert text == "Paid in three days.\n\nExceptions\nGift cards are not refunded."


def test_a_long_text_is_cut_between_sentences():
    found = texts(SENTENCE * 30)
    assert len(found) > 2
    assert all(text.startswith("The refund") and text.endswith("used.") for _, text in found)
    assert all(word_count(text) <= ChunkSizes().most for _, text in found)


def test_a_long_chinese_text_is_cut_between_sentences():
    found = texts("退货的水壶签收后三个工作日内退款，款项原路退回到付款时使用的银行卡。" * 30, title="退款")
    assert len(found) > 2
    assert all(text.endswith("。") and len(text) <= 290 for _, text in found)


def test_steps_stay_whole_with_the_sentence_that_announces_them():
    steps = "\n".join(f"{n}. {SENTENCE.strip()}" for n in range(1, 11))
    body = f"{SENTENCE * 6}\n\nTo return it:\n\n{steps}\n"
    found = texts(body)
    assert [text.split("\n")[0][:13] for _, text in found] == ["The refund of", "To return it:"]
    assert found[1][1].split("\n")[10].startswith("10. The refund")


def test_lists_tables_links_and_emphasis_become_plain_text():
    body = (
        "See [the *tracking* page](https://x.example/t) and `Account`.\n\n- one\n  - inner\n- two\n\n"
        "| Zone | Price |\n|---|---|\n| 1 | €4 |\n\n![a kettle](k.png)\n\n> quoted\n\n```\ncode E-4012\n```\n"
    )
    ((_, text),) = texts(body)
    assert text == (
        "See the tracking page (https://x.example/t) and Account.\n\n- one\n  - inner\n- two\n\n"
        "Zone | Price\n1 | €4\n\na kettle\n\nquoted\n\ncode E-4012"
    )


def test_a_table_that_must_be_cut_repeats_its_header():
    rows = "\n".join(f"| model {n} | costs {n} euros and is delivered within {n} days |" for n in range(80))
    found = texts(f"| Model | Price |\n|---|---|\n{rows}\n")
    assert len(found) > 1
    assert all(text.startswith("Model | Price\n") for _, text in found)
    assert sum(text.count("costs") for _, text in found) == 80


def test_line_ends_inside_chinese_sentences_leave_no_gap():
    ((_, text),) = texts("退款三天\n到账。")
    assert text == "退款三天到账。"


@pytest.mark.parametrize("body", ["", "\n\n", "# Only a heading", "---"])
def test_without_text_there_is_no_passage(body):
    assert texts(body) == []


def test_sections_stand_by_themselves_where_they_are_more_than_a_short_answer():
    body = "Your card arrives soon.\n\n" + "\n\n".join(
        f"## {heading}\n\n{text}"
        for heading, text in (
            ("Lost card", "Call 0800 555 0199 at once."),
            ("Fee", "A new card costs £5.00."),
            ("Limits", "| Card | Cash |\n|---|---|\n| Plus | £500 |"),
            ("Codes", "E-4012: the PIN was wrong."),
        )
    )
    assert texts(body, title="Cards") == [
        ("Cards", "Your card arrives soon."),
        ("Cards › Lost card", "Call 0800 555 0199 at once."),
        ("Cards › Fee", "A new card costs £5.00."),
        ("Cards › Limits", "Card | Cash\nPlus | £500"),
        ("Cards › Codes", "E-4012: the PIN was wrong."),
    ]


def test_no_section_stands_under_the_heading_of_another():
    body = "## Gloucester\n\nOpen from 9 to 17.\n\n## Tewkesbury\n\nOpen from 9:30 to 16."
    assert texts(body, title="Hours") == [
        ("Hours › Gloucester", "Open from 9 to 17."),
        ("Hours › Tewkesbury", "Open from 9:30 to 16."),
    ]


def test_sections_of_the_same_name_are_told_apart_by_what_they_stand_under():
    body = "## Current\n\n### Fees\n\nFree of charge.\n\n## Savings\n\n### Fees\n\n£2 a month."
    assert texts(body, title="Accounts") == [
        ("Accounts › Current › Fees", "Free of charge."),
        ("Accounts › Savings › Fees", "£2 a month."),
    ]


def test_headings_of_several_levels_stay_in_a_short_answer():
    ((path, text),) = texts("It depends.\n\n## Savings\n\n### Fees\n\n£2 a month.", title="Accounts")
    assert (path, text) == ("Accounts", "It depends.\n\nSavings\nFees\n£2 a month.")


def test_a_second_title_in_a_document_is_no_part_of_the_first():
    assert texts("# Refunds\n\nIn three days.\n\n# Cheques\n\nNot taken.\n\n## Abroad\n\nNeither.") == [
        ("Refunds", "In three days."),
        ("Cheques", "Not taken.\n\nAbroad\nNeither."),
    ]


def test_a_long_list_is_cut_in_even_parts_under_what_announces_it():
    steps = "\n".join(
        f"{n}. {'Press the button beside the green lamp once more. ' * 4}" for n in range(1, 14)
    )
    found = [text for _, text in texts(f"To descale it:\n\n{steps}\n")]
    assert len(found) == 4
    assert all(text.startswith("To descale it:\n") for text in found)
    numbers = [[int(line.split(".")[0]) for line in text.split("\n")[1:]] for text in found]
    assert [n for part in numbers for n in part] == list(range(1, 14))
    assert min(map(len, numbers)) == 3


def test_a_step_keeps_what_is_indented_below_it():
    steps = "\n".join(f"{n}. {SENTENCE}\n   - {SENTENCE}" for n in range(1, 15))
    assert all(text.startswith(tuple("123456789")) for _, text in texts(steps))


def test_a_cut_table_repeats_the_sentence_that_announces_it():
    rows = "\n".join(f"| model {n} | costs {n} euros and is delivered within {n} days |" for n in range(80))
    found = texts(f"What each costs:\n\n| Model | Price |\n|---|---|\n{rows}\n")
    assert len(found) > 1
    assert all(text.startswith("What each costs:\nModel | Price\nmodel ") for _, text in found)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("The [claim form](https://b.example/f.pdf).", "The claim form (https://b.example/f.pdf)."),
        ('The <a href="https://b.example/f">claim form</a>.', "The claim form (https://b.example/f)."),
        ("[Write](mailto:a@b.example?subject=x), [call](tel:+44800)", "Write (a@b.example), call (+44800)"),
        ("[call 0800 555](tel:0800555) or [b.example](https://www.b.example/)", "call 0800 555 or b.example"),
        ("<https://b.example/f>", "https://b.example/f"),
        ("[above](#fees) and [fees](/fees)", "above and fees"),
    ],
)
def test_where_a_link_leads_stands_behind_its_words(markdown, text):
    assert texts(markdown) == [("Refunds", text)]


def test_a_heading_has_no_address():
    assert texts("## [Fees](https://b.example/fees)\n\nNone.") == [("Refunds › Fees", "None.")]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("It costs £5<sup>1</sup>.", "It costs £5 (1)."),
        ("It takes 12.50<sup>[2]</sup>.", "It takes 12.50 (2)."),
        ("At most 10<sup>6</sup>, 3 m<sup>2</sup>.", "At most 10^6, 3 m²."),
        ("The 1<sup>st</sup> day.", "The 1st day."),
    ],
)
def test_a_raised_number_is_no_digit_of_the_one_before(markdown, text):
    assert texts(markdown) == [("Refunds", text)]


@pytest.mark.parametrize(
    "body", ["It costs ~~£5~~ £4.", "It costs <s>£5</s> £4.", "It costs <del>£5</del> £4."]
)
def test_struck_words_are_no_longer_told(body):
    assert texts(body) == [("Refunds", "It costs £4.")]


def test_a_word_in_angle_brackets_is_a_word():
    assert texts("Choose <Settings> then <b>Cards</b>.") == [("Refunds", "Choose <Settings> then Cards.")]
