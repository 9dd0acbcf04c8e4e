import math
import random
from collections import Counter

import numpy as np
import pytest

from chatbot.errors import BundleError
from chatbot.retrieval.keyword_index import KeywordIndex, top


def reference(documents, query, k1=1.2, b=0.75):
    """BM25 written out, document by document."""
    average = sum(map(len, documents.values())) / len(documents)
    scores = {}
    for identity, words in documents.items():
        score = 0.0
        for term in query:
            holding = sum(term in other for other in documents.values())
            if holding == 0:
                continue
            weight = math.log1p((len(documents) - holding + 0.5) / (holding + 0.5))
            count = Counter(words)[term]
            score += weight * count * (k1 + 1) / (count + k1 * (1 - b + b * len(words) / average))
        if score > 0:
            scores[identity] = score
    return scores


def words(rng, size):
    return [f"w{min(int(rng.expovariate(0.1)), 60)}" for _ in range(size)]


@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_the_formula_through_adds_edits_removals_and_merges(seed, monkeypatch):
    monkeypatch.setattr("chatbot.retrieval.keyword_index._MIN_MERGE", 200)
    rng = random.Random(seed)
    index, documents = KeywordIndex(), {}
    for step in range(300):
        identity = rng.randrange(80)
        if rng.random() < 0.4:
            index.remove([identity])
            documents.pop(identity, None)
        else:
            documents[identity] = words(rng, rng.randrange(1, 15))
            index.add([(identity, documents[identity])])
        if step % 10 == 0 and documents:
            query = words(rng, 4)
            found = dict(index.search(query, 100))
            expected = reference(documents, query)
            assert found.keys() == expected.keys()
            assert all(math.isclose(found[key], expected[key], rel_tol=1e-4) for key in found)
    restored = KeywordIndex.restore(index.dump())
    query = words(rng, 4)
    assert dict(restored.search(query, 100)) == pytest.approx(dict(index.search(query, 100)), rel=1e-5)
    assert len(restored) == len(documents)


def test_a_document_never_scores_above_the_ceiling():
    index = KeywordIndex()
    index.add([(1, ["a"] * 50 + ["b"] * 50), (2, ["a"]), (3, ["c"])])
    scores, ceiling = index.scores(["a", "b", "unseen"])
    assert 0 < scores.max() < ceiling


def test_an_empty_index_finds_nothing():
    index = KeywordIndex()
    assert index.search(["a"], 5) == []
    assert KeywordIndex.restore(index.dump()).search(["a"], 5) == []
    index.add([(1, ["a"])])
    index.remove([1, 2])
    assert index.search(["a"], 5) == []


def test_damaged_bytes_are_refused():
    index = KeywordIndex()
    index.add([(1, ["a"])])
    with pytest.raises(BundleError):
        KeywordIndex.restore(index.dump()[:100])


def test_the_highest_scores_come_first_and_equals_keep_their_order():
    assert top(np.array([1, 3, 2, 3], dtype=np.float32), 3).tolist() == [1, 3, 2]
