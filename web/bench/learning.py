"""``bench learning``: from messages without labels to a classifier, in how few decisions of an admin.

A simulated admin knows the labels of the training file and starts with none. The messages are cut into as many groups
as there are actions; naming a group gives all its messages the intent that most of them have (one action). The largest
groups come first; later those first that the classifier is least sure about (messages × doubt), and when every group
has a name, smaller groups whose label it doubts. The classifier is a logistic regression over the sentence vectors (the
words where no encoder knows the language), the same for the comparison: one random message labelled an action.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.bench.discovery import FILE, labelled_openings, packaged_vectors
from web.bench.figures import json_option, write_figures
from web.bench.rows import read_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST = 80  # actions before there is a model to doubt
ROUND = 40  # actions between two orderings of the queue
GROUP = 13  # messages of a group of the queue, on average
STEP = 50  # actions between two points of the curve
WANTED = 85.0
_MOST = 800  # random labels that are tried


@click.command("learning")
@click.option(
    "--train", "train_file", type=FILE, required=True, help="Intent rows; only the admin knows the labels."
)
@click.option("--test", "test_file", type=FILE, required=True, help="Intent rows to measure on.")
@click.option("--actions", type=click.IntRange(min=10), default=350, show_default=True)
@click.option("--seed", type=int, default=13, show_default=True)
@json_option
def command(train_file: Path, test_file: Path, actions: int, seed: int, json_file: Path | None) -> None:
    """Measure how few decisions turn unlabelled messages into a classifier."""
    from web.terminal import TerminalProgress, print_values

    with TerminalProgress() as progress:
        figures = measure(
            labelled_openings(read_rows(train_file)),
            labelled_openings(read_rows(test_file)),
            actions=actions,
            seed=seed,
            progress=progress,
        )
    write_figures(figures, json_file)
    print_values("Learning", figures)


def measure(
    train: Sequence[tuple[str, str, str]],
    test: Sequence[tuple[str, str, str]],
    *,
    actions: int,
    seed: int = 13,
    encode: Callable[[Sequence[str]], NDArray[np.float32]] | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Any]:
    """Rows are (text, language, intent); the language of most training rows decides about the encoder."""
    import numpy as np

    tell = progress or (lambda stage, share: None)
    began = time.monotonic()
    texts, asked = [row[0] for row in train], [row[0] for row in test]
    truth, expected = np.array([row[2] for row in train]), np.array([row[2] for row in test])
    lang = Counter(row[1] for row in train).most_common(1)[0][0]
    vectors = None
    encoder = encode or packaged_vectors(tell, lang)
    if encoder is not None:
        vectors = encoder([*texts, *asked])
        features, questions = vectors[: len(texts)], vectors[len(texts) :]
        vectors = features
    else:
        features, questions = _word_features(texts, asked)
    curve = _guided(texts, vectors, features, questions, truth, expected, actions, tell)
    chance = _random(features, questions, truth, expected, max(actions, _MOST), seed, tell)
    return {
        "n_train": len(train),
        "n_test": len(test),
        "curve": curve,
        "actions_to_85": _first(curve),
        "random": {"curve": chance, "actions_to_85": _first(chance)},
        "all_labels": _accuracy(features, truth, questions, expected),
        "seconds": round(time.monotonic() - began, 1),
    }


def _guided(
    texts: Sequence[str],
    vectors: NDArray[np.float32] | None,
    features: Any,
    questions: Any,
    truth: NDArray[np.str_],
    expected: NDArray[np.str_],
    actions: int,
    tell: Callable[[str, float], None],
) -> list[list[float]]:
    import numpy as np

    from chatbot.learning.clustering import nested

    tell("groups", 0.0)
    coarse, fine = nested(texts, vectors, [min(actions, len(texts) // 4), max(len(texts) // GROUP, actions)])
    labels = np.full(len(texts), "", dtype=truth.dtype)
    settled = np.zeros(len(texts), dtype=bool)
    curve: list[list[float]] = []
    model: Any = None
    for done in range(1, actions + 1):
        if done <= FIRST or model is None or (done - 1) % ROUND == 0:
            known = labels != ""
            groups, weights = (coarse, 1.0 * ~known)
            if known.all():
                groups, weights = fine, _doubt(features, labels) * ~settled
            elif done > FIRST:
                model = _model().fit(features[known], labels[known])
                weights = (1 - model.predict_proba(features).max(axis=1)) * ~known
            order = np.argsort(-np.bincount(groups, weights=weights), kind="stable").tolist()
        rows = groups == order.pop(0)
        labels[rows] = Counter(truth[rows].tolist()).most_common(1)[0][0]
        settled |= rows & (groups is fine)
        if done % STEP == 0 or done == actions:
            tell("actions", done / actions)
            known = labels != ""
            curve.append([done, _accuracy(features[known], labels[known], questions, expected)])
    return curve


def _doubt(features: Any, labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """1 - the probability that a model which has not seen a message gives its present label (two folds)."""
    import numpy as np

    order = np.random.default_rng(13).permutation(len(labels))
    doubt: NDArray[np.float64] = np.ones(len(labels))
    for mine, others in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        if len(set(labels[others].tolist())) < 2:
            continue
        model = _model().fit(features[others], labels[others])
        shares = model.predict_proba(features[mine])
        place = {name: at for at, name in enumerate(model.classes_)}
        doubt[mine] = [
            1 - shares[row, place[name]] if name in place else 1.0
            for row, name in enumerate(labels[mine].tolist())
        ]
    return doubt


def _random(
    features: Any,
    questions: Any,
    truth: NDArray[np.str_],
    expected: NDArray[np.str_],
    most: int,
    seed: int,
    tell: Callable[[str, float], None],
) -> list[list[float]]:
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(truth))
    curve = []
    for number in range(100, min(most, len(order)) + 1, 50):
        tell("random labels", number / most)
        rows = order[:number]
        curve.append([float(number), _accuracy(features[rows], truth[rows], questions, expected)])
    return curve


def _model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10, max_iter=60, tol=1e-3)


def _accuracy(features: Any, labels: NDArray[np.str_], questions: Any, expected: NDArray[np.str_]) -> float:
    """Percent right of ``questions`` after training on ``features`` with ``labels``."""
    import warnings

    if len(set(labels.tolist())) < 2:
        return round(100 * float((expected == labels[0]).mean()), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not fully converged is good enough, and the same for both curves
        found = _model().fit(features, labels).predict(questions)
    return round(100 * float((found == expected).mean()), 2)


def _word_features(texts: Sequence[str], asked: Sequence[str]) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    from chatbot.learning.clustering import words_of

    weigher = TfidfVectorizer(analyzer=words_of, sublinear_tf=True)
    return weigher.fit_transform(texts).tocsr(), weigher.transform(asked).tocsr()


def _first(curve: Sequence[Sequence[float]]) -> int | None:
    """The actions of the first point at or above 85 %."""
    return next((int(number) for number, accuracy in curve if accuracy >= WANTED), None)
