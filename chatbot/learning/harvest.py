"""From the conversation database to a frozen snapshot: examples, dialogues, passages, question-article pairs.

Everything here was redacted when it was stored, or is redacted on the way (live turns). What an agent's answer was
taken from becomes the sources the generator learns to copy from, and the pairs the search is fitted on.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatbot.dialogue.weighing import ARTICLE_LABEL
from chatbot.learning.answered_from import ArticleFinder, not_known, pieces
from chatbot.learning.snapshot import OUT_OF_SCOPE, SnapshotManifest, write_snapshot
from chatbot.records.example_changes import RELABELLED
from chatbot.records.knowledge import set_questions
from chatbot.records.tables import Article, ArticleQuestion, Example, Intent, Passage, Transcript, utcnow

log = logging.getLogger(__name__)

# Of 20,600 openings with an answer, these find the article for 83 % and are right in 98 to 99 % of them. With 0.45
# for English words, a third of the Chinese ones stayed without: pairs of characters agree less often.
MIN_COVERAGE = 0.3  # share of an answer that its article must account for
MIN_MARGIN = 0.1  # and how far ahead of the next article
SOURCES = 3  # passages a turn of a dialogue is given, as in chatbot/dialogue/assistant.py
MAX_PAIRS_AN_ARTICLE = 200
WRITTEN_SINCE = 0.5  # of what an agent did not know: a later article that holds so much may answer it
MAX_ALIKE = 2  # examples of one wording behind an answer: "and in a shop?" is asked often, and learned soon
MIN_ARTICLE_EXAMPLES = 6  # its title and given questions among them
_CORRECTED = func.coalesce(Example.label_reason, "").startswith(RELABELLED, autoescape=True)
_EXAMPLES = select(  # columns, not objects: making a hundred thousand of these takes longer than reading them
    Example.text,
    Example.lang,
    Example.intent_id,
    Example.out_of_scope,
    Example.answer,
    Example.context,
    Example.split,
    Example.group_key,
    Example.entities,
    Example.created_at,
    _CORRECTED.label("corrected"),
).where(Example.status.in_(("accepted", "unreviewed")))


@dataclass(frozen=True, slots=True)
class _Knowledge:
    passages: list[dict[str, Any]]
    by_article: dict[tuple[str, str], list[dict[str, Any]]]  # (slug, lang) -> its passages
    pieces: dict[int, frozenset[str]]  # of each passage
    finder: ArticleFinder
    changed: dict[tuple[str, str], datetime]  # (slug, lang) -> when it was last written

    def nearest(self, slug: str, lang: str, answer: str) -> list[dict[str, Any]]:
        """The article's passages that share most with the answer."""
        said = set(pieces(answer))
        found = self.by_article.get((slug, lang), [])
        return sorted(found, key=lambda p: -len(said & self.pieces[p["id"]]))[:SOURCES]

    def unanswered(self, question: str, answer: str, lang: str, since: datetime) -> bool:
        """Whether the agent did not know, and no article that was written since speaks of it."""
        if not not_known(answer):
            return False
        newer = {slug for (slug, spoken), at in self.changed.items() if spoken == lang and at > since}
        shares = self.finder.shares(question, lang=lang) if newer else {}
        return all(shares.get(slug, 0.0) < WRITTEN_SINCE for slug in newer)


def freeze(session: Session, folder: Path, *, seed: int = 13) -> SnapshotManifest:
    """Write a snapshot of what the database knows now into ``folder``."""
    knowledge = _read_knowledge(session)
    intents = {
        row.id: row
        for row in session.scalars(select(Intent).where(Intent.status != "retired").order_by(Intent.name))
    }
    examples = _without_rare_articles(
        [*_asked_in_articles(session, intents), *_examples(session, intents, knowledge)]
    )
    dialogues = list(_dialogues(session, knowledge))
    pairs = [*_pairs_in_articles(session), *_pairs(session, intents, knowledge)]
    languages = sorted({row["lang"] for rows in (examples, dialogues, knowledge.passages) for row in rows})
    return write_snapshot(
        folder,
        {
            "examples.jsonl": examples,
            "dialogues.jsonl": dialogues,
            "passages.jsonl": knowledge.passages,
            "pairs.jsonl": pairs,
        },
        created_at=utcnow().isoformat(timespec="seconds"),
        seed=seed,
        languages=tuple(languages),
        intents=tuple(
            {"name": row.name, "title": row.titles, "status": row.status, "article": row.article_slug}
            for row in intents.values()
        ),
    )


def _read_knowledge(session: Session) -> _Knowledge:
    rows = session.execute(
        select(Passage, Article)
        .join(Article, Passage.article_id == Article.id)
        .where(Article.status == "live", Passage.enabled)
        .order_by(Article.lang, Article.slug, Passage.position)
    ).all()
    passages = []
    by_article: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    texts: dict[tuple[str, str], list[str]] = {}
    for passage, article in rows:
        row: dict[str, Any] = {
            "id": passage.id,
            "article": article.slug,
            "title": article.title,
            "title_path": passage.title_path,
            "text": passage.text,
            "lang": passage.lang,
            "url": article.url,
        }
        passages.append(row)
        by_article[article.slug, article.lang].append(row)
        texts.setdefault((article.slug, article.lang), [article.title]).append(passage.text)
    finder = ArticleFinder([(slug, lang, "\n".join(found)) for (slug, lang), found in texts.items()])
    words = {row["id"]: frozenset(pieces(row["text"])) for row in passages}
    changed = {(article.slug, article.lang): article.updated_at for _, article in rows}
    return _Knowledge(passages, dict(by_article), words, finder, changed)


def _article_questions(session: Session) -> list[tuple[str, str, str]]:
    """(slug, language, text) of what an article itself says it answers: its title and its given questions."""
    titles = session.execute(
        select(Article.slug, Article.lang, Article.title).where(Article.status == "live")
    )
    asked = session.execute(
        select(Article.slug, ArticleQuestion.lang, ArticleQuestion.text)
        .join(ArticleQuestion, ArticleQuestion.article_id == Article.id)
        .where(Article.status == "live", ArticleQuestion.enabled, ArticleQuestion.source != "transcript")
        .order_by(ArticleQuestion.id)
    )
    return [(slug, lang, text) for found in (titles, asked) for slug, lang, text in found]


def _asked_in_articles(session: Session, intents: dict[int, Intent]) -> Iterator[dict[str, Any]]:
    """Titles and given questions of the articles: examples that cost nobody a label."""
    bound = _intent_of_article(intents)
    for slug, lang, text in _article_questions(session):
        yield {
            "text": text,
            "intent": _label(slug, bound),
            "lang": lang,
            "context": [],
            "split": "train",
            "group": f"article {slug} {lang}",
        }


def _without_rare_articles(examples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An article that hardly anybody asked about is no class to learn; the search finds it all the same."""
    counts = Counter(row["intent"] for row in examples if row["split"] == "train")
    return [
        row | {"intent": None}
        if str(row["intent"]).startswith(ARTICLE_LABEL) and counts[row["intent"]] < MIN_ARTICLE_EXAMPLES
        else row
        for row in examples
    ]


def _label(slug: str, bound: Mapping[str, Intent]) -> str:
    """The intent an article is bound to, or the article itself: what no intent covers is learned all the same."""
    return bound[slug].name if slug in bound else ARTICLE_LABEL + slug


def _pairs_in_articles(session: Session) -> Iterator[dict[str, Any]]:
    """Titles and given questions lead to their articles; ``own`` says that no customer asked so."""
    for slug, lang, text in _article_questions(session):
        yield {"query": text, "article": slug, "lang": lang, "split": "train", "intent": None, "own": True}


def _intent_of_article(intents: dict[int, Intent]) -> dict[str, Intent]:
    """The one intent that an article answers; an article that answers several says nothing about which."""
    bound: dict[str, list[Intent]] = defaultdict(list)
    for intent in intents.values():
        if intent.article_slug:
            bound[intent.article_slug].append(intent)
    return {slug: found[0] for slug, found in bound.items() if len(found) == 1}


def _examples(
    session: Session, intents: dict[int, Intent], knowledge: _Knowledge
) -> Iterator[dict[str, Any]]:
    """Customers' messages with their intents. An opening that nobody tagged takes the label of the article that the
    agent answered it from: half of a helpdesk's tickets carry no tag, and the answers say what they were about. So does
    what was asked later, with what was said before it; what the agent did not know is out of scope."""
    bound = _intent_of_article(intents)
    said: Counter[tuple[str, str, str | None]] = Counter()
    for row in session.execute(_EXAMPLES.order_by(Example.id)).yield_per(1000):
        intent = intents.get(row.intent_id) if row.intent_id is not None else None
        label = OUT_OF_SCOPE if row.out_of_scope else intent.name if intent else None
        if row.corrected:
            pass  # read and labelled by a person, whatever the conversation's tag or the answer says
        elif label == "greeting" and row.context:
            label = None  # the tag named the greeting before this message
        elif row.answer and not row.context and label != OUT_OF_SCOPE:
            slug = _answered_from(knowledge, row.answer, row.lang, row.text)
            if label is None:
                label = _label(slug, bound) if slug else None
            elif slug and intent is not None and intent.article_slug not in (None, slug):
                label = None  # tag and answer contradict each other: one of them is about something else
        elif row.answer and row.context and label is None:
            slug = _answered_from(knowledge, row.answer, row.lang, row.text)
            beyond = slug is None and knowledge.unanswered(row.text, row.answer, row.lang, row.created_at)
            label = _label(slug, bound) if slug else OUT_OF_SCOPE if beyond else None
            said[row.lang, row.text, label] += 1
            if said[row.lang, row.text, label] > MAX_ALIKE:
                label = None
        yield {
            "text": row.text,
            "intent": label,
            "lang": row.lang,
            "context": row.context,
            "split": row.split,
            "group": row.group_key,
            **({"entities": row.entities} if row.entities is not None else {}),
        }


def _dialogues(session: Session, knowledge: _Knowledge) -> Iterator[dict[str, Any]]:
    talk = Transcript
    told_of = (talk.id, talk.lang, talk.split, talk.tag, talk.turns, talk.created_at)
    corrected = _corrected_tags(session)
    for row in session.execute(select(*told_of).order_by(Transcript.id)).yield_per(500):
        question = ""
        turns: list[dict[str, Any]] = []
        for turn, following in zip(row.turns, [*row.turns[1:], None], strict=True):
            told = {"role": turn["role"], "text": turn["text"]}
            if turn["role"] == "customer":
                question = turn["text"]
            elif turn["role"] == "agent":
                slug = _answered_from(knowledge, turn["text"], row.lang, question)
                if slug is not None:
                    told["sources"] = [p["id"] for p in knowledge.nearest(slug, row.lang, turn["text"])]
                elif (following is None or following["role"] != "agent") and knowledge.unanswered(
                    question, turn["text"], row.lang, row.created_at
                ):  # and that was the last word on it
                    told["not_known"] = True
            turns.append(told)
        intent = corrected.get(row.id, row.tag)
        yield {"id": str(row.id), "lang": row.lang, "split": row.split, "intent": intent, "turns": turns}


def _corrected_tags(session: Session) -> dict[int, str | None]:
    """What conversations are about whose opening, the first message with a label, a person relabelled or took out."""
    opening = (
        select(func.min(Example.id))
        .where(
            Example.transcript_id.is_not(None),
            Example.status != "ignored",
            Example.intent_id.is_not(None) | Example.out_of_scope,
        )
        .group_by(Example.transcript_id)
    )
    rows = session.execute(
        select(Example.transcript_id, Example.status, Intent.name)
        .outerjoin(Intent, Intent.id == Example.intent_id)
        .where(Example.id.in_(opening), _CORRECTED | (Example.status == "rejected"))
    )
    return {
        transcript: None if status == "rejected" else name
        for transcript, status, name in rows
        if transcript is not None
    }


def _pairs(session: Session, intents: dict[int, Intent], knowledge: _Knowledge) -> Iterator[dict[str, Any]]:
    """Questions with the article that answers them: by the intent's article, else by what the agent answered."""
    rows = session.execute(_EXAMPLES.where(Example.out_of_scope.is_(False)).order_by(Example.id))
    counts: dict[tuple[str, str], int] = defaultdict(int)
    seen: set[tuple[str, str]] = set()
    for row in rows.yield_per(1000):
        intent = intents.get(row.intent_id) if row.intent_id is not None else None
        slug = intent.article_slug if intent else None
        if row.answer and not row.context and not row.corrected:
            told = _answered_from(knowledge, row.answer, row.lang, row.text)
            if intent is None:
                slug = told
            elif told not in (None, slug):
                continue  # tag and answer contradict each other
        key = (slug or "", row.lang)
        if slug is None or key not in knowledge.by_article or (row.lang, row.text) in seen:
            continue
        if counts[key] >= MAX_PAIRS_AN_ARTICLE:
            continue
        counts[key] += 1
        seen.add((row.lang, row.text))
        yield {
            "query": row.text,
            "article": slug,
            "lang": row.lang,
            "split": row.split,
            "intent": intent.name if intent else None,
        }


def _answered_from(knowledge: _Knowledge, answer: str, lang: str, question: str) -> str | None:
    found = knowledge.finder.find(answer, lang=lang, question=question)
    if found is None or found.coverage < MIN_COVERAGE or found.margin < MIN_MARGIN:
        return None
    return found.article


def publish_questions(session: Session, pairs: Iterable[Mapping[str, Any]]) -> int:
    """Give each article the training questions that led to it, so that the search finds it by them; rows changed.

    Validation and test questions stay out, or the search would be judged by what it has learned.
    """
    asked: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pair in pairs:
        if pair["split"] == "train":
            asked[pair["article"], pair["lang"]].append(pair["query"])
    return sum(
        set_questions(session, article, asked[article.slug, article.lang], source="transcript")
        for article in session.scalars(select(Article).order_by(Article.id)).all()
    )
