"""Questions that say nearly the same, put together quickly enough for a page: no encoder, no training.

One pass in order of time: a question joins the first group whose leader shares enough of its words (cosine of TF-IDF
weights; characters and their pairs for Chinese), else it leads a group of its own (leader clustering, Hartigan 1975,
chapter 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chatbot.learning.clustering import words_of

ALIKE = 0.55


def group_alike(texts: Sequence[str], *, least: float = ALIKE) -> list[list[int]]:
    """Groups of rows in order of their first; within a group the leader comes first."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    equal: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        equal.setdefault(" ".join(words_of(text)) or text.casefold().strip(), []).append(row)
    leaders_of = list(equal.values())
    if len(leaders_of) < 2:
        return leaders_of
    weigher = TfidfVectorizer(analyzer=words_of, sublinear_tf=True)
    try:
        weights = weigher.fit_transform([texts[rows[0]] for rows in leaders_of]).tocsr()
    except ValueError:  # not one word among them
        return leaders_of
    groups: list[list[int]] = []
    taken = np.zeros(len(leaders_of), dtype=bool)
    for at in range(len(leaders_of)):
        if taken[at]:
            continue
        alike = (weights @ weights[at].T).toarray().ravel() >= least
        alike[at] = True
        members = np.flatnonzero(alike & ~taken)
        taken |= alike
        ordered = [at, *(one for one in members.tolist() if one != at)]
        groups.append([row for one in ordered for row in leaders_of[one]])
    return groups
