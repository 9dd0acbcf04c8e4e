import pytest

from ingest.articles.chunking import passages_of
from ingest.articles.formats import read_articles
from ingest.articles.links import absolute, page_address

BASE = "https://shop.example/help/returns"


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        ("/delivery", "https://shop.example/delivery"),
        ("form.pdf", "https://shop.example/help/form.pdf"),
        ("../contact?x=1#top", "https://shop.example/contact?x=1#top"),
        ("//cdn.example/a", "https://cdn.example/a"),
        ("https://other.example/a b", "https://other.example/a b"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("#fees", ""),
        ("refunds.md", ""),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("JavaScript:alert(1)", ""),
        (" java\tscript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("vbscript:x", ""),
        ("file:///etc/passwd", ""),
        ("http://[broken", ""),
    ],
)
def test_where_a_link_leads_from_a_page(target, leads):
    assert absolute(target, BASE) == leads


def test_without_an_address_a_relative_link_leads_nowhere():
    assert absolute("/delivery", "") == "" and absolute("https://x.example/", "") == "https://x.example/"


def test_an_articles_address_is_one_of_the_web():
    assert page_address(" https://x.example/r ") == "https://x.example/r"
    assert page_address("javascript:alert(1)") == page_address("/returns") == page_address("https://") == ""


def texts(body, base=BASE):
    return [passage.text for passage in passages_of("Returns", body, base=base)]


def test_links_in_markdown_are_told_with_their_whole_address():
    body = "Fill in [the form](form.pdf), or <a href='/call'>call us</a>. [Not this](javascript:alert(1))."
    assert texts(body) == [
        "Fill in the form (https://shop.example/help/form.pdf), or call us (https://shop.example/call). Not this."
    ]
    assert texts(body, "") == ["Fill in the form, or call us. Not this."]
    assert texts("- [Form][1]\n- Post\n\n[1]: form.pdf") == [
        "- Form (https://shop.example/help/form.pdf)\n- Post"
    ]


def test_where_every_other_word_is_a_link_to_the_same_site_none_is_told():
    body = " ".join(f"[w{n}](/w{n})" for n in range(4)) + " and [elsewhere](https://other.example/e)"
    assert texts(body) == ["w0 w1 w2 w3 and elsewhere (https://other.example/e)"]


@pytest.mark.parametrize(
    ("head", "leads"),
    [
        ('<link rel="canonical" href="https://shop.example/help/returns">', "https://shop.example/help/form"),
        ('<meta property="og:url" content="https://shop.example/a/b">', "https://shop.example/a/form"),
        (
            '<link rel="canonical" href="https://shop.example/r"><base href="https://cdn.example/x/">',
            "https://cdn.example/x/form",
        ),
    ],
)
def test_a_pages_links_lead_from_the_address_that_it_names(tmp_path, head, leads):
    path = tmp_path / "returns.html"
    path.write_text(
        f"<html><head>{head}</head><body><h1>Returns</h1><p>Use <a href='form'>the form</a>, not "
        "<a href='javascript:alert(1)'>this</a>.</p></body></html>",
        encoding="utf-8",
    )
    (article,) = read_articles(path)
    assert article.passages[0].text == f"Use the form ({leads}), not this."
    assert leads in article.body and "javascript" not in article.body


def test_an_address_that_is_none_is_left_out(tmp_path):
    path = tmp_path / "returns.md"
    path.write_text("---\nurl: javascript:alert(1)\n---\nThirty days.", encoding="utf-8")
    (article,) = read_articles(path)
    assert article.url == ""
