"""``bench discovery``: intents proposed from messages without labels, against the labels that they have.

The labels are read for scoring alone. Messages that no cluster took count as one cluster of their own, so that
leaving out the hard ones earns nothing.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chatbot.errors import FileError
from web.bench.figures import json_option, write_figures
from web.bench.rows import read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
BASELINE_STARTS = 4


@click.command("discovery")
@click.option(
    "--conversations", "file", type=FILE, required=True, help="Dialogue or intent rows; labels only score."
)
@click.option("--seed", type=int, default=13, show_default=True)
@json_option
def command(file: Path, seed: int, json_file: Path | None) -> None:
    """Measure intent discovery: how well the proposed clusters agree with the true intents."""
    from web.terminal import TerminalProgress, print_values

    rows = labelled_openings(read_rows(file))
    with TerminalProgress() as progress:
        figures = measure(rows, seed=seed, progress=progress)
    write_figures(figures, json_file)
    print_values("Intent discovery", figures)


def measure(
    rows: Sequence[tuple[str, str, str]],
    *,
    seed: int = 13,
    encode: Callable[[Sequence[str]], NDArray[np.float32]] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """``rows``: (text, language, true intent). ``encode`` stands in for the packaged encoders."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    tell = progress or (lambda stage, share: None)
    began = time.monotonic()
    labels, languages = clustered(rows, seed=seed, encode=encode, progress=progress)
    seconds = time.monotonic() - began
    truth = np.unique([intent for _, _, intent in rows], return_inverse=True)[1]
    count = len(set(labels[labels >= 0].tolist()))
    tell("baseline", 0.0)
    plain = _baseline(rows, languages, labels, seed)
    return {
        "n": len(rows),
        **_agreement(truth, labels),
        "purity": _percent(_purity(truth, labels)),
        "coverage": _percent((labels >= 0).mean()),
        "n_clusters": count,
        "n_true": int(truth.max()) + 1,
        "seconds": round(seconds, 1),
        "baseline": {
            "ami": _agreement(truth, plain)["ami"],
            "ari": _percent(adjusted_rand_score(truth, plain)),
        },
    }


def clustered(
    rows: Sequence[tuple[str, str, str]],
    *,
    seed: int,
    encode: Callable[[Sequence[str]], NDArray[np.float32]] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[NDArray[np.int64], dict[str, list[int]]]:
    """A label for each row, -1 where no cluster took it, and the rows of each language."""
    import numpy as np

    from chatbot.learning.discovery import cluster_questions

    tell = progress or (lambda stage, share: None)
    by_language: dict[str, list[int]] = defaultdict(list)
    for place, (_, lang, _) in enumerate(rows):
        by_language[lang].append(place)
    labels = np.full(len(rows), -1, dtype=np.int64)
    number = 0
    for lang, places in sorted(by_language.items()):
        texts = [rows[place][0] for place in places]
        encoder = encode or packaged_vectors(tell, lang)
        vectors = encoder(texts) if encoder is not None else None
        stage = f"clusters ({lang})"
        tell(stage, 0.0)
        found = cluster_questions(texts, vectors, seed=seed, progress=partial(tell, stage))
        labels[places] = np.where(found.labels >= 0, found.labels + number, -1)
        number += found.count
    return labels, by_language


def packaged_vectors(
    tell: Callable[[str, float], None], lang: str
) -> Callable[[Sequence[str]], NDArray[np.float32]] | None:
    """The packaged encoder of a language as it serves, exported to a temporary folder; None where none knows it."""
    import tempfile

    import numpy as np

    from chatbot.inference.encode import SentenceEncoder
    from chatbot.learning.encoders import DOMAIN, ensure_encoder, packaged_for

    chosen = packaged_for(lang)
    if chosen == DOMAIN:
        return None

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        with tempfile.TemporaryDirectory() as name:
            encoder = SentenceEncoder.load(ensure_encoder(chosen, Path(name)))
            parts = []
            for begin in range(0, len(texts), 500):
                tell("encoding", begin / len(texts))
                parts.append(encoder.encode(texts[begin : begin + 500]))
        return np.concatenate(parts)

    return encode


def labelled_openings(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """(text, language, intent) of intent rows, or of dialogues' first customer turns; the rest is left out.

    Raises FileError where no row has a text and an intent.
    """
    from chatbot.language.normalise import detect_language

    found = []
    for row in rows:
        text, intent = row.get("text"), row.get("intent", row.get("sentiment"))
        if "turns" in row:
            text = next((turn["text"] for turn in row["turns"] if turn.get("role") == "customer"), None)
        if isinstance(text, str) and text.strip() and isinstance(intent, str):
            found.append((text, str(row.get("lang") or detect_language(text)), intent))
    if not found:
        raise FileError(
            "No row has a text and an intent",
            field="conversations",
            remedy='Use rows {"text", "intent"} or {"turns", "intent"}',
        )
    return found


def _baseline(
    rows: Sequence[tuple[str, str, str]],
    languages: dict[str, list[int]],
    labels: NDArray[np.int64],
    seed: int,
) -> NDArray[np.int64]:
    """TF-IDF k-means with the same number of clusters a language: words, for Chinese characters and their pairs."""
    import numpy as np
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = np.zeros(len(rows), dtype=np.int64)
    number = 0
    for lang, places in sorted(languages.items()):
        own = labels[places]
        count = max(len(set(own[own >= 0].tolist())), 1)
        by_characters = {"analyzer": "char", "ngram_range": (1, 2)} if lang == "zh" else {}
        weights = TfidfVectorizer(sublinear_tf=True, **by_characters).fit_transform(
            [rows[place][0] for place in places]
        )
        model = KMeans(count, n_init=BASELINE_STARTS, random_state=seed)
        found[places] = model.fit_predict(weights) + number
        number += count
    return found


def _agreement(truth: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[str, float]:
    from sklearn.metrics import (
        adjusted_mutual_info_score,
        adjusted_rand_score,
        normalized_mutual_info_score,
    )

    return {
        "ami": _percent(adjusted_mutual_info_score(truth, labels)),
        "ari": _percent(adjusted_rand_score(truth, labels)),
        "nmi": _percent(normalized_mutual_info_score(truth, labels)),
    }


def _purity(truth: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """Share of the clustered messages whose intent is their cluster's most frequent one."""
    held: dict[int, Counter[int]] = defaultdict(Counter)
    for intent, label in zip(truth.tolist(), labels.tolist(), strict=True):
        if label >= 0:
            held[label][intent] += 1
    inside = sum(sum(counts.values()) for counts in held.values())
    return sum(counts.most_common(1)[0][1] for counts in held.values()) / max(inside, 1)


def _percent(share: float) -> float:
    return round(100 * float(share), 2)
