"""Several processes train one model, one a GPU: the same code under ``torchrun`` or ``accelerate launch``.

Each step takes as many batches as there are processes (``FitSettings.accumulate`` fixes another number). Every process
works on its share of them, the gradients are added up and divided by the number of batches, and all take the same
step. Nothing else is divided: the model that comes out is the one that a single process makes with the same
``accumulate``, up to the order of additions. Decisions that hang on the clock or on a score are the first process's.

A process knows its place from the variables that torchrun sets (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True, slots=True)
class Group:
    """This process's place among all; alone: 0 of 1."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0


def current() -> Group:
    if not dist.is_available() or not dist.is_initialized():
        return Group()
    return Group(dist.get_rank(), dist.get_world_size())


def batches_a_step() -> int:
    """One for each process."""
    return current().size


def expected() -> int:
    """How many processes were started together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def on_this_machine() -> int:
    """How many of them share this machine's cores."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("WORLD_SIZE", "1")))


@contextmanager
def joined(device: str = "auto") -> Iterator[Group]:
    """Meet the others that torchrun has started; alone where there are none. On GPUs each process takes its own."""
    if expected() < 2 or current().size > 1:
        yield current()
        return
    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield current()
    finally:
        dist.destroy_process_group()


@contextmanager
def first_alone() -> Iterator[None]:
    """The first process does the block before the others begin it: what it writes to disk is there for them."""
    group = current()
    if group.size > 1 and not group.first:
        dist.barrier()
    try:
        yield
    finally:
        if group.size > 1 and group.first:
            dist.barrier()


def same_start(model: nn.Module) -> None:
    """Everybody begins with the first process's weights."""
    if current().size > 1:
        for tensor in (*model.parameters(), *model.buffers()):
            dist.broadcast(tensor.data, src=0)


def agreed(value: float, device: torch.device) -> float:
    """The first process's value, with everybody."""
    if current().size == 1:
        return value
    told = torch.tensor(
        [value], dtype=torch.float64 if device.type == "cpu" else torch.float32, device=device
    )
    dist.broadcast(told, src=0)
    return float(told)


def total(value: torch.Tensor) -> torch.Tensor:
    """The sum over all processes."""
    if current().size > 1:
        value = value.clone()
        dist.all_reduce(value)
    return value


def add_gradients(model: nn.Module) -> None:
    """Each parameter's gradient becomes the sum over all processes; one that has a gradient nowhere keeps none.

    A sparse gradient (an embedding's rows) stays sparse: its rows are those that any process has read.
    """
    if current().size == 1:
        return
    parameters = [one for one in model.parameters() if one.requires_grad]
    if not parameters:
        return
    device = parameters[0].device
    kinds = torch.tensor(  # 0: no gradient, 1: dense, 2: sparse
        [0 if p.grad is None else 1 + int(p.grad.is_sparse) for p in parameters], device=device
    )
    dist.all_reduce(kinds, op=dist.ReduceOp.MAX)
    told = kinds.tolist()
    dense = [p for p, kind in zip(parameters, told, strict=True) if kind == 1]
    if dense:
        flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in dense])
        dist.all_reduce(flat)
        for parameter, part in zip(dense, flat.split([p.numel() for p in dense]), strict=True):
            parameter.grad = part.view_as(parameter)
    for parameter in [p for p, kind in zip(parameters, told, strict=True) if kind == 2]:
        _add_rows(parameter)


def _add_rows(parameter: nn.Parameter) -> None:
    values = torch.zeros_like(parameter)  # [rows, d]
    read = torch.zeros(len(parameter), device=parameter.device)
    if parameter.grad is not None:
        own = parameter.grad.coalesce()
        values.index_add_(0, own.indices()[0], own.values())
        read[own.indices()[0]] = 1
    dist.all_reduce(values)
    dist.all_reduce(read, op=dist.ReduceOp.MAX)
    rows = read.nonzero()[:, 0]
    parameter.grad = torch.sparse_coo_tensor(
        rows[None], values[rows], parameter.shape, is_coalesced=True, check_invariants=False
    )
