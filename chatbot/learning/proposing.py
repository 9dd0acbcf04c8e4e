"""From the messages in the database to proposed intents: cluster what is new, join languages, look for the answer.

What was proposed once, whatever was decided, is never proposed again: a new message that is like those of an open
proposal joins it; one that is like a rejected or accepted one is left to that decision (and, where an intent was made
of it, suggested for the intent). Tags count as evidence: a cluster that mostly carries one intent's tag is proposed as
more examples of that intent.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import InputError
from chatbot.inference.encode import ANY_LANGUAGE as OTHERS
from chatbot.learning.answered_from import ArticleFinder
from chatbot.learning.clustering import (
    UNASSIGNED,
    ClusterSettings,
    cluster,
    key_terms,
    nearest_known,
    words_of,
)
from chatbot.learning.discovery import cluster_questions, proposed_name, typical_answer
from chatbot.learning.harvest import MIN_COVERAGE, MIN_MARGIN
from chatbot.records.database import Database
from chatbot.records.proposals import (
    SUGGESTED,
    NewProposal,
    add_members,
    add_proposal,
    get_proposal,
    split,
)
from chatbot.records.tables import Article, Example, Intent, Passage, Proposal, ProposalMember
from chatbot.retrieval.search import NoEncoder, encoder_for
from chatbot.settings import Settings

log = logging.getLogger(__name__)

ANY_LANGUAGE = ""
ALIKE = 0.6  # similarity above which a new message belongs to what was proposed before
TAGGED = 0.6  # share of a cluster's tagged messages that must carry the same intent
ANSWERED = 0.4  # share of a cluster's answers that must come from the same article
MOST_BEFORE = 3  # words a customer has said before a message that stands for itself: "hi", "good morning"
MOST_MESSAGES = 60_000  # of a language, the newest
_ENCODING = 0.7  # share of a language's time that its vectors take
_AT_ONCE = 1000  # messages between two words of how far it is

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


class Encoders(Protocol):
    def __call__(self, lang: str) -> Encode | None: ...  # None: no encoder knows the language


def encoders_of(database: Database, settings: Settings) -> Encoders:
    """The encoders that this installation has: the configured general one for its languages (for all of them where it
    is a multilingual one), the live release's own for the others. Raises InputError or BundleError where a configured
    one cannot be had."""
    from chatbot.inference.encode import SentenceEncoder
    from chatbot.learning.bundles import verify
    from chatbot.learning.encoders import chosen_encoders, ensure_encoder
    from chatbot.learning.loading import LoadedEncoder, load_encoders
    from chatbot.learning.releases import bundle_folder, live_release_id

    threads = settings.inference_threads
    names = chosen_encoders(settings.encoder)

    @cache
    def general(key: str) -> SentenceEncoder:
        return SentenceEncoder.load(ensure_encoder(names[key], settings.encoders), threads=threads)

    @cache
    def own() -> Mapping[str, LoadedEncoder]:
        with database.read() as session:
            live = live_release_id(session)
        if live is None:
            return {}
        folder = bundle_folder(settings, live)
        return load_encoders(folder, verify(folder).encoders, threads=threads)

    def encoder_of(lang: str) -> Encode | None:
        # each is loaded when it is asked for: a split of English messages needs one
        for key in (lang, OTHERS):
            if key in names:
                fit = encoder_for(lang, {key: general(key)})
                if not isinstance(fit, NoEncoder):
                    return fit.encode
        found = own().get(lang) if lang != ANY_LANGUAGE else None
        return found.encode if found is not None and lang in found.languages else None

    return encoder_of


@dataclass(frozen=True, slots=True)
class Message:
    id: int
    text: str
    lang: str
    intent: int | None
    answer: str | None


@dataclass
class ProposingReport:
    read: int = 0
    known: int = 0  # belong to what was proposed before
    joined: int = 0  # of these, new in an open proposal
    proposed: int = 0
    messages: int = 0  # in new proposals
    coverage: float = 0.0  # share of the new messages without a label that a proposal took
    languages: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def propose(
    database: Database,
    encoder_of: Encoders,
    *,
    settings: ClusterSettings | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> ProposingReport:
    """Cluster the unlabelled messages that no proposal has, and store what they are proposed as."""
    tell = progress or (lambda stage, share: None)
    chosen, settings = settings, settings or ClusterSettings()  # without a choice each language has its own
    with database.read() as session:
        messages = _messages(session)
        before = _members(session)
        finder = _finder(session)
        names = {row.id: row.name for row in session.execute(select(Intent.id, Intent.name))}
    fresh = [message for message in messages if message.id not in before]
    report = ProposingReport(read=len(messages), known=len(messages) - len(fresh))
    found: list[tuple[str, NewProposal]] = []
    joins: dict[int, dict[int, float]] = defaultdict(dict)
    by_language: dict[str, list[Message]] = defaultdict(list)
    whole = encoder_of(ANY_LANGUAGE)
    for message in fresh:
        by_language[ANY_LANGUAGE if whole else message.lang].append(message)
    for number, (lang, rows) in enumerate(sorted(by_language.items())):
        rows = rows[-MOST_MESSAGES:]
        stage = f"messages ({lang or 'all'})"

        def told(share: float, stage: str = stage, number: int = number) -> None:
            tell(stage, (number + share) / len(by_language))

        told(0.0)
        old = [message for message in messages if message.id in before and (whole or message.lang == lang)]
        encode = whole or encoder_of(lang)
        vectors = _encoded(rows, encode, lambda share: told(share * _ENCODING)) if encode else None
        if old:
            earlier = nearest_known(
                [row.text for row in rows],
                vectors,
                [row.text for row in old],
                encode([row.text for row in old]) if encode else None,
                np.array([before[row.id][0] for row in old]),
                least=ALIKE,
                settings=settings,
            )
            for row, proposal in zip(rows, earlier.tolist(), strict=True):
                if proposal != UNASSIGNED:
                    joins[proposal][row.id] = 0.5
            keep = np.flatnonzero(earlier == UNASSIGNED).tolist()
            rows = [rows[at] for at in keep]
            vectors = vectors[keep] if vectors is not None else None
        clusters = cluster_questions(
            [row.text for row in rows],
            vectors,
            settings=chosen,
            progress=lambda share: told(_ENCODING + (1 - _ENCODING) * share),
        )
        for new in _proposals(rows, clusters.labels, clusters.strength, finder, names, settings):
            found.append((lang, new))
    proposals = _joined_by_article(found)
    with database.write() as session:
        stored = {
            row.id: row for row in session.execute(select(Proposal.id, Proposal.status, Proposal.intent_id))
        }
        for proposal, members in joins.items():
            add_members(session, proposal, members)
            report.known += len(members)
            report.joined += len(members) if stored[proposal].status == "open" else 0
            if stored[proposal].status == "accepted":
                suggest(session, members, stored[proposal].intent_id)
        for new in proposals:
            add_proposal(session, new)
            report.proposed += 1
            report.messages += len(new.members)
    joined = {example for members in joins.values() for example in members}
    unknown = sum(message.intent is None and message.id not in joined for message in fresh)
    report.coverage = round(report.messages / unknown, 4) if unknown else 0.0
    report.languages = dict(Counter(message.lang for message in fresh))
    log.info("discovery: %s", report)
    return report


def _encoded(
    rows: Sequence[Message], encode: Encode, progress: Callable[[float], None]
) -> NDArray[np.float32]:
    """Vectors [n, dimension], some at a time: tens of thousands take minutes, and a person watches."""
    parts = []
    for start in range(0, len(rows), _AT_ONCE):
        parts.append(encode([row.text for row in rows[start : start + _AT_ONCE]]))
        progress(min(1.0, (start + _AT_ONCE) / len(rows)))
    return np.concatenate(parts)


def suggest(session: Session, examples: Mapping[int, float], intent_id: int | None) -> None:
    """Unlabelled messages that are like an accepted proposal's: its intent is suggested, nothing is decided."""
    for example_id in examples:
        row = session.get(Example, example_id)
        if row is not None and row.status == "unreviewed" and row.intent_id is None:
            row.intent_id = intent_id
            row.label_reason = SUGGESTED


def split_proposal(
    database: Database,
    proposal_id: int,
    encoder_of: Encoders,
    *,
    settings: ClusterSettings | None = None,
    person_id: int | None = None,
) -> list[int]:
    """Cut a proposal in two by what its messages say; the ids of the new ones. Raises InputError where it is one."""
    settings = replace(settings or ClusterSettings(), least=2, agreement=0.0)
    with database.read() as session:
        get_proposal(session, proposal_id)
        rows = _messages(session, only=proposal_id)
        finder = _finder(session)
        names = {row.id: row.name for row in session.execute(select(Intent.id, Intent.name))}
    encode = encoder_of(ANY_LANGUAGE)
    if encode is None and len({row.lang for row in rows}) == 1 and rows:
        encode = encoder_of(rows[0].lang)
    vectors = encode([row.text for row in rows]) if encode else None
    # by words where no encoder knows the language: this runs in a serving process, which trains nothing
    found = cluster([row.text for row in rows], vectors, settings=settings, clusters=2)
    parts = [
        new
        for new in _proposals(rows, found.labels, found.strength, finder, names, settings)
        if 0 < len(new.members) < len(rows)
    ]
    if not parts:
        raise InputError(
            "These messages are too few or too alike to be split",
            field="proposal",
            value=proposal_id,
            remedy="Take single messages out instead",
        )
    smaller = min(parts, key=lambda new: len(new.members))
    with database.write() as session:
        return [row.id for row in split(session, proposal_id, [smaller], person_id=person_id)]


def _messages(session: Session, *, only: int | None = None) -> list[Message]:
    """Those that stand alone, or all those of the proposal ``only``."""
    query = (
        select(Example.id, Example.text, Example.lang, Example.intent_id, Example.answer, Example.context)
        .where(Example.status.in_(("unreviewed", "accepted")), Example.out_of_scope.is_(False))
        .order_by(Example.id)
    )
    if only is not None:
        members = select(ProposalMember.example_id).where(ProposalMember.proposal_id == only)
        query = query.where(Example.id.in_(members))
    rows = session.execute(query.execution_options(yield_per=2000))
    return [
        Message(row.id, row.text, row.lang, row.intent_id, row.answer)
        for row in rows
        if only is not None or _stands_alone(row.context)
    ]


def _stands_alone(context: Sequence[Mapping[str, str]]) -> bool:
    """Whether a message says by itself what it asks for: "and if I say no?" after a question does not."""
    said = [turn["text"] for turn in context if turn["role"] == "customer"]
    return sum(len(words_of(text)) for text in said) <= MOST_BEFORE


def _members(session: Session) -> dict[int, tuple[int, str]]:
    """example id -> (proposal, its state)."""
    rows = session.execute(
        select(ProposalMember.example_id, ProposalMember.proposal_id, Proposal.status).join(
            Proposal, Proposal.id == ProposalMember.proposal_id
        )
    )
    return {example: (proposal, status) for example, proposal, status in rows}


def _finder(session: Session) -> ArticleFinder:
    texts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for slug, lang, title, text in session.execute(
        select(Article.slug, Article.lang, Article.title, Passage.text)
        .join(Passage, Passage.article_id == Article.id)
        .where(Article.status == "live", Passage.enabled)
        .order_by(Article.id, Passage.position)
    ):
        texts[slug, lang] = [*(texts[slug, lang] or [title]), text]
    return ArticleFinder([(slug, lang, "\n".join(found)) for (slug, lang), found in texts.items()])


def _proposals(
    rows: Sequence[Message],
    labels: NDArray[np.int64],
    strength: NDArray[np.float32],
    finder: ArticleFinder,
    names: Mapping[int, str],
    settings: ClusterSettings,
) -> list[NewProposal]:
    """A proposal for each cluster in which enough messages still have no label."""
    terms = key_terms([row.text for row in rows], labels)
    made = []
    for label in sorted(set(labels[labels != UNASSIGNED].tolist())):
        places = np.flatnonzero(labels == label).tolist()
        inside = [rows[at] for at in places]
        open_ones = [at for at in places if rows[at].intent is None]
        if len(open_ones) < settings.least:
            continue  # tagged already: nothing to decide
        tags = Counter(names[row.intent] for row in inside if row.intent is not None and row.intent in names)
        intent = None
        if tags:
            name, number = tags.most_common(1)[0]
            if number >= TAGGED * sum(tags.values()) and 5 * number >= len(inside):
                intent = next(one for one, known in names.items() if known == name)
        answers: dict[str, list[str]] = defaultdict(list)
        for row in inside:
            if row.answer:
                answers[row.lang].append(row.answer)
        drafts = {lang: draft for lang, said in answers.items() if (draft := typical_answer(said))}
        made.append(
            NewProposal(
                name=names[intent] if intent is not None else proposed_name(terms.get(label, ())),
                terms=tuple(terms.get(label, ())),
                members={rows[at].id: float(strength[at]) for at in open_ones},
                drafts=drafts,
                article_slug=_article(inside, finder),
                evidence=dict(tags.most_common(5)),
                intent_id=intent,
            )
        )
    return made


def _article(rows: Sequence[Message], finder: ArticleFinder) -> str | None:
    """The article that most of the answers come from, if they do: a few words in common find one for any."""
    answered = [row for row in rows if row.answer][:300]
    slugs: Counter[str] = Counter()
    for row in answered:
        found = finder.find(row.answer or "", lang=row.lang, question=row.text)
        if found and found.coverage >= MIN_COVERAGE and found.margin >= MIN_MARGIN:
            slugs[found.article] += 1
    if not slugs:
        return None
    slug, number = slugs.most_common(1)[0]
    return slug if number >= max(2, ANSWERED * len(answered)) else None


def _joined_by_article(found: Sequence[tuple[str, NewProposal]]) -> list[NewProposal]:
    """The clusters of one tagged intent are one proposal, and so is the largest cluster of each language about the same
    article: agents answer in the customer's language, from the article that both languages have."""
    joined: list[tuple[set[str], NewProposal]] = []
    place: dict[tuple[str, Any], int] = {}
    for lang, new in sorted(found, key=lambda pair: -len(pair[1].members)):
        keys = [("intent", new.intent_id), ("article", new.article_slug)]
        at = next((place[key] for key in keys if key[1] is not None and key in place), None)
        same_intent = (
            at is not None and new.intent_id is not None and joined[at][1].intent_id == new.intent_id
        )
        if at is not None and (same_intent or lang not in joined[at][0]):
            spoken, other = joined[at]
            merged = replace(
                other,
                terms=(*other.terms[:4], *new.terms[:4]),
                members={**other.members, **new.members},
                drafts={**new.drafts, **other.drafts},
                evidence=dict(Counter(other.evidence or {}) + Counter(new.evidence or {})),
                intent_id=other.intent_id or new.intent_id,
                article_slug=other.article_slug or new.article_slug,
            )
            joined[at] = ({*spoken, lang}, merged)
            continue
        for key in keys:
            if key[1] is not None:
                place.setdefault(key, len(joined))
        joined.append(({lang}, new))
    return [new for _, new in joined]
