"""Past answers as drafts for agents: filled from this conversation, held against today's articles, put in order.

A past answer is never sent by itself. One whose every claim stands in an article or an approved answer of today is
*verified*, with that source; any other was said by agents more than once and has no source today. A verified one that
is about what was found for the question, as near to it as the best sentence of the written draft, and that generator
and ranker together find better than that draft, *leads*: it comes before it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue import grounding
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.relevance import Encode
from chatbot.dialogue.trace import Draft, Hit, Message, Source, Trace
from chatbot.dialogue.wording import sentences
from chatbot.inference.rank import RankedAnswer
from chatbot.inference.reply_choice import ChoiceWeights, Likelihoods, Ranking, signals_of
from chatbot.language.normalise import fold, has_letters
from chatbot.language.redaction import PLACEHOLDER
from chatbot.neural.source_layout import content_units, passage_source

MOST = 2
_LOOKED_AT = 6  # past answers that are filled and checked
_GUESSES = 3  # of the classifier, whose approved answers may verify
_FOUND_FOR_ANSWER = 3  # passages that are looked for with the answer's own words
_LEAST_TIMES = 2  # an answer without a source that one conversation had is no custom of the house
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")


class PastAnswers(Ranking, Protocol):
    """What finds past answers; chatbot.retrieval.past_answers.PastAnswerIndex is one."""

    weights: ChoiceWeights

    def search(self, turns: Sequence[Message], *, lang: str, k: int) -> list[RankedAnswer]: ...


class Search(Protocol):
    def search(self, query: str, *, lang: str, history: Sequence[Message] = (), k: int = 5) -> list[Hit]: ...

    def encode(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Approved:
    """An approved answer of today, under its intent's title."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class PastDraft:
    """``text`` has the conversation's own placeholders; ``times``: conversations in which agents said so; ``source``
    is what verifies it, None where nothing does; ``leads``: it comes before the written draft."""

    text: str
    times: int
    source: Source | None
    leads: bool

    @property
    def verified(self) -> bool:
        return self.source is not None


class PastDrafting:
    """The past answers of one release with what they are held against. Safe to use from several threads."""

    def __init__(
        self, load: Callable[[], PastAnswers], *, search: Search, lookup: Lookup, scores: Likelihoods | None
    ) -> None:
        """load: gives the index; called when drafts are asked for, so that a process that is never asked holds none.
        Whatever BundleError it raises comes through."""
        self._load = load
        self._search = search
        self._lookup = lookup
        self._scores = scores

    def drafts(self, turns: Sequence[Message], trace: Trace, *, shown: Sequence[str] = ()) -> list[PastDraft]:
        """Past answers to the last of ``turns`` (redacted, oldest first), which ``trace`` tells how the bot would
        answer. shown: texts that are offered already."""
        first = next(iter(trace.parts), None)
        if first is None or not turns:
            return []
        names = [guess.name for part in trace.parts for guess in part.classification.ranked[:_GUESSES]]
        known = self._lookup.intents(list(dict.fromkeys(names)), first.lang)
        offered = first.draft if first.draft is not None and first.draft.check.passed else None
        hits = {hit.passage_id: hit for part in trace.parts for hit in part.hits if hit.lang == first.lang}
        return past_drafts(
            self._load(),
            turns,
            list(hits.values()),
            lang=first.lang,
            written=offered,
            scores=self._scores,
            approved=[
                Approved(own.title, own.approved)
                for name in dict.fromkeys(names)
                if (own := known.get(name)) is not None and own.approved
            ],
            find=lambda text: self._search.search(text, lang=first.lang, k=_FOUND_FOR_ANSWER),
            encode=lambda texts: self._search.encode(texts, lang=first.lang),
            shown=shown,
        )


def past_drafts(
    past: PastAnswers,
    turns: Sequence[Message],
    hits: Sequence[Hit],
    *,
    lang: str,
    written: Draft | None = None,
    scores: Likelihoods | None = None,
    approved: Sequence[Approved] = (),
    find: Callable[[str], Sequence[Hit]] = lambda text: (),
    encode: Encode | None = None,
    shown: Sequence[str] = (),
    most: int = MOST,
) -> list[PastDraft]:
    """At most ``most`` past answers to the last message of ``turns``, those that lead first, then the verified.

    turns: redacted, oldest first. hits: what was found for the question. written: the draft to beat, if one may be
    offered; scores: the generator that wrote it. approved: of the likeliest intents; the first is about the question as
    the hits are. find: the search, asked with an answer's words where the question's
    hits do not hold it. encode: of the search, where there is one to tell how near a text is to the question. shown:
    texts that are offered already.
    """
    customer = [turn.text for turn in turns if turn.role == "customer"]
    if not customer or not has_letters(PLACEHOLDER.sub(" ", customer[-1])):
        return []  # "KC-204817" and nothing else asks nothing that agents were asked before
    known = {_plain(text) for text in shown}
    found: list[tuple[PastDraft, RankedAnswer]] = []
    nearest = past.search(turns, lang=lang, k=_LOOKED_AT)
    for ranked in nearest:
        text = filled(ranked.text, customer)
        if text is None or _plain(text) in known:
            continue
        near = _source(text, hits, approved[:1], customer, lang)
        source = near or _source(text, find(text)[:_FOUND_FOR_ANSWER], approved[1:], customer, lang)
        if source is None and ranked.times < _LEAST_TIMES:
            continue
        known.add(_plain(text))
        found.append((PastDraft(text, ranked.times, source, near is not None), ranked))
    if written is not None and scores is not None:
        rivals = _near([ranked.text for one, ranked in found if one.leads], customer[-1], written, encode)
        better = _better(past, turns, hits, rivals, written, scores, nearest[0].text if nearest else "", lang)
        found = [(replace(one, leads=one.leads and ranked.text in better), ranked) for one, ranked in found]
    found.sort(key=lambda pair: (not pair[0].leads, not pair[0].verified, -pair[1].score))
    return [one for one, _ in found[:most]]


def filled(answer: str, customer: Sequence[str]) -> str | None:
    """``answer`` with this conversation's placeholders in place of its own; None where the customer wrote no value of
    a kind, or more than one: then nobody knows what belongs there."""
    own: dict[str, set[str]] = defaultdict(set)
    for text in customer:
        for match in PLACEHOLDER.finditer(text):
            own[match[1]].add(match[0])
    if any(len(own[match[1]]) != 1 for match in PLACEHOLDER.finditer(answer)):
        return None
    return PLACEHOLDER.sub(lambda match: next(iter(own[match[1]])), answer)


def _source(
    text: str, hits: Sequence[Hit], approved: Sequence[Approved], customer: Sequence[str], lang: str
) -> Source | None:
    """The first approved answer, or article among the hits, that holds all that ``text`` claims; of an article the
    passage that shares most with it."""

    def holds(*sources: str) -> bool:
        return grounding.check(text, sources=sources, customer=customer, lang=lang).passed

    for answer in approved:
        if holds(answer.text):
            return Source(answer.title, "", answer.text)
    articles: dict[int, list[Hit]] = defaultdict(list)
    for hit in hits:
        articles[hit.article_id].append(hit)
    said = content_units(text)
    for passages in articles.values():
        if holds(*(passage_source(hit.title_path or hit.title, hit.text) for hit in passages)):
            best = max(passages, key=lambda hit: len(said & content_units(hit.text)))
            return Source(best.title_path or best.title, best.url, best.text)
    return None


def _better(
    past: PastAnswers,
    turns: Sequence[Message],
    hits: Sequence[Hit],
    rivals: Sequence[str],
    written: Draft,
    scores: Likelihoods,
    nearest: str,
    lang: str,
) -> set[str]:
    """Those of the past answers ``rivals``, as agents gave them, that are worth more than the written draft.

    nearest: the past answer that fits best.
    """
    if not rivals:
        return set()
    sources = [
        passage_source(hit.title_path or hit.title, hit.text)
        for passage in written.passage_ids
        for hit in hits
        if hit.passage_id == passage
    ]
    signals = signals_of(
        turns, sources, [written.text, *rivals], nearest=nearest, generator=scores, ranker=past, lang=lang,
        written=[written.text],
    )  # fmt: skip
    own, *others = past.weights.values(signals).tolist()
    return {text for text, value in zip(rivals, others, strict=True) if value > own}


def _near(rivals: Sequence[str], question: str, written: Draft, encode: Encode | None) -> list[str]:
    """Those of ``rivals`` that are as near to the question as the nearest sentence of the written draft: what agents
    often said of the article may be another matter ("Empty the drip tray daily")."""
    own = [sentence for line in written.text.splitlines() for sentence in sentences(line) if sentence.strip()]
    if encode is None or not rivals or not own:
        return list(rivals)
    vectors = encode([question, *rivals, *own])
    near = vectors[1:] @ vectors[0]
    least = float(near[len(rivals) :].max())
    return [rival for rival, cosine in zip(rivals, near, strict=False) if cosine >= least]


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(fold(text)))
