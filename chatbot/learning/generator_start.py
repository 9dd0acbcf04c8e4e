"""Learning on without forgetting: a new response generator begins with the weights, and the pieces, of another release.

Its tokenizer comes along, since every row of the embeddings is one of its pieces; it is byte-level, so that no text is
out of vocabulary. Intents are carried over by name, new ones begin as untrained. The whole snapshot is learnt from, so
that what the other release knew is rehearsed (Robins 1995, as in chatbot/learning/warm_start.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from chatbot.errors import TrainingError
from chatbot.neural.response_generator import ResponseGeneratorNetwork
from chatbot.neural.tokenizer import SubwordTokenizer

LEARNING_RATE = 0.5  # of the one from scratch
_SHAPE = ("embedding", "encoder_units", "decoder_units")


@dataclass(frozen=True)
class Start:
    """A trained generator to begin with."""

    tokenizer: SubwordTokenizer
    network: ResponseGeneratorNetwork


def carry_over(network: ResponseGeneratorNetwork, start: Start) -> None:
    """Fill ``network``, which was made for the start's tokenizer, with the start's weights.

    Raises TrainingError where the two have another shape.
    """
    mine, other = network.config, start.network.config
    for name in _SHAPE:
        if getattr(mine, name) != getattr(other, name):
            raise TrainingError(
                "The generator to start from has another shape",
                field=name,
                value=f"{name} {getattr(other, name)}",
            )
    state = network.state_dict()
    with torch.no_grad():
        for name, value in start.network.state_dict().items():
            if name != "intent_embedding.weight":
                state[name].copy_(value)
        rows = {intent: row for row, intent in enumerate(other.intents, start=1)}
        known = [(row, rows[intent]) for row, intent in enumerate(mine.intents, start=1) if intent in rows]
        for row, old in known:
            state["intent_embedding.weight"][row] = start.network.intent_embedding.weight[old]
