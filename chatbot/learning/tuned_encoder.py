"""An encoder that was tuned with the accurate tier, in the form that serves."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from chatbot.inference.encode import EncoderConfig
from chatbot.learning.encoders import quantise, sha256_of, to_onnx
from chatbot.neural.state_classifier import TunedNetwork, load_encoder


class _Served(torch.nn.Module):
    """The tuned encoder with the outputs that `SentenceEncoder` reads. Where ``upper`` has layers, those that the
    encoder had above the ``kept`` ones before it was tuned, the vector of what they say stands behind its own:
    [b, 2 · width].
    """

    def __init__(self, encoder: torch.nn.Module, upper: torch.nn.ModuleList, kept: int) -> None:
        super().__init__()
        self.encoder, self.upper, self.kept = encoder, upper, kept

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        read = self.encoder(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        states: torch.Tensor = read.last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(states.dtype)

        def vector(of: torch.Tensor) -> torch.Tensor:
            mean = (of * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=-1)

        if not len(self.upper):
            return states, vector(states)
        before: torch.Tensor = read.hidden_states[self.kept]
        hidden = (1 - attention_mask[:, None, None, :].to(states.dtype)) * torch.finfo(states.dtype).min
        for layer in self.upper:
            before = layer(before, attention_mask=hidden)
        return states, torch.cat([vector(states), vector(before)], dim=1)


def export_tuned(network: TunedNetwork, weights: Path, base: EncoderConfig, folder: Path) -> None:
    """Write the tuned encoder as an encoder folder, int8, under a fingerprint of its own; with a steady linear model
    (`StateConfig.steady`) its vectors are [2 · width], the second half what the encoder said before it was tuned.

    weights: the folder it was tuned from. base: the served form of that one.
    """
    folder.mkdir(parents=True)
    dimension, upper = base.width, torch.nn.ModuleList()
    if network.config.steady:
        layers: Any = load_encoder(weights).encoder
        dimension, upper = 2 * base.width, layers.layer[network.kept :]
    to_onnx(_Served(network.encoder, upper, network.kept), folder / "float.onnx")
    quantise(folder / "float.onnx", folder / "model.onnx")
    for leftover in folder.glob("float.onnx*"):
        leftover.unlink()
    shutil.copyfile(weights / "tokenizer.json", folder / "tokenizer.json")
    fingerprint = sha256_of(folder / "model.onnx")[:20]
    name = f"{base.name} (tuned)"
    replace(base, name=name, fingerprint=fingerprint, dimension=dimension).save(folder)
