import numpy as np
import pytest

from chatbot.errors import InputError
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.domain_encoder import DomainEncoderSettings, Positive, fit_characters, write_encoder
from chatbot.learning.encoder_adapter import AdapterSettings, fit_adapter, write_adapted

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


def test_the_adapted_encoder_serves_the_matrix(source, tmp_path):
    rng = np.random.default_rng(0)
    matrix = (np.eye(32) + 0.3 * rng.standard_normal((32, 32))).astype(np.float32)
    write_adapted(source, matrix, tmp_path / "adapted")
    base, adapted = SentenceEncoder.load(source), SentenceEncoder.load(tmp_path / "adapted")
    expected = base.encode(TEXTS) @ matrix
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(adapted.encode(TEXTS), expected, atol=1e-5)
    assert np.allclose(adapted.encode_tokens(TEXTS[:1])[0][0], base.encode_tokens(TEXTS[:1])[0][0])
    assert adapted.fingerprint != base.fingerprint and adapted.languages == ("zh",)


def test_a_matrix_of_another_size_is_refused(source, tmp_path):
    with pytest.raises(InputError, match="fit"):
        write_adapted(source, np.eye(3, dtype=np.float32), tmp_path / "adapted")
