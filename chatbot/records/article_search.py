"""Articles as people look at them: a list with search, one with its passages as the bot sees them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from chatbot.errors import NotFoundError
from chatbot.records.passages import version_of
from chatbot.records.tables import Article, ArticleQuestion, Intent, Passage

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ArticleLine:
    article: Article
    passages: int


@dataclass(frozen=True, slots=True)
class ArticlePage:
    lines: tuple[ArticleLine, ...]
    total: int
    page: int
    languages: tuple[str, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class ArticleView:
    article: Article
    passages: tuple[Passage, ...]
    questions: tuple[ArticleQuestion, ...]  # of the whole article
    asked: dict[int, tuple[ArticleQuestion, ...]]  # of single passages
    intents: tuple[Intent, ...]  # intents that this article answers
    translations: tuple[Article, ...]

    def version(self, passage: Passage) -> str:
        """Of a passage as it is shown; who changes it says so (`chatbot.records.passages.open_passage`)."""
        return version_of(passage, self.asked.get(passage.id, ()))


def search_articles(session: Session, *, text: str = "", lang: str = "", page: int = 1) -> ArticlePage:
    """By section and title; ``text`` occurs in the title, the slug, or a passage as it stands now."""
    where: list[ColumnElement[bool]] = []
    if lang:
        where.append(Article.lang == lang)
    if text.strip():
        like = text.strip()
        where.append(
            or_(
                Article.title.icontains(like, autoescape=True),
                Article.id.in_(
                    select(Passage.article_id).where(
                        or_(
                            Passage.text.icontains(like, autoescape=True),
                            Passage.title_path.icontains(like, autoescape=True),
                        )
                    )
                ),
                Article.slug.icontains(like, autoescape=True),
            )
        )
    total = session.scalar(select(func.count()).select_from(Article).where(*where)) or 0
    page = max(1, page)
    passages = (
        select(func.count())
        .select_from(Passage)
        .where(Passage.article_id == Article.id, Passage.enabled)
        .correlate(Article)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Article, passages)
        .where(*where)
        .order_by(Article.section, Article.title, Article.id)
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    languages = tuple(session.scalars(select(Article.lang).distinct().order_by(Article.lang)))
    return ArticlePage(
        tuple(ArticleLine(article, number) for article, number in rows), total, page, languages
    )


def read_article(session: Session, article_id: int) -> ArticleView:
    """Raises NotFoundError."""
    article = session.get(Article, article_id)
    if article is None:
        raise NotFoundError("There is no such article", field="article", value=article_id)
    passages = session.scalars(
        select(Passage).where(Passage.article_id == article_id).order_by(Passage.position)
    )
    questions = session.scalars(
        select(ArticleQuestion)
        .where(ArticleQuestion.article_id == article_id, ArticleQuestion.passage_id.is_(None))
        .order_by(ArticleQuestion.source, ArticleQuestion.id)
    )
    asked: dict[int, tuple[ArticleQuestion, ...]] = {}
    for question in session.scalars(
        select(ArticleQuestion)
        .where(ArticleQuestion.article_id == article_id, ArticleQuestion.passage_id.is_not(None))
        .order_by(ArticleQuestion.id)
    ):
        number = question.passage_id or 0
        asked[number] = (*asked.get(number, ()), question)
    intents = session.scalars(select(Intent).where(Intent.article_slug == article.slug).order_by(Intent.name))
    translations = session.scalars(
        select(Article).where(Article.slug == article.slug, Article.id != article_id).order_by(Article.lang)
    )
    return ArticleView(article, tuple(passages), tuple(questions), asked, tuple(intents), tuple(translations))
