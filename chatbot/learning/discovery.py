"""Intents found in messages that nobody labelled: what belongs together, what it is called, what agents answered.

Where a sentence encoder knows the language its vectors are used. Elsewhere (Chinese without its package) the
words alone make a first partition, a small encoder of our own (chatbot/learning/domain_encoder.py) is trained so that
messages of one cluster come near each other, and the messages are clustered again by both: characters that customers
use for the same thing have then moved together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chatbot.language.normalise import fold
from chatbot.learning.clustering import Clustering, ClusterSettings, cluster, words_of

ENCODER_EPOCHS = 8
UNAIDED = ClusterSettings(neighbours=20, word_share=1.0, one_vote=True)
"""Settings where no encoder knows the language and there are messages enough: two of them share fewer words than
meanings, so that more neighbours are asked; the small encoder trained on the words knows no more than they do. How
near two messages are by their words depends on how many these are: groups of short messages alike held whole parts of
the graph together, so that each message has one vote to give to its neighbours."""
_ENOUGH = 500  # messages; among fewer the nearest twenty are of several intents
_MIN_TO_TRAIN = 200  # messages; fewer teach an encoder nothing
_NAME_WORDS = 3


def cluster_questions(
    texts: Sequence[str],
    vectors: NDArray[np.float32] | None = None,
    *,
    settings: ClusterSettings | None = None,
    seed: int = 13,
    clusters: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Clustering:
    """Clusters of messages of one language; ``vectors`` as in `cluster`, None where no encoder knows the language."""
    settings = replace(
        settings or (UNAIDED if vectors is None and len(texts) >= _ENOUGH else ClusterSettings()), seed=seed
    )
    tell = progress or (lambda share: None)
    if vectors is not None:
        return cluster(texts, vectors, settings=settings, clusters=clusters, progress=tell)
    first = cluster(texts, settings=settings, clusters=clusters, progress=lambda share: tell(share / 3))
    if len(texts) < _MIN_TO_TRAIN or first.count < 2:
        return first
    own = vectors_from_clusters(texts, first, seed=seed)
    tell(0.6)
    return cluster(
        texts, own, settings=settings, clusters=clusters, progress=lambda share: tell(0.6 + 0.4 * share)
    )


def vectors_from_clusters(
    texts: Sequence[str], found: Clustering, *, seed: int = 13, epochs: int = ENCODER_EPOCHS
) -> NDArray[np.float32]:
    """Unit vectors float32 [n, dimension] of an encoder trained to bring messages of one cluster together."""
    from chatbot.learning.domain_encoder import DomainEncoderSettings, Positive, fit_characters

    rng = np.random.default_rng(seed)
    positives = []
    for label in range(found.count):
        rows = found.members(label)
        for one, other in zip(rows, rng.permutation(rows), strict=True):
            if one != other:
                positives.append(Positive(texts[one], texts[other], str(label)))
    settings = DomainEncoderSettings(dimension=128, epochs=epochs, max_epochs=epochs)
    tokenizer, table = fit_characters(positives, seed=seed, extra_texts=texts, settings=settings)
    read = tokenizer.encode_batch_fast(list(texts))
    sums = np.stack([table[row.ids].sum(axis=0) for row in read])  # [n, dimension]
    vectors: NDArray[np.float32] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    return vectors.astype(np.float32)


def proposed_name(terms: Sequence[str]) -> str:
    """``card_arrival_delivery`` from key terms: those that say something new, at most three."""
    chosen: list[str] = []
    for term in terms:
        if not any(term in other or other in term for other in chosen):
            chosen.append(term)
        if len(chosen) == _NAME_WORDS:
            break
    return "_".join(chosen)[:100] or "unnamed"


def typical_answer(answers: Sequence[str]) -> str | None:
    """The answer that shares most with the others (a medoid by shared words); None where there is none."""
    kept = [answer for answer in dict.fromkeys(text.strip() for text in answers) if answer][:200]
    if not kept:
        return None
    sets = [set(words_of(answer)) for answer in kept]

    def likeness(at: int) -> float:
        own = sets[at]
        return sum(len(own & other) / max(len(own | other), 1) for other in sets)

    return kept[max(range(len(kept)), key=lambda at: (round(likeness(at), 9), -len(kept[at])))]


def varied_examples(texts: Sequence[str], rows: Sequence[int], *, most: int = 8) -> list[str]:
    """Typical and yet different: of ``rows`` (most typical first) those that share few words with those before."""
    chosen: list[str] = []
    seen: list[set[str]] = []
    for strict in (0.5, 0.8, 1.01):
        for row in rows:
            words = set(words_of(texts[row])) or {fold(texts[row])}
            alike = max((len(words & other) / len(words | other) for other in seen), default=0.0)
            if texts[row] not in chosen and alike < strict:
                chosen.append(texts[row])
                seen.append(words)
            if len(chosen) == most:
                return chosen
    return chosen
