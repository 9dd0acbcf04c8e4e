"""What `bench retrieval` measures: a search built from files the way a release builds its own from the database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Hit, Message
from chatbot.errors import FileError, InputError
from chatbot.inference.encode import ANY_LANGUAGE, AdaptedEncoder, SentenceEncoder, Vectors
from chatbot.language.normalise import detect_language
from chatbot.learning.encoders import DOMAIN, PACKAGED, Precision, ensure_encoder, packaged_for
from chatbot.learning.search_calibration import CalibrationSettings, calibrate_search, fit_ranking
from chatbot.learning.search_judging import Judged, JudgingSettings, SearchPair, judge
from chatbot.retrieval.certain import floors, with_floors
from chatbot.retrieval.knowledge import ListedKnowledge, PassageEntry
from chatbot.retrieval.language_index import FEATURES, Candidates
from chatbot.retrieval.ranking import (
    CHARACTERS,
    DEFAULT,
    KEYWORD_ONLY,
    LanguageRanking,
    SearchModel,
    default_ranking,
)
from chatbot.retrieval.reading import read_query
from chatbot.retrieval.search import Encoder, Searcher

_HELD = (
    0.15  # of the training questions or documents: what a domain encoder is fitted on that did not see them
)
_MIN_FIT = 20


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """One question with the articles that answer it; none: it must be refused."""

    text: str
    right: frozenset[int]
    history: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found, before it is ranked. ``floors``: the least probability of each candidate (certain.py)."""

    query: AskedQuery
    candidates: Candidates
    floors: Callable[[Candidates], NDArray[np.float64]]

    def without(self, articles: frozenset[int]) -> Found:
        return replace(self, candidates=self.candidates.without(articles)) if articles else self

    def hits(self, ranking: LanguageRanking, k: int, *, certain: bool) -> list[tuple[int, float]]:
        """The best ``k`` articles, best first, with their stated probabilities; ``certain``: with what is certain
        before all else, as it is served."""
        least = self.floors(self.candidates) if certain else np.zeros(len(self.candidates.passages))
        placed = with_floors(self.candidates, ranking, least, k=k)
        return [(int(self.candidates.articles[place]), stated) for place, stated in placed]


class RememberingEncoder:
    """Encodes each text once, for building and for timing what is not the encoder; or, not ``remembers``, anew."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.remembers = True
        self._known: dict[str, Vectors] = {}
        self.fingerprint, self.dimension, self.languages = (
            encoder.fingerprint,
            encoder.dimension,
            encoder.languages,
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not self.remembers:
            return self._encoder.encode(texts)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        rows = [self._known[text] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), self.dimension)

    def turned(self, matrix: Vectors, lang: str) -> RememberingEncoder:
        """The same encoder, adapted; what is known of it is turned and not encoded again."""
        adapted = AdaptedEncoder(self._encoder, matrix, lang=lang)
        remembering = RememberingEncoder(adapted)
        if self._known:
            rows = adapted.adapt(np.stack(list(self._known.values())))
            remembering._known.update(zip(self._known, rows, strict=True))
        return remembering


@dataclass(slots=True)
class Prepared:
    """A search ready to be measured. ``rankings`` by mode: keyword, dense, hybrid."""

    lang: str
    numbers: dict[str, int]
    encoder_name: str
    encoder: RememberingEncoder
    searcher: Searcher
    rankings: dict[str, LanguageRanking]
    build_seconds: float
    train_seconds: float
    fit_figures: dict[str, Any] = field(default_factory=dict)

    def find(self, query: AskedQuery) -> Found:
        read = read_query(query.text, self.encoder, history=query.history)
        if read is None:
            empty = np.empty(0, dtype=np.int64)
            nothing = Candidates(empty, empty, np.empty((0, len(FEATURES)), dtype=np.float32))
            return Found(query, nothing, lambda found: np.zeros(0))
        part = self.searcher.part(self.lang)
        return Found(query, part.candidates(read), partial(floors, read, holding=part.holding))

    def hits(self, found: Found, mode: str, k: int) -> list[tuple[int, float]]:
        """The best ``k`` articles of a mode with their stated probabilities. Hybrid is what is served, so it alone
        has the floors: neither part by itself knows them."""
        return found.hits(self.rankings[mode], k, certain=mode == "hybrid")

    def search(self, query: AskedQuery) -> list[Hit]:
        """The whole way of a question, encoder included."""
        self.encoder.remembers = False
        return self.searcher.search(query.text, lang=self.lang, history=query.history)

    def search_encoded(self, query: AskedQuery) -> list[Hit]:
        """The way of a question whose vector is known already."""
        self.encoder.remembers = True
        return self.searcher.search(query.text, lang=self.lang, history=query.history)

    def index_bytes(self, folder: Path) -> int:
        return self.searcher.part(self.lang).save(folder)


def queries_of(rows: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]) -> list[AskedQuery]:
    """Raises FileError for a row without a question."""
    asked = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("query"), str):
            raise FileError(f"row {number} has no query", field="row", value=str(row)[:80])
        names = [row.get("faq_id"), *(row.get("also") or [])]
        right = frozenset(numbers[name] for name in names if name in numbers)
        if row.get("faq_id") is not None and not right:
            raise FileError(
                f"row {number} names a document that is not there", field="faq_id", value=row["faq_id"]
            )
        asked.append(AskedQuery(row["query"], right, _history(row.get("context"))))
    return asked


def _history(context: Any) -> tuple[Message, ...]:
    """The earlier turns: one text (the turn before), or a list of ``{"role", "text"}``."""
    if not context:
        return ()
    if isinstance(context, str):
        return (Message("agent", context),)
    return tuple(Message(turn["role"], turn["text"]) for turn in context if turn.get("text"))


def passages_of(documents: Sequence[Mapping[str, Any]], lang: str) -> list[PassageEntry]:
    """Each document one passage of its own article, numbered as in the file."""
    return [
        PassageEntry(
            number,
            number,
            lang,
            str(row.get("question") or row.get("title") or ""),
            str(row.get("answer") or row.get("body") or ""),
        )
        for number, row in enumerate(documents)
    ]


def prepare(
    documents: Sequence[dict[str, Any]],
    *,
    train: Sequence[dict[str, Any]],
    train_documents: Sequence[dict[str, Any]],
    valid: Sequence[dict[str, Any]],
    encoder: str | None,
    seed: int,
    work: Path,
    store: Path | None = None,
    precision: Precision = "int8",
    tell: Callable[[str, float], None],
) -> Prepared:
    """Train what can be trained, index the documents, fit the ranking on what was held out of the training.

    ``packaged`` is the packaged encoder of the documents' language. ``precision`` ``float32``: with the encoder as it
    was before it was made small. Raises InputError for an encoder that was trained for other languages, and for
    ``float32`` of one that has no other form.
    """
    from web.bench.retrieval_training import Lesson, lesson_of, train_encoder

    lang = _main_language(documents)
    passages = passages_of(documents, lang)
    numbers = {str(row["id"]): number for number, row in enumerate(documents)}
    chosen = packaged_for(lang) if encoder in (None, PACKAGED) else encoder
    if encoder == PACKAGED and chosen == DOMAIN:
        raise _not_for(lang, PACKAGED)
    if chosen == DOMAIN and precision != "int8":
        raise InputError(
            "The domain encoder is a table in half precision: it has no int8 form to compare",
            field="float",
            value=chosen,
            remedy="Leave --float out, or name a transformer with --encoder",
        )
    lesson = lesson_of(passages, numbers, train, train_documents, lang) if train else Lesson.empty()
    valid_pairs = [
        SearchPair(query.text, lang, query.right, query.history) for query in queries_of(valid, numbers)
    ]
    began = time.monotonic()
    settings = CalibrationSettings(seed=seed, judging=JudgingSettings(seed=seed))
    asked = [replace(pair.pair, seen=True) for pair in lesson.pairs]
    trained: tuple[str, ...] = ()
    dense = True
    if chosen != DOMAIN:
        tell("encoder", 0.0)
        general = SentenceEncoder.load(
            ensure_encoder(chosen, store or work / "encoders", precision=precision)
        )
        if general.languages and lang not in general.languages:
            raise _not_for(lang, chosen)
        final = base = RememberingEncoder(general)
    else:  # trained twice: on a part, to see how it finds what it has not seen, and on all
        held = lesson.held_out(_HELD, seed)
        base = RememberingEncoder(
            train_encoder(lesson.without(held), passages, work / "tried", lang=lang, seed=seed, tell=tell)
        )
        final = base
        if held:
            final = RememberingEncoder(
                train_encoder(lesson, passages, work / "encoder", lang=lang, seed=seed, tell=tell)
            )
        asked = [replace(pair.pair, seen=lesson.name_of(pair) not in held) for pair in lesson.pairs]
        dense = bool(lesson.positives)
        trained = (lang,) if dense else ()
    tell("fit", 0.0)
    judged: list[Judged] = []
    adapted = False
    if dense or valid_pairs:
        alike = lesson.same_documents or not lesson.pairs
        fit = calibrate_search(
            passages if alike else lesson.passages,
            [*asked, *valid_pairs] if alike else asked,
            {ANY_LANGUAGE: base},
            questions=lesson.questions() if alike else (),
            trained=trained,
            settings=settings,
        )
        if lang in fit.adapted:
            final = base.turned(fit.adapted[lang].matrix, lang)
        judged = fit.judged.get(lang, [])
        adapted = lang in fit.adapted and not judged
        if not alike and valid_pairs:
            judged += judge(passages, valid_pairs, final, settings=settings.judging)
    tell("fit", 1.0)
    start = KEYWORD_ONLY
    if dense:
        start = CHARACTERS if trained else default_ranking(len(passages), lang, adapted=adapted)
    rankings = _rankings(judged, start, settings)
    train_seconds = time.monotonic() - began
    began = time.monotonic()
    tell("index", 0.0)
    searcher = Searcher(
        {ANY_LANGUAGE: final},
        knowledge=ListedKnowledge(passages),
        model=SearchModel({lang: rankings["hybrid"]}),
    )
    searcher.put(passages, lesson.questions() if lesson.same_documents else lesson.known_questions())
    tell("index", 1.0)
    return Prepared(
        lang=lang,
        numbers=numbers,
        encoder_name=f"{chosen} ({final.fingerprint})",
        encoder=final,
        searcher=searcher,
        rankings=rankings,
        build_seconds=time.monotonic() - began,
        train_seconds=train_seconds,
        fit_figures={"pairs": len(judged), "fitted": len(judged) >= _MIN_FIT},
    )


def _not_for(lang: str, encoder: str) -> InputError:
    return InputError(
        f"No encoder of this name is there for documents of the language {lang}",
        field="encoder",
        value=encoder,
        remedy="Leave --encoder out, or use domain or a model for that language",
    )


def _rankings(
    judged: Sequence[Judged], hybrid: LanguageRanking, settings: CalibrationSettings
) -> dict[str, LanguageRanking]:
    """A ranking for each mode; fitted where there is something to fit on."""
    start = {"keyword": KEYWORD_ONLY, "dense": _only(DEFAULT, "cosine", "votes"), "hybrid": hybrid}
    if sum(bool(item.pair.articles) for item in judged) < _MIN_FIT:
        return start
    return {
        mode: fit_ranking(_masked(judged, mode), start=ranking, settings=settings)
        for mode, ranking in start.items()
    }


def _only(ranking: LanguageRanking, *marks: str) -> LanguageRanking:
    kept = {name: value for name, value in ranking.weights.items() if any(mark in name for mark in marks)}
    return replace(ranking, weights=kept)


def _masked(judged: Sequence[Judged], mode: str) -> list[Judged]:
    """The candidates as one of the two searches alone would see them: what it does not measure is 0."""
    if mode == "hybrid":
        return list(judged)
    hidden = [place for place, name in enumerate(FEATURES) if ("words" in name) != (mode == "keyword")]
    masked = []
    for item in judged:
        features = item.candidates.features.copy()
        features[:, hidden] = 0.0
        masked.append(replace(item, candidates=replace(item.candidates, features=features)))
    return masked


def _main_language(documents: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, int] = {}
    for row in random.Random(13).sample(list(documents), min(200, len(documents))):
        text = str(row.get("question") or row.get("title") or row.get("answer") or row.get("body") or "")
        lang = str(row.get("lang") or detect_language(text))
        counts[lang] = counts.get(lang, 0) + 1
    return max(counts, key=lambda lang: counts[lang])
