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
        "See the tracking page and Account.\n\n- one\n  - inner\n- two\n\nZone | Price\n1 | €4\n\n"
        "a kettle\n\nquoted\n\ncode E-4012"
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
