import json

import pytest

from chatbot.records.knowledge import ArticleDraft
from ingest.articles.formats import read_articles
from ingest.articles.help_centre import articles_within, body_markdown, is_draft
from ingest.files import RowError

ZENDESK = {
    "count": 2,
    "articles": [
        {
            "id": 36001,
            "url": "https://x.zendesk.example/api/v2/help_center/articles/36001.json",
            "html_url": "https://help.x.example/hc/en-us/articles/36001",
            "title": "Delivery",
            "locale": "en-us",
            "draft": False,
            "body": "<p>It takes <b>3</b> days, <a href='/hc/map'>where we deliver</a>.</p>"
            "<ul><li>by post</li><li>by courier</li></ul><script>track()</script>",
        },
        {"id": 36002, "title": "Secret", "draft": True, "body": "<p>Soon.</p>"},
    ],
}


def test_an_export_of_a_help_centre(tmp_path):
    path = tmp_path / "articles.json"
    path.write_text(json.dumps(ZENDESK), encoding="utf-8")
    article, draft = read_articles(path)
    assert isinstance(article, ArticleDraft) and isinstance(draft, RowError)
    assert (article.slug, article.lang) == ("36001", "en")
    assert article.url == "https://help.x.example/hc/en-us/articles/36001"
    assert article.passages[0].text == (
        "It takes 3 days, where we deliver (https://help.x.example/hc/map).\n\n- by post\n- by courier"
    )
    assert (draft.message, draft.value) == ("The article is not published", "Secret")


@pytest.mark.parametrize(
    ("record", "hidden"),
    [
        ({"draft": True}, True),
        ({"state": "draft"}, True),
        ({"description_text": "x", "status": 1}, True),
        ({"description_text": "x", "status": 2}, False),
        ({"state": "published", "draft": False, "status": 1}, False),
    ],
)
def test_drafts(record, hidden):
    assert is_draft(record) is hidden


def test_what_only_looks_like_a_list_of_articles_is_a_row():
    row = {"question": "Q", "answer": "A", "data": [1, 2]}
    assert list(articles_within(row)) == [row]


def test_a_text_that_is_no_html_stays():
    assert body_markdown("Press <Enter>, then **OK**.", "") == "Press <Enter>, then **OK**."
    assert body_markdown("<p>Press <b>OK</b>.</p>", "") == "Press **OK**."


def test_html_in_the_cells_of_a_table(tmp_path):
    path = tmp_path / "faq.csv"
    path.write_text('question,answer\nHow?,"<ol><li>Pack.</li><li>Send.</li></ol>"\n', encoding="utf-8")
    (article,) = read_articles(path)
    assert article.passages[0].text == "1. Pack.\n2. Send."
