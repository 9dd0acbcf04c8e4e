"""Encoders by name or folder: static embeddings as they serve, and where an encoder will come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from chatbot.errors import InputError
from chatbot.inference.encode import SentenceEncoder
from chatbot.learning.encoders import check_encoder, ensure_encoder

WORDS = ["[UNK]", "[CLS]", "[SEP]", "where", "is", "my", "parcel", "refund", "the", "money"]
TEXTS = ["where is my parcel", "the refund", "my money is the refund", "parcel " * 300]


def tokenizer() -> Tokenizer:
    """One that puts marks around a text, as those of BERT do: a static embedding does not count them."""
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return made


def model(folder: Path, *behind: Any) -> Any:
    torch = pytest.importorskip("torch")
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    torch.manual_seed(7)
    rows = torch.randn(len(WORDS), 8) * torch.logspace(-5, 3, len(WORDS))[:, None]  # rare words weigh more
    made = SentenceTransformer(modules=[StaticEmbedding(tokenizer(), rows), *behind], device="cpu")
    made.save(str(folder))
    return made


def dense(activation: Any) -> Any:
    pytest.importorskip("torch")
    from sentence_transformers.sentence_transformer.modules import Dense

    return Dense(8, 4, activation_function=activation)


def test_a_static_embedding_serves_as_the_model_says(tmp_path: Path) -> None:
    from sentence_transformers.sentence_transformer.modules import Normalize

    made = model(tmp_path / "model", Normalize())
    folder = ensure_encoder(str(tmp_path / "model"), tmp_path / "store")
    served = SentenceEncoder.load(folder)
    assert served.dimension == 8
    assert np.abs(served.encode(TEXTS) - made.encode(TEXTS)).max() < 2e-3
    alike = served.encode_alike(TEXTS)[1]  # with padding
    np.testing.assert_allclose(alike, served.encode(TEXTS), atol=1e-5)
    assert np.isfinite(served.encode(["", "unheard of"])).all()
    assert ensure_encoder(str(tmp_path / "model"), tmp_path / "store") == folder


def test_a_linear_layer_behind_a_static_embedding_is_kept(tmp_path: Path) -> None:
    import torch

    made = model(tmp_path / "model", dense(torch.nn.Identity()))
    served = SentenceEncoder.load(ensure_encoder(str(tmp_path / "model"), tmp_path / "store"))
    assert served.dimension == 4
    told = made.encode(TEXTS, normalize_embeddings=True)
    assert np.abs(served.encode(TEXTS) - told).max() < 2e-3


def test_a_curved_layer_behind_a_static_embedding_is_refused_by_its_build(tmp_path: Path) -> None:
    import torch

    model(tmp_path / "model", dense(torch.nn.Tanh()))
    with pytest.raises(InputError, match="cannot be exported") as refused:
        ensure_encoder(str(tmp_path / "model"), tmp_path / "store")
    assert "StaticEmbedding, Dense" in str(refused.value.value)
    assert not list((tmp_path / "store").glob("*"))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("packagd", "FRONTDESK_ENCODER=packaged"),
        ("Domain", "FRONTDESK_ENCODER=domain"),
        ("/nowhere/model", "absolute path"),
        ("./model", "absolute path"),
        ("EMPTY", "modules.json"),
    ],
)
def test_what_cannot_be_an_encoder_is_told_before_a_training(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    name = str(tmp_path / "empty") if name == "EMPTY" else name
    with pytest.raises(InputError) as refused:
        check_encoder(name, tmp_path)
    assert says in (refused.value.remedy or "") and refused.value.value == name


def test_where_an_encoder_comes_from(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "modules.json").write_text("[]")
    assert "folder" in check_encoder(str(tmp_path / "model"), tmp_path)
    assert "each release" in check_encoder("domain", tmp_path)
    name = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
    assert check_encoder(name, tmp_path) == ""  # only a hub knows
