"""The one training loop of every network here.

A model brings ``loss(batch) -> scalar tensor``; the data is a function from the epoch's number to that
epoch's batches, which depends on nothing but that number, so a resumed run sees exactly the batches it would
have seen. The loop does the rest: device, mixed precision (bfloat16, else float16 with loss scaling) on a
GPU, gradient clipping, OneCycle (Smith & Topin 2019, section 3), AdamW (Loshchilov & Hutter 2019) without
decay on embeddings, biases and norms, exponential moving average of the weights, early stopping, checkpoints
and resume.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Self

import torch
from torch import nn

from chatbot.errors import TrainingError
from chatbot.neural import together
from chatbot.neural.checkpoints import Checkpoint, CheckpointFolder, Pointer
from chatbot.neural.devices import fast_bfloat16, resolve_device
from chatbot.neural.fit_report import FitProgress, FitResult, Score, Validation
from chatbot.neural.fit_settings import FitSettings
from chatbot.neural.moving_average import MovingAverage
from chatbot.neural.parameters import clip_gradients, parameter_groups
from chatbot.neural.row_adamw import RowAdamW
from chatbot.neural.schedule import Pace, one_cycle

log = logging.getLogger(__name__)


class Batch(Protocol):
    """What the loop needs of a batch: moving to a device, and how many real tokens it holds."""

    @property
    def n_tokens(self) -> int: ...

    def to(self, device: torch.device) -> Self: ...


@dataclass
class _State:
    """Everything a resumed run needs that is no tensor."""

    step: int = 0
    epoch: int = 0
    step_in_epoch: int = 0
    best: Score | None = None
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0
    busy_seconds: float = 0.0
    tokens: int = 0
    history: list[Validation] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> _State:
        body = dict(body)
        body["best"] = Score(**body["best"]) if body["best"] else None
        body["history"] = [Validation(**{**row, "score": Score(**row["score"])}) for row in body["history"]]
        return cls(**body)


def fit(
    model: nn.Module,
    batches: Callable[[int], Iterable[Any]],
    steps_per_epoch: int,
    validate: Callable[[], Score],
    settings: FitSettings,
    *,
    device: str | torch.device = "auto",
    checkpoint_dir: Path | None = None,
    resume: bool = True,
    progress: Callable[[FitProgress], None] | None = None,
    log_dir: Path | None = None,
) -> FitResult:
    """Train ``model`` and leave it, on ``device`` and in eval mode, with the weights of the best validation.

    batches: epoch number (from 0) → that epoch's batches, ``steps_per_epoch`` of them (more are not read,
    fewer end the epoch early); each has ``to(device)`` and ``n_tokens``. A batch that lies on the device
    already is free to return itself.
    validate: called in eval mode without gradients; returns a Score.
    checkpoint_dir: where the run's state goes at every validation; a run found there is resumed unless
    ``resume`` is False.
    log_dir: TensorBoard's folder (needs the ``tensorboard`` extra).

    Raises TrainingError when the loss stops being a number, when there are no batches, or when the checkpoint
    belongs to another model.
    """
    if steps_per_epoch < 1:
        raise TrainingError("there is nothing to train on", field="steps_per_epoch", value=steps_per_epoch)
    target = device if isinstance(device, torch.device) else resolve_device(device)
    return _Run(model, batches, steps_per_epoch, validate, settings, target, progress, log_dir).run(
        CheckpointFolder(checkpoint_dir) if checkpoint_dir else None, resume=resume
    )


class _Run:
    """One call of ``fit``."""

    def __init__(
        self,
        model: nn.Module,
        batches: Callable[[int], Iterable[Any]],
        steps_per_epoch: int,
        validate: Callable[[], Score],
        settings: FitSettings,
        device: torch.device,
        progress: Callable[[FitProgress], None] | None,
        log_dir: Path | None,
    ) -> None:
        self.model = model.to(device)
        self.group = together.current()
        self.accumulate = settings.accumulate or together.batches_a_step()
        self.batches, self.validate = batches, validate
        self.steps_per_epoch = math.ceil(steps_per_epoch / self.accumulate)
        self.batches_per_epoch = steps_per_epoch
        self.settings, self.device, self.progress = settings, device, progress
        torch.manual_seed(settings.seed)
        together.same_start(model)
        self.optimizer = RowAdamW(
            parameter_groups(model, settings),
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,  # one pass over the weights; exists for CPU and CUDA
        )
        self.peaks = [float(group["lr"]) for group in self.optimizer.param_groups]
        self.average = MovingAverage(model, settings.ema) if settings.ema else None
        self.budget = settings.budget_seconds
        if (
            self.budget is not None
        ):  # several processes shorten alike, though each measured its preparation itself
            self.budget = together.agreed(self.budget, device)
        self.pace = Pace(total=settings.epochs * self.steps_per_epoch, budget=self.budget)
        self.state = _State()
        self.best_weights: dict[str, torch.Tensor] | None = None
        self.loss_sum = torch.zeros((), device=device)
        self.loss_count = 0
        self.smooth_loss = math.nan
        half = settings.mixed_precision and (device.type == "cuda" or fast_bfloat16())
        exact_range = device.type == "cpu" or torch.cuda.is_bf16_supported()
        self.precision = torch.bfloat16 if exact_range else torch.float16
        self.half = half
        self.scaler = torch.amp.GradScaler(device.type, enabled=half and self.precision is torch.float16)
        self.board = _open_board(log_dir if self.group.first else None)

    def run(self, folder: CheckpointFolder | None, *, resume: bool) -> FitResult:
        self.folder = folder
        if folder and resume:
            self._restore(folder)
        self.began = time.monotonic() - self.state.seconds
        stopped = "finished"
        while self.state.step < self.pace.total:
            if self._epoch() == "patience":
                stopped = "patience"
                break
        if stopped == "finished" and self.pace.shortened:
            stopped = "budget"
        return self._finish(stopped)

    def _epoch(self) -> str | None:
        """One pass over the data (what is left of it, after a resume). Returns "patience" to stop."""
        state, settings = self.state, self.settings
        done = state.step_in_epoch * self.accumulate
        source = batched(
            islice(iter(self.batches(state.epoch)), done, self.batches_per_epoch), self.accumulate
        )
        every = settings.validate_every
        seen = 0
        for taken in source:
            seen += 1
            self._step(taken)
            if every and state.step % every == 0 and self._validate() == "patience":
                return "patience"
            if state.step >= self.pace.total:
                break
        if seen == 0 and state.step_in_epoch == 0:
            raise TrainingError("an epoch brought no batches", field="batches", value=state.epoch)
        if state.step < self.pace.total or not every:
            state.epoch, state.step_in_epoch = state.epoch + 1, 0
        if not every or (state.step >= self.pace.total and state.step % every):
            return self._validate()
        return None

    def _step(self, taken: Sequence[Any]) -> None:
        """One step over the mean gradient of the batches; of these this process works on its share."""
        began = time.monotonic()
        state, settings = self.state, self.settings
        self.model.train()
        factor = one_cycle(self.pace.progress(state.step), settings.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor
        self.optimizer.zero_grad(set_to_none=True)
        losses = torch.zeros((), device=self.device)
        for place in range(self.group.rank, len(taken), self.group.size):
            if self.accumulate > 1:  # dropout is then the batch's, whichever process has it
                torch.manual_seed(settings.seed + 7919 * (state.step * self.accumulate + place + 1))
            with self._autocast():
                loss = self.model.loss(taken[place].to(self.device)) / len(taken)  # type: ignore[operator]
            self.scaler.scale(loss).backward()
            losses += loss.detach()
        together.add_gradients(self.model)
        loss = together.total(losses)
        if settings.clip:
            self.scaler.unscale_(self.optimizer)
            clip_gradients(self.model, settings.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average:
            self.average.update(self.model)
        self.loss_sum += loss
        self.loss_count += 1
        state.step += 1
        state.step_in_epoch += 1
        state.tokens += sum(int(batch.n_tokens) for batch in taken)
        state.busy_seconds += time.monotonic() - began
        if state.step % 20 == 0 or state.step == self.pace.total:
            self._look(float(loss))

    def _look(self, loss: float) -> None:
        """Every 20 steps (reading a loss waits for the GPU): is it a number, is there time?"""
        if not math.isfinite(loss):
            raise TrainingError(
                "the training loss is no longer a number",
                field="loss",
                value=loss,
                remedy="lower the learning rate or train with more data",
            )
        self.smooth_loss = loss if math.isnan(self.smooth_loss) else 0.8 * self.smooth_loss + 0.2 * loss
        seconds = together.agreed(time.monotonic() - self.began, self.device)
        self.pace.replan(self.state.step, seconds)
        if self.board:
            self.board.add_scalar("loss", loss, self.state.step)
            self.board.add_scalar("learning_rate", self.optimizer.param_groups[0]["lr"], self.state.step)
        self._tell(seconds)

    def _tell(self, seconds: float) -> None:
        if self.progress:
            last = self.state.history[-1].score if self.state.history else None
            self.progress(
                FitProgress(
                    self.state.step, self.pace.total, self.state.epoch, self.smooth_loss, last, seconds
                )
            )

    def _validate(self) -> str | None:
        state = self.state
        self.model.eval()
        with self._averaged(), torch.no_grad():
            score = self.validate()
            score = replace(score, value=together.agreed(score.value, self.device))
            better = score.better_than(state.best) or self.best_weights is None
            if better:
                self.best_weights = {n: t.detach().clone() for n, t in self.model.state_dict().items()}
        loss = float(self.loss_sum) / max(1, self.loss_count)
        if not math.isfinite(loss):
            raise TrainingError("the training loss is no longer a number", field="loss", value=loss)
        self.loss_sum.zero_()
        self.loss_count = 0
        state.history.append(Validation(state.step, state.epoch, loss, score))
        if better:
            state.best, state.best_step, state.stale = score, state.step, 0
        else:
            state.stale += 1
        state.seconds = time.monotonic() - self.began
        log.debug("step %d: loss %.4f, %s %.4f", state.step, loss, score.name, score.value)
        if self.board:
            self.board.add_scalar(f"validation/{score.name}", score.value, state.step)
        if self.folder and self.group.first:
            self._save(self.folder, ("best", "latest") if better else ("latest",))
        self._tell(state.seconds)
        return "patience" if self.settings.patience and state.stale >= self.settings.patience else None

    def _averaged(self) -> AbstractContextManager[None]:
        return self.average.applied(self.model) if self.average else nullcontext()

    def _autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, dtype=self.precision) if self.half else nullcontext()

    def _finish(self, stopped: str) -> FitResult:
        state = self.state
        if state.best is None or self.best_weights is None:
            raise TrainingError("the training ended before its first validation", value=state.step)
        self.model.load_state_dict(self.best_weights)
        self.model.eval()
        if self.board:
            self.board.close()
        return FitResult(
            best=state.best,
            best_step=state.best_step,
            steps=state.step,
            seconds=state.seconds,
            tokens_per_second=state.tokens / max(state.busy_seconds, 1e-9),
            stopped=stopped,
            device=str(self.device),
            history=tuple(state.history),
            planned=self.pace.asked or self.pace.total,
        )

    def _save(self, folder: CheckpointFolder, pointers: tuple[Pointer, ...]) -> None:
        tensors = {f"model.{n}": t for n, t in self.model.state_dict().items()}
        if self.average:
            tensors |= {f"average.{n}": t for n, t in self.average.shadow.items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{slot}": value for slot, value in slots.items()}
        if "best" in pointers and self.best_weights is not None and self.average:
            tensors |= {f"best.{n}": t for n, t in self.best_weights.items()}
        tensors["random.cpu"] = torch.get_rng_state()
        if self.device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self.device)
        meta = {
            "state": self.state.as_json(),
            "pace": asdict(self.pace),
            "average_updates": self.average.updates if self.average else 0,
            "scaler": self.scaler.state_dict(),
        }
        folder.save(Checkpoint(self.state.step, tensors, meta), pointers=pointers)

    def _restore(self, folder: CheckpointFolder) -> None:
        latest, best = folder.load("latest", device=self.device), folder.load("best", device=self.device)
        if latest is None or best is None:
            return
        try:
            self.model.load_state_dict(_under(latest.tensors, "model."))
            slots: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in _under(latest.tensors, "optimizer.").items():
                index, slot = name.split(".", 1)
                slots.setdefault(int(index), {})[slot] = tensor
            self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})
            if self.average:
                self.average.shadow = {n: t.clone() for n, t in _under(latest.tensors, "average.").items()}
                self.average.updates = int(latest.meta["average_updates"])
            self.best_weights = _under(best.tensors, "best.") or _under(best.tensors, "model.")
            self.state = _State.from_json(latest.meta["state"])
            self.pace = Pace(**{**latest.meta["pace"], "budget": self.budget})
            self.scaler.load_state_dict(latest.meta["scaler"])
        except (KeyError, RuntimeError, ValueError) as error:
            raise TrainingError(
                f"the checkpoint belongs to another model: {error}",
                field="checkpoint_dir",
                value=folder.folder.name,
                remedy="delete the checkpoint folder to train from the beginning",
            ) from error
        torch.set_rng_state(latest.tensors["random.cpu"].cpu())
        if self.device.type == "cuda" and "random.cuda" in latest.tensors:
            torch.cuda.set_rng_state(latest.tensors["random.cuda"].cpu(), self.device)
        log.info("resuming at step %d of %d", self.state.step, self.pace.total)


def batched(batches: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of ``size`` batches, the last perhaps shorter."""
    source = iter(batches)
    while taken := list(islice(source, size)):
        yield taken


def _under(tensors: Any, prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _open_board(log_dir: Path | None) -> Any:
    if log_dir is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            "TensorBoard is not installed",
            field="log_dir",
            value=log_dir,
            remedy="pip install 'frontdesk[tensorboard]', or train without a log folder",
        ) from error
    return SummaryWriter(str(log_dir))
