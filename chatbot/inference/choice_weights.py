"""How a past answer is held against a written reply: the generator's likelihood and the ranker's score, weighed."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from chatbot.errors import BundleError

FOLDER = "ranker"
WEIGHTS = "choice.json"


@dataclass(frozen=True)
class ChoiceWeights:
    """How a past answer is held against a written reply, beside the generator's mean log-probability a piece.

    rank: of the ranker's score; written: what a written reply gains; length: of log(1 + characters), as what is
    likely a piece is often short. least: a ranker's score under this fits no situation seen. The defaults hold where
    too few held-back situations were there to fit them on.
    """

    rank: float = 0.03
    written: float = 0.15
    length: float = 0.2
    least: float = 0.0

    def value(self, likelihood: float, rank: float, text: str, *, written: bool) -> float:
        bonus = self.written if written else 0.0
        return likelihood + self.rank * rank + self.length * math.log1p(len(text)) + bonus

    def save(self, bundle: Path) -> None:
        (bundle / FOLDER / WEIGHTS).write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, bundle: Path) -> ChoiceWeights:
        """The defaults where the bundle holds none. Raises BundleError for a damaged file."""
        path = bundle / FOLDER / WEIGHTS
        if not path.is_file():
            return cls()
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{name: float(values[name]) for name in asdict(cls())})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError("The weights of past answers cannot be read", value=WEIGHTS) from error
