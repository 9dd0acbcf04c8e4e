"""Drafts for held-back questions, as they are served: what the gate behind "sentences of its own" judges by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any

from chatbot.dialogue.drafting import Writer, draft, sources_about
from chatbot.dialogue.readers import Search
from chatbot.dialogue.trace import Hit, Message
from chatbot.dialogue.weighing import Candidate
from chatbot.learning.snapshot import Snapshot
from chatbot.learning.weighing_fit import AskedQuestion, answered_questions
from chatbot.learning.writing import Drafted, is_grounded

MOST = 40  # questions of a language: some four seconds for two languages
_HITS = 5


def draft_held_back(
    snapshot: Snapshot,
    writer: Writer,
    search: Search,
    *,
    split: str = "test",
    most: int = MOST,
    progress: Callable[[float], None] | None = None,
) -> list[Drafted]:
    """Drafts for at most ``most`` questions of a language of ``split``, the same for every release, in a fixed order.

    search: over the snapshot's passages. What completes a draft (chatbot/dialogue/relevance.py) is left out: it adds
    whole sentences of the sources and no statement of the generator's.
    """
    articles: dict[tuple[str, str], list[Hit]] = {}
    for row in snapshot.passages:
        articles.setdefault((row["article"], row["lang"]), []).append(_hit(row))
    asked = _questions(snapshot, split, most, articles)
    found = []
    for number, one in enumerate(asked):
        found_first = search.search(one.text, lang=one.lang, history=one.before, k=_HITS)
        best = Candidate(1.0, "", article_slug=one.article)
        hits = sources_about(best, found_first, lambda slug, lang: articles[slug, lang], one.lang)
        written = draft(
            writer,
            [*one.before, Message("customer", one.text)],
            hits,
            lang=one.lang,
        )
        grounds = [text for hit in hits for text in (hit.title_path, hit.text)]
        said = [message.text for message in one.before if message.role == "customer"]
        if written is not None and written.check.passed:
            grounded = is_grounded(written.text, "\n".join([*grounds, *said, one.text]))
            found.append(Drafted(one.lang, True, grounded))
        else:
            found.append(Drafted(one.lang, False, False))
        if progress:
            progress((number + 1) / len(asked))
    return found


def _questions(
    snapshot: Snapshot, split: str, most: int, articles: Collection[tuple[str, str]]
) -> list[AskedQuestion]:
    """What customers asked in held-back conversations, with what was said before; where these are few, questions that
    stand alone too."""
    by_id = {row["id"]: row["article"] for row in snapshot.passages}
    talks = [row for row in snapshot.dialogues if row["split"] == split]
    asked = [one for row in talks for one in answered_questions(row, by_id)]
    known = {(one.text, one.lang) for one in asked}
    alone = [
        AskedQuestion(row["query"], row["lang"], row["article"])
        for row in snapshot.pairs
        if row["split"] == split and (row["query"], row["lang"]) not in known
    ]
    random = Random(snapshot.manifest.seed)
    chosen: list[AskedQuestion] = []
    for lang in snapshot.manifest.languages:
        for pool in (asked, alone):
            fit = [one for one in pool if one.lang == lang and (one.article, lang) in articles]
            room = most - sum(one.lang == lang for one in chosen)
            chosen += random.sample(fit, min(len(fit), room))
    return chosen


def _hit(row: Mapping[str, Any]) -> Hit:
    return Hit(
        passage_id=row["id"],
        article_id=0,
        article_slug=row["article"],
        title=row["title"],
        title_path=row["title_path"],
        url=row.get("url", ""),
        text=row["text"],
        lang=row["lang"],
        score=0.0,
        keyword_score=0.0,
        dense_score=0.0,
    )
