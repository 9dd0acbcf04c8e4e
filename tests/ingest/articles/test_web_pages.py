import gzip
from itertools import pairwise

import pytest
from sqlalchemy import select

from chatbot.errors import FileError, InputError, OutboundError
from chatbot.outbound import Fetched
from chatbot.records.database import Database
from chatbot.records.tables import Article, KnowledgeClock, Passage, Table
from ingest.articles.web_import import import_web_pages
from ingest.articles.web_pages import WebLimits, WebReader, slug_of
from ingest.files import RowError

SITE = "https://shop.example"
PAGE = """<html lang="en"><head><title>x</title>{head}</head><body><nav>Home Shop</nav>
<main><h1>{title}</h1><p>{text}</p><script>track("me")</script><div role="dialog">Cookies?</div></main>
<footer>Imprint</footer></body></html>"""


def page(title="Returns", text="Send it back within thirty days.", head=""):
    return 200, "text/html; charset=utf-8", PAGE.format(title=title, text=text, head=head).encode()


def sitemap(*urls, kind="urlset", entry="url"):
    rows = "".join(f"<{entry}><loc>{url}</loc></{entry}>" for url in urls)
    xml = f'<?xml version="1.0"?><{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</{kind}>'
    return 200, "application/xml", xml.encode()


class Site:
    """Answers as a web site would, and remembers who asked for what and when."""

    def __init__(self, pages):
        self.pages, self.asked, self.time = dict(pages), [], 0.0

    def fetch(self, url, **options):
        self.asked.append((self.time, url))
        answer = self.pages.get(url, (404, "text/html", b"no"))
        if isinstance(answer, Exception):
            raise answer
        status, kind, body = answer
        if status == 301:
            return self.fetch(body.decode(), **options)
        if len(body) > options["limit"]:
            raise OutboundError("The answer is larger than 1 MiB", value=url)
        return Fetched(url, status, {"content-type": kind}, body)

    def sleep(self, seconds):
        self.time += seconds

    def reader(self, **limits):
        return WebReader(
            fetch=self.fetch, sleep=self.sleep, clock=lambda: self.time, limits=WebLimits(**limits)
        )


@pytest.fixture
def store(tmp_path):
    made = Database(f"sqlite:///{tmp_path}/k.db")
    Table.metadata.create_all(made.engine)
    with made.write() as session:
        session.add(KnowledgeClock(id=1, revision=0))
    yield made
    made.dispose()


def articles(store, status="live"):
    with store.read() as session:
        return {
            row.url: row.title for row in session.scalars(select(Article).where(Article.status == status))
        }


def test_a_page_becomes_an_article_without_its_furniture_and_scripts(store):
    site = Site({f"{SITE}/help/returns.html": page()})
    report = import_web_pages(store, [f"{SITE}/help/returns.html"], reader=site.reader())
    assert (report.kept, report.errors) == (1, 0)
    with store.read() as session:
        passage = session.scalars(select(Passage)).one()
        article = session.scalars(select(Article)).one()
    assert passage.text == "Send it back within thirty days."
    assert (article.title, article.lang, article.url) == ("Returns", "en", f"{SITE}/help/returns.html")
    assert article.slug.startswith("help-returns-")


def test_the_links_of_a_page_lead_from_where_it_was_read(store):
    text = 'Fill in <a href="../forms/a.pdf">the form</a>, see <a href="#top">above</a>.'
    plain = (200, "text/markdown", b"# Post\n\nSee [the prices](/prices).")
    site = Site({f"{SITE}/help/returns": page(text=text), f"{SITE}/post.md": plain})
    import_web_pages(store, [f"{SITE}/help/returns", f"{SITE}/post.md"], reader=site.reader())
    with store.read() as session:
        texts = {passage.text for passage in session.scalars(select(Passage))}
    assert texts == {f"Fill in the form ({SITE}/forms/a.pdf), see above.", f"See the prices ({SITE}/prices)."}


def test_the_same_page_again_is_a_no_op_and_a_changed_one_the_same_article(store):
    site = Site({f"{SITE}/a": page()})
    import_web_pages(store, [f"{SITE}/a"], reader=site.reader())
    assert import_web_pages(store, [f"{SITE}/a"], reader=site.reader()).as_json()["unchanged"] == 1
    site.pages[f"{SITE}/a"] = page(text="Sixty days.")
    import_web_pages(store, [f"{SITE}/a"], reader=site.reader())
    with store.read() as session:
        assert session.scalars(select(Passage.text)).all() == ["Sixty days."]


def test_a_sitemap_index_is_followed_within_its_own_site_and_pauses_are_kept(store):
    inner = gzip.compress(sitemap(f"{SITE}/a", f"{SITE}/b", "https://elsewhere.example/c")[2])
    site = Site(
        {
            f"{SITE}/robots.txt": (200, "text/plain", b"User-agent: *\nCrawl-delay: 3\nDisallow: /b$"),
            f"{SITE}/sitemap.xml": sitemap(f"{SITE}/s.xml.gz", kind="sitemapindex", entry="sitemap"),
            f"{SITE}/s.xml.gz": (200, "application/gzip", inner),
            f"{SITE}/a": page(),
            f"{SITE}/b": page(title="Secret"),
        }
    )
    report = import_web_pages(store, [f"{SITE}/sitemap.xml"], reader=site.reader())
    assert articles(store) == {f"{SITE}/a": "Returns"}
    assert [error.message for _, error in report.row_errors] == [
        "The site's robots.txt keeps this page from being read"
    ]
    assert not any("elsewhere" in url or url.endswith("/b") for _, url in site.asked)
    times = [moment for moment, _ in site.asked]
    assert all(after - before >= 3 for before, after in pairwise(times[1:]))


def test_a_page_that_the_site_took_away_is_switched_off_though_no_sitemap_lists_it(store):
    site = Site(
        {f"{SITE}/sitemap.xml": sitemap(f"{SITE}/a", f"{SITE}/b"), f"{SITE}/a": page(), f"{SITE}/b": page()}
    )
    import_web_pages(store, [f"{SITE}/sitemap.xml"], reader=site.reader())
    site.pages[f"{SITE}/sitemap.xml"] = sitemap(f"{SITE}/a")
    site.pages[f"{SITE}/b"] = (410, "text/html", b"")
    import_web_pages(store, [f"{SITE}/sitemap.xml"], reader=site.reader())
    assert set(articles(store)) == {f"{SITE}/a"}
    site.pages[f"{SITE}/b"] = page()
    import_web_pages(store, [f"{SITE}/b"], reader=site.reader())
    assert set(articles(store)) == {f"{SITE}/a", f"{SITE}/b"}


def test_one_bad_page_is_named_and_the_rest_goes_in(store):
    broken = OutboundError("The other side did not answer in time", value=f"{SITE}/slow")
    site = Site(
        {
            f"{SITE}/sitemap.xml": sitemap(
                *(f"{SITE}/{name}" for name in ("slow", "empty", "film", "big", "good"))
            ),
            f"{SITE}/slow": broken,
            f"{SITE}/empty": (200, "text/html", b"<html><body><script>app()</script></body></html>"),
            f"{SITE}/film": (200, "video/mp4", b"...."),
            f"{SITE}/big": (200, "text/html", b"x" * 2_000_000),
            f"{SITE}/good": page(),
        }
    )
    report = import_web_pages(store, [f"{SITE}/sitemap.xml"], reader=site.reader(page_bytes=1_000_000))
    assert set(articles(store)) == {f"{SITE}/good"}
    assert [error.message.split()[-1] for _, error in report.row_errors] == ["time", "text", "text", "MiB"]


def test_limits_of_pages_and_time_are_said(store):
    urls = [f"{SITE}/{number}" for number in range(9)]
    site = Site({url: page() for url in urls})
    few = [row for _, row in site.reader(pages=3).read(urls)]
    assert len(few) == 4 and isinstance(few[-1], RowError) and "3 pages" in few[-1].message
    short = [row for _, row in site.reader(seconds=2, pause=1).read(urls)]
    assert isinstance(short[-1], RowError) and "longer" in short[-1].message


@pytest.mark.parametrize(
    ("robots", "error", "words"),
    [
        ((200, "text/plain", b"User-agent: Frontdesk\nDisallow: /"), InputError, "robots.txt keeps"),
        ((503, "text/plain", b""), InputError, "robots.txt keeps"),
        ((200, "text/plain", b"User-agent: *\nCrawl-delay: 60"), InputError, "60 seconds"),
    ],
)
def test_a_site_that_wants_no_visit_gets_none(store, robots, error, words):
    site = Site({f"{SITE}/robots.txt": robots, f"{SITE}/a": page()})
    with pytest.raises(error, match=words):
        import_web_pages(store, [f"{SITE}/a"], reader=site.reader())
    assert [url for _, url in site.asked] == [f"{SITE}/robots.txt"]


@pytest.mark.parametrize(
    "body",
    [
        b"<urlset><url><loc>broken",
        b'<!DOCTYPE x [<!ENTITY a "b">]><urlset><url><loc>&a;</loc></url></urlset>',
        sitemap("https://elsewhere.example/")[2],
    ],
)
def test_a_sitemap_that_cannot_be_used_is_said_so(store, body):
    site = Site({f"{SITE}/sitemap.xml": (200, "application/xml", body)})
    with pytest.raises(FileError, match="sitemap"):
        import_web_pages(store, [f"{SITE}/sitemap.xml"], reader=site.reader())


def test_a_private_address_is_not_asked(store):
    with pytest.raises(InputError, match="private"):
        import_web_pages(store, ["http://127.0.0.1:9/"], reader=WebReader())


def test_a_canonical_address_names_the_article_on_its_own_site_only(store):
    head = '<link rel="canonical" href="{}">'
    site = Site(
        {
            f"{SITE}/a?from=mail": page(head=head.format("/a")),
            f"{SITE}/a": page(head=head.format("/a")),
            f"{SITE}/b": page(head=head.format("https://elsewhere.example/b")),
        }
    )
    import_web_pages(store, [f"{SITE}/a?from=mail", f"{SITE}/a", f"{SITE}/b"], reader=site.reader())
    assert set(articles(store)) == {f"{SITE}/a", f"{SITE}/b"}


def test_a_name_follows_the_address_and_is_its_own():
    assert slug_of(f"{SITE}/help/R%C3%BCckgabe") == slug_of(f"{SITE}/help/R%C3%BCckgabe/")
    names = {slug_of(f"{SITE}{path}") for path in ("", "/a", "/b/a", "/a?x=1", "/退货")}
    assert len(names) == 5 and all(len(name) <= 80 for name in names)
