"""What reads a message for the assistant: a classifier and a search, of whatever make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chatbot.dialogue.trace import Classification, Hit, Message


class Classifier(Protocol):
    def classify(
        self, text: str, *, history: Sequence[Message] = (), lang: str | None = None
    ) -> Classification: ...


class Search(Protocol):
    def search(self, query: str, *, lang: str, history: Sequence[Message] = (), k: int = 5) -> list[Hit]: ...

    def encode(self, texts: Sequence[str], *, lang: str) -> NDArray[np.float32]:
        """Unit vectors [n, dimension] of the language's encoder."""
        ...

    def question(self, text: str, *, lang: str) -> NDArray[np.float32]:
        """The unit vector [dimension] by which a question is searched for."""
        ...

    def refresh(self) -> None:
        """Take in what has changed in the knowledge since the last call."""
        ...

    def __len__(self) -> int:
        """How many entries the index holds."""
        ...
