"""The review queue and the gaps: like questions together, those first whose answer would help most.

A group's pay-off is its questions × the bot's mean uncertainty about them × (1 + the share that complained: voted
down, or taken to a person). Its coverage is the share of all questions asked in the window: what answering it would
add.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Hit
from chatbot.learning.discovery import typical_answer
from chatbot.learning.near_questions import group_alike, join_alike
from chatbot.records.review import GOOD_HIT, Asked

MOST_ENCODED = 200  # groups of a language, the newest, that are joined by meaning
MOST_GROUPED = 3_000  # questions of a language, the newest: about a second of a page's time


class Encode(Protocol):
    """Unit vectors [n, dimension] of questions; None where no encoder knows their meaning in ``lang``."""

    def __call__(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32] | None: ...


class Search(Protocol):
    """`chatbot.retrieval.search.Searcher.search`, of a question without history."""

    def __call__(self, query: str, *, lang: str, k: int) -> Sequence[Hit]: ...


@dataclass(frozen=True, slots=True)
class QuestionGroup:
    """Questions that say nearly the same; ``suggestion`` is what agents answered, ``article`` the nearest one."""

    turn_ids: tuple[int, ...]
    conversation_id: int  # in which the first was asked: a follow-up says little by itself
    text: str
    examples: tuple[str, ...]
    lang: str
    count: int
    uncertainty: float
    complaints: int
    pay_off: float
    coverage: float
    intent: str | None
    suggestion: str | None
    article: str | None
    article_id: int | None
    article_title: str
    hit_score: float  # of the search when it was asked
    score_now: float | None = None  # of the search as it is, where that was asked again
    answered_since: bool = False


def searched_again(groups: Sequence[QuestionGroup], search: Search) -> list[QuestionGroup]:
    """The groups with what the search finds now for the question that each is known by: articles may have come since
    it was asked."""
    found = []
    for group in groups:
        hits = search(group.text, lang=group.lang, k=1)
        score = round(hits[0].score, 3) if hits else 0.0
        found.append(replace(group, score_now=score, answered_since=score >= GOOD_HIT))
    return found


def review_queue(asked: Sequence[Asked]) -> list[QuestionGroup]:
    """What the bot did not know, doubted, or was voted down for; the greatest pay-off first."""
    return _ranked([one for one in asked if one.needs_review], len(asked))


def gaps(asked: Sequence[Asked], encode: Encode | None = None) -> list[QuestionGroup]:
    """Questions for which the search found nothing good and no approved answer stood in; the most asked first.

    With ``encode`` paraphrases are one group; without, what shares its words is.
    """
    missing = [
        one
        for one in asked
        if not one.reviewed
        and one.hit_score < GOOD_HIT
        and one.kind not in ("approved", "smalltalk", "ask", "person")
    ]
    return sorted(_ranked(missing, len(asked), encode), key=lambda group: -group.count)


def _ranked(questions: Sequence[Asked], total: int, encode: Encode | None = None) -> list[QuestionGroup]:
    made = []
    for lang in sorted({one.lang for one in questions}):
        own = [one for one in questions if one.lang == lang][-MOST_GROUPED:]
        groups = group_alike([one.text for one in own])
        leaders = [own[rows[0]].text for rows in groups[-MOST_ENCODED:]]
        vectors = encode(leaders, lang=lang) if encode and len(leaders) > 1 else None
        if vectors is not None:
            groups = groups[:-MOST_ENCODED] + join_alike(groups[-MOST_ENCODED:], vectors, leaders)
        for rows in groups:
            made.append(_group([own[row] for row in rows], total))
    return sorted(made, key=lambda group: (-group.pay_off, group.turn_ids))


def _group(rows: Sequence[Asked], total: int) -> QuestionGroup:
    complaints = sum(one.complaint for one in rows)
    uncertainty = sum(one.uncertainty for one in rows) / len(rows)
    intents = Counter(one.intent for one in rows if one.intent)
    articles = Counter((one.article, one.article_id, one.article_title) for one in rows if one.article)
    article, article_id, title = articles.most_common(1)[0][0] if articles else (None, None, "")
    return QuestionGroup(
        turn_ids=tuple(one.turn_id for one in rows),
        conversation_id=rows[0].conversation_id,
        text=rows[0].text,
        examples=tuple(dict.fromkeys(one.text for one in rows))[1:5],
        lang=rows[0].lang,
        count=len(rows),
        uncertainty=round(uncertainty, 3),
        complaints=complaints,
        pay_off=round(len(rows) * uncertainty * (1 + complaints / len(rows)), 3),
        coverage=round(len(rows) / max(total, 1), 4),
        intent=intents.most_common(1)[0][0] if intents else None,
        suggestion=typical_answer([one.agent_reply for one in rows if one.agent_reply]),
        article=article,
        article_id=article_id,
        article_title=title,
        hit_score=max(one.hit_score for one in rows),
    )
