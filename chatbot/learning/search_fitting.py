"""The search of a release: its encoders into the bundle, its ranking fitted on the company's own questions.

This runs where the indexes are, after training: fusion weights and the probability that a hit answers are fitted on
the snapshot's question-article pairs, over the passages as they will be searched.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.inference.encode import ANY_LANGUAGE, RememberingEncoder
from chatbot.learning.encoders import chosen_encoders, ensure_encoder
from chatbot.learning.loading import SEARCH_MODEL, LoadedEncoder, entries, load_encoders, save_adapters
from chatbot.learning.search_calibration import calibrate_search
from chatbot.learning.search_judging import SearchPair, joined
from chatbot.learning.snapshot import OUT_OF_SCOPE, Snapshot
from chatbot.retrieval.embeddings import EmbeddingCache
from chatbot.retrieval.search import EMBEDDINGS, encoder_for
from chatbot.settings import Settings

GENERAL = "encoder-general"  # folder of the bundle; with a language behind it where it is of that one alone


@dataclass(frozen=True, slots=True)
class FittedSearch:
    """``encoders``: language (``*``: any other) to folder of the bundle; ``loaded``: the same, ready, with the vectors
    of everything that was read for the fit.
    """

    encoders: dict[str, str]
    loaded: dict[str, LoadedEncoder]
    metrics: dict[str, Any]


def fit_search(
    snapshot: Snapshot, folder: Path, settings: Settings, *, encoders: dict[str, str]
) -> FittedSearch:
    """Put the general encoders beside the trained one (``encoders``) and write ``search.json`` into ``folder``."""
    serving = dict(encoders)
    for lang, name in chosen_encoders(settings.encoder).items():
        if lang in serving or lang not in (ANY_LANGUAGE, *snapshot.manifest.languages):
            continue
        serving[lang] = GENERAL if lang == ANY_LANGUAGE else f"{GENERAL}-{lang}"
        _link(ensure_encoder(name, settings.encoders), folder / serving[lang])
    passages, questions, slugs = entries(snapshot)
    langs = {entry.article: entry.lang for entry in passages}
    numbers = {(slug, langs[number]): number for number, slug in slugs.items()}
    pairs = joined(
        [
            SearchPair(
                row["query"],
                row["lang"],
                frozenset({numbers[row["article"], row["lang"]]}),
                seen=row["split"] == "train",
            )
            for row in asked_by_customers(snapshot)
            if row["split"] != "test" and (row["article"], row["lang"]) in numbers
        ]
    )
    pairs += [
        SearchPair(row["text"], row["lang"], frozenset(), seen=row["split"] == "train")
        for row in snapshot.examples
        if row["split"] != "test" and row["intent"] == OUT_OF_SCOPE
    ]
    loaded = load_encoders(folder, serving, threads=settings.inference_threads, kind=RememberingEncoder)
    # what is encoded here is wanted again by the evaluation, the index and the next retraining
    for encoder in loaded.values():
        if isinstance(encoder, RememberingEncoder):
            encoder.workers = settings.training_threads or os.cpu_count() or 1
            cache = EmbeddingCache(
                settings.data / "index" / EMBEDDINGS, encoder.fingerprint, encoder.dimension
            )
            encoder.store = cache.vectors
    for lang in sorted({pair.lang for pair in pairs}):  # at once: one by one, each is a visit to the store
        encoder_for(lang, loaded).encode([pair.query for pair in pairs if pair.lang == lang])
    fit = calibrate_search(passages, pairs, loaded, questions=questions, trained=encoders)
    fit.model.save(folder / SEARCH_MODEL)
    save_adapters(folder, fit.adapted)
    return FittedSearch(serving, {**loaded, **fit.adapted}, fit.metrics)


def asked_by_customers(snapshot: Snapshot) -> list[dict[str, Any]]:
    """The snapshot's pairs without an article's own title and given questions.

    Their author finds the article in its own words; a search fitted on these alone is sure of nothing else. With the
    demo's 66 English articles and no log, 99 % of the tuning questions were not answered, with a second question for
    each article 56 %; by the defaults 22 and 23 %.
    """
    return [row for row in snapshot.pairs if not row.get("own")]


def _link(source: Path, target: Path) -> None:
    """The same files under another name: many releases share one encoder, and its megabytes once."""
    target.mkdir()
    for path in source.iterdir():
        try:
            os.link(path, target / path.name)
        except OSError:  # another file system
            shutil.copy2(path, target / path.name)
