import pytest

from ingest.articles.bold_lines import bold_headings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("**How long?**\n\nTwo years.", "###### How long?\n\nTwo years."),
        ("__Fees:__\n\n- One\n", "###### Fees\n\n- One\n"),
        ("A.\n\n**发票：**\n\n七天。", "A.\n\n###### 发票\n\n七天。"),
    ],
)
def test_a_bold_line_heads_the_text_below_it(text, told):
    assert bold_headings(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "**Do not smoke.**\n\nIt is forbidden.",
        "**Note:** it is forbidden.\n\nReally.",
        "Text.\n\n**Anna Berg**",
        "**Anna Berg**\n\n**Director**",
        "**Fees**\n\n## Abroad\n\nNone.",
        "**Fees**\nwithin a paragraph\n\nText.",
        "```\n\n**x**\n\ny\n```",
        f"**{'long ' * 30}end**\n\nText.",
    ],
)
def test_what_is_no_heading_stays(text):
    assert bold_headings(text) == text
