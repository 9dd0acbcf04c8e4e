"""A company's own web pages as articles: one page, or all that a sitemap lists (sitemaps.org, 0.9).

Polite: robots.txt is read first and believed (RFC 9309; parsed by Protego), pages are asked one after another with a
pause between, and pages, bytes and time are limited. Every request goes through chatbot/outbound.py, so no private
address is reached unless the installation allows it. What is read is cut and stored like an uploaded file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

from chatbot.errors import FileError, FrontdeskError, InputError, OutboundError
from chatbot.outbound import USER_AGENT, Fetched, fetch, origin, parse
from chatbot.records.knowledge import ArticleDraft
from ingest.articles.article import slugify
from ingest.articles.chunking import passages_of
from ingest.articles.documents import article_of_html, read_docx
from ingest.articles.markdown import read_markdown
from ingest.articles.pdf import read_pdf
from ingest.files import RowError
from ingest.spreadsheets import missing_reader

Fetch = Callable[..., Fetched]
GONE = (404, 410)
_HTML = ("text/html", "application/xhtml+xml")
_DOCUMENTS = {
    "application/pdf": (".pdf", read_pdf),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (".docx", read_docx),
    "text/markdown": (".md", read_markdown),
    "text/plain": (".txt", read_markdown),
}


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What one reading may cost; times in seconds."""

    pages: int = 500
    page_bytes: int = 5 * 2**20
    sitemap_bytes: int = 50 * 2**20  # uncompressed, the protocol's own limit
    sitemaps: int = 50
    page_seconds: float = 15.0
    seconds: float = 1800.0
    pause: float = 0.5  # between two requests
    longest_pause: float = 10.0  # a robots.txt that asks for more is not served: we stop


@dataclass(frozen=True, slots=True)
class GonePage:
    """A page that the site no longer has."""

    url: str


WebRow = ArticleDraft | RowError | GonePage


class WebReader:
    """Reads pages of the web, one after another. ``allow`` as in `chatbot.outbound.fetch`."""

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        limits: WebLimits = WebLimits(),
        fetch: Fetch = fetch,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allow, self.limits, self._fetch = tuple(allow), limits, fetch
        self._sleep, self._clock = sleep, clock
        self._began = clock()
        self._asked_at: float | None = None
        self._robots: dict[tuple[str, str, int], _Robots] = {}

    def addresses(self, address: str) -> tuple[list[str], Fetched | None]:
        """The pages behind an address: those of a sitemap, or the page itself, which is given as already fetched.

        Raises InputError for an address that may not be asked, OutboundError or FileError where nothing can be read.
        """
        first = self._get(address, limit=self.limits.sitemap_bytes)
        if not first.ok:
            raise OutboundError(
                f"The address answers {first.status}", field="url", value=address, remedy="Check the address"
            )
        if not _is_sitemap(first):
            return [first.url], first
        found: dict[str, None] = {}
        todo, read = deque([first]), {first.url}
        while todo:
            here = todo.popleft()
            pages, more = _sitemap(here, limit=self.limits.sitemap_bytes)
            same = origin(parse(here.url))[1]
            found.update(
                dict.fromkeys(url for url in pages if _host(url) == same)
            )  # sitemaps.org, "location"
            for url in more:
                if url not in read and _host(url) == same and len(read) < self.limits.sitemaps:
                    read.add(url)
                    todo.append(self._get(url, limit=self.limits.sitemap_bytes))
        if not found:
            raise FileError("The sitemap lists no page of its own site", field="url", value=address)
        return list(found), None

    def read(self, urls: Iterable[str], first: Fetched | None = None) -> Iterator[tuple[str, WebRow]]:
        """(address, what came of it) for each page, as they come. A page that fails takes no other with it."""
        for number, url in enumerate(urls, 1):
            if number > self.limits.pages:
                yield (
                    url,
                    RowError(
                        number,
                        f"Only {self.limits.pages} pages are read at once",
                        url,
                        "Read the rest by itself",
                    ),
                )
                return
            if self._clock() - self._began > self.limits.seconds:
                yield (
                    url,
                    RowError(
                        number,
                        f"Reading took longer than {self.limits.seconds / 60:.0f} minutes",
                        url,
                        "Read again: what is in stays in",
                    ),
                )
                return
            try:
                page = first if first is not None and first.url == url else self._get(url)
                row: WebRow = GonePage(url) if page.status in GONE else article_of_page(page)
            except FrontdeskError as error:
                row = RowError(number, error.message, str(error.value or url), error.remedy or "")
            yield url, row

    def _get(self, url: str, *, limit: int | None = None) -> Fetched:
        """One polite request. Raises as `fetch` does, and InputError where robots.txt forbids it."""
        self._check_robots(url)
        answer = self._ask(url, limit=limit or self.limits.page_bytes)
        if answer.url != url:
            self._check_robots(answer.url)  # a redirect may lead to where robots.txt keeps us out
        return answer

    def _check_robots(self, url: str) -> None:
        robots = self._robots_of(url)
        if not robots.allows(url):
            raise InputError(
                "The site's robots.txt keeps this page from being read",
                field="url",
                value=url,
                code="robots",
                remedy=f"Allow the user agent {USER_AGENT} there, or upload the page as a file",
            )

    def _robots_of(self, url: str) -> _Robots:
        target = parse(url)
        place = origin(target)
        if place not in self._robots:
            try:
                answer = self._ask(f"{target.scheme}://{target.netloc}/robots.txt", limit=512 * 1024)
                self._robots[place] = _Robots(answer.body.decode("utf-8", "replace"), answer.status)
            except OutboundError:
                raise  # a host that does not answer: said as it is
            pause = self._robots[place].pause
            if pause > self.limits.longest_pause:
                raise InputError(
                    f"The site's robots.txt asks for {pause:.0f} seconds between two pages",
                    field="url",
                    value=url,
                    remedy=f"Allow {USER_AGENT} a shorter Crawl-delay",
                )
        return self._robots[place]

    def _ask(self, url: str, *, limit: int) -> Fetched:
        robots = self._robots.get(origin(parse(url)))
        pause = max(self.limits.pause, robots.pause if robots else 0.0)
        if self._asked_at is not None and (left := self._asked_at + pause - self._clock()) > 0:
            self._sleep(left)
        try:
            return self._fetch(
                url,
                allow=self._allow,
                limit=limit,
                seconds=self.limits.page_seconds,
                headers={"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"},
            )
        finally:
            self._asked_at = self._clock()


class _Robots:
    """What a site's robots.txt says to us. RFC 9309, 2.3.1: none there allows all, a server error forbids all."""

    def __init__(self, text: str, status: int) -> None:
        try:
            from protego import Protego
        except ImportError as error:
            raise missing_reader(Path("robots.txt")) from error
        self._closed = status >= 500
        self._rules = Protego.parse(text if status < 400 else "")
        self.pause = float(self._rules.crawl_delay(USER_AGENT) or 0.0)

    def allows(self, url: str) -> bool:
        return not self._closed and bool(self._rules.can_fetch(url, USER_AGENT))


def article_of_page(page: Fetched) -> ArticleDraft:
    """Raises OutboundError for a page that is not there, FileError for one without text or of another kind."""
    if not page.ok:
        raise OutboundError(f"The page answers {page.status}", value=page.url, remedy="Check the address")
    kind = page.content_type
    if kind in _HTML or (not kind and page.body.lstrip()[:1] == b"<"):
        draft = article_of_html(
            page.body,
            name=page.url,
            slug="page",
            address=page.url,
            encoding=_charset(page.headers.get("content-type", "")),
        )
        address = draft.url or page.url
        if _host(address) != _host(page.url):
            address = page.url  # a canonical address elsewhere is not ours to take over
    elif kind in _DOCUMENTS:
        suffix, read = _DOCUMENTS[kind]
        with tempfile.TemporaryDirectory(prefix="frontdesk-") as folder:
            name = unquote(urlsplit(page.url).path.rpartition("/")[2])
            path = Path(folder) / f"{slugify(Path(name).stem or 'page')}{suffix}"
            path.write_bytes(page.body)
            draft = read(path)
        draft = replace(draft, passages=passages_of(draft.title, draft.body, base=page.url))
        address = page.url
    else:
        raise FileError(
            "This address is no page, PDF, Word document or text",
            value=f"{kind or 'no content type'} at {page.url}",
            remedy="Give the address of a page",
        )
    return replace(draft, slug=slug_of(address), url=address[:1000], source=address[:500])


def slug_of(url: str) -> str:
    """A name that stays the same as long as the address does: its path in words, and a hash of host, path and query."""
    split = urlsplit(url)
    whole = f"{split.netloc}{split.path.rstrip('/')}?{split.query}"
    words = slugify(unquote(split.path).rpartition(".")[0] or unquote(split.path) or split.netloc)
    digest = hashlib.blake2b(whole.encode(), digest_size=4).hexdigest()
    return f"{words[:60].strip('-') or 'page'}-{digest}"


def _is_sitemap(page: Fetched) -> bool:
    head = page.body[:2048]
    if head[:2] == b"\x1f\x8b":
        return urlsplit(page.url).path.endswith(".gz")
    return b"<urlset" in head or b"<sitemapindex" in head


def _sitemap(page: Fetched, *, limit: int) -> tuple[list[str], list[str]]:
    """The pages and the further sitemaps that a sitemap lists. Raises FileError where it cannot be read."""
    body = page.body if page.ok else b""
    if body[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(body)) as file:
                body = file.read(limit + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise FileError("The sitemap is a damaged gzip file", value=page.url) from error
    if len(body) > limit:
        raise FileError(f"The sitemap is larger than {limit >> 20} MiB", value=page.url)
    if b"<!DOCTYPE" in body[:4096] or b"<!ENTITY" in body:
        raise FileError("The sitemap declares entities, which no sitemap needs", value=page.url)
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError) as error:
        raise FileError(
            "The sitemap is no XML", value=f"{page.url}: {error}", remedy="Check it with a sitemap checker"
        ) from error
    pages: list[str] = []
    more: list[str] = []
    for entry in root:
        place = next((child.text for child in entry if child.tag.rpartition("}")[2] == "loc"), None)
        if place and place.strip():
            kind = entry.tag.rpartition("}")[2]
            (more if kind == "sitemap" else pages).append(urljoin(page.url, place.strip()))
    return pages, more


def _host(url: str) -> str:
    try:
        return origin(parse(url))[1]
    except InputError:
        return ""


def _charset(content_type: str) -> str | None:
    _, found, rest = content_type.lower().partition("charset=")
    return rest.split(";")[0].strip(" \"'") or None if found else None
