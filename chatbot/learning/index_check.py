"""The search index held against the database, and made ready for a release before that goes live.

What a process serves from is a snapshot on disk and the logged changes since. The check does exactly that, then
compares every entry with the database, every field with every other, and a sample of the vectors with what the encoder
says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import delete, update

from chatbot.errors import UnavailableError
from chatbot.inference.encode import EncoderConfig
from chatbot.learning.bundles import read_manifest
from chatbot.learning.loading import load_encoders
from chatbot.learning.releases import bundle_folder, live_release_id
from chatbot.records.database import Database
from chatbot.records.tables import KnowledgeChange, KnowledgeClock
from chatbot.retrieval import following
from chatbot.retrieval.embeddings import EmbeddingCache, base_of
from chatbot.retrieval.knowledge import PassageEntry
from chatbot.retrieval.search import EMBEDDINGS, Encoder, NoEncoder, Searcher, encoder_for
from chatbot.settings import Settings

SAMPLE = 200  # passages whose vectors are compared
SAME = (
    0.999  # cosine of a stored vector to the same text encoded again; half precision leaves more than 0.99999
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What the check found.

    ``lacking`` are entries that the index does not have as the database has them, ``gone`` those that only the index
    has; ``damaged`` languages whose fields disagree, or the folder of the snapshot that cannot be read;
    ``wrong_vectors`` passages by id.
    """

    release: str
    knowledge: int
    snapshot: (
        int | None
    )  # revision of the snapshot on disk; None: there is none, and a start encodes everything
    followed: int  # revisions made up for from the log
    passages: int
    questions: int
    lacking: tuple[str, ...]
    gone: tuple[str, ...]
    damaged: tuple[str, ...]
    vectors_compared: int
    wrong_vectors: tuple[int, ...]
    repaired: bool = False

    @property
    def sound(self) -> bool:
        return not (self.lacking or self.gone or self.damaged or self.wrong_vectors)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"sound": self.sound}


def check_index(
    database: Database,
    settings: Settings,
    *,
    release_id: str | None = None,
    repair: bool = False,
    sample: int = SAMPLE,
    seed: int = 13,
    progress: Progress | None = None,
) -> IndexReport:
    """Hold the index on disk of a release (default: the live one) against the database.

    With ``repair`` what differs is made anew, a new snapshot is written, and every running process is told to compare
    itself. Raises UnavailableError where no release is live.
    """
    tell = progress or (lambda stage, share: None)
    release_id, encoders = _encoders(database, settings, release_id)
    index = settings.data / "index"
    tell("snapshot", 0.0)
    searcher = Searcher.stored(database, encoders, index=index)
    snapshot = searcher.revision if searcher.revision >= 0 else None
    if snapshot is not None:
        searcher.refresh()  # as a process does: by the log
    tell("compare", 0.3)
    with database.read() as session:
        found = searcher.check(session)
        truth = following.whole(session)
    damaged = tuple(lang for lang in searcher.languages if not searcher.part(lang).is_consistent())
    differing = {entry.id for entry in found.passages}
    equal = [entry for entry in truth.passages if entry.id not in differing]
    compared, wrong = _compare_vectors(searcher, equal, sample, seed)
    tell("compare", 0.8)
    report = IndexReport(
        release=release_id,
        knowledge=truth.revision,
        snapshot=snapshot,
        followed=truth.revision - snapshot if snapshot is not None else 0,
        passages=len(truth.passages),
        questions=len(truth.questions),
        lacking=tuple(
            [f"passage {entry.id}" for entry in found.passages]
            + [f"question {entry.id}" for entry in found.questions]
        )
        if snapshot is not None
        else (),
        gone=tuple(
            [f"passage {identity}" for identity in found.gone_passages]
            + [f"question {identity}" for identity in found.gone_questions]
        ),
        damaged=(searcher.damaged, *damaged) if searcher.damaged else damaged,
        vectors_compared=compared,
        wrong_vectors=wrong,
    )
    if not repair:
        return report
    if damaged or wrong:  # which other vectors are wrong is not known: none of them is trusted
        searcher = Searcher(encoders, knowledge=following.DatabaseKnowledge(database), database=database)
        searcher.keep_in(index)
        for base in map(base_of, encoders.values()):
            EmbeddingCache(index / EMBEDDINGS, base.fingerprint, base.dimension).forget()
    searcher.repair()
    searcher.save()
    with database.write() as session:
        make_all_compare(session)
    tell("repair", 1.0)
    return IndexReport(**(asdict(report) | {"repaired": True}))


def make_all_compare(session: Any) -> None:
    """Make every serving process compare its whole index with the database at its next look.

    A log that does not reach back to what a process knows is what tells it so (chatbot/records/following.py).
    """
    session.execute(update(KnowledgeClock).values(revision=KnowledgeClock.revision + 1))
    session.execute(delete(KnowledgeChange))


def prepare_index(
    database: Database, settings: Settings, release_id: str, *, progress: Progress | None = None
) -> int:
    """Encode for a release what its encoders have not encoded yet, and write its snapshot; the passages searched.

    A process that then loads the release finds its index ready: both are swapped together, in seconds.
    """
    tell = progress or (lambda stage, share: None)
    _, encoders = _encoders(database, settings, release_id)
    with database.read() as session:
        truth = following.whole(session)
    work: dict[str, tuple[Encoder, dict[str, None]]] = {}
    for lang, text in _texts(truth):
        base = base_of(encoder_for(lang, encoders))
        work.setdefault(base.fingerprint, (base, {}))[1][text] = None
    total = sum(len(texts) for _, texts in work.values()) or 1
    before = 0
    for encoder, texts in work.values():
        done = before

        def told(count: int, done: int = done) -> None:
            tell("index", (done + count) / total)

        cache = EmbeddingCache(settings.data / "index" / EMBEDDINGS, encoder.fingerprint, encoder.dimension)
        if not isinstance(encoder, NoEncoder):
            cache.vectors(list(texts), encoder.encode, progress=told)
        before += len(texts)
    searcher = Searcher.stored(database, encoders, index=settings.data / "index")
    if len(searcher.repair()):
        searcher.save()
    return len(searcher)


def unprepared(database: Database, settings: Settings, release_id: str) -> int:
    """How many texts a process would have to encode before it could serve this release; no model is loaded."""
    folder = bundle_folder(settings, release_id)
    configs = {
        lang: EncoderConfig.load(folder / name) for lang, name in read_manifest(folder).encoders.items()
    }
    with database.read() as session:
        truth = following.whole(session)
    texts: dict[tuple[str, int], set[str]] = {}
    for lang, text in _texts(truth):
        config = configs.get(lang) or configs.get("*")
        if config is not None and (not config.languages or lang in config.languages):
            texts.setdefault((config.fingerprint, config.dimension), set()).add(text)
    return sum(
        EmbeddingCache(settings.data / "index" / EMBEDDINGS, *key).missing(found)
        for key, found in texts.items()
    )


def _texts(truth: following.Changes) -> list[tuple[str, str]]:
    """(language, text) of everything that is encoded for a search."""
    found = [(entry.lang, text) for entry in truth.passages for text in (entry.title, entry.whole)]
    return found + [(entry.lang, entry.text) for entry in truth.questions]


def _encoders(
    database: Database, settings: Settings, release_id: str | None
) -> tuple[str, dict[str, Encoder]]:
    if release_id is None:
        with database.read() as session:
            release_id = live_release_id(session)
    if release_id is None:
        raise UnavailableError("No release is live yet", remedy="Make one with: frontdesk retrain")
    folder = bundle_folder(settings, release_id)
    loaded = load_encoders(folder, read_manifest(folder).encoders, threads=settings.inference_threads)
    return release_id, dict(loaded)


def _compare_vectors(
    searcher: Searcher, passages: Sequence[PassageEntry], sample: int, seed: int
) -> tuple[int, tuple[int, ...]]:
    """Passages whose stored vectors are not what the encoder says of their texts, among a seeded sample."""
    known = [
        entry
        for entry in passages
        if entry.lang in searcher.languages and entry.id in searcher.part(entry.lang).passage_ids
    ]
    chosen = np.random.default_rng(seed).permutation(len(known))[:sample]
    wrong = []
    for place in chosen.tolist():
        entry = known[place]
        if isinstance(searcher.encoder(entry.lang), NoEncoder):
            continue
        part = searcher.part(entry.lang)
        truth = searcher.encoder(entry.lang).encode([entry.title, entry.whole])
        stored = np.concatenate([part.titles.vectors([entry.id]), part.texts.vectors([entry.id])])
        if float((truth * stored).sum(axis=1).min()) < SAME:
            wrong.append(entry.id)
    return len(chosen), tuple(sorted(wrong))
