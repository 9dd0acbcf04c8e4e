import numpy as np
import pytest

from chatbot.errors import BundleError, InputError
from chatbot.retrieval.vector_index import VectorIndex, nearest


def clustered(count, *, dimension=24, seed=0):
    centres = np.random.default_rng(99).standard_normal((60, dimension))
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(len(centres), size=count)] + 0.5 * rng.standard_normal((count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=["flat", "ivf"])
def filled(request):
    vectors = clustered(2000)
    index = VectorIndex(24, flat_limit=10_000 if request.param == "flat" else 500)
    index.add(np.arange(2000) * 3, vectors)
    assert index.kind.startswith(request.param)
    return index, vectors


def test_the_nearest_are_found(filled):
    index, vectors = filled
    queries = clustered(50, seed=1)
    _, found = index.search(queries, 10)
    exact = nearest(queries, vectors, np.arange(2000) * 3, 10)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)]) > 0.96


def test_a_removed_vector_is_never_found_again(filled):
    index, vectors = filled
    index.remove([30, 33, 999_999])
    _, ids = index.search(vectors[[10, 11]], 20)
    assert not {30, 33} & set(ids.ravel().tolist())
    assert len(index) == 1998 and 30 not in index
    assert not index.vectors([30]).any()


def test_a_replaced_vector_is_found_where_it_is_now(filled):
    index, vectors = filled
    index.add([30, 30], np.stack([vectors[5], -vectors[10]]))
    assert len(index) == 2000
    assert index.search(-vectors[10][None], 1)[1].tolist() == [[30]]
    assert np.allclose(index.vectors([30])[0], -vectors[10], atol=1e-3)


def test_a_saved_index_comes_back_whole(filled, tmp_path):
    index, vectors = filled
    index.remove([0])
    index.save(tmp_path / "index.faiss")
    back = VectorIndex.load(tmp_path / "index.faiss", flat_limit=500)
    assert back.ids == index.ids and back.kind == index.kind
    assert back.search(vectors[:5], 5)[1].tolist() == index.search(vectors[:5], 5)[1].tolist()
    back.remove([3])
    back.add([0], vectors[:1])
    assert back.search(vectors[:1], 1)[1].tolist() == [[0]]
    assert [path.name for path in tmp_path.iterdir()] == ["index.faiss"]


def test_an_index_grows_from_flat_into_lists():
    index = VectorIndex(24, flat_limit=500)
    vectors = clustered(600)
    index.add(range(400), vectors[:400])
    assert index.kind == "flat"
    index.add(range(400, 600), vectors[400:])
    assert index.kind.startswith("ivf") and len(index) == 600
    assert index.search(vectors[450:451], 1)[1].tolist() == [[450]]


def test_fewer_than_asked_are_marked():
    index = VectorIndex(24)
    scores, ids = index.search(clustered(1), 5)
    assert ids.tolist() == [[-1]] and np.isneginf(scores).all()


def test_unusable_vectors_are_refused():
    index = VectorIndex(24)
    with pytest.raises(InputError, match="shape"):
        index.add([1], np.zeros((1, 7), dtype=np.float32))
    with pytest.raises(InputError, match="finite"):
        index.add([1], np.full((1, 24), np.nan, dtype=np.float32))


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "index.faiss"
    path.write_bytes(b"not an index")
    with pytest.raises(BundleError):
        VectorIndex.load(path)
