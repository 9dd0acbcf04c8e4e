"""A release from its bundle: the models that serve, without torch.

``load_assistant`` is what a serving process holds; ``load_parts`` is what an evaluation needs, its search built over a
snapshot's own passages, so that two releases are held against the same frozen knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select

from chatbot.dialogue.actions import Finder, nothing
from chatbot.dialogue.asked_after import AskedAfter
from chatbot.dialogue.assistant import Assistant
from chatbot.dialogue.bound_actions import DatabaseActions
from chatbot.dialogue.heard import Heard
from chatbot.dialogue.lookup import DatabaseLookup
from chatbot.dialogue.past_drafts import PastDrafting
from chatbot.dialogue.provisional import Provisional
from chatbot.dialogue.said_words import SaidWords
from chatbot.dialogue.spoken_language import latin_words
from chatbot.dialogue.weighing import Weighing
from chatbot.errors import BundleError
from chatbot.inference.classify_states import Classifier, encoder_wanted
from chatbot.inference.classify_states import load_classifier as load_tiers
from chatbot.inference.encode import ANY_LANGUAGE, AdaptedEncoder, SentenceEncoder
from chatbot.inference.generate import ResponseGenerator
from chatbot.inference.next_intent import NextIntents
from chatbot.inference.reply_choice import FOLDER as PAST_ANSWERS
from chatbot.inference.tagger import FOLDER as ENTITIES
from chatbot.inference.tagger import EntityTagger
from chatbot.language.sounds import alike
from chatbot.language.sounds import words as general_words
from chatbot.learning.bundles import Manifest, verify
from chatbot.learning.encoders import DOMAIN
from chatbot.learning.releases import bundle_folder
from chatbot.learning.snapshot import Snapshot
from chatbot.learning.writing import passed_in
from chatbot.neural.source_layout import FILLER
from chatbot.records.database import Database
from chatbot.records.tables import Article, Passage, Release
from chatbot.retrieval.embeddings import base_of
from chatbot.retrieval.homophones import CHINESE, ENOUGH, SEVERAL, Homophones
from chatbot.retrieval.knowledge import ListedKnowledge, PassageEntry, QuestionEntry
from chatbot.retrieval.past_answers import LazyPastAnswers, PastAnswerIndex
from chatbot.retrieval.ranking import SearchModel
from chatbot.retrieval.search import Encoder, Searcher, encoder_for
from chatbot.retrieval.spelling import ENGLISH, Spelling
from chatbot.settings import Settings

SEARCH_MODEL = "search.json"
ADAPTERS = "adapters"  # folder of the bundle: <language>.npy
WEIGHING = "weighing.json"
SAID_WORDS = "said_words.npz"
ASKED_AFTER = "asked_after.npz"
SURE_OF_ENTITY = 0.5  # least confidence of what a message is taken to name

LoadedEncoder = SentenceEncoder | AdaptedEncoder


@dataclass(frozen=True, slots=True)
class Parts:
    """The measurable parts of a release; a part that was not trained is None."""

    manifest: Manifest
    classifier: Classifier | None
    search: Searcher
    writer: ResponseGenerator | None


def load_assistant(database: Database, settings: Settings, release_id: str) -> Assistant:
    """The release ready to answer over the live knowledge.

    Raises BundleError where a file is missing or damaged.
    """
    folder = bundle_folder(settings, release_id)
    manifest = verify(folder)
    threads = settings.inference_threads
    encoders = load_encoders(folder, manifest.encoders, threads=threads)
    classifier = load_classifier(folder, encoders, threads=threads)
    search = Searcher.open(database, encoders, model=_search_model(folder), index=settings.data / "index")
    writer, lookup = load_writer(folder, threads=threads), DatabaseLookup(database)
    heard = load_heard(folder)
    return Assistant(
        release_id=release_id,
        languages=manifest.languages,
        classifier=classifier,
        search=search,
        writer=writer,
        lookup=lookup,
        weighing=Weighing.load(folder / WEIGHING) if (folder / WEIGHING).is_file() else None,
        heard=heard,
        provisional=_provisional(database, encoders, classifier),
        actions=DatabaseActions(database, settings),
        named=load_finder(folder, threads=threads),
        next_intents=NextIntents.load(folder, threads=threads) if (folder / "next").is_dir() else None,
        past=PastDrafting(
            LazyPastAnswers(partial(PastAnswerIndex.load, folder, threads=threads)),
            search=search,
            lookup=lookup,
            scores=writer,
        )
        if (folder / PAST_ANSWERS).is_dir()
        else None,
        own_encoders=[lang for lang in manifest.languages if _own(encoder_for(lang, encoders))],
        writes=_writes(database, release_id),
        names=_names(database),
        spelling=_spelling(database, search, encoders, heard.words),
    )


def _spelling(
    database: Database, search: Searcher, encoders: Mapping[str, LoadedEncoder], words: SaidWords
) -> Spelling:
    """English slips are mended where a general encoder knows English: its tokenizer is the dictionary. Chinese ones by
    what was written about the company before."""
    homophones = None
    if words.texts(CHINESE) >= ENOUGH:
        said = partial(words.shares, lang=CHINESE)
        homophones = Homophones(alike(), general_words(), said, partial(_stands, database), FILLER)
    encoder = encoder_for(ENGLISH, encoders)
    if _own(encoder):
        return Spelling(homophones=homophones)
    return Spelling(base_of(encoder).dictionary, partial(search.spread, lang=ENGLISH), homophones)


def _stands(database: Database, text: str) -> int:
    """In how many Chinese passages ``text`` stands; nobody asks beyond `SEVERAL`."""
    with database.read() as session:
        where = or_(Passage.text.contains(text), Passage.title_path.contains(text))
        query = select(Passage.id).where(Passage.lang == CHINESE, Passage.enabled, where).limit(SEVERAL)
        return len(session.scalars(query).all())


def _names(database: Database) -> frozenset[str]:
    """The words in Latin letters that stand in Chinese titles: names of products, whatever language they stand in."""
    with database.read() as session:
        titles = session.scalars(select(Article.title).where(Article.lang == "zh", Article.status == "live"))
        return frozenset().union(*map(latin_words, titles))


def _writes(database: Database, release_id: str) -> frozenset[str]:
    """The languages in which the release's generator passed its gate; none where that was never measured."""
    with database.read() as session:
        row = session.get(Release, release_id)
    return passed_in(row.metrics) if row is not None else frozenset()


def load_heard(folder: Path) -> Heard:
    """What releases made before do not have says nothing."""
    words, questions = folder / SAID_WORDS, folder / ASKED_AFTER
    return Heard(
        SaidWords.load(words) if words.is_file() else SaidWords({}),
        AskedAfter.load(questions) if questions.is_file() else AskedAfter({}),
    )


def _own(encoder: Encoder) -> bool:
    """Whether the encoder was trained with the release, or there is none at all."""
    base = base_of(encoder)
    return not isinstance(base, SentenceEncoder) or base.name == DOMAIN


def load_understanding(
    database: Database, settings: Settings, release_id: str
) -> tuple[Provisional, Classifier | None]:
    """The provisional intents as this release's encoders see them, and its classifier; None where it has none.

    Raises BundleError.
    """
    encoders, classifier = _understanding(settings, release_id)
    return _provisional(database, encoders, classifier), classifier


def _understanding(settings: Settings, release_id: str) -> tuple[dict[str, LoadedEncoder], Classifier | None]:
    folder = bundle_folder(settings, release_id)
    manifest = verify(folder)
    encoders = load_encoders(folder, manifest.encoders, threads=settings.inference_threads)
    return encoders, load_classifier(folder, encoders, threads=settings.inference_threads)


def _provisional(
    database: Database, encoders: Mapping[str, LoadedEncoder], classifier: Classifier | None
) -> Provisional:
    def alike(texts: Sequence[str], lang: str) -> NDArray[np.float32]:
        encoder = encoder_for(lang, encoders)
        base = encoder.base if isinstance(encoder, AdaptedEncoder) else encoder
        if not isinstance(base, SentenceEncoder):
            return encoder.encode(texts)
        vectors = base.vectors_alike(texts)
        return encoder.adapt(vectors) if isinstance(encoder, AdaptedEncoder) else vectors

    return Provisional(
        database,
        lambda texts, lang: encoder_for(lang, encoders).encode(texts),
        labels=classifier.labels if classifier else (),
        encode_alike=alike,
    )


def load_parts(settings: Settings, release_id: str, *, snapshot: Snapshot) -> Parts:
    """The release's classifier and generator, and its search over ``snapshot``'s passages and training questions."""
    folder = bundle_folder(settings, release_id)
    manifest = verify(folder)
    encoders = load_encoders(folder, manifest.encoders, threads=settings.inference_threads)
    return Parts(
        manifest,
        load_classifier(folder, encoders, threads=settings.inference_threads),
        frozen_search(snapshot, encoders, _search_model(folder), index=settings.data / "index"),
        load_writer(folder, threads=settings.inference_threads),
    )


def frozen_search(
    snapshot: Snapshot,
    encoders: Mapping[str, LoadedEncoder],
    model: SearchModel | None,
    *,
    index: Path | None = None,
) -> Searcher:
    """A search over a snapshot: its passages, and its training questions as other ways to ask for an article.

    ``index``: folder whose stored vectors are used, and added to.
    """
    passages, questions, slugs = entries(snapshot)
    searcher = Searcher(encoders, knowledge=ListedKnowledge(passages, slugs=slugs), model=model)
    if index is not None:
        searcher.keep_in(index)
    searcher.put(passages, questions)
    return searcher


def entries(snapshot: Snapshot) -> tuple[list[PassageEntry], list[QuestionEntry], dict[int, str]]:
    """The snapshot's passages and training questions as the search takes them in, and the articles' slugs."""
    numbers: dict[tuple[str, str], int] = {}
    for row in snapshot.passages:
        numbers.setdefault((row["article"], row["lang"]), len(numbers) + 1)
    passages = [
        PassageEntry(
            row["id"], numbers[row["article"], row["lang"]], row["lang"], row["title_path"], row["text"]
        )
        for row in snapshot.passages
    ]
    questions = [
        QuestionEntry(number, numbers[row["article"], row["lang"]], row["lang"], row["query"])
        for number, row in enumerate(snapshot.pairs, 1)
        if row["split"] == "train" and (row["article"], row["lang"]) in numbers
    ]
    return passages, questions, {number: slug for (slug, _), number in numbers.items()}


def load_encoders(
    folder: Path,
    encoders: Mapping[str, str],
    *,
    threads: int,
    kind: type[SentenceEncoder] = SentenceEncoder,
) -> dict[str, LoadedEncoder]:
    """By language (``*``: any other), adapted where the search fit found that better. Raises BundleError."""
    loaded = {name: kind.load(folder / name, threads=threads) for name in set(encoders.values())}
    serving: dict[str, LoadedEncoder] = {lang: loaded[name] for lang, name in encoders.items()}
    for path in sorted((folder / ADAPTERS).glob("*.npy")):
        base = serving.get(path.stem) or serving.get(ANY_LANGUAGE)
        if isinstance(base, SentenceEncoder):
            try:
                matrix = np.load(path, allow_pickle=False)
            except (OSError, ValueError, EOFError) as error:
                raise BundleError("The adapter cannot be read", value=path.name, remedy="Retrain") from error
            serving[path.stem] = AdaptedEncoder(base, matrix, lang=path.stem)
    return serving


def save_adapters(folder: Path, adapted: Mapping[str, AdaptedEncoder]) -> None:
    """Write the matrices into the bundle ``folder``, one file a language."""
    for lang, encoder in adapted.items():
        (folder / ADAPTERS).mkdir(exist_ok=True)
        np.save(folder / ADAPTERS / f"{lang}.npy", encoder.matrix, allow_pickle=False)


def load_classifier(
    folder: Path, encoders: Mapping[str, LoadedEncoder], *, threads: int
) -> Classifier | None:
    """The release's tiers behind one interface; the accurate one reads the states of the encoder it was trained on."""
    part = folder / "classifier"
    if not part.is_dir():
        return None
    general = [found for found in map(base_of, encoders.values()) if isinstance(found, SentenceEncoder)]
    wanted = encoder_wanted(part)
    chosen = next((found for found in general if found.fingerprint == wanted), None)
    return load_tiers(part, threads=threads, encoder=chosen or next(iter(general), None))


def load_writer(folder: Path, *, threads: int) -> ResponseGenerator | None:
    return ResponseGenerator.load(folder, threads=threads) if (folder / "generator").is_dir() else None


def load_finder(folder: Path, *, threads: int) -> Finder:
    """What messages name, as far as the release has learned it and is sure of it."""
    if not (folder / ENTITIES).is_dir():
        return nothing
    return partial(EntityTagger.load(folder, threads=threads).find, least=SURE_OF_ENTITY)


def _search_model(folder: Path) -> SearchModel | None:
    path = folder / SEARCH_MODEL
    return SearchModel.load(path) if path.is_file() else None
