import numpy as np
import pytest

from chatbot.retrieval.knowledge import PassageEntry
from chatbot.retrieval.language_index import COLUMN, LanguageIndex, Query


def found(titles, vectors, *, articles=None, asked=(1.0, 0.0)):
    """The candidates' ``crowd_cosine`` in an index of passages with these titles and vectors."""
    rows = np.array(vectors, dtype=np.float32)
    index = LanguageIndex(rows.shape[1])
    articles = articles or range(1, len(titles) + 1)
    entries = [
        PassageEntry(number, article, "en", title, "")
        for number, (title, article) in enumerate(zip(titles, articles, strict=True), 1)
    ]
    index.put_passages(entries, rows, rows)
    query = Query(["refund"], np.array(asked, dtype=np.float32), [], None)
    return index.candidates(query).features[:, COLUMN["crowd_cosine"]]


def test_a_passage_among_others_is_told_from_one_that_stands_alone():
    crowd = found(["a", "b", "c"], [[1, 0], [0.8, 0.6], [-1, 0]])
    assert crowd == pytest.approx(
        [(0.8 + 0.0 - 1.0) / 3, (0.8 + 0.0 - 0.8) / 3, (0.0 - 0.8 - 1.0) / 3], abs=2e-3
    )


def test_passages_of_the_same_article_are_no_crowd():
    assert found(["a", "b"], [[1, 0], [1, 0]], articles=[7, 7]).tolist() == [0.0, 0.0]
    assert found(["a"], [[1, 0]]).tolist() == [0.0]


def test_without_an_encoder_there_is_none():
    assert found(["refund", "refund"], [[0.0], [0.0]], asked=(0.0,)).tolist() == [0.0, 0.0]
