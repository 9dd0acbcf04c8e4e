"""Search over a company's articles: keyword and dense, fused with learned weights, scored as a probability.

One `LanguageIndex` a language, each under the encoder that was trained for that language; a question is searched in
its own language. What is found is read back from the knowledge before it is returned.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from chatbot.dialogue.trace import Hit, Message
from chatbot.errors import BundleError, NotFoundError, UnavailableError
from chatbot.inference.encode import ANY_LANGUAGE, AdaptedEncoder
from chatbot.language.normalise import normalise
from chatbot.language.written_language import language_asked_in
from chatbot.records.database import Database
from chatbot.retrieval import following, snapshots
from chatbot.retrieval.certain import floors, with_floors
from chatbot.retrieval.embeddings import EmbeddingCache, adapted, base_of
from chatbot.retrieval.following import Changes, DatabaseKnowledge
from chatbot.retrieval.knowledge import Knowledge, PassageEntry, QuestionEntry
from chatbot.retrieval.language_index import COLUMN, LanguageIndex
from chatbot.retrieval.ranking import SearchModel
from chatbot.retrieval.reading import RecentVectors, read_query
from chatbot.retrieval.snapshots import StoredPart, key_of, signature
from chatbot.retrieval.terms import terms

log = logging.getLogger(__name__)

EMBEDDINGS = "embeddings"  # folder of the stored vectors, beside the snapshots
SNAPSHOT_AFTER = 50  # entries that had to be encoded at the start

Kind = Literal["passage", "question"]
_Entry = TypeVar("_Entry", PassageEntry, QuestionEntry)
_TOLD_APART = ("en", "zh", "und")  # what `detect_language` says of messages
_SPARE = 5  # hits ranked beyond those asked for, in case some are gone from the knowledge


class Encoder(Protocol):
    """What the search needs of chatbot.inference.encode.SentenceEncoder."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def languages(self) -> tuple[str, ...]: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Differences:
    """What the indexes lack or hold in an old form, and what they hold that is gone."""

    passages: tuple[PassageEntry, ...]
    questions: tuple[QuestionEntry, ...]
    gone_passages: tuple[int, ...]
    gone_questions: tuple[int, ...]

    def __len__(self) -> int:
        return sum(map(len, (self.passages, self.questions, self.gone_passages, self.gone_questions)))


class NoEncoder:
    """Stands in where no encoder was trained for a language: keyword search alone."""

    fingerprint = "none"
    dimension = 1
    languages: tuple[str, ...] = ()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros((len(texts), 1), dtype=np.float32)


class Searcher:
    """The search of one process under one release. Thread-safe.

    ``encoders`` maps a language, or ``*`` for any other, to its encoder; an encoder is used for a language only if
    it was trained for it (``languages`` holds it, or is empty: any).
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        *,
        knowledge: Knowledge,
        model: SearchModel | None = None,
        database: Database | None = None,
    ) -> None:
        self._encoders = dict(encoders)
        self._knowledge = knowledge
        self._database = database
        self.model = model or SearchModel()
        self._parts: dict[str, LanguageIndex] = {}
        # ("passage" or "question", id) -> its language and the signature of its content
        self._known: dict[tuple[Kind, int], tuple[str, int]] = {}
        self._snapshots: Path | None = None
        self._embeddings: dict[
            str, EmbeddingCache
        ] = {}  # by base encoder, where there is a folder to keep them
        self._recent: dict[str, RecentVectors] = defaultdict(RecentVectors)  # by encoder
        # by encoder: the articles' sentences, which replies compare with a question
        self._sentences: dict[str, RecentVectors] = defaultdict(RecentVectors)
        self._lock = threading.RLock()
        self._following = threading.Lock()
        self.revision = -1  # of the knowledge; -1: nothing read yet
        self.damaged: str | None = None  # the snapshot on disk, or its language's folder, that cannot be read

    @classmethod
    def open(
        cls,
        database: Database,
        encoders: Mapping[str, Encoder],
        *,
        model: SearchModel | None = None,
        index: Path | None = None,
        knowledge: Knowledge | None = None,
    ) -> Searcher:
        """A searcher over the conversation database, as of now.

        ``index``: folder of the indexes on disk (``data/index``). With it only what the latest snapshot lacks is
        encoded, and a new one is written where much was lacking.
        """
        searcher = cls.stored(database, encoders, model=model, index=index, knowledge=knowledge)
        repaired = searcher.repair()
        if index is not None and len(repaired) > SNAPSHOT_AFTER:
            searcher.save()
        return searcher

    @classmethod
    def stored(
        cls,
        database: Database,
        encoders: Mapping[str, Encoder],
        *,
        model: SearchModel | None = None,
        index: Path | None = None,
        knowledge: Knowledge | None = None,
    ) -> Searcher:
        """A searcher as the latest snapshot on disk has it, not yet held against the database; empty without one.

        ``knowledge``: where hits are read back from (default: the database's passages that may be quoted now).
        """
        searcher = cls(
            encoders,
            knowledge=knowledge or DatabaseKnowledge(database),
            model=model,
            database=database,
        )
        if index is not None:
            searcher.keep_in(index)
            searcher._restore()
        return searcher

    def keep_in(self, index: Path) -> None:
        """Write snapshots below ``index``, and keep vectors there for who encodes the same text again."""
        fingerprints = {lang: encoder.fingerprint for lang, encoder in self._encoders.items()}
        self._snapshots = index / key_of(fingerprints)
        self._embeddings = {
            base.fingerprint: EmbeddingCache(index / EMBEDDINGS, base.fingerprint, base.dimension)
            for base in map(base_of, self._encoders.values())
        }

    def encoder(self, lang: str) -> Encoder:
        """The encoder that serves ``lang``; a `NoEncoder` where none was trained for it."""
        return encoder_for(lang, self._encoders)

    def encode(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]:
        """Unit vectors float32 [n, dimension] of ``lang``'s encoder, before what it learned about articles: which
        sentence of an article is nearest to a question is another matter."""
        base = base_of(self.encoder(lang))
        if not texts:
            return base.encode(texts)
        read = self._sentences[base.fingerprint]
        return np.stack([read.vector(text, base.encode) for text in texts])

    def question(self, text: str, *, lang: str) -> NDArray[np.float32]:
        """The unit vector float32 [dimension] by which ``text`` is searched for."""
        encoder = self.encoder(lang)
        return self._recent[encoder.fingerprint].vector(normalise(text), encoder.encode)

    def questions(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]:
        """As `question`, of many texts [n, dimension]: from the store where they were encoded before."""
        return self._embed(self.encoder(lang), [normalise(text) for text in texts])

    def spread(self, word: str, *, lang: str) -> int:
        """How many passages of the language have the word, or another one of its stem; none have a function word."""
        with self._lock:
            part = self._parts.get(lang)
            return max((len(part.holding(term)) for term in terms(word)), default=0) if part else 0

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted(lang for lang, part in self._parts.items() if len(part)))

    def part(self, lang: str) -> LanguageIndex:
        """The index of one language. Raises NotFoundError where there is none."""
        found = self._parts.get(lang)
        if found is None:
            raise NotFoundError("Nothing is searched in this language", value=lang)
        return found

    def __len__(self) -> int:
        """Passages searched."""
        return sum(len(part) for part in self._parts.values())

    # --- what is searched

    def put(self, passages: Iterable[PassageEntry] = (), questions: Iterable[QuestionEntry] = ()) -> None:
        """Add or replace passages and questions. They are encoded before the lock is taken."""
        for lang, entries in _by_language(passages):
            encoder = self.encoder(lang)
            titles = self._embed(encoder, [entry.title for entry in entries])
            texts = self._embed(encoder, [entry.whole for entry in entries])
            with self._lock:
                self._note("passage", entries, lang)
                self._part(lang, encoder.dimension).put_passages(entries, titles, texts)
        for lang, asked in _by_language(questions):
            encoder = self.encoder(lang)
            vectors = self._embed(encoder, [entry.text for entry in asked])
            with self._lock:
                self._note("question", asked, lang)
                self._part(lang, encoder.dimension).put_questions(asked, vectors)

    def remove(self, passages: Iterable[int] = (), questions: Iterable[int] = ()) -> None:
        """Take passages and questions out, by id; unknown ids are passed over."""
        with self._lock:
            for identity in passages:
                known = self._known.pop(("passage", identity), None)
                if known is not None:
                    self._parts[known[0]].remove_passages([identity])
            for identity in questions:
                known = self._known.pop(("question", identity), None)
                if known is not None:
                    self._parts[known[0]].remove_questions([identity])

    def refresh(self, session: Session | None = None) -> None:
        """Apply the knowledge changes since the last call; `revision` is then how far this search knows.

        Raises UnavailableError for a searcher that follows no database.
        """
        if session is None:
            with self._own_database().read() as own:
                self.refresh(own)
            return
        with self._following:
            changes = following.since(session, self.revision) if self.revision >= 0 else None
            if changes is not None:
                self.remove(changes.gone_passages, changes.gone_questions)
                self.put(changes.passages, changes.questions)
                self.revision = changes.revision
        if changes is None:
            self.repair(session)

    def check(self, session: Session | None = None) -> Differences:
        """How the indexes differ from what the database holds now: every entry's content is compared."""
        if session is None:
            with self._own_database().read() as own:
                return self.check(own)
        return self._differences(following.whole(session))

    def repair(self, session: Session | None = None) -> Differences:
        """Make the indexes equal to the database, touching only what differs; what was found to differ."""
        if session is None:
            with self._own_database().read() as own:
                return self.repair(own)
        with self._following:
            truth = following.whole(session)
            found = self._differences(truth)
            self.remove(found.gone_passages, found.gone_questions)
            self.put(found.passages, found.questions)
            self.revision = truth.revision
        return found

    def save(self) -> Path | None:
        """Write a snapshot for the next process; its folder, or None where no folder was given."""
        if self._snapshots is None:
            return None
        with self._following, self._lock:
            signatures: dict[tuple[str, Kind], dict[int, int]] = {}
            for (kind, identity), (lang, mark) in self._known.items():
                signatures.setdefault((lang, kind), {})[identity] = mark
            parts = {
                lang: StoredPart(
                    index, signatures.get((lang, "passage"), {}), signatures.get((lang, "question"), {})
                )
                for lang, index in self._parts.items()
            }
            written = snapshots.write(self._snapshots, parts, revision=self.revision)
        for cache in self._embeddings.values():
            cache.prune()
        return written

    # --- searching

    def search(self, query: str, *, lang: str, history: Sequence[Message] = (), k: int = 5) -> list[Hit]:
        """The best passage of each of the best ``k`` articles for ``query``, best first.

        ``Hit.score`` is the calibrated probability that the hit answers; where nothing fits all are low. Earlier
        turns in ``history`` (oldest first) are read for what a follow-up leaves out. Nothing is found for a text
        without words or a language without passages. Messages are told apart as Chinese, English and others: what is
        evidently asked in another language that passages are in is searched there.
        """
        lang = self._searched_in(query, lang)
        encoder = self.encoder(lang)
        question = read_query(query, encoder, history=history, recent=self._recent[encoder.fingerprint])
        if question is None:
            return []
        with self._lock:
            part = self._parts.get(lang)
            if part is None or not len(part):
                return []
            found, passages = part.candidates(question), len(part)
            least = floors(question, found, holding=part.holding)
        ranking = self.model.ranking(
            lang,
            dense=not isinstance(encoder, NoEncoder),
            passages=passages,
            adapted=isinstance(encoder, AdaptedEncoder),
        )
        while True:
            ranked = with_floors(found, ranking, least, k=k + _SPARE)
            stored = self._knowledge.read([int(found.passages[place]) for place, _ in ranked])
            if len(stored) == len(ranked):
                break
            # gone, or not valid today: another passage of the same article may say what holds now
            here = np.isin(found.passages, [found.passages[place] for place, _ in ranked])
            kept = ~here | np.isin(found.passages, list(stored))
            found, least = found.only(kept), least[kept]
        hits = []
        for place, score in ranked:
            passage = stored[int(found.passages[place])]
            row = found.features[place]
            hits.append(
                Hit(
                    passage_id=passage.passage_id,
                    article_id=passage.article_id,
                    article_slug=passage.article_slug,
                    title=passage.title,
                    title_path=passage.title_path,
                    url=passage.url,
                    text=passage.text,
                    lang=passage.lang,
                    score=float(score),
                    keyword_score=float(max(row[COLUMN["text_words"]], row[COLUMN["question_words"]])),
                    dense_score=float(max(row[COLUMN["text_cosine"]], row[COLUMN["question_cosine"]])),
                )
            )
        return hits[:k]

    # --- keeping the parts

    def _searched_in(self, query: str, lang: str) -> str:
        others = {found for found in self.languages if found not in _TOLD_APART}
        if lang not in ("en", "und") or not others:
            return lang
        told = language_asked_in(query, others)
        if told is None and len(others) == 1 and lang not in self.languages:
            return others.pop()
        return told or lang

    def _embed(self, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of texts that are searched, from the store where they were encoded before."""
        base = base_of(encoder)
        cache = self._embeddings.get(base.fingerprint)
        if cache is None:
            return encoder.encode(texts)
        return adapted(encoder, cache.vectors(texts, base.encode))

    def _part(self, lang: str, dimension: int) -> LanguageIndex:
        part = self._parts.get(lang)
        if part is None:
            part = self._parts[lang] = LanguageIndex(dimension)
        return part

    def _note(self, kind: Kind, entries: Sequence[PassageEntry] | Sequence[QuestionEntry], lang: str) -> None:
        """Note what is put in; an entry that was in another language leaves that one's index."""
        for entry in entries:
            before = self._known.get((kind, entry.id))
            if before is not None and before[0] != lang:
                part = self._parts[before[0]]
                (part.remove_passages if kind == "passage" else part.remove_questions)([entry.id])
            self._known[kind, entry.id] = (lang, _signature(entry))

    def _differences(self, truth: Changes) -> Differences:
        with self._lock:
            known = dict(self._known)
        held: dict[Kind, set[int]] = {"passage": set(), "question": set()}
        for kind, identity in known:
            held[kind].add(identity)

        def differs(kind: Kind, entry: PassageEntry | QuestionEntry) -> bool:
            held[kind].discard(entry.id)
            return known.get((kind, entry.id)) != (entry.lang, _signature(entry))

        passages = tuple(entry for entry in truth.passages if differs("passage", entry))
        questions = tuple(entry for entry in truth.questions if differs("question", entry))
        return Differences(
            passages, questions, tuple(sorted(held["passage"])), tuple(sorted(held["question"]))
        )

    def _restore(self) -> None:
        """Take over the latest snapshot, as far as its encoders are the present ones."""
        try:
            stored = snapshots.read(self._snapshots) if self._snapshots is not None else None
        except BundleError as error:
            log.warning("the search index on disk is made anew: %s", error)
            self.damaged, stored = str(error.value), None
        if stored is None:
            return
        parts, revision = stored
        for lang, part in parts.items():
            if part.index.dimension != self.encoder(lang).dimension:
                continue  # a part without an encoder then, with one now, or the other way round
            self._parts[lang] = part.index
            for identity, mark in part.passages.items():
                self._known["passage", identity] = (lang, mark)
            for identity, mark in part.questions.items():
                self._known["question", identity] = (lang, mark)
        self.revision = revision
        log.info("search index restored at revision %d: %d entries", revision, len(self._known))

    def _own_database(self) -> Database:
        if self._database is None:
            raise UnavailableError("This search follows no database")
        return self._database


def _signature(entry: PassageEntry | QuestionEntry) -> int:
    title = entry.title if isinstance(entry, PassageEntry) else entry.passage or ""
    return signature(entry.article, title, entry.text)


def encoder_for(lang: str, encoders: Mapping[str, Encoder]) -> Encoder:
    """The encoder among ``encoders`` (by language, ``*`` for any other) that was trained for ``lang``."""
    for found in (encoders.get(lang), encoders.get(ANY_LANGUAGE)):
        if found is not None and (not found.languages or lang in found.languages):
            return found
    return NoEncoder()


def _by_language(entries: Iterable[_Entry]) -> list[tuple[str, list[_Entry]]]:
    ordered = sorted(entries, key=lambda entry: entry.lang)
    return [(lang, list(group)) for lang, group in groupby(ordered, key=lambda entry: entry.lang)]
