"""How to train: the numbers that the one training loop (chatbot/neural/fit.py) is given."""

from __future__ import annotations

from dataclasses import dataclass

from chatbot.errors import TrainingError


@dataclass(frozen=True)
class FitSettings:
    """How to train. Times in seconds; ``patience`` counts validations without improvement (0: never stop
    early).
    """

    epochs: int = 12
    learning_rate: float = 3e-3
    betas: tuple[float, float] = (0.9, 0.98)
    weight_decay: float = 0.01
    clip: float = 1.0
    warmup: float = 0.2  # share of the steps in which the learning rate rises
    patience: int = 0
    validate_every: int = 0  # steps; 0: once an epoch
    ema: float = 0.0  # decay of the averaged weights, for example 0.999; 0: none
    mixed_precision: bool = True  # on a GPU, and on a processor with bfloat16 units
    budget_seconds: float | None = (
        None  # the schedule is shortened, never made longer than asked, to end in time
    )
    seed: int = 13  # of dropout and the like; the model's start and the batches bring their own
    accumulate: int = 0  # batches a step; 0: one for each process that trains (chatbot/neural/together.py)

    def __post_init__(self) -> None:
        checks = {
            "epochs": self.epochs >= 1,
            "learning_rate": self.learning_rate > 0,
            "clip": self.clip >= 0,
            "warmup": 0 <= self.warmup < 1,
            "patience": self.patience >= 0,
            "validate_every": self.validate_every >= 0,
            "ema": 0 <= self.ema < 1,
            "accumulate": self.accumulate >= 0,
            "budget_seconds": self.budget_seconds is None or self.budget_seconds > 0,
        }
        for name, fine in checks.items():
            if not fine:
                raise TrainingError(f"{name} is out of range", field=name, value=getattr(self, name))
