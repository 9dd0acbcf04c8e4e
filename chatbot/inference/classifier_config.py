"""What ``classifier/config.json`` holds: written by training, read by serving."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from chatbot.errors import BundleError

FORMAT = 1
CONFIG_FILE, VOCABULARY_FILE = "config.json", "vocabulary.txt"
GRAPH_FILE, EMBEDDINGS_FILE, WEIGHTS_FILE = "model.onnx", "embeddings.safetensors", "weights.safetensors"
ONE_GRAPH_FILE = "one.onnx"  # the same network for one message at a time; releases made before have none
PAIRS_FILE = "pairs.npy"  # hashes of the pairs of Han characters seen in training, uint32, sorted; older releases: none
ACCURATE_FOLDER, ENCODER_FOLDER = "accurate", "encoder"
ALL = "*"  # the calibration over all languages together


@dataclass(frozen=True, slots=True)
class Calibration:
    """One language's: temperature of the intents, logistic weights of "in scope" over ``scope_features``.

    ``top_slope``, ``top_offset``: from the log-odds of the best intent, as the temperature leaves them, to those with
    which it is right.

    ``reject_below``: the in-scope probability that 5 % of the in-scope validation texts fall below.
    ``n``: validation texts it was fitted on. ``nothing_known``: taken from the log-odds of "in scope" where no word of
    a text is known.
    """

    temperature: float = 1.0
    scope_weights: tuple[float, ...] = (-1.0, 0.0, 0.0, 0.0)
    scope_bias: float = 0.0
    reject_below: float = 0.5
    n: int = 0
    nothing_known: float = 0.0
    top_slope: float = 1.0
    top_offset: float = 0.0

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Calibration:
        return cls(**{**body, "scope_weights": tuple(body["scope_weights"])})


@dataclass(frozen=True, slots=True)
class Blend:
    """How the cascade joins both tiers where it asks both: p ∝ (accurate^share · fast^(1 − share))^sharpness."""

    share: float = 1.0
    sharpness: float = 1.0


@dataclass(frozen=True)
class ClassifierConfig:
    """Of one tier. ``encoder``: fingerprint of the sentence encoder whose states the accurate tier reads,
    empty for the fast one and for an encoder that lies beside it. ``sure``: the confidence (times in scope)
    from which the fast tier's answer stands in the cascade.
    """

    labels: tuple[str, ...]
    languages: tuple[str, ...]
    max_tokens: int  # of the message
    context_tokens: int  # of the turns before it; 0: history is not read
    long_characters: int  # texts longer than this are trusted less and less
    buckets: int = 0
    calibration: dict[str, Calibration] = field(default_factory=dict)
    tier: str = "fast"
    encoder: str = ""
    sure: float = 0.9
    blend: Blend = field(default_factory=lambda: Blend())
    words_after_history: float = 1.0  # the linear model to the LSTM that has read what was said before
    # the linear model to the LSTM in messages of a language, 1 where it is not named; empty where one alone is known
    words_by_language: dict[str, float] = field(default_factory=dict)
    format: int = FORMAT

    def words_count(self, lang: str, *, after_history: bool) -> float:
        """How much the linear model counts for the LSTM's one, in a message that reads as ``lang``."""
        return (self.words_after_history if after_history else 1.0) * self.words_by_language.get(lang, 1.0)

    def save(self, folder: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ClassifierConfig:
        """Raises BundleError where the folder holds no classifier of a known format."""
        try:
            body = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
            body["labels"], body["languages"] = tuple(body["labels"]), tuple(body["languages"])
            body["calibration"] = {k: Calibration.from_json(v) for k, v in body["calibration"].items()}
            body["blend"] = Blend(**body.get("blend", {}))
            known = {field.name for field in fields(cls)}  # a release of another version may say more
            config = cls(**{name: value for name, value in body.items() if name in known})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise BundleError(
                "no intent classifier in this folder", field="folder", value=folder.name, remedy="retrain"
            ) from error
        if config.format != FORMAT:
            raise BundleError("the classifier's format is not known", field="format", value=config.format)
        return config
