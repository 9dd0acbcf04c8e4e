"""Messages that ask for the same, found without a label: a graph of neighbours, its spectrum, Ward's tree over it.

Two messages are as near as their sentence vectors (where an encoder knows the language) and their words say together.
Each is tied to its nearest neighbours; the leading eigenvectors of the normalised graph (Ng, Jordan and Weiss, "On
spectral clustering", 2001) put what hangs together in one place, also where no single pair of words agrees; Ward's
method (1963) builds the tree that merging and splitting follow. The number of clusters is where the partition's
modularity over the graph (Newman and Girvan 2004; with the resolution of Reichardt and Bornholdt 2006) is greatest.

numpy, scipy and scikit-learn alone: no database, no network of our own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.wording import says_nothing
from chatbot.language.normalise import fold, is_han

UNASSIGNED = -1
_ENOUGH_KNOWN = 50  # texts that tell how near their kind lies
_KNOWN_READ = 500  # of these as many as are read for it
_DENSE = 400  # messages up to which all eigenvectors are computed at once

_PLACEHOLDER = re.compile(r"\[[a-z]+(?:_\d+)?\]")
_PIECE = re.compile(r"[^\W\d_\u3400-\u9fff]+(?:['’][a-z]+)?|[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Chosen among some twenty settings on abcd_utterances, smp2017_zh and star; the resolution also on banking77."""

    neighbours: int = 10
    word_share: float = 0.5  # weight of the words' cosine beside the encoder's
    resolution: float = 1.5  # above 1: more and smaller clusters
    least: int = 5  # messages of a cluster; fewer are left unassigned
    agreement: float = 0.15  # share of a message's ties that must stay inside its cluster
    most_texts: int = 12_000  # clustered at once; of more, a sample is, and the rest joins its nearest
    most_clusters: int = 200
    dimensions: int = 40  # of the spectrum that are kept
    power: float = 6.0  # of an eigenvalue, as its weight
    one_vote: bool = False  # each message's ties to its nearest sum to one, however near these are
    seed: int = 13


@dataclass(frozen=True, slots=True)
class Clustering:
    """``labels`` int [n]: 0 … ``count`` - 1, or UNASSIGNED; ``strength`` float [n]: 0 … 1, how surely it belongs."""

    labels: NDArray[np.int64]
    strength: NDArray[np.float32]
    count: int

    def members(self, label: int) -> NDArray[np.int64]:
        """Rows of a cluster, the most typical first."""
        rows = np.flatnonzero(self.labels == label)
        found: NDArray[np.int64] = rows[np.argsort(-self.strength[rows], kind="stable")]
        return found

    @property
    def coverage(self) -> float:
        return float((self.labels != UNASSIGNED).mean()) if len(self.labels) else 0.0


def words_of(text: str) -> list[str]:
    """Words of Latin text, characters and pairs of characters of Chinese; placeholders and numbers say nothing."""
    found: list[str] = []
    for piece in _PIECE.findall(_PLACEHOLDER.sub(" ", fold(text))):
        if is_han(piece[0]):
            found += [*piece, *(a + b for a, b in pairwise(piece))]
        else:
            found.append(piece)
    return found


def cluster(
    texts: Sequence[str],
    vectors: NDArray[np.float32] | None = None,
    *,
    settings: ClusterSettings | None = None,
    clusters: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Clustering:
    """Clusters of ``texts``; ``vectors``: unit sentence vectors [n, dimension], or None where no encoder knows them.

    Equal texts are clustered once and share their label. ``clusters`` fixes the number; else it is found.
    """
    settings = settings or ClusterSettings()
    tell = progress or (lambda share: None)
    distinct, of_text = _distinct(texts)
    if (
        len(distinct) < 2 * settings.least
    ):  # too few to tell apart: each text that is asked often is a cluster
        return _numbered(of_text, np.ones(len(texts), dtype=np.float32), settings)
    chosen = [texts[row] for row in distinct]
    features = _features(chosen, vectors[distinct] if vectors is not None else None, settings)
    tell(0.1)
    rng = np.random.default_rng(settings.seed)
    core = np.arange(len(distinct))
    if len(core) > settings.most_texts:
        core = np.sort(rng.permutation(len(core))[: settings.most_texts])
    labels = np.full(len(distinct), UNASSIGNED, dtype=np.int64)
    strength = np.zeros(len(distinct), dtype=np.float32)
    labels[core], strength[core] = _partition(features.rows(core), settings, clusters, tell)
    rest = np.setdiff1d(np.arange(len(distinct)), core)
    if len(rest):
        labels[rest], strength[rest] = _join(features, core, rest, labels[core], settings)
    tell(0.95)
    return _numbered(labels[of_text], strength[of_text], settings)


def nearest_known(
    texts: Sequence[str],
    vectors: NDArray[np.float32] | None,
    known: Sequence[str],
    known_vectors: NDArray[np.float32] | None,
    labels: NDArray[np.int64],
    *,
    least: float,
    settings: ClusterSettings | None = None,
) -> NDArray[np.int64]:
    """For each text the label that its nearest ``known`` texts agree on, UNASSIGNED where none is as like as
    ``least`` (similarity of meaning and words, 0 … 1) or they disagree.

    How near two messages of one kind lie depends on the encoder and on how they are written: where four in five of the
    known ones lie nearer to another than ``least``, this is the bound, else what they do reach is.
    """
    settings = settings or ClusterSettings()
    found = np.full(len(texts), UNASSIGNED, dtype=np.int64)
    if not len(texts) or not len(known):
        return found
    n = len(texts)
    both = None if vectors is None or known_vectors is None else np.concatenate([vectors, known_vectors])
    features = _features([*texts, *known], both, settings)
    count = min(3, len(known))
    among = features.rows(np.arange(n, n + len(known)))
    places, near = _nearest(features.rows(np.arange(n)), among, count, itself=False)
    least = min(least, _usual_nearness(among))
    for at in range(n):
        alike = labels[places[at][near[at] >= least]]
        if len(alike) and 2 * (alike == alike[0]).sum() > len(alike):
            found[at] = np.bincount(alike).argmax()
    return found


def _usual_nearness(known: _Features) -> float:
    """The similarity to its nearest other that four in five of the known texts reach; 1 where they are few."""
    n = known.words.shape[0]
    if n < _ENOUGH_KNOWN:
        return 1.0
    chosen = np.sort(np.random.default_rng(13).permutation(n)[:_KNOWN_READ])
    both = _nearest(known.rows(chosen), known, 2, itself=False)[1]  # itself, and the nearest other
    return float(np.quantile(both.min(axis=1), 0.2))


def nested(
    texts: Sequence[str],
    vectors: NDArray[np.float32] | None,
    numbers: Sequence[int],
    *,
    settings: ClusterSettings | None = None,
) -> list[NDArray[np.int64]]:
    """Cuts of one tree into each of ``numbers`` groups, finer ones within coarser ones: labels int [n] each.

    Many small groups need more of the spectrum than the few that are proposed as intents.
    """
    from scipy.cluster.hierarchy import fcluster

    settings = settings or ClusterSettings()
    distinct, of_text = _distinct(texts)
    chosen = [texts[row] for row in distinct]
    features = _features(chosen, vectors[distinct] if vectors is not None else None, settings)
    finer = replace(settings, dimensions=100, power=3.0)
    grown = _grow(features, finer, max(numbers), lambda share: None)
    return [(fcluster(grown.tree, number, "maxclust") - 1)[of_text] for number in numbers]


def _distinct(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the distinct texts by their words, and for each text its place among these."""
    folded = [" ".join(words_of(text)) or fold(text) for text in texts]
    first: dict[str, int] = {}
    for row, text in enumerate(folded):
        first.setdefault(text, row)
    place = {text: at for at, text in enumerate(first)}
    return np.array(list(first.values()), dtype=np.int64), np.array([place[text] for text in folded])


def key_terms(texts: Sequence[str], labels: NDArray[np.int64], *, most: int = 6) -> dict[int, list[str]]:
    """What sets each cluster's words apart: each term's share of the Kullback-Leibler divergence between the cluster's
    words and all words, p log(p / q); only terms that at least a tenth of the cluster's messages have, or where none
    is, a fiftieth. Words that name nothing ("how", "the") stand out in a mixed cluster, and are left out."""
    uses: dict[int, Counter[str]] = {}
    held: dict[int, Counter[str]] = {}
    sizes: Counter[int] = Counter()
    total: Counter[str] = Counter()
    for text, label in zip(texts, labels.tolist(), strict=True):
        found = [word for word in words_of(text) if len(word) > 1 and not says_nothing(word)]
        total.update(found)
        if label != UNASSIGNED:
            uses.setdefault(label, Counter()).update(found)
            held.setdefault(label, Counter()).update(set(found))
            sizes[label] += 1
    whole = sum(total.values()) or 1
    ranked: dict[int, list[str]] = {}
    for label, counted in uses.items():
        words = sum(counted.values()) or 1
        scored = sorted(
            (-(number / words) * np.log((number / words) / (total[word] / whole)), word)
            for word, number in counted.items()
        )
        apart = [word for score, word in scored if score < 0]
        for share in (10, 50):
            least = max(2, sizes[label] / share)
            ranked[label] = [word for word in apart if held[label][word] >= least][:most]
            if ranked[label]:
                break
    return ranked


@dataclass(frozen=True, slots=True)
class _Features:
    """What similarity is computed from: sentence vectors [n, d] or None, and sparse unit word weights [n, words]."""

    vectors: NDArray[np.float32] | None
    words: Any
    word_share: float

    def rows(self, chosen: NDArray[np.int64]) -> _Features:
        vectors = self.vectors[chosen] if self.vectors is not None else None
        return _Features(vectors, self.words[chosen], self.word_share)

    def similarity(self, others: _Features) -> NDArray[np.float32]:
        """[n, others], at most 1."""
        mixed: NDArray[np.float32] = (self.words @ others.words.T).toarray().astype(np.float32)
        if self.vectors is not None and others.vectors is not None:
            mixed *= self.word_share
            mixed += self.vectors @ others.vectors.T
            mixed /= 1 + self.word_share
        return mixed


def _features(
    texts: Sequence[str], vectors: NDArray[np.float32] | None, settings: ClusterSettings
) -> _Features:
    from sklearn.feature_extraction.text import TfidfVectorizer

    weigher = TfidfVectorizer(analyzer=words_of, sublinear_tf=True, dtype=np.float32)
    try:
        words = weigher.fit_transform(texts).tocsr()
    except ValueError:  # not one word among them
        from scipy.sparse import csr_matrix

        words = csr_matrix((len(texts), 1), dtype=np.float32)
    return _Features(vectors, words, settings.word_share)


def _nearest(
    rows: _Features, among: _Features, count: int, *, itself: bool
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The ``count`` nearest of ``among`` for each row: places and similarities [n, count]."""
    n = rows.words.shape[0]
    places = np.empty((n, count), dtype=np.int64)
    near = np.empty((n, count), dtype=np.float32)
    for begin in range(0, n, 1000):
        part = np.arange(begin, min(begin + 1000, n))
        found = rows.rows(part).similarity(among)
        if itself:
            found[np.arange(len(part)), part] = -1.0
        best = np.argpartition(-found, count - 1, axis=1)[:, :count]
        places[part], near[part] = best, np.take_along_axis(found, best, axis=1)
    return places, near


@dataclass(frozen=True, slots=True)
class _Grown:
    """Ward's tree over the spectrum, with the graph that it came from."""

    tree: NDArray[np.float64]
    ties: Any  # sparse [n, n], symmetric
    degree: NDArray[np.float64]
    places: NDArray[np.int64]  # [n, neighbours]
    weights: NDArray[np.float32]  # [n, neighbours]


def _grow(features: _Features, settings: ClusterSettings, most: int, tell: Callable[[float], None]) -> _Grown:
    from scipy.cluster.hierarchy import ward
    from scipy.sparse import csr_matrix, diags
    from scipy.sparse.linalg import eigsh

    n = features.words.shape[0]
    count = min(settings.neighbours, n - 1)
    places, near = _nearest(features, features, count, itself=True)
    weights = np.maximum(near, 1e-3) ** 2
    rows = np.repeat(np.arange(n), count)
    votes = weights / weights.sum(axis=1, keepdims=True) if settings.one_vote else weights
    ties = csr_matrix((votes.ravel(), (rows, places.ravel())), shape=(n, n)).astype(np.float64)
    ties = (ties + ties.T) / 2 if settings.one_vote else ties.maximum(ties.T)
    tell(0.3)
    degree = np.asarray(ties.sum(axis=1)).ravel()
    scale = diags(1 / np.sqrt(degree))
    dimensions = max(2, min(settings.dimensions, most, n // 8))
    graph = scale @ ties @ scale
    if n <= _DENSE:
        values, spectrum = np.linalg.eigh(graph.toarray())
        values, spectrum = values[-dimensions:], spectrum[:, -dimensions:]
    else:
        # any start but sqrt(degree), an eigenvector itself: from there the others of a graph in pieces stay unseen
        start = np.random.default_rng(settings.seed).random(n)
        values, spectrum = eigsh(graph, k=dimensions, which="LA", v0=start)
    tell(0.7)
    placed = spectrum * np.maximum(values, 0.0) ** settings.power
    placed /= np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-12)
    return _Grown(ward(placed), ties, degree, places, weights)


def _partition(
    features: _Features, settings: ClusterSettings, clusters: int | None, tell: Callable[[float], None]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    from scipy.cluster.hierarchy import fcluster

    n = features.words.shape[0]
    most = clusters or max(1, min(settings.most_clusters, n // settings.least))
    grown = _grow(features, settings, most, tell)
    if clusters is not None:
        labels = fcluster(grown.tree, clusters, "maxclust") - 1
    else:
        best, labels = -1.0, np.zeros(n, dtype=np.int64)
        for number in _numbers(most):
            tried = fcluster(grown.tree, number, "maxclust") - 1
            sizes = np.bincount(tried)
            kept = sizes[sizes >= settings.least].sum() / n  # crumbs are let go later: they earn nothing here
            quality = kept * _modularity(grown.ties, grown.degree, tried, settings.resolution)
            if quality > best:
                best, labels = quality, tried
    inside = (labels[grown.places] == labels[:, None]) * grown.weights
    return labels.astype(np.int64), (inside.sum(axis=1) / grown.weights.sum(axis=1)).astype(np.float32)


def _numbers(most: int) -> list[int]:
    """1, 2, 3 … in steps of about a twentieth: modularity is flat around its top."""
    found, number = [], 1
    while number <= most:
        found.append(number)
        number += max(1, number // 20)
    return found


def _modularity(
    ties: Any, degree: NDArray[np.float64], labels: NDArray[np.int64], resolution: float
) -> float:
    coo = ties.tocoo()
    total = degree.sum()
    inside = coo.data[labels[coo.row] == labels[coo.col]].sum() / total
    expected = (np.bincount(labels, weights=degree) / total) ** 2
    return float(inside - resolution * expected.sum())


def _join(
    features: _Features,
    core: NDArray[np.int64],
    rest: NDArray[np.int64],
    labels: NDArray[np.int64],
    settings: ClusterSettings,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each of the rest votes with its nearest clustered texts."""
    places, near = _nearest(features.rows(rest), features.rows(core), settings.neighbours, itself=False)
    weights = np.maximum(near, 1e-3) ** 2
    joined = np.empty(len(rest), dtype=np.int64)
    strength = np.empty(len(rest), dtype=np.float32)
    for at in range(len(rest)):
        votes = np.bincount(labels[places[at]], weights=weights[at])
        joined[at] = votes.argmax()
        strength[at] = votes.max() / votes.sum()
    return joined, strength


def _numbered(
    labels: NDArray[np.int64], strength: NDArray[np.float32], settings: ClusterSettings
) -> Clustering:
    """Stragglers and small clusters are let go; the rest is numbered by size, the largest 0."""
    labels = np.where(strength >= settings.agreement, labels, UNASSIGNED)
    sizes = Counter(labels[labels != UNASSIGNED].tolist())
    kept = [label for label, size in sizes.most_common() if size >= settings.least]
    number = {label: at for at, label in enumerate(kept)}
    found = np.array([number.get(label, UNASSIGNED) for label in labels.tolist()], dtype=np.int64)
    return Clustering(found, np.where(found == UNASSIGNED, 0.0, strength).astype(np.float32), len(kept))
