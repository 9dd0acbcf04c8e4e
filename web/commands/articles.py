"""``frontdesk articles``: what the bot may quote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.environment import FILES, load_settings, log_to_stderr, open_database, write_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from chatbot.records.tables import Article


@click.group()
def articles() -> None:
    """Articles that the bot may quote: listed, deleted, brought back."""


@articles.command("list")
@click.option("--search", "text", default="", help="Occurs in title, name or a passage as it stands.")
@click.option("--lang", default="", help="Of this language.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(min=1), help="Of 50 articles each.")
@click.option("--json", "json_out", type=FILES, help="Write the list to a file (- for stdout).")
def articles_list(text: str, lang: str, page: int, json_out: Path | None) -> None:
    """By section and title, whatever their state."""
    from chatbot.records.article_search import search_articles
    from web.terminal import out, table

    settings = load_settings()
    log_to_stderr("WARNING")
    with open_database(settings).read() as session:
        found = search_articles(session, text=text, lang=lang, page=page)
    rows = [
        (line.article.lang, line.article.slug, line.article.title, line.article.status, line.passages)
        for line in found.lines
    ]
    names = ("lang", "name", "title", "status", "passages")
    body = {
        "total": found.total,
        "page": found.page,
        "pages": found.pages,
        "articles": [dict(zip(names, row, strict=True)) for row in rows],
    }
    write_json(json_out, body)
    if str(json_out) != "-":
        title = f"{found.total} articles, page {found.page} of {found.pages}"
        out().print(table(title, names, [tuple(str(cell) for cell in row) for row in rows]))


@articles.command("delete")
@click.argument("lang")
@click.argument("name")
def articles_delete(lang: str, name: str) -> None:
    """Delete the article NAME of language LANG, with its passages and questions."""
    from chatbot.records import article_changes
    from chatbot.records.example_changes import Decider

    settings = load_settings()
    log_to_stderr("WARNING")
    with open_database(settings).write() as session:
        change = article_changes.delete(session, _article(session, lang, name).id, by=Decider(None))
    click.echo(f"{lang}/{name} is deleted. To bring it back: frontdesk articles undo {change.entry}")


@articles.command("undo")
@click.argument("change", type=click.IntRange(min=1))
def articles_undo(change: int) -> None:
    """Take a CHANGE of an article back; its number stands where the change was told."""
    from chatbot.records import article_changes
    from chatbot.records.example_changes import Decider

    settings = load_settings()
    log_to_stderr("WARNING")
    with open_database(settings).write() as session:
        article_changes.undo(session, change, by=Decider(None))
    click.echo("Taken back: the article is as it was before.")


def _article(session: Session, lang: str, name: str) -> Article:
    from chatbot.errors import NotFoundError
    from chatbot.records.article_changes import find

    article = find(session, name, lang)
    if article is None:
        raise NotFoundError(
            "There is no such article",
            field="article",
            value=f"{lang}/{name}",
            remedy="See: frontdesk articles list",
        )
    return article


@click.command()
@click.argument("question")
@click.option("--lang", default="", help="Of the question (default: told by its words).")
@click.option("-k", "number", default=5, show_default=True, type=click.IntRange(min=1, max=50), help="Hits.")
@click.option("--json", "json_out", type=FILES, help="Write the hits to a file (- for stdout).")
def search(question: str, lang: str, number: int, json_out: Path | None) -> None:
    """What the bot finds for QUESTION: with the live release, before the first one by words alone."""
    from chatbot.learning.search_trial import try_search
    from web.terminal import out, table

    settings = load_settings()
    log_to_stderr("ERROR")
    found = try_search(open_database(settings), settings, question, lang=lang, k=number).as_json()
    write_json(json_out, found)
    if str(json_out) == "-":
        return
    by = found["release"] or "the defaults, no release is live"
    how = "words and meanings" if found["dense"] else "words alone"
    rows = [
        (
            f"{hit['score']:.2f}",
            f"{hit['keyword_score']:.2f}",
            f"{hit['dense_score']:.2f}" if found["dense"] else "–",
            hit["withheld"] or "",
            hit["title_path"] or hit["title"],
            " ".join(hit["text"].split())[:160],
        )
        for hit in found["hits"]
    ]
    columns = ("probability", "words", "meaning", "withheld", "title", "passage")
    out().print(table(f"{len(rows)} passages in {found['lang']}, {how}, by {by}", columns, rows))
