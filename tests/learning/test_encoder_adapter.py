import shutil

import numpy as np
import pytest

from chatbot.errors import BundleError
from chatbot.inference.encode import AdaptedEncoder, SentenceEncoder
from chatbot.learning.domain_encoder import DomainEncoderSettings, Positive, fit_characters, write_encoder
from chatbot.learning.encoder_adapter import AdapterSettings, _gradient, fit_adapter
from chatbot.learning.loading import load_encoders, save_adapters
from chatbot.retrieval.knowledge import ListedKnowledge, PassageEntry
from chatbot.retrieval.search import Searcher

TEXTS = [f"{chr(0x4E00 + number)}{chr(0x5000 + number)}" for number in range(60)]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoders") / "base"
    settings = DomainEncoderSettings(dimension=32)
    tokenizer, table = fit_characters([], seed=0, settings=settings, extra_texts=TEXTS)
    return write_encoder(folder, tokenizer, table, languages=("zh",))


def aligned(count, *, dimension=32, seed=0):
    """Questions are their article's vector turned by one fixed rotation, plus noise."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(np.random.default_rng(7).standard_normal((dimension, dimension)))[0]
    mix = 0.5 * np.eye(dimension) + 0.5 * turn
    articles = rng.standard_normal((count, dimension))
    questions = articles @ mix + 0.6 * rng.standard_normal((count, dimension))
    unit = lambda rows: (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)  # noqa: E731
    return unit(questions), unit(articles)


def recall(questions, articles, matrix):
    moved = [rows @ matrix for rows in (questions, articles)]
    moved = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in moved]
    return float(((moved[0] @ moved[1].T).argmax(axis=1) == np.arange(len(questions))).mean())


def test_what_is_learned_helps_questions_that_were_not_seen():
    questions, articles = aligned(600)
    vectors = {f"q{n}": row for n, row in enumerate(questions)} | {
        f"a{n}": row for n, row in enumerate(articles)
    }
    positives = [Positive(f"q{n}", f"a{n}", str(n)) for n in range(600)]
    matrix = fit_adapter(positives, vectors, seed=1, settings=AdapterSettings(batch_size=64))
    fresh = aligned(200, seed=5)
    assert recall(*fresh, matrix) > recall(*fresh, np.eye(32)) + 0.05


def test_few_examples_leave_the_encoder_alone():
    assert fit_adapter([Positive("a", "b", "1")] * 10, {"a": np.ones(4), "b": np.ones(4)}, seed=0) is None


def test_the_adapted_encoder_serves_the_matrix(source):
    rng = np.random.default_rng(0)
    matrix = (np.eye(32) + 0.3 * rng.standard_normal((32, 32))).astype(np.float32)
    base = SentenceEncoder.load(source)
    adapted = AdaptedEncoder(base, matrix, lang="zh")
    expected = base.encode(TEXTS) @ matrix
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(adapted.encode(TEXTS), expected, atol=1e-5)
    assert np.allclose(adapted.adapt(base.encode(TEXTS)), expected, atol=1e-5)
    assert adapted.fingerprint != base.fingerprint and adapted.languages == ("zh",)
    assert adapted.fingerprint == AdaptedEncoder(base, matrix.copy(), lang="zh").fingerprint


def test_a_matrix_of_another_size_or_with_holes_is_refused(source):
    base = SentenceEncoder.load(source)
    for matrix in (np.eye(3, dtype=np.float32), np.full((32, 32), np.nan, dtype=np.float32)):
        with pytest.raises(BundleError, match="fit"):
            AdaptedEncoder(base, matrix, lang="zh")


def test_the_gradient_is_that_of_the_loss():
    rng = np.random.default_rng(1)
    one, other = (rng.standard_normal((6, 5)) for _ in range(2))
    groups = np.array([0, 0, 1, 2, 3, 4])
    change = 0.1 * rng.standard_normal((5, 5))

    def loss(change):
        u, v = (rows + rows @ change for rows in (one, other))
        u, v = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (u, v))
        scores = u @ v.T / 0.5
        scores[0, 1] = scores[1, 0] = -1e4
        by_row, by_column = (
            np.log(np.exp(table).sum(axis=1)) - np.diag(table) for table in (scores, scores.T)
        )
        return (by_row.mean() + by_column.mean()) / 2

    gradient = _gradient((one, one), (other, other), change, groups, 0.5)
    for place in ((0, 0), (1, 3), (4, 2)):
        step = np.zeros((5, 5))
        step[place] = 1e-5
        slope = (loss(change + step) - loss(change - step)) / 2e-5
        assert gradient[place] == pytest.approx(slope, rel=1e-4)


def test_a_bundle_serves_its_adapter_for_its_language_and_the_plain_encoder_for_the_others(source, tmp_path):
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    shutil.copytree(source, bundle / "general")
    plain = load_encoders(bundle, {"*": "general"}, threads=1)
    matrix = (np.eye(32) + 0.1 * np.random.default_rng(2).standard_normal((32, 32))).astype(np.float32)
    save_adapters(bundle, {"zh": AdaptedEncoder(plain["*"], matrix, lang="zh")})
    loaded = load_encoders(bundle, {"*": "general"}, threads=1)
    assert set(loaded) == {"*", "zh"} and loaded["*"].fingerprint == plain["*"].fingerprint
    assert np.allclose(loaded["zh"].encode(TEXTS), loaded["zh"].adapt(plain["*"].encode(TEXTS)))
    (bundle / "adapters" / "zh.npy").write_bytes(b"no matrix")
    with pytest.raises(BundleError, match="adapter"):
        load_encoders(bundle, {"*": "general"}, threads=1)


def test_another_adapter_encodes_no_text_again(source, tmp_path):
    class Counting(SentenceEncoder):
        encoded = 0

        def encode(self, texts):
            Counting.encoded += len(texts)
            return super().encode(texts)

    base = Counting.load(source)
    passages = [PassageEntry(n, n, "zh", text, "") for n, text in enumerate(TEXTS)]
    vectors = []
    for seed in (1, 2):
        matrix = np.eye(32) + 0.1 * np.random.default_rng(seed).standard_normal((32, 32))
        searcher = Searcher(
            {"zh": AdaptedEncoder(base, matrix, lang="zh")}, knowledge=ListedKnowledge(passages)
        )
        searcher.keep_in(tmp_path / "index")
        Counting.encoded = 0
        searcher.put(passages)
        vectors.append(searcher.part("zh").titles.vectors([0]))
    assert Counting.encoded == 0
    assert not np.allclose(vectors[0], vectors[1], atol=1e-2)
