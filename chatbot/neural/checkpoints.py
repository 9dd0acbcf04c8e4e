"""Training state on disk: immutable step files, and the two pointers ``best`` and ``latest`` to them.

A step file is ``step-<n>.safetensors`` (every tensor: weights, averaged weights, optimiser moments, random
states) with ``step-<n>.json`` beside it (everything that is no tensor). Both are written under a temporary
name, synced and renamed before a pointer names them, so that a run killed at any moment resumes from a
complete state. No pickle.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load_file, save_file

from chatbot.errors import TrainingError

Pointer = Literal["best", "latest"]


@dataclass(frozen=True)
class Checkpoint:
    """One step's state: ``tensors`` by dotted name, ``meta`` JSON-serialisable."""

    step: int
    tensors: Mapping[str, torch.Tensor]
    meta: Mapping[str, Any]


class CheckpointFolder:
    """The checkpoints of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, checkpoint: Checkpoint, *, pointers: tuple[Pointer, ...]) -> None:
        """Write the step file, move the pointers to it, and drop step files that no pointer names."""
        stem = f"step-{checkpoint.step:08d}"
        tensors = {
            name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.tensors.items()
        }
        weights = self.folder / f".{stem}.safetensors.part"
        save_file(tensors, str(weights))
        _publish(weights, self.folder / f"{stem}.safetensors")
        meta = self.folder / f".{stem}.json.part"
        meta.write_text(json.dumps({"step": checkpoint.step, **checkpoint.meta}), encoding="utf-8")
        _publish(meta, self.folder / f"{stem}.json")
        for name in pointers:
            part = self.folder / f".{name}.part"
            part.write_text(stem, encoding="utf-8")
            _publish(part, self.folder / name)
        self._prune()

    def load(self, pointer: Pointer, *, device: torch.device | str = "cpu") -> Checkpoint | None:
        """The checkpoint that ``pointer`` names, or None when the run has not written one yet.

        Raises TrainingError when the pointer names a file that is not there or not readable.
        """
        stem = self._target(pointer)
        if stem is None:
            return None
        try:
            meta = json.loads((self.folder / f"{stem}.json").read_text(encoding="utf-8"))
            tensors = load_file(str(self.folder / f"{stem}.safetensors"), device=str(device))
        except Exception as error:
            raise TrainingError(
                f"the {pointer} checkpoint of this run cannot be read: {error}",
                field="checkpoint",
                value=stem,
                remedy="delete the checkpoint folder to train from the beginning",
            ) from error
        return Checkpoint(step=int(meta.pop("step")), tensors=tensors, meta=meta)

    def _target(self, pointer: Pointer) -> str | None:
        path = self.folder / pointer
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    def _prune(self) -> None:
        kept = {self._target("best"), self._target("latest")}
        for path in self.folder.glob("step-*"):
            if path.name.split(".")[0] not in kept:
                path.unlink(missing_ok=True)


def _publish(part: Path, final: Path) -> None:
    """Sync ``part`` to the disk and give it its final name (atomic within one file system)."""
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(part, final)
