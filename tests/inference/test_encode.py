import json
import subprocess
import sys

import numpy as np
import pytest

from chatbot.errors import BundleError
from chatbot.inference.encode import EncoderConfig, RememberingEncoder, SentenceEncoder
from chatbot.learning.encoders import ensure_encoder, written_folder

QUESTIONS = [
    "Where is my parcel?",
    "How do I send an item back?",
    "Track my order",
    "",
    "Can I pay by invoice? " * 60,
]


@pytest.fixture(scope="module")
def folder(packaged_encoder):
    return packaged_encoder


@pytest.fixture(scope="module")
def encoder(folder):
    return SentenceEncoder.load(folder)


def test_vectors_have_unit_length_and_keep_the_order_of_the_texts(encoder):
    vectors = encoder.encode(QUESTIONS)
    assert vectors.shape == (5, 384) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for row, text in enumerate(QUESTIONS):  # whatever it is encoded together with
        assert vectors[row] @ encoder.encode([text])[0] > 0.9999


def test_texts_that_differ_in_a_word_are_nearly_alone_what_they_are_together(encoder):
    words = ["when", "do", "I", "get", "the", "money", "for", "the", "kettle", "that", "I", "sent", "back"]
    texts = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
    states, vectors, lengths = encoder.encode_alike(texts)
    assert (encoder.encode(texts) * vectors).sum(axis=1).min() > 0.99
    assert (encoder.vectors_alike(texts) * vectors).sum(axis=1).min() > 0.98  # in halves, and in their order
    for row, (own, _) in enumerate(encoder.encode_tokens(texts)):
        assert len(own) == lengths[row] <= states.shape[1]


def test_the_tokenizer_is_a_dictionary_with_the_commonest_words_first(folder, encoder):
    words = encoder.dictionary
    assert len(words) > 10_000 and words["the"] < words["order"] < words["tray"]
    assert not {"ordr", "arived", "shippping", "##ing", "ß", "a"} & words.keys()
    assert RememberingEncoder.load(folder).dictionary == words


def test_meaning_counts_more_than_words(encoder):
    vectors = encoder.encode(["Where is my parcel?", "Track my order", "Where is my umbrella?"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_an_encoder_that_remembers_gives_the_same_and_reads_a_text_once(folder, encoder, monkeypatch):
    remembering = RememberingEncoder.load(folder)
    first = remembering.encode(["where is my order", "refund", "refund"])
    np.testing.assert_array_equal(first, encoder.encode(["where is my order", "refund", "refund"]))
    read: list[str] = []
    monkeypatch.setattr(remembering, "_inputs", lambda texts: read.extend(texts) or iter(()))
    np.testing.assert_array_equal(remembering.encode(["refund", "where is my order"]), first[[1, 0]])
    assert read == []


def test_several_workers_encode_the_same_vectors_in_the_same_order(folder, encoder):
    remembering = RememberingEncoder.load(folder)
    remembering.workers = 3
    texts = [f"where is order number {n}" for n in range(7)]
    np.testing.assert_array_equal(remembering.encode(texts), encoder.encode(texts))


def test_an_encoder_that_remembers_asks_the_store_first(folder, encoder):
    remembering = RememberingEncoder.load(folder)
    kept: dict[str, np.ndarray] = {}

    def store(texts, encode):
        new = [text for text in texts if text not in kept]
        kept.update(zip(new, encode(new), strict=True))
        return np.stack([kept[text] for text in texts])

    remembering.store = store
    first = remembering.encode(["refund"])
    again = RememberingEncoder.load(folder)
    again.store = lambda texts, encode: np.stack([kept[text] for text in texts])
    np.testing.assert_array_equal(again.encode(["refund"]), first)
    np.testing.assert_array_equal(first, encoder.encode(["refund"]))


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, 384)
    assert encoder.encode_tokens([]) == []


def test_token_states_come_with_the_vector_of_their_sentence(encoder):
    vectors = encoder.encode(QUESTIONS)
    for row, (states, vector) in enumerate(encoder.encode_tokens(QUESTIONS)):
        assert states.shape[1] == 384 and 1 <= states.shape[0] <= 128
        assert np.allclose(vector, vectors[row], atol=1e-5)
        pooled = states.mean(axis=0)
        assert np.allclose(pooled / np.linalg.norm(pooled), vector, atol=1e-4)


def test_the_export_agrees_with_the_model_it_was_made_from(encoder):
    from sentence_transformers import SentenceTransformer

    from chatbot.learning.encoders import packaged_folder

    model = SentenceTransformer(str(packaged_folder()), device="cpu")
    texts = QUESTIONS[:3]
    assert ((model.encode(texts) * encoder.encode(texts)).sum(axis=1) > 0.98).all()


def test_an_exported_encoder_is_not_exported_again(folder):
    before = (folder / "model.onnx").stat().st_mtime_ns
    assert ensure_encoder("packaged", folder.parent) == folder
    assert (folder / "model.onnx").stat().st_mtime_ns == before


def test_serving_an_encoder_imports_no_torch(folder):
    code = (
        "import sys; from pathlib import Path; from chatbot.inference.encode import SentenceEncoder;"
        f"SentenceEncoder.load(Path({str(folder)!r})).encode(['hello']);"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_damaged_folder_is_refused(folder, tmp_path):
    with pytest.raises(BundleError, match="No sentence encoder"):
        SentenceEncoder.load(tmp_path)
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:1000])
    with pytest.raises(BundleError, match="cannot be read"):
        SentenceEncoder.load(tmp_path)


def test_an_encoder_of_an_unknown_format_is_refused(folder, tmp_path):
    values = json.loads((folder / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(BundleError, match="format"):
        EncoderConfig.load(tmp_path)


def test_a_failed_export_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError), written_folder(tmp_path / "encoder") as scratch:
        (scratch / "config.json").write_text("{}")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
