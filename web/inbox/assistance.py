"""What the bot has to offer an agent: its guess, a draft with its source, passages that fit, and the articles' search.

The same assistant that answers customers is asked, and nothing is stored: here a person decides what is said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.dialogue.options import SiteOptions
from chatbot.dialogue.past_drafts import PastDrafting
from chatbot.dialogue.person_wish import asks_for_person
from chatbot.dialogue.smalltalk import smalltalk
from chatbot.dialogue.trace import Hit, Message, PartTrace, Source, Trace
from chatbot.errors import BundleError, UnavailableError
from chatbot.language.normalise import detect_language, normalise
from chatbot.language.redaction import Redactor
from chatbot.records.article_search import search_articles
from chatbot.records.conversations import tapped
from chatbot.records.database import Database
from chatbot.records.earlier_turns import turns_before
from chatbot.records.tables import Conversation, Site, Turn
from web.addresses import help_path
from web.serving import Serving

log = logging.getLogger(__name__)

LOOK_BACK = 12  # customer's messages that are looked through for one that asks something
MOST_PASSAGES = 6
QUERY_LIMIT = 300  # characters


def suggestion(
    database: Database,
    serving: Serving,
    conversation_id: int,
    *,
    hurried: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """``{"turn_id", "question", "guess", "drafts", "left_out", "passages"}`` for the customer's last question;
    ``turn_id`` is None where nothing was asked yet. The surest draft comes first; drafts of the kind ``past`` are what
    agents said before (``_with_past``). ``left_out``: none was written while too many customers were being answered.
    Raises UnavailableError while no release is live."""
    with database.read() as session:
        turn = _last_question(session, conversation_id)
        if turn is None:
            return {
                "turn_id": None,
                "question": None,
                "guess": None,
                "drafts": [],
                "left_out": False,
                "passages": [],
            }
        conversation = session.get_one(Conversation, conversation_id)
        options = SiteOptions.from_json(session.get_one(Site, conversation.site_id).options)
        history = turns_before(session, turn).history()
    text = tapped(turn) or turn.text
    assistant = serving.assistant()
    reply, trace = assistant.reply(
        text,
        history=history,
        locale=conversation.locale,
        options=replace(options, mode="drafts_only"),
        hurried=hurried,
        for_agents=True,  # a draft wherever there is something to say
    )
    redactor = Redactor(options.redaction)  # as the assistant has read it, to put the values back
    turns = [replace(message, text=redactor.redact(normalise(message.text))) for message in history]
    turns.append(Message("customer", redactor.redact(normalise(text))))
    drafts: list[dict[str, Any]] = []
    for part, decided in zip(reply.parts, trace.parts, strict=True):
        sources = [{"title": s.title, "url": s.url, "quote": s.quote} for s in part.sources]
        if part.kind == "approved":
            cards = [card.as_json() for card in part.cards]
            drafts.append(_draft("approved", part.text, part.confidence, sources) | {"cards": cards})
        if decided.draft is not None and decided.draft.check.passed:
            drafts.append(
                _draft("generated", redactor.restore(decided.draft.text), part.confidence, _cited(decided))
            )
        if part.kind == "passage":
            drafts.append(_draft("passage", part.text, part.confidence, sources))
    left_out = any(part.left_out for part in trace.parts)
    if not left_out:
        drafts = _with_past(drafts, getattr(assistant, "past", None), turns, trace, redactor)
    return {
        "turn_id": turn.id,
        "question": turn.text[:QUERY_LIMIT],
        "guess": _guess(trace),
        "drafts": drafts,
        "left_out": left_out,
        "passages": _passages(trace),
    }


def _with_past(
    drafts: list[dict[str, Any]],
    past: PastDrafting | None,
    turns: Sequence[Message],
    trace: Trace,
    redactor: Redactor,
) -> list[dict[str, Any]]:
    """``drafts`` with what agents said before: one that leads behind the approved answers, the others last.

    Their ``confidence`` is None: ``times`` tells in how many conversations agents said so, and ``verified`` whether the
    draft's source holds it today. A part of the release that cannot be read costs these drafts alone.
    """
    if past is None:
        return drafts
    try:
        found = past.drafts(turns, trace, shown=[draft["text"] for draft in drafts])
    except BundleError as error:
        log.warning("no past answers: %s", error.one_line())
        return drafts
    first = next((at for at, draft in enumerate(drafts) if draft["kind"] != "approved"), len(drafts))
    told = [(one.leads, _past_draft(redactor.restore(one.text), one.times, one.source)) for one in found]
    leading, others = ([draft for leads, draft in told if leads is wanted] for wanted in (True, False))
    return [*drafts[:first], *leading, *drafts[first:], *others]


def _past_draft(text: str, times: int, source: Source | None) -> dict[str, Any]:
    sources = [{"title": source.title, "url": source.url, "quote": source.quote}] if source else []
    draft = _draft("past", text, 0.0, sources)
    return draft | {"confidence": None, "times": times, "verified": source is not None}


def _last_question(session: Session, conversation_id: int) -> Turn | None:
    """The newest customer's message that asks something: no thanks, and no mere wish for a person."""
    newest = session.scalars(
        select(Turn)
        .where(Turn.conversation_id == conversation_id, Turn.role == "customer")
        .order_by(Turn.id.desc())
        .limit(LOOK_BACK)
    )
    return next(
        (turn for turn in newest if smalltalk(turn.text) is None and not asks_for_person(turn.text)), None
    )


def _draft(kind: str, text: str, confidence: float, sources: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "kind": kind,
        "text": text,
        "confidence": round(confidence, 4),
        "sources": sources,
        "cards": [],
    }


def _cited(decided: PartTrace) -> list[dict[str, str]]:
    ids = decided.draft.passage_ids if decided.draft else ()
    return [
        {"title": hit.title_path or hit.title, "url": hit.url, "quote": hit.text}
        for hit in decided.hits
        if hit.passage_id in ids
    ]


def _guess(trace: Trace) -> dict[str, Any] | None:
    for part in trace.parts:
        top = part.classification.top
        if top is not None:
            return {"title": top.title or top.name, "confidence": round(top.confidence, 4)}
    return None


def _passages(trace: Trace) -> list[dict[str, Any]]:
    hits: dict[int, Hit] = {}
    for part in trace.parts:
        for hit in part.hits:
            hits.setdefault(hit.passage_id, hit)
    best = sorted(hits.values(), key=lambda hit: -hit.score)[:MOST_PASSAGES]
    return [_passage(hit) for hit in best]


def _passage(hit: Hit) -> dict[str, Any]:
    return {
        "title": hit.title_path or hit.title,
        "text": hit.text,
        "lang": hit.lang,
        "score": round(hit.score, 4),
        "article_id": hit.article_id,
        "path": help_path(hit.lang, hit.article_slug) if hit.article_slug else "",
    }


def find_passages(database: Database, serving: Serving, query: str, *, lang: str) -> list[dict[str, Any]]:
    """Passages for what an agent types: by meaning and keyword where a release is live, and by title in any case."""
    query = normalise(query)[:QUERY_LIMIT]
    if not query:
        return []
    found: list[dict[str, Any]] = []
    try:
        _, trace = serving.assistant().reply(
            query,
            history=(),
            locale=detect_language(query, default=lang),
            options=SiteOptions(mode="approved_and_cited"),
        )
        found = _passages(trace)
    except UnavailableError:
        pass  # the titles below are found all the same
    seen = {passage["article_id"] for passage in found}
    with database.read() as session:
        for line in search_articles(session, text=query).lines[:MOST_PASSAGES]:
            article = line.article
            if article.id not in seen and article.status == "live":
                found.append(
                    {
                        "title": article.title,
                        "text": article.body,
                        "lang": article.lang,
                        "score": None,
                        "article_id": article.id,
                        "path": help_path(article.lang, article.slug),
                    }
                )
    return found
